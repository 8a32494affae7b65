package record

import (
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/propose"
)

// Pages that opened inside become exact hosts; what no longer is asked for goes, and
// what may have been asked for in a tunnel stays.
func TestPagesOf(t *testing.T) {
	seen := []propose.Observation{
		{Scheme: "https", Host: "login.example.com", Path: "/oauth", Kind: "navigation"},
		{Scheme: "http", Host: "help.example.org", Port: 8080, Kind: "navigation", Count: 2},
		{Scheme: "https", Host: "help.example.org", Kind: "navigation"},
		{Scheme: "https", Host: "api.example.org", Kind: "xhr"},
		{Scheme: "https", Host: "a.tunnel.example"},
		{Scheme: "https", Host: "httpbin.org", Kind: "navigation"},
		{Scheme: "https", Host: "intranet", Kind: "navigation"},
		{Scheme: "https", Host: "2001:db8::1", Kind: "navigation"},
	}
	for _, test := range []struct {
		written, keep string
		want          string
	}{
		{"", "", "help.example.org login.example.com + help.example.org 3 login.example.com 1 -"},
		{"LOGIN.example.com", "", "LOGIN.example.com help.example.org + help.example.org 3 -"},
		{"*.example.org *.tunnel.example old.example", "",
			"*.tunnel.example help.example.org login.example.com + help.example.org 3 login.example.com 1 - " +
				"*.example.org old.example"},
		{"*.example.org old.example io", "keep", "old.example help.example.org login.example.com + " +
			"help.example.org 3 login.example.com 1 - *.example.org io"},
		{"login.example.com help.example.org", "", "login.example.com help.example.org + -"},
	} {
		entries := `"` + strings.Join(strings.Fields(test.written), `","`) + `"`
		if test.written == "" {
			entries = ""
		}
		c, err := capacitor.Read("capacitor.config.json", []byte(`{"server":{"allowNavigation":[`+entries+`]}}`))
		if err != nil {
			t.Fatal(err)
		}
		p, err := PagesOf(seen, c, test.keep != "")
		if err != nil {
			t.Fatal(err)
		}
		got := append(slices.Clone(p.Entries), "+")
		for _, a := range p.Added {
			got = append(got, strings.TrimPrefix(a.Line.Origin, "https://"), string(rune('0'+a.Count)))
		}
		got = append(got, "-")
		for _, d := range p.Dropped {
			got = append(got, d.Value)
		}
		var refused []string
		for _, r := range p.Refused {
			refused = append(refused, r.Host)
		}
		if text := strings.Join(got, " "); text != test.want || p.Changed() != !strings.HasSuffix(test.want, "+ -") {
			t.Errorf("%s: %s (changed: %v), want %s", test.written, text, p.Changed(), test.want)
		}
		if strings.Join(refused, " ") != "[2001:db8::1] httpbin.org intranet" {
			t.Errorf("%s: refused are %q", test.written, refused)
		}
	}
}
