package backend

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/services"
	"github.com/cordon-sec/cordon/internal/secret"
)

const testKey = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestEvery401Challenges asks every part without a token, with one that has expired
// and with one that is none: each 401 says what it wants, and one for a token is JSON.
func TestEvery401Challenges(t *testing.T) {
	expired, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "ann",
		"iss": "https://localhost:8443/",
		"aud": "https://localhost:8443/", "exp": time.Now().Add(-time.Hour).Unix()}).SignedString([]byte(testKey))
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range []string{"allow", "401", "login"} {
		h := guardedBackend(t, rule)
		for _, path := range []string{"/tables/x", "/api/report", "/push/installations/1", "/swagger", "/console/",
			"/.auth/me", "/.auth/refresh", "/.auth/sessions", "/.auth/login/dev", "/.auth/login"} {
			for token, want := range map[string]string{"": "Bearer", "none": `Bearer error="invalid_token"`,
				expired: `Bearer error="invalid_token", error_description="the token has expired"`} {
				method := http.MethodGet
				if strings.HasPrefix(path, "/push") {
					method = http.MethodPut
				}
				headers := []string{"Origin", "http://localhost:3000"}
				if token != "" {
					headers = append(headers, "X-ZUMO-AUTH", token)
				}
				w := do(h, method, path, headers...)
				if w.Code != http.StatusUnauthorized {
					continue
				}
				got := w.Header().Get("WWW-Authenticate")
				if got != want && !(path == "/.auth/refresh" && token == "" && strings.HasPrefix(got, "Bearer")) {
					t.Errorf("%s %s with %.8q: %q, want %q", rule, path, token, got, want)
				}
				if token == "" {
					continue
				}
				var body identity.TokenError
				if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Name == "" ||
					!strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
					t.Errorf("%s %s with %.8q: %v in %s", rule, path, token, err, w.Body)
				}
				if token == expired && (body.Name != "TokenExpiredError" || body.ExpiredAt == nil) {
					t.Errorf("%s %s: an expired token is %+v", rule, path, body)
				}
			}
		}
		for _, path := range []string{"/tables/x", "/api/report", "/.auth/me"} {
			if w := do(h, http.MethodGet, path, "X-ZUMO-AUTH", expired); w.Code != http.StatusUnauthorized {
				t.Errorf("%s %s: %d to an expired token", rule, path, w.Code)
			}
		}
	}
}

// guardedBackend is a backend whose parts want a sign-in.
func guardedBackend(t *testing.T, rule string) http.Handler {
	t.Helper()
	public := &url.URL{Scheme: "https", Host: "localhost:8443"}
	server, err := auth.New(t.Context(), auth.Options{URL: public, Loopback: true, Store: noStore{},
		Secrets: secret.Source{Env: func(string) (string, bool) { return testKey, true }},
		Config: auth.Config{SigningKey: "text-env:KEY", Unauthenticated: rule,
			Providers: map[string]auth.ProviderConfig{"dev": {Type: "development"}}}})
	if err != nil {
		t.Fatal(err)
	}
	report, err := services.New(services.Options{Config: services.Config{"report": {Upstream: "http://127.0.0.1:1",
		Access: services.Authenticated}}, Transport: func(*url.URL) http.RoundTripper { return http.DefaultTransport }})
	if err != nil {
		t.Fatal(err)
	}
	return newBackend(t, func(o *Options) {
		refuse := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "4")
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, "text")
		})
		o.Auth, o.Tables, o.Services, o.Mounts = server, refuse, report, map[string]http.Handler{"/console": refuse}
	})
}

// TestChallengerPassesOn leaves every other answer as it is.
func TestChallengerPassesOn(t *testing.T) {
	for _, proof := range []error{nil, &identity.TokenError{Name: "JsonWebTokenError"}} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r = r.WithContext(identity.NewContext(context.Background(), nil, proof))
		challenged(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "text")
			w.WriteHeader(http.StatusUnauthorized) // too late
			io.WriteString(w, " more")
		})).ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.String() != "text more" || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
		}
	}
}
