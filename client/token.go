package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

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
			u, err := url.Parse(raw)
			if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil ||
				strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" || !ascii(u.Host) {
				return nil, fmt.Errorf("client: token %d: %q is not an origin such as https://api.example.org", i+1,
					raw)
			}
			h.origins[originOf(u)] = true
		}
		holders = append(holders, h)
	}
	return holders, nil
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
	if len(token) >= 8 && strings.Contains(r.URL.RequestURI(), token) {
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
	if now, err := h.source.Token(ctx); err == nil && now != rejected {
		return now, nil
	}
	return h.source.Refresh(ctx, rejected)
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

// tokenInURL returns the name of a query parameter that carries a token, by
// its name or because its value is a JSON Web Token; "" if none does.
func tokenInURL(u *url.URL) string {
	for part := range strings.FieldsFuncSeq(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(part, "=")
		name, value = unescape(name), unescape(value)
		plain := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name))
		if tokenNames[plain] && value != "" || isJWT(value) || isJWT(name) {
			return name
		}
	}
	return ""
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// isJWT tells JSON Web Tokens, which begin with the base64 of {" in each of
// their first two parts.
func isJWT(s string) bool {
	s = strings.TrimPrefix(s, "Bearer ")
	parts := strings.Split(s, ".")
	return len(parts) == 3 && len(s) >= 20 && strings.HasPrefix(parts[0], "eyJ") && strings.HasPrefix(parts[1], "eyJ")
}

// quoteName quotes a parameter's name, and hides one that is itself a token.
func quoteName(name string) string {
	if isJWT(name) || len(name) > 40 {
		return "***"
	}
	return fmt.Sprintf("%q", name)
}
