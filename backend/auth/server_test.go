package auth

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/secret"
)

// site is a server under test with a clock of its own, over https as clients
// see it.
type site struct {
	*Server
	t     testing.TB
	store *memoryStore
	web   *httptest.Server

	mu  sync.Mutex
	now time.Time
}

const testHexKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

var testEnv = map[string]string{
	"KEY": testHexKey, "OTHER": strings.Repeat("ab", 32), "SHORT": "tooshort", "SHORTHEX": "aabb",
	"CLIENT_SECRET": "client-s3cret",
}

func testSecrets() secret.Source {
	return secret.Source{Env: func(name string) (string, bool) { v, ok := testEnv[name]; return v, ok }}
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// newSite starts a site; change adapts its configuration.
func newSite(t testing.TB, change func(*Config)) *site {
	t.Helper()
	s := &site{t: t, store: newMemoryStore(), now: time.Now().UTC().Truncate(time.Second)}
	s.web = httptest.NewUnstartedServer(nil)
	s.web.StartTLS()
	t.Cleanup(s.web.Close)
	s.open(change)
	return s
}

// open makes the site's server anew over the same store, as a restart does.
func (s *site) open(change func(*Config)) {
	s.t.Helper()
	config := Config{
		SigningKey: "env:KEY", RateLimit: -1,
		Redirects: []string{"todoapp://easyauth.callback", "https://app.example", "https://other.example/in",
			"http://localhost:3000"},
		Providers: map[string]ProviderConfig{"google": {Type: "development",
			Users: []string{"ann@example.org", "bob@example.org"}}},
	}
	if change != nil {
		change(&config)
	}
	public, err := url.Parse(s.web.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Server, err = New(context.Background(),
		Options{Config: config, URL: public, Loopback: true, Store: s.store, Secrets: testSecrets(),
			Client: s.web.Client(), Now: s.clock})
	if err != nil {
		s.t.Fatal(err)
	}
	s.web.Config.Handler = s.Server
}

// browser returns a client with cookies that follows no redirect.
func (s *site) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	c := s.web.Client()
	return &http.Client{Transport: c.Transport, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// get sends a GET with headers given as pairs.
func (s *site) get(c *http.Client, path string, headers ...string) *http.Response {
	return s.send(c, http.MethodGet, path, "", headers...)
}

func (s *site) send(c *http.Client, method, path, body string, headers ...string) *http.Response {
	s.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = s.web.URL + path
	}
	r, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if c == nil {
		c = s.browser()
	}
	resp, err := c.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func bodyOf(t testing.TB, resp *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func wantStatus(t testing.TB, resp *http.Response, status int) {
	t.Helper()
	if resp.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d: %s", resp.Request.Method, resp.Request.URL, resp.StatusCode, status,
			bodyOf(t, resp))
	}
}

// decodeToken reads a login result as decodeURIComponent and JSON.parse do.
func decodeToken(t testing.TB, encoded string) loginResult {
	t.Helper()
	if strings.Contains(encoded, "+") {
		t.Fatalf("%q holds a plus, which decodeURIComponent leaves as it is", encoded)
	}
	text, err := url.PathUnescape(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return parseToken(t, text)
}

func parseToken(t testing.TB, text string) loginResult {
	t.Helper()
	var result loginResult
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if len(result.User.UserID) != 36 || !strings.HasPrefix(result.User.UserID, "sid:") ||
		strings.Count(result.AuthenticationToken, ".") != 2 {
		t.Fatalf("unexpected result %s", text)
	}
	return result
}

// signIn signs a user in by the development provider.
func (s *site) signIn(user string) loginResult {
	s.t.Helper()
	resp := s.get(nil, "/.auth/login/google?session_mode=token&login_hint="+url.QueryEscape(user))
	wantStatus(s.t, resp, http.StatusFound)
	encoded, ok := strings.CutPrefix(resp.Header.Get("Location"), "done#token=")
	if !ok {
		s.t.Fatalf("sent to %s", resp.Header.Get("Location"))
	}
	return decodeToken(s.t, encoded)
}

// meOf returns what /.auth/me says.
func (s *site) meOf(token string) []tokenEntry {
	s.t.Helper()
	resp := s.get(nil, "/.auth/me", "X-ZUMO-AUTH", token)
	wantStatus(s.t, resp, http.StatusOK)
	var entries []tokenEntry
	if err := json.NewDecoder(resp.Body).Decode(&entries); err != nil {
		s.t.Fatal(err)
	}
	return entries
}
