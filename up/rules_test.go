package up

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/apptest"
)

// Each save is one notice, and a broken one leaves the last good policy in force,
// with a banner on every page of the console.
func TestUpTellsOfEachSave(t *testing.T) {
	t.Parallel()
	dir := todo(t)
	u := start(t, Config{Dir: dir})
	config := filepath.Join(dir, "config.xml")
	const good = "https://media.example.com"
	told := func(want Notice) {
		t.Helper()
		if got := u.told(t); got != want {
			t.Fatalf("it told %+v, want %+v", got, want)
		}
	}
	apptest.Rewrite(t, config, func(s string) string { return s + "<again/>" })
	broken := config + ":8:1: a second root element; keep one root element and move the rest into it"
	told(Notice{Kind: RulesRefused, Text: broken})
	status, header, _ := apptest.Get(t, u.client(t, false), u.page)
	if csp := header.Get("Content-Security-Policy"); status != http.StatusOK || !strings.Contains(csp, good) {
		t.Errorf("with a broken file the page has status %d and the policy %q", status, csp)
	}
	for _, page := range []string{"policy", "traffic", "tables"} {
		_, _, body := apptest.Get(t, http.DefaultClient, u.console+page)
		if !strings.Contains(body, `class="banner"`) ||
			!strings.Contains(body, broken+". The last good rules stay in force.") ||
			!strings.Contains(body,
				`href="/console/traffic"`) {
			t.Errorf("the console's page %s has no banner: %s", page, body)
		}
	}
	apptest.Rewrite(t, config, func(s string) string {
		return strings.Replace(strings.TrimSuffix(s, "<again/>"), good, "https://new.example.com", 1)
	})
	told(Notice{Kind: RulesInForce, File: config})
	if _, _, body := apptest.Get(t, http.DefaultClient, u.console+"traffic"); strings.Contains(body, `class="banner"`) {
		t.Error("the banner stays after the file was mended")
	}
	// What the gateway refuses is in force for the pages as little: a pin that
	// binds no host.
	apptest.Rewrite(t, config, func(s string) string {
		return strings.Replace(s, "</widget>", `<access origin="https://refused.example.com" />`+
			`<cordon:pin xmlns:cordon="urn:cordon:1" sha256="x"/></widget>`, 1)
	})
	if n := u.told(t); n.Kind != RulesRefused || !strings.HasSuffix(n.Text, "the host is empty") {
		t.Errorf("it told %+v", n)
	}
	_, header, _ = apptest.Get(t, u.client(t, false), u.page)
	if strings.Contains(header.Get("Content-Security-Policy"), "refused.example.com") {
		t.Error("the pages follow rules that the gateway refused")
	}
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	told(Notice{Kind: RulesRefused, Text: config + ": no such file or folder"})
	if err := os.WriteFile(config, data, 0o644); err != nil {
		t.Fatal(err)
	}
	apptest.Rewrite(t, config, func(s string) string {
		s, _, _ = strings.Cut(s, `<access origin="https://refused`)
		return strings.Replace(s, "https://new.example.com", "*", 1) + "</widget>"
	})
	for n := u.told(t); n.Kind != RulesInForce; n = u.told(t) { // the file of before may be seen in between
		if n.Kind != RulesRefused || !strings.HasSuffix(n.Text, "the host is empty") {
			t.Fatalf("it told %+v", n)
		}
	}
	told(Notice{Kind: Warned, Text: "the file allows every host: only addresses, ports and framing are checked"})
	if err := u.stop(); err != nil {
		t.Error(err)
	}
	if len(u.notices) > 0 {
		t.Errorf("it told %+v besides", <-u.notices)
	}
}

// What a summary claims follows from the policy: every host once, the wildcard by
// its name, and no refusal where there is none.
func TestUpSummaryIsTrue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, lines, platform string
		reaches               []string
		refused               string
		warnings              []string
	}{
		{"hosts", `<access origin="https://media.example.com" /><access origin="https://*.cdn.example.com" />` +
			`<access origin="https://todo.example.com:8443/api" />`, "",
			[]string{"todo.example.com", "media.example.com", "*.cdn.example.com"}, "not-listed.example",
			[]string{`DIR/config.xml:7:91: the path in "https://todo.example.com:8443/api" binds plain HTTP only: ` +
				`in a tunnel the host decides (inspect: true would bind both)`}},
		{"every host", `<access origin="*" />`, "", []string{"todo.example.com", "media.example.com", EveryHost}, "",
			[]string{"the file allows every host: only addresses, ports and framing are checked"}},
		{"another platform", `<access origin="https://not-listed.e*" />`, "wp8@3.8.2",
			[]string{"https://todo.example.com", "https://media.example.com", "https://not-listed.e*"},
			"not-listed.test",
			[]string{`DIR/config.xml:7:1: <access> "https://not-listed.e*" is rewritten and grants nothing ` +
				`it does not say: the wildcard covers word characters only`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := todo(t)
			config := filepath.Join(dir, "config.xml")
			apptest.Rewrite(t, config, func(s string) string {
				return strings.Replace(s, "</widget>", test.lines+"\n</widget>",
					1)
			})
			u := start(t, Config{Dir: dir, Platform: test.platform})
			for i := range test.warnings {
				test.warnings[i] = strings.Replace(test.warnings[i], "DIR", dir, 1)
			}
			if !slices.Equal(u.Reaches, test.reaches) || u.Refused != test.refused || !slices.Equal(u.Warnings,
				test.warnings) {
				t.Errorf("it reaches %q, refuses %q and warns %q; want %q, %q and %q",
					u.Reaches, u.Refused, u.Warnings, test.reaches, test.refused, test.warnings)
			}
			port := u.Page.Port()
			if u.Rules != config || u.Capacitor || u.Name != "Todo" || u.Pages != "www" ||
				u.StandIn.String() != "http://demo.localhost:"+port || u.Secure.String() != "https://localhost:"+port {
				t.Errorf("the summary is %+v", u.Summary)
			}
			if !slices.Equal(u.Tables, []string{"todoitem"}) || u.SignIn["google"] != "development" {
				t.Errorf("the backend has the tables %q and the sign-in %q", u.Tables, u.SignIn)
			}
			if want := filepath.Join(dir, ".cordon", "ca", "ca.pem"); u.Authority != want {
				t.Errorf("the authority is %s, want %s", u.Authority, want)
			}
		})
	}
}

// The events that an importer takes name the user's own file, too, and what is for
// development only by its own name.
func TestUpEvents(t *testing.T) {
	t.Parallel()
	dir := todo(t)
	u := start(t, Config{Dir: dir})
	proxied := u.client(t, true)
	if status, _, _ := apptest.Get(t, proxied, u.StandIn.String()+"/tip"); status != http.StatusOK {
		t.Errorf("the stand-in: status %d", status)
	}
	for _, host := range []string{"media.example.com", "not-listed.example"} {
		if response, err := proxied.Get("https://" + host + "/"); err == nil {
			_ = response.Body.Close()
		}
	}
	places := map[string]string{}
	page, _ := u.events.Page(0, 100, func(e *event.Event) bool { return e.Type == event.Decision })
	for _, e := range page {
		places[e.Host] = e.Place
	}
	for host, want := range map[string]string{
		standInHost: DevelopmentPlace, "not-listed.example": "",
		"media.example.com": filepath.Join(dir, "config.xml") + ":5:5",
	} {
		if got, ok := places[host]; !ok || got != want {
			t.Errorf("%s was decided at %q (%v), want %q", host, got, ok, want)
		}
	}
}

// Traffic names the user's own file, and what cordon up added by its own name.
func TestUpPlaces(t *testing.T) {
	t.Parallel()
	dir := todo(t)
	u := start(t, Config{Dir: dir})
	proxied := u.client(t, true)
	if status, _, _ := apptest.Get(t, proxied, u.StandIn.String()+"/tip"); status != http.StatusOK {
		t.Errorf("the stand-in: status %d", status)
	}
	// The name does not resolve: what counts is the line that let it through.
	if response, err := proxied.Get("https://media.example.com/"); err == nil {
		_ = response.Body.Close()
	}
	_, _, body := apptest.Get(t, http.DefaultClient, u.console+"traffic?verdict=allow")
	if !strings.Contains(body, DevelopmentPlace) || strings.Contains(body, ".cordon") {
		t.Errorf("the stand-in's line has another place: %s", body)
	}
	_, _, body = apptest.Get(t, http.DefaultClient, u.console+"traffic?host=media.example.com")
	if !strings.Contains(body, `title="`+filepath.Join(dir, "config.xml")+`:5:5"`) {
		t.Errorf("the place of the line is not in the user's file: %s", body)
	}
	if _, err := os.Stat(filepath.Join(dir, ".cordon", "config.xml")); err == nil {
		t.Error("a second config.xml was written")
	}
}
