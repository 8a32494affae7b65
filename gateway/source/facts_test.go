package source

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/policy"
)

// A gateway decides over what ships: an entry that only a plugin brings counts, and a
// change of any file that says so is told, also of one that was not there.
func TestPluginsOfAnApp(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
	}
	const plugin, own = `<plugin id="metrics"><config-file target="config.xml" parent="/*"><access origin="https://`,
		`"/></config-file></plugin>`
	file("nx.json", "{}")
	file("app/config.xml", rules("own.example"))
	file("app/package.json", `{"dependencies": {}}`)
	s := New(Options{Read: Fixed(config.Config{Apps: []config.App{
		{Name: "app", Config: filepath.Join(dir, "app", "config.xml")},
	}})})
	loads := func(what string, allowed ...string) {
		t.Helper()
		l, err := s.Load()
		if err != nil {
			t.Fatal(err)
		}
		for _, host := range []string{"own.example", "one.example", "two.example"} {
			d := l.Apps[0].List.Policy.Decide(policy.Request{URL: "https://" + host + "/", Kind: policy.XHR})
			want := false
			for _, name := range allowed {
				want = want || name == host
			}
			if got := d.Verdict == policy.Allow; got != want {
				t.Errorf("%s: %s is allowed: %v", what, host, got)
			}
		}
		if s.Changed() {
			t.Errorf("%s: what was read is told as changed", what)
		}
	}
	changed := func(what string) {
		t.Helper()
		if !s.Changed() {
			t.Fatalf("%s: not told", what)
		}
	}
	loads("without plugins", "own.example")
	file("app/package.json", `{"dependencies": {"metrics": "1.0.0"}}`)
	changed("package.json")
	loads("a plugin that is not there", "own.example")
	file("node_modules/metrics/plugin.xml", plugin+"one.example"+own)
	changed("a plugin that was installed further up")
	loads("a plugin of the workspace", "own.example", "one.example")
	file("app/plugins/metrics/plugin.xml", plugin+"two.example"+own)
	changed("a plugin that was added")
	loads("a plugin of the project", "own.example", "two.example")
	file("app/plugins/metrics/plugin.xml", plugin+"one.example"+own+"<!-- -->")
	changed("its plugin.xml")
	loads("a plugin that was changed", "own.example", "one.example")

	file("app/config.xml", "<widget>")
	changed("config.xml")
	if _, err := s.Load(); err == nil {
		t.Fatal("a config.xml that is cut was taken")
	}
	file("app/plugins/metrics/plugin.xml", plugin+"two.example"+own)
	changed("a plugin.xml, while the config.xml cannot be read")
}

// A platform without a version is the one that the app is built for.
func TestOwnVersionOfAnApp(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.xml")
	write(t, file, `<widget><engine name="android" spec="3.5.0"/><access origin="https://a.example"/></widget>`)
	for platform, want := range map[string]string{"android": "android@3.5.0", "android@9.0.0": "android@9.0.0",
		"cordon": "cordon", "": "cordon"} {
		l, err := Load(config.Config{Apps: []config.App{{Name: "app", Config: file, Platform: platform}}})
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Apps[0].List.Policy.Target().String(); got != want {
			t.Errorf("%q: read as %s, want %s", platform, got, want)
		}
	}
}
