package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/server"

	"github.com/cordon-sec/cordon/settings"
)

// The console on the site itself is for users for whom the condition holds, and
// its changes come from its own pages.
func TestConsoleOnTheSite(t *testing.T) {
	dir := t.TempDir()
	s, err := settings.Parse(filepath.Join(dir, "cordon.yaml"), []byte(`server: { listen: "127.0.0.1:0" }
identity: { providers: { development: { type: development, picker: false } } }
tables: { note: { columns: { text: string } } }
telemetry: { log: none }
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"1 +", `"text"`, "row.x == 1"} {
		if _, err := siteConsole(bad); err == nil {
			t.Errorf("the condition %q is taken", bad)
		}
	}
	if _, err := siteConsole(`request.address == "203.0.113.9"`); err != nil {
		t.Error(err)
	}
	o := server.Options{Stdout: io.Discard, Stderr: io.Discard}
	if o.Mounts, err = siteConsole(`user.name == "boss@localhost"`); err != nil {
		t.Fatal(err)
	}
	b, err := server.Open(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	go func() { done <- b.Serve(ctx) }()
	site := b.URL.String()
	client := func(user string) *http.Client {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		transport := trusting(t, filepath.Join(dir, ".cordon", "ca", "ca.pem"))
		t.Cleanup(transport.CloseIdleConnections)
		c := &http.Client{Transport: transport, Jar: jar}
		if user != "" {
			if status, _, body := apptest.Get(t, c,
				site+"/.auth/login/development?login_hint="+url.QueryEscape(user)); status != http.StatusOK {
				t.Fatalf("signing in: %d %s", status, body)
			}
		}
		return c
	}
	boss := client("boss@localhost")
	if status, _, body := apptest.Get(t, boss, site+"/console/tables/note"); status != http.StatusOK ||
		!strings.Contains(body, "note") {
		t.Errorf("the boss: %d %s", status, body)
	}
	if status, _, _ := apptest.Get(t, client("ann@localhost"), site+"/console/people"); status != http.StatusForbidden {
		t.Errorf("another user: %d", status)
	}
	nobody := client("")
	nobody.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if status, header, _ := apptest.Get(t, nobody, site+"/console/people"); status != http.StatusFound ||
		!strings.HasPrefix(header.Get("Location"), "/.auth/login/development") {
		t.Errorf("nobody: %d to %s", status, header.Get("Location"))
	}
	foreign, err := http.NewRequest(http.MethodPost, site+"/console/people/signout", strings.NewReader("id=sid:1"))
	if err != nil {
		t.Fatal(err)
	}
	foreign.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	foreign.Header.Set("Origin", "https://evil.example")
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	if response, err := boss.Do(foreign); err != nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("a change that another site sends: %v %v", response, err)
	}
	if status, _, _ := apptest.Get(t, client(""), site+"/consolation"); status != http.StatusNotFound {
		t.Errorf("a path beside the console: %d", status)
	}
}
