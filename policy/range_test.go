package policy_test

import (
	"testing"

	"github.com/cordon-sec/cordon/policy"
)

// Ranges are read as npm reads them.
func TestParseRange(t *testing.T) {
	for _, test := range []struct {
		spec, lowest string
		one, exact   bool
		yes, no      string
	}{
		{"1.2.3", "1.2.3", true, true, "1.2.3", "1.2.4"},
		{"v1.2.3-beta.1", "1.2.3", true, true, "1.2.3", "1.2.2"},
		{"^1.2.3", "1.2.3", true, false, "1.9.0", "2.0.0"},
		{"^0.2.3", "0.2.3", true, false, "0.2.9", "0.3.0"},
		{"^ 0.0.3", "0.0.3", true, false, "0.0.3", "0.0.4"},
		{"~1.2.3", "1.2.3", true, false, "1.2.9", "1.3.0"},
		{"~1", "1.0.0", true, false, "1.9.0", "2.0.0"},
		{"6", "6.0.0", true, false, "6.9.0", "7.0.0"},
		{"6.x", "6.0.0", false, false, "6.9.0", "7.0.0"},
		{">=7 <14", "7.0.0", false, false, "13.9.0", "14.0.0"},
		{"^6.0.0 || ^13.0.0", "6.0.0", false, false, "13.0.1", "7.0.0"},
		{"<8", "", false, false, "7.9.0", "8.0.0"},
		{"<=8", "", false, false, "8.9.0", "9.0.0"},
		{">8.1", "8.2.0", false, false, "8.2.0", "8.1.9"},
		{"1.2 - 2.3.4", "1.2.0", false, false, "2.3.4", "2.3.5"},
		{"*", "", false, false, "99.0.0", ""},
		{"", "", false, false, "99.0.0", ""},
		{"<0", "", false, false, "", "0.0.0"},
		{"<0.0.0", "", false, false, "", "99.0.0"},
		{"<*", "", false, false, "", "1.0.0"},
		{">x", "", false, false, "", "1.0.0"},
		{"<0 || 2", "", false, false, "2.1.0", "1.0.0"},
		{">=2 <1", "2.0.0", false, false, "", "1.5.0"},
	} {
		r, ok := policy.ParseRange(test.spec)
		if !ok || r.Lowest.String() != test.lowest || r.One != test.one || r.Exact != test.exact {
			t.Errorf("%q: %v, %+v", test.spec, ok, r)
		}
		if test.yes != "" && !r.Allows(versionOf(t, test.yes)) || test.no != "" && r.Allows(versionOf(t, test.no)) {
			t.Errorf("%q: it must allow %q and not %q", test.spec, test.yes, test.no)
		}
	}
	for _, spec := range []string{"latest", "github:a/b", "file:../x", "npm:x@1.0.0", "a/b", "./x", "x.tgz",
		"https://a.example/x.git#v1.2.1", "1.2.3 x.tgz", "1.2.3/x", ">"} {
		if r, ok := policy.ParseRange(spec); ok {
			t.Errorf("%q is no range: %+v", spec, r)
		}
	}
}

// The lowest version of a range between two versions.
func TestFirstOfARange(t *testing.T) {
	for _, test := range []struct{ spec, from, below, want string }{
		{"^4.0.0", "4.0.0", "4.2.0", "4.0.0"},
		{"^4.0.0", "4.2.0", "6.0.0", "4.2.0"},
		{"^4.0.0", "5.0.0", "", ""},
		{"^4.0.0", "3.0.0", "4.0.0", ""},
		{"^13.0.0 || ~6.1.0", "4.0.0", "", "6.1.0"},
		{"<0", "0.0.0", "", ""},
		{"*", "3.0.0", "3.1.0", "3.0.0"},
		{"<8", "0.0.0", "2.0.0", ""}, // which is 0.0.0
	} {
		r, _ := policy.ParseRange(test.spec)
		below := policy.Version{}
		if test.below != "" {
			below = versionOf(t, test.below)
		}
		v, ok := r.First(versionOf(t, test.from), below)
		if v.String() != test.want || ok != (test.want != "" || test.spec == "<8") {
			t.Errorf("%s from %s below %s: %s, %v", test.spec, test.from, test.below, v, ok)
		}
	}
}

func versionOf(t *testing.T, text string) policy.Version {
	t.Helper()
	v, err := policy.ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
