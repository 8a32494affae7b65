package source

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/testpki"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func rules(host string) string { return `<widget><access origin="https://` + host + `"/></widget>` }

// A change is told from the reading on, of files too that only the new
// configuration names, also where it is refused; and once only.
func TestChanged(t *testing.T) {
	dir := t.TempDir()
	list, first, second := filepath.Join(dir, "list"), filepath.Join(dir, "first.xml"), filepath.Join(dir, "second.xml")
	write(t, list, first)
	write(t, first, rules("one.example"))
	s := New(Options{Files: []string{list}, Read: func() (config.Config, error) {
		path, err := os.ReadFile(list)
		return config.Config{Apps: []config.App{{Name: "app", Config: string(path)}}}, err
	}})
	allows := func(l config.Loaded) string { return l.Apps[0].List.Policy.Rules()[0].Text }
	loads := func(what string) {
		t.Helper()
		if l, err := s.Load(); err != nil || allows(l) != what {
			t.Fatalf("%v, want %s", err, what)
		}
		if s.Changed() {
			t.Fatalf("%s: what was read is told as changed", what)
		}
	}
	changed := func(what string, want bool) {
		t.Helper()
		if s.Changed() != want {
			t.Fatalf("%s: told as changed: %v", what, !want)
		}
	}
	changed("nothing was read", false)
	loads("https://one.example")
	write(t, first, rules("three.example"))
	changed("an app's file", true)
	loads("https://three.example")

	write(t, second, "<widget><access")
	write(t, list, second)
	changed("the list", true)
	if _, err := s.Load(); err == nil || !strings.Contains(err.Error(), second) {
		t.Fatalf("%v, want an error that names %s", err, second)
	}
	changed("refused and as it was", false)
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	changed("a file that is missing for a moment", false)
	write(t, second, rules("mended.example"))
	changed("the mended file", true)
	loads("https://mended.example")

	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(); !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	write(t, second, rules("later.example"))
	changed("an app's file, while the list is missing", true)
}

// Mistakes of the configuration come before those of its files.
func TestMistakesFirst(t *testing.T) {
	_, err := Load(config.Config{Apps: []config.App{{Name: "app", Config: "none.xml", Mode: "open"}}})
	if err == nil || strings.Contains(err.Error(), "none.xml") || !strings.Contains(err.Error(), "apps[0].mode") {
		t.Error(err)
	}
}

// Revocation lists are read, watched, and errors name the file.
func TestRevocationLists(t *testing.T) {
	c, dir := withPassword(t, "file:pw.txt")
	c.CRLs = []string{"fleet.crl"}
	c = c.Relative(dir)
	file := filepath.Join(dir, "fleet.crl")
	if _, err := Load(c); err == nil || err.Error() != "crls: "+file+": no such file or folder" {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile(file, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(c); err == nil || !strings.HasPrefix(err.Error(), "crls: "+file+": must hold revocation lists") {
		t.Errorf("no list: %v", err)
	}
	root := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	leaf := root.Leaf(t, testpki.Spec{Name: "x"})
	chain := []*x509.Certificate{leaf.Certificate, root.Certificate}
	from := New(Options{Read: Fixed(c)})
	for i, l := range []testpki.List{{}, {Revoked: []*testpki.Pair{leaf}}} {
		if err := os.WriteFile(file, root.CRL(t, l), 0o600); err != nil {
			t.Fatal(err)
		}
		if i > 0 && !from.Changed() {
			t.Error("a new list is not noticed")
		}
		loaded, err := from.Load()
		if err != nil {
			t.Fatal(err)
		}
		if err := loaded.Revocations.Check(chain, testpki.Now); (err != nil) != (i > 0) {
			t.Errorf("list %d: %v", i, err)
		}
	}
}
