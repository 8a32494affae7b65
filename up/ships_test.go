package up

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/apptest"
)

// Under cordon up an entry that only a plugin brings counts in the gateway and in the
// pages' policy, as it does in the app that ships.
func TestUpDecidesOverWhatShips(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{
		"config.xml":     `<widget><access origin="https://own.example"/></widget>`,
		"www/index.html": `<!doctype html><title>Notes</title>`,
		"package.json":   `{"dependencies": {"metrics": "1.0.0"}}`,
		"plugins/metrics/plugin.xml": `<plugin id="metrics"><config-file target="config.xml" parent="/*">
<access origin="https://plugin.example"/></config-file></plugin>`,
	})
	u := start(t, Config{Dir: dir})
	_, header, _ := apptest.Get(t, u.client(t, false), u.page)
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "https://plugin.example") {
		t.Errorf("the pages' policy is %s", csp)
	}
	proxied := u.client(t, true)
	for _, host := range []string{"own.example", "plugin.example", "other.example"} {
		if response, err := proxied.Get("https://" + host + "/"); err == nil { // none of the names resolves
			_ = response.Body.Close()
		}
	}
	places := map[string]string{}
	page, _ := u.events.Page(0, 100, func(e *event.Event) bool { return e.Type == event.Decision })
	for _, e := range page {
		places[e.Host] = e.Place
	}
	for host, want := range map[string]string{
		"own.example":    filepath.Join(dir, "config.xml") + ":1:9",
		"plugin.example": "plugins/metrics/plugin.xml:2:1",
		"other.example":  "",
	} {
		if got, ok := places[host]; !ok || got != want {
			t.Errorf("%s was decided at %q (%v), want %q", host, got, ok, want)
		}
	}
}

// A platform without a version is the project's own version, for the gateway and in
// what is said of the rules: Android 3.6 reads no <allow-navigation>.
func TestUpReadsAsTheProjectsVersion(t *testing.T) {
	t.Parallel()
	for platform, want := range map[string][]string{
		"android":      {"https://own.example"},
		"android@15.0": {"https://own.example", "https://pages.example/*"},
	} {
		dir := appDir(t, map[string]string{
			"config.xml": `<widget><access origin="https://own.example"/>` +
				`<allow-navigation href="https://pages.example/*"/></widget>`,
			"www/index.html": `<!doctype html><title>Notes</title>`,
			"package.json":   `{"dependencies": {"cordova-android": "3.6.0"}}`,
		})
		u := start(t, Config{Dir: dir, Platform: platform})
		if !slices.Equal(u.Reaches, want) {
			t.Errorf("%s reaches %q, want %q", platform, u.Reaches, want)
		}
		proxied := u.client(t, true)
		if response, err := proxied.Get("https://pages.example/"); err == nil { // the name does not resolve
			_ = response.Body.Close()
		}
		page, _ := u.events.Page(0, 100, func(e *event.Event) bool {
			return e.Type == event.Decision && e.Host == "pages.example"
		})
		if len(page) != 1 || (page[0].Place != "") != (len(want) == 2) {
			t.Errorf("%s: pages.example was decided as %+v", platform, page)
		}
	}
}
