// Package client gives Go programs an *http.Client that goes only where a
// config.xml lets it.
//
// Every request and every redirect is decided by the policy before a byte
// leaves, resolved once, dialled only at judged addresses (package egress),
// and sent over TLS with the pins of the app. http goes out only where a rule
// says http. Tokens are attached as headers, only over TLS, only to the
// origins that own them, and never after a redirect that came from elsewhere;
// a request that carries a token in its URL is refused.
//
// [New] takes a compiled policy (dialect.Compile) and returns the client;
// [Transport] returns only what it sends requests with. A request that the policy
// refuses fails with a [*DeniedError] before a byte has left; one that fails on
// the way, with an *egress.Error. Both are found by errors.As in the *url.Error
// that an http.Client returns.
//
// The client, its transport and the policy are safe for concurrent use; a
// [TokenSource] must be.
package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/policy"
)

// maxRedirects is the most redirects that one request follows.
const maxRedirects = 10

// Options configure a client. The zero Options is the safe default: no tokens,
// public addresses, the system's roots.
type Options struct {
	// Tokens are the tokens to attach, each to its own origins.
	Tokens []Token
	// Egress says how connections are made: private addresses, roots, pins,
	// resolver. Addresses that a rule of the policy names are allowed for
	// themselves.
	Egress egress.Config
	// RequireTLS refuses http even where a rule says http.
	RequireTLS bool
	// Timeout bounds a whole request with its redirects and its body; zero: no
	// bound but the request's context and those of the steps.
	Timeout time.Duration
	// Denied, if not nil, is told of every request that is refused before it
	// leaves. It may be called from several goroutines.
	Denied func(*DeniedError)
}

// New returns a client whose every request the policy decides. It is safe for
// concurrent use. Call CloseIdleConnections on it at the end.
//
// Errors of its methods are *url.Error as usual, whose text holds the URL that
// the caller gave; inside are a *DeniedError or an *egress.Error, whose texts
// hold no path and no query.
func New(p *policy.Policy, options Options) (*http.Client, error) {
	rt, err := Transport(p, options)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: rt, CheckRedirect: checkRedirect(rt), Timeout: options.Timeout}, nil
}

// Transport returns what New's client sends requests with, for callers with a
// client of their own. It decides each request by itself; whoever follows
// redirects with it must not carry headers from one origin to another.
func Transport(p *policy.Policy, options Options) (http.RoundTripper, error) {
	rt, err := newGuarded(p, options)
	if err != nil {
		return nil, err
	}
	return rt, nil
}

func newGuarded(p *policy.Policy, options Options) (*guarded, error) {
	if p == nil {
		return nil, errors.New("client: no policy")
	}
	config := options.Egress
	config.Allow = append(slices.Clone(config.Allow), named(p)...)
	dialer, err := egress.New(config)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	tokens, err := newHolders(options.Tokens)
	if err != nil {
		return nil, err
	}
	return &guarded{
		policy:     p,
		requireTLS: options.RequireTLS,
		tokens:     tokens,
		denied:     options.Denied,
		next:       dialer.Transport(egress.TransportOptions{Cleartext: !options.RequireTLS}),
	}, nil
}

// named returns the addresses that rules of the policy name: to list an
// address is to allow it.
func named(p *policy.Policy) []egress.Private {
	var allow []egress.Private
	for i, rules := 0, p.Rules(); i < len(rules); i++ {
		if rules[i].Implicit() || rules[i].Purpose == policy.ForLaunch || len(rules[i].Patterns) == 0 {
			continue
		}
		for _, addr := range rules[i].Addresses() {
			allow = append(allow, egress.Private{Host: addr.String(), Range: netip.PrefixFrom(addr, addr.BitLen())})
		}
	}
	return allow
}

// DeniedError says that a request was refused before a byte left.
type DeniedError struct {
	// Origin is where it would have gone: scheme, host and port. Path and query
	// are left out, because they may hold secrets.
	Origin string
	// Cause says why.
	Cause Cause
	// Decision is the policy's, where the cause is NotAllowed.
	Decision policy.Decision
	// Detail is the name of the query parameter or header that is at fault, or
	// what is wrong with the URL; never a value.
	Detail string
}

// Cause says why a request is refused. The list is closed.
type Cause uint8

// The causes.
const (
	// NotAllowed: the policy does not allow the URL.
	NotAllowed Cause = iota
	// Unclear: the URL, or the request's Host, can be read in two ways.
	Unclear
	// CleartextRefused: the URL is http, and TLS is required.
	CleartextRefused
	// TokenInURL: the URL carries what looks like a token.
	TokenInURL
	// TooManyRedirects: the request was sent on too often.
	TooManyRedirects
	causeCount
)

var causeNames = [causeCount]string{"not-allowed", "unclear", "cleartext", "token-in-url", "too-many-redirects"}

// String returns the cause as it stands in events, such as "token-in-url".
func (c Cause) String() string {
	if c < causeCount {
		return causeNames[c]
	}
	return "invalid-cause"
}

// Error names the origin and the cause, for NotAllowed with the policy's
// reason and the rule that decided.
func (e *DeniedError) Error() string {
	s := fmt.Sprintf("cordon: %s is refused: %s", e.Origin, e.Cause)
	if e.Cause == NotAllowed {
		s += ": " + e.Decision.Reason.Explain()
		if rule := e.Decision.Rule; rule != nil {
			s += fmt.Sprintf(" (%s %q, %s)", rule.Element, rule.Text, rule.Place)
		}
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}
