package client

import (
	"io"
	"net/http"
	"net/url"
	"time"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// guarded is the round tripper: policy, then tokens, then egress.
type guarded struct {
	policy     *policy.Policy
	requireTLS bool
	tokens     []*holder
	denied     func(*DeniedError)
	next       *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (g *guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	out, err := g.admit(r)
	if err != nil {
		closeBody(r)
		return nil, err
	}
	h := g.owner(out)
	if h == nil {
		return g.next.RoundTrip(out)
	}
	token, err := h.token(out.Context())
	if err != nil {
		closeBody(r)
		return nil, tokenError(err)
	}
	if err := g.attach(out, h, token); err != nil {
		closeBody(r)
		return nil, err
	}
	response, err := g.next.RoundTrip(out)
	if err != nil || response.StatusCode != http.StatusUnauthorized || token == "" {
		return response, err
	}
	return g.again(out, h, token, response)
}

// CloseIdleConnections closes the connections that no request uses.
func (g *guarded) CloseIdleConnections() { g.next.CloseIdleConnections() }

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// admit decides the request, and returns it as it is sent: with the host in
// normal form, so that what was decided is what is dialled.
func (g *guarded) admit(r *http.Request) (*http.Request, error) {
	out, e := g.normalise(r)
	if e == nil {
		e = g.decide(out.URL)
	}
	if e == nil {
		if where := g.tokenIn(out.URL); where != "" {
			e = &DeniedError{Cause: TokenInURL, Detail: where + "; send it as a header"}
		}
	}
	if e == nil {
		return out, nil
	}
	e.Origin = originOf(r.URL)
	if g.denied != nil {
		g.denied(e)
	}
	return nil, e
}

// tokenIn says where a URL carries a token, one of ours or what looks like one.
func (g *guarded) tokenIn(u *url.URL) string {
	for _, h := range g.tokens {
		if last := h.last.Load(); last != nil && holdsToken(u, *last) {
			return "the URL holds the token itself"
		}
	}
	return tokenInURL(u)
}

func (g *guarded) decide(u *url.URL) *DeniedError {
	decision := g.policy.Decide(policy.Request{URL: withoutFragment(u), Kind: policy.XHR, Strict: true})
	switch {
	case decision.Verdict != policy.Allow:
		return &DeniedError{Cause: NotAllowed, Decision: decision}
	case u.Scheme != "https" && g.requireTLS:
		return &DeniedError{Cause: CleartextRefused}
	}
	return nil
}

// normalise returns a copy of the request whose URL has one meaning.
func (g *guarded) normalise(r *http.Request) (*http.Request, *DeniedError) {
	unclear := func(detail string) (*http.Request, *DeniedError) {
		return nil, &DeniedError{Cause: Unclear, Detail: detail}
	}
	if r.URL == nil || r.URL.Scheme != "https" && r.URL.Scheme != "http" {
		return unclear("not an http or https URL")
	}
	if r.URL.Opaque != "" || r.URL.User != nil {
		return unclear("the URL has an opaque part or a user name")
	}
	at, err := hostname.ParseAuthority(r.URL.Host)
	if err != nil {
		return unclear(err.Error())
	}
	out := r.Clone(r.Context())
	if out.Header == nil {
		out.Header = http.Header{}
	}
	host := at.Of(r.URL.Scheme)
	out.URL.Host = host
	// A Host field for another site would reach past the policy on shared
	// servers.
	if r.Host != "" && !pattern.EqualFold(r.Host, r.URL.Host) && !pattern.EqualFold(r.Host, host) {
		return unclear("the Host field names another host than the URL")
	}
	out.Host = ""
	return out, nil
}

func withoutFragment(u *url.URL) string {
	plain := *u
	plain.Fragment, plain.RawFragment = "", ""
	return plain.String()
}

// originOf returns scheme, host and port of a URL, in a form that compares; a host
// that cannot be read stays as it is written.
func originOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	at, err := hostname.ParseAuthority(u.Host)
	if err != nil {
		return u.Scheme + "://" + u.Host
	}
	if at.Port == 0 {
		at.Port = hostname.DefaultPort(u.Scheme)
	}
	return u.Scheme + "://" + at.String()
}

// again sends a request once more after 401, with a new token, if its body can
// be sent again. What the server answers then is the answer.
func (g *guarded) again(out *http.Request, h *holder, rejected string, first *http.Response) (*http.Response, error) {
	if out.Body != nil && out.Body != http.NoBody && out.GetBody == nil {
		return first, nil
	}
	token, err := h.renew(out.Context(), rejected)
	if err != nil || token == "" || token == rejected {
		// The caller learns of the 401; why no new token came is its source's to
		// say.
		return first, nil
	}
	second := out.Clone(out.Context())
	if out.GetBody != nil {
		if second.Body, err = out.GetBody(); err != nil {
			return first, nil
		}
	}
	if err := g.attach(second, h, token); err != nil {
		closeBody(second)
		return first, nil
	}
	discard(first.Body)
	return g.next.RoundTrip(second)
}

// The rest of an answer that nobody wants is read, so that its connection can be
// used again, if it is short and comes at once.
const (
	maxDiscarded = 64 << 10
	discardTime  = 200 * time.Millisecond
)

func discard(body io.ReadCloser) {
	late := time.AfterFunc(discardTime, func() { _ = body.Close() }) // which ends the reading
	defer late.Stop()
	_, _ = io.CopyN(io.Discard, body, maxDiscarded)
	_ = body.Close()
}

// checkRedirect decides redirects before they are followed, and takes away
// what must not leave the origin it was meant for.
func checkRedirect(rt http.RoundTripper) func(*http.Request, []*http.Request) error {
	g, _ := rt.(*guarded)
	return func(r *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return &DeniedError{Origin: originOf(r.URL), Cause: TooManyRedirects}
		}
		if r.Response != nil {
			discard(r.Response.Body) // the standard library would wait for it
		}
		if sameOrigin(r) {
			return nil
		}
		for _, name := range []string{"Authorization", "X-Zumo-Auth", "Cookie", "Proxy-Authorization",
			"Www-Authenticate", "Referer"} {
			r.Header.Del(name)
		}
		for _, h := range g.tokens {
			r.Header.Del(h.header)
		}
		return nil
	}
}

// sameOrigin reports whether the request and everything that it was redirected
// from have one origin.
func sameOrigin(r *http.Request) bool {
	origin := originOf(r.URL)
	for from := r.Response; from != nil && from.Request != nil; from = from.Request.Response {
		if originOf(from.Request.URL) != origin {
			return false
		}
	}
	return true
}
