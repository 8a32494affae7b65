package parts

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// A change is written where the file is still what was shown, and nowhere else.
func TestPolicySaves(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.xml")
	const before, after = `<widget><access origin="https://a.example"/></widget>`,
		`<widget><access origin="https://b.example"/></widget>`
	if err := os.WriteFile(file, []byte(before), 0o640); err != nil {
		t.Fatal(err)
	}
	saved := 0
	p := &Policy{Path: dir, Saved: func() { saved++ }}
	read, err := p.Project(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Policy{Path: dir}).Save(t.Context(), read.Config, []byte(after)); !errors.Is(err, console.ErrReadOnly) {
		t.Errorf("without Saved: %v", err)
	}
	for _, want := range []error{nil, console.ErrChanged} {
		if err := p.Save(t.Context(), read.Config, []byte(after)); !errors.Is(err, want) {
			t.Errorf("saving: %v, want %v", err, want)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil || string(data) != after || saved != 1 {
		t.Errorf("saved %d times: %s, %v", saved, data, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's mode: %v, %v", info.Mode(), err)
	}
}

// The console shows what ships: an entry that only a plugin brings is decided as it is
// everywhere.
func TestPolicyShowsWhatShips(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.xml":   `<widget><access origin="https://own.example"/></widget>`,
		"package.json": `{"dependencies": {"metrics": "1.0.0"}}`,
		"node_modules/metrics/plugin.xml": `<plugin id="metrics"><config-file target="config.xml" parent="/*">
<access origin="https://plugin.example"/></config-file></plugin>`,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read, err := (&Policy{Path: dir}).Project(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := dialect.Compile(read.Ships(), policy.Target{Platform: dialect.Strict})
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]policy.Verdict{"https://own.example/": policy.Allow,
		"https://plugin.example/": policy.Allow, "https://other.example/": policy.Block} {
		if got := compiled.Decide(policy.Request{URL: url, Kind: policy.XHR}).Verdict; got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}
