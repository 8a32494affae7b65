package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// flow is one server-flow sign-in: what the client asked for, and what is needed
// when the browser comes back. It travels sealed in a cookie of its own, so that
// strangers who begin sign-ins write nothing into the store, and so that only
// the browser that began one can end it.
type flow struct {
	Provider string `json:"p"`
	// Token hands over a session token; otherwise a cookie is set.
	Token bool `json:"m,omitempty"`
	// Origin receives the popup's message.
	Origin string `json:"o,omitempty"`
	// Redirect is where to go afterwards; Native says that an app owns it.
	Redirect string `json:"r,omitempty"`
	Native   bool   `json:"a,omitempty"`
	// Challenge is the SHA-256 that the app's code_verifier must have.
	Challenge []byte `json:"c,omitempty"`
	// Query is the client's query, to begin anew when it took too long.
	Query string `json:"q,omitempty"`

	State    string `json:"s,omitempty"`
	Nonce    string `json:"n,omitempty"`
	Verifier string `json:"v,omitempty"`
	Secret   string `json:"t,omitempty"`
	Expires  int64  `json:"e,omitempty"`
}

// String hides the secrets.
func (f flow) String() string { return "{" + f.Provider + " ***}" }

// GoString hides the secrets.
func (f flow) GoString() string { return f.String() }

// ourParameters are the query parameters of a sign-in that are for us; all
// others are for the provider.
var ourParameters = []string{"session_mode", "completion_type", "completion_origin", "post_login_redirect_url",
	"post_login_redirect_uri", "code_challenge", "code_challenge_method", "zumo-api-version"}

// newFlow reads the query of GET /.auth/login/{provider}. Errors are for the
// user who looks at the page.
func (s *Server) newFlow(providerName string, query url.Values) (*flow, error) {
	f := &flow{Provider: providerName}
	switch mode := query.Get("session_mode"); mode {
	case "token":
		f.Token = true
	case "", "cookie":
	default:
		return nil, errors.New("session_mode must be token or cookie")
	}
	var err error
	switch query.Get("completion_type") {
	case "":
	case "postMessage":
		if f.Origin, err = s.places.origin(query.Get("completion_origin")); err != nil {
			return nil, errors.New("completion_origin is not on the list of allowed origins")
		}
		f.Token = true
	default:
		return nil, errors.New("completion_type must be postMessage")
	}
	if f.Redirect = first(query.Get("post_login_redirect_uri"),
		query.Get("post_login_redirect_url")); f.Redirect != "" {
		if f.Native, err = s.places.accept(f.Redirect); err != nil {
			return nil, errors.New("the address to return to is not on the list of allowed ones")
		}
	}
	if err := f.setChallenge(query); err != nil {
		return nil, err
	}
	return f, nil
}

// setChallenge reads the PKCE parameters. The SDKs send the challenge in
// standard base64 with padding (MobileServicePKCEAuthentication.cs,
// GetSha256Hash); RFC 7636 says base64url without: both are taken, and a blank
// for a plus that was not escaped.
func (f *flow) setChallenge(query url.Values) error {
	text := query.Get("code_challenge")
	if text == "" {
		if f.Native {
			return errors.New("an app's own scheme needs a code_challenge: another app could own the scheme too")
		}
		return nil
	}
	if query.Get("code_challenge_method") != "S256" {
		return errors.New("code_challenge_method must be S256")
	}
	sum, err := decodeBase64(text)
	if err != nil || len(sum) != sha256.Size {
		return errors.New("code_challenge must be the base64 of a SHA-256")
	}
	if f.Redirect == "" || f.Origin != "" {
		return errors.New("code_challenge needs an address to return to")
	}
	f.Challenge, f.Token = sum, true
	return nil
}

// decodeBase64 takes both alphabets, with or without padding.
func decodeBase64(text string) ([]byte, error) {
	text = strings.NewReplacer(" ", "+", "-", "+", "_", "/").Replace(text)
	return base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
}

const (
	flowCookie     = "CordonLogin-"
	flowCookieLife = time.Hour // longer than a nonce lives: a late return begins anew
	maxFlows       = 4
	maxFlowQuery   = 1024
)

// begin gives the flow its random values and the browser its cookie.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, f *flow, a *attempt) error {
	f.State, f.Nonce, f.Verifier, f.Secret = a.State, a.Nonce, a.Verifier, a.Secret
	f.Expires = s.now().Add(s.config.NonceLifetime).Unix()
	if f.Query = r.URL.RawQuery; len(f.Query) > maxFlowQuery {
		f.Query = ""
	}
	plain, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("auth: keeping a sign-in: %w", err)
	}
	name := flowName(f.State)
	var others []string
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, flowCookie) && c.Name != name {
			others = append(others, c.Name)
		}
	}
	for _, old := range others[:max(0, len(others)-maxFlows+1)] {
		http.SetCookie(w, s.flowCookie(r, old, "", -1))
	}
	http.SetCookie(w, s.flowCookie(r, name, base64.RawURLEncoding.EncodeToString(s.boxes.flow.Seal(plain, name)),
		int(flowCookieLife.Seconds())))
	return nil
}

// flowCookie is sent along when a provider posts the browser back from its own
// site (form_post), which takes SameSite=None, which takes Secure.
func (s *Server) flowCookie(r *http.Request, name, value string, maxAge int) *http.Cookie {
	same := http.SameSiteLaxMode
	if s.secure(r) {
		same = http.SameSiteNoneMode
	}
	return &http.Cookie{Name: name, Value: value, Path: s.config.Path + "/login", HttpOnly: true, Secure: s.secure(r),
		SameSite: same, MaxAge: maxAge}
}

// flowName is the cookie's name for a state. It tells the state of several
// sign-ins at once apart and shows nothing of it.
func flowName(state string) string { return flowCookie + hashText(state)[:16] }

// hashText is what the store knows a random text by.
func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

var errNoFlow = errors.New("auth: no sign-in of this browser has that state")

// resume finds the flow that a browser comes back from. late says that it took
// longer than the nonce lives.
func (s *Server) resume(r *http.Request, providerName, state string) (f *flow, late bool, err error) {
	if state == "" || len(state) > 256 {
		return nil, false, errNoFlow
	}
	name := flowName(state)
	for _, c := range r.CookiesNamed(name) {
		sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
		if err != nil {
			continue
		}
		plain, err := s.boxes.flow.Open(sealed, name)
		if err != nil {
			continue
		}
		f := &flow{}
		if json.Unmarshal(plain, f) != nil || f.Provider != providerName ||
			subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) != 1 {
			continue
		}
		return f, s.now().Unix() >= f.Expires, nil
	}
	return nil, false, errNoFlow
}

// extra are the parameters of a query that are for the provider.
func extra(query url.Values) url.Values {
	out := url.Values{}
	for name, values := range query {
		if !slices.Contains(ourParameters, strings.ToLower(name)) && len(name) <= 64 && len(values) > 0 &&
			len(values[0]) <= 1024 {
			out.Set(name, values[0])
		}
	}
	return out
}
