package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	hostname "github.com/cordon-sec/cordon/host"
	"golang.org/x/net/http/httpguts"
)

// The headers that tokens usually travel in.
const (
	// HeaderZumo carries the session token of Azure Mobile Apps and App Service.
	HeaderZumo = "X-ZUMO-AUTH"
	// HeaderAuthorization carries bearer tokens (RFC 6750); "Bearer " is put
	// before the token.
	HeaderAuthorization = "Authorization"
)

// Token says where a token belongs and how it travels.
type Token struct {
	// Origins own the token: "https://api.example.org", with a port if it is
	// not 443. It is sent to no other, and to none over http.
	Origins []string
	// Header is the header's name, such as HeaderZumo or HeaderAuthorization.
	// A request in which the caller set it already is left as it is.
	Header string
	// Source gives the token.
	Source TokenSource
}

// TokenSource gives a token. It must be safe for concurrent use.
type TokenSource interface {
	// Token returns the token as it is now, or "" if there is none: then the
	// request goes without.
	Token(ctx context.Context) (string, error)
	// Refresh is called after a server answered 401 to the rejected token, by
	// one caller at a time, and returns a new one. The request is then sent
	// once more. If it returns an error, "" or the same token, the 401 stands.
	Refresh(ctx context.Context, rejected string) (string, error)
}

// StaticToken is a TokenSource whose token never changes. It prints as ***.
type StaticToken string

// Token returns the token.
func (s StaticToken) Token(context.Context) (string, error) { return string(s), nil }

// Refresh returns the same token: there is no other.
func (s StaticToken) Refresh(context.Context, string) (string, error) { return string(s), nil }

// String hides the token.
func (s StaticToken) String() string { return "***" }

// GoString hides the token.
func (s StaticToken) GoString() string { return "client.StaticToken(***)" }

// holder is one configured token.
type holder struct {
	origins map[string]bool
	header  string
	source  TokenSource
	// turn is held by the one caller that refreshes.
	turn chan struct{}
	// last is the token that was given last: no URL may hold it, whoever it leads
	// to.
	last atomic.Pointer[string]
}

// token asks the source, and remembers what it gives.
func (h *holder) token(ctx context.Context) (string, error) {
	token, err := h.source.Token(ctx)
	if err == nil {
		h.last.Store(&token)
	}
	return token, err
}

func newHolders(tokens []Token) ([]*holder, error) {
	var holders []*holder
	for i, t := range tokens {
		if t.Source == nil || len(t.Origins) == 0 {
			return nil, fmt.Errorf("client: token %d has no source or no origins", i+1)
		}
		if !httpguts.ValidHeaderFieldName(t.Header) {
			return nil, fmt.Errorf("client: token %d: %q must be the name of a header", i+1, t.Header)
		}
		h := &holder{origins: map[string]bool{}, header: http.CanonicalHeaderKey(t.Header), source: t.Source,
			turn: make(chan struct{}, 1)}
		for _, raw := range t.Origins {
			origin, err := parseOrigin(raw)
			if err != nil {
				return nil, fmt.Errorf("client: token %d: %q must be an origin such as https://api.example.org: %w",
					i+1, raw, err)
			}
			h.origins[origin] = true
		}
		if fixed, ok := t.Source.(StaticToken); ok {
			h.last.Store((*string)(&fixed))
		}
		holders = append(holders, h)
	}
	return holders, nil
}

// parseOrigin returns an https origin as those of requests are compared. One that
// no request can have is an error: its token would never be sent.
func parseOrigin(raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "", errors.New("it is not a URL")
	case u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "":
		return "", errors.New("it must be https, a host and a port or none")
	}
	if _, err := hostname.ParseAuthority(u.Host); err != nil {
		return "", err
	}
	return originOf(u), nil
}

// owner returns the token that belongs to the request: its origin owns it, it
// goes over TLS, and no redirect from another origin led to it, which could
// otherwise spend the token on a URL of its choice.
func (g *guarded) owner(r *http.Request) *holder {
	if r.URL.Scheme != "https" || !sameOrigin(r) {
		return nil
	}
	origin := originOf(r.URL)
	for _, h := range g.tokens {
		if h.origins[origin] && r.Header.Get(h.header) == "" {
			return h
		}
	}
	return nil
}

// attach sets the header. A token that cannot stand in one is an error which
// does not hold it, and so is a URL that holds the token.
func (g *guarded) attach(r *http.Request, h *holder, token string) error {
	if token == "" {
		return nil
	}
	value := token
	if h.header == HeaderAuthorization {
		value = "Bearer " + token
	}
	if !httpguts.ValidHeaderFieldValue(value) || strings.ContainsAny(token, " \t") {
		return fmt.Errorf("cordon: the token for %s cannot stand in a header", originOf(r.URL))
	}
	if holdsToken(r.URL, token) {
		e := &DeniedError{Origin: originOf(r.URL), Cause: TokenInURL, Detail: "the URL holds the token itself"}
		if g.denied != nil {
			g.denied(e)
		}
		return e
	}
	r.Header.Set(h.header, value)
	return nil
}

// renew gets a new token for the rejected one. Of callers whose requests were
// rejected together, the first refreshes and the others find its token.
func (h *holder) renew(ctx context.Context, rejected string) (string, error) {
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-h.turn }()
	if now, err := h.token(ctx); err == nil && now != rejected {
		return now, nil
	}
	token, err := h.source.Refresh(ctx, rejected)
	if err == nil {
		h.last.Store(&token)
	}
	return token, err
}

// tokenError says that a source failed.
func tokenError(err error) error { return fmt.Errorf("cordon: no token: %w", err) }

// tokenNames are the query parameters that carry tokens or passwords, in lower
// case and without "-" and "_". A name that merely contains such a word, as
// $skiptoken and pageToken do, is none.
var tokenNames = map[string]bool{
	"accesstoken": true, "idtoken": true, "refreshtoken": true, "authtoken": true, "token": true,
	"bearer": true, "bearertoken": true, "authorization": true, "jwt": true, "sessiontoken": true,
	"xzumoauth": true, "zumoauth": true, "authenticationtoken": true, "zumotoken": true,
	"mobileserviceauthenticationtoken": true, "clientsecret": true, "password": true, "passwd": true,
}

// tokenInURL says where a URL carries a token: in a query parameter of such a
// name, or anywhere a JSON Web Token; "" if it does not. Escapes are read as a
// server would read them, and once more as often as somebody wrote them.
func tokenInURL(u *url.URL) string {
	for part := range strings.FieldsFuncSeq(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(part, "=")
		for name := range readings(name) {
			plain := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
			if tokenNames[plain] && value != "" {
				return "query parameter " + quoteName(name)
			}
		}
		for reading := range readings(part) {
			if hasJWT(reading) {
				return "query parameter " + quoteName(unescape(name))
			}
		}
	}
	for reading := range readings(u.EscapedPath()) {
		if hasJWT(reading) {
			return "the path"
		}
	}
	for reading := range readings(u.EscapedFragment()) {
		if hasJWT(reading) {
			return "the fragment"
		}
	}
	return ""
}

// holdsToken reports whether a URL holds a token, however it is escaped. Short
// tokens are not looked for: they may be words.
func holdsToken(u *url.URL, token string) bool {
	if len(token) < 8 {
		return false
	}
	for reading := range readings(u.String()) {
		if strings.Contains(reading, token) {
			return true
		}
	}
	return false
}

// maxEscapes is how often escapes are read one after the other.
const maxEscapes = 4

// readings are a text as it is written, and with its escapes read once, twice,
// and so on.
func readings(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for range maxEscapes + 1 {
			if !yield(s) {
				return
			}
			next := unescape(s)
			if next == s {
				return
			}
			s = next
		}
	}
}

// unescape reads the percent-escapes of a text. What is none stays as it is, and
// so does a plus sign, which tokens may hold.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(c))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// jwtHead is how a JSON Web Token begins, and its second part: the base64 of {".
const jwtHead = "eyJ"

// hasJWT finds JSON Web Tokens: three parts of base64.
func hasJWT(s string) bool {
	for {
		start := strings.Index(s, jwtHead)
		if start < 0 {
			return false
		}
		s = s[start:]
		end := strings.IndexFunc(s, func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' ||
				r == '.' || r == '=')
		})
		if end < 0 {
			end = len(s)
		}
		if parts := strings.Split(s[:end], "."); len(parts) >= 3 && end >= 20 && strings.HasPrefix(parts[1], jwtHead) {
			return true
		}
		s = s[len(jwtHead):]
	}
}

// quoteName quotes a parameter's name, and hides one that is itself a token.
func quoteName(name string) string {
	if hasJWT(name) || len(name) > 40 {
		return "***"
	}
	return fmt.Sprintf("%q", name)
}
