package publicsuffix

import (
	"os/exec"
	"strings"
	"testing"

	peer "golang.org/x/net/publicsuffix"
)

func TestOf(t *testing.T) {
	tests := []struct {
		host, suffix string
		kind         Kind
		registrable  string
	}{
		{"com", "com", Registry, ""},
		{"example.com", "com", Registry, "example.com"},
		{"a.b.example.co.uk", "co.uk", Registry, "example.co.uk"},
		{"example.com.", "com", Registry, "example.com"},
		{"github.io", "github.io", Hosting, ""},
		{"x.github.io", "github.io", Hosting, "x.github.io"},
		{"shop.azurewebsites.net", "azurewebsites.net", Hosting, "shop.azurewebsites.net"},
		{"a.b.ck", "b.ck", Registry, "a.b.ck"},
		{"x.www.ck", "ck", Registry, "www.ck"},
		{"localhost", "localhost", Unlisted, ""},
		{"printer.lan", "lan", Unlisted, ""},
		{"example", "example", Unlisted, ""},
		{"", "", Unlisted, ""},
		{".", "", Unlisted, ""},
	}
	for _, test := range tests {
		suffix, kind := Of(test.host)
		if suffix != test.suffix || kind != test.kind {
			t.Errorf("Of(%q) = %q, %v, want %q, %v", test.host, suffix, kind, test.suffix, test.kind)
		}
		name, ok := Registrable(test.host)
		if name != test.registrable || ok != (test.registrable != "") {
			t.Errorf("Registrable(%q) = %q, %v, want %q", test.host, name, ok, test.registrable)
		}
	}
	if IsSuffix("github.io") != Hosting || IsSuffix("x.github.io") != Unlisted || IsSuffix("co.uk") != Registry {
		t.Error("IsSuffix is wrong about github.io, x.github.io or co.uk")
	}
}

// TestAgreesWithPeer compares every rule, and names below it, with the library
// that the table comes from.
func TestAgreesWithPeer(t *testing.T) {
	for line := range strings.Lines(rules) {
		rule, _, _ := strings.Cut(line, " ")
		name := strings.NewReplacer("*", "star", "!", "").Replace(rule)
		for _, host := range []string{name, "x." + name, "y.x." + name} {
			want, icann := peer.PublicSuffix(host)
			got, kind := Of(host)
			if got != want || icann != (kind == Registry) {
				t.Fatalf("Of(%q) = %q, %v; the library says %q, registry %v", host, got, kind, want, icann)
			}
		}
	}
}

// TestTableIsCurrent fails when go.mod names another golang.org/x/net than the
// table was generated from.
func TestTableIsCurrent(t *testing.T) {
	if testing.Short() {
		t.Skip("short: the table is compared by TestAgreesWithPeer alone")
	}
	out, err := exec.Command("go", "run", "generate.go", "-").Output()
	if err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
	if string(out) != rules {
		t.Error("rules.txt is out of date: run go generate ./policy/publicsuffix")
	}
}

func BenchmarkOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Of("a.b.example.co.uk")
	}
}
