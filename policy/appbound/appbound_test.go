package appbound_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy/appbound"
	"github.com/cordon-sec/cordon/policy/native"
)

// What WebKit makes of an entry: the URL parser reads it, with https before what
// has no scheme, and the registrable domain of its host is kept.
func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		"example.org":                      "example.org",
		"App.Example.ORG":                  "example.org",
		"a.b.example.co.uk":                "example.co.uk",
		"me.github.io":                     "me.github.io",
		"x.me.github.io":                   "me.github.io",
		"github.io":                        "github.io",
		" example.org\n":                   "example.org",
		"//example.org":                    "example.org",
		"https://user@example.org:8443/x?": "example.org",
		"https:example.org":                "example.org",
		"capacitor://localhost":            "localhost",
		"localhost":                        "localhost",
		"app.localhost":                    "app.localhost",
		"bücher.example.org":               "example.org",
		"10.0.0.1":                         "10.0.0.1",
		"10.0.0.1:8080":                    "10.0.0.1",
		"[2001:db8::1]":                    "[2001:db8::1]",
		"capacitor:":                       "capacitor:",
		"Capacitor:": `Capacitor:|"Capacitor:" covers nothing: the scheme of a page is in lower ` +
			`case`,
		"*.example.org": `example.org|"*.example.org" counts as "example.org": there are no wildcards, and ` +
			`the names below count anyway`,
		"a.*.example.org": `|"a.*.example.org" is not a domain: there are no wildcards, and the names below ` +
			`count anyway`,
		"example.org:443": `|"example.org:443" is not a domain: what stands before the colon is read as a scheme`,
		"mailto:x@y":      `|"mailto:x@y" is not a domain: what stands before the colon is read as a scheme`,
		"https://":        `|"https://" is not a domain: it has no host`,
		"a b.example":     `|"a b.example" is not a domain: it has blank space in it`,
		"example..org":    `|"example..org" is not a domain`,
		":":               "|an entry of WKAppBoundDomains is empty",
		" ":               "|an entry of WKAppBoundDomains is empty",
	} {
		d, ok, why := appbound.Read(text)
		got := ""
		if ok {
			got = d.String()
		}
		if why != "" {
			got += "|" + why
		}
		if got != want {
			t.Errorf("%q is read as\n%s, want\n%s", text, got, want)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, test := range []struct {
		entry, scheme, host string
		want                bool
	}{
		{"app.example.org", "https", "example.org", true},
		{"example.org", "http", "a.b.example.org", true},
		{"example.org", "https", "badexample.org", false},
		{"me.github.io", "https", "you.github.io", false},
		{"localhost", "capacitor", "localhost", true},
		{"localhost", "capacitor", "app.localhost", false},
		{"10.0.0.1", "http", "20.0.0.1", false},
		{"capacitor:", "capacitor", "anything.example", true},
		{"capacitor:", "https", "localhost", false},
		{"example.org", "file", "", false},
	} {
		d, _, _ := appbound.Read(test.entry)
		if got := d.Covers(test.scheme, test.host); got != test.want {
			t.Errorf("%s covers %s://%s: %v", test.entry, test.scheme, test.host, got)
		}
	}
}

// list is the WKAppBoundDomains of an Info.plist that holds the items.
func list(t *testing.T, items string) appbound.List {
	t.Helper()
	f, err := native.NewFile(native.Info, "Info.plist", []byte("<plist><dict><key>WKAppBoundDomains</key>"+items+
		"</dict></plist>"))
	if err != nil {
		t.Fatal(err)
	}
	return appbound.Lists(native.Merge([]*native.Fragment{f}))[0]
}

// Ten domains count: several hosts of one domain are one, and what comes after the
// tenth is not read.
func TestTenCount(t *testing.T) {
	items := "<string>www.a.org</string><string>api.a.org</string><string>https://b.org/x</string>" +
		"<string>capacitor:</string><string>c.org:8080</string><string>*.d.org</string><string> </string><true/>"
	for i := range 8 {
		items += fmt.Sprintf("<string>h%d.org</string>", i)
	}
	l := list(t, "<array>"+items+"<string>m.a.org</string></array>")
	var got, wrong []string
	for _, d := range l.Domains {
		got = append(got, d.String()+" by "+d.Value.Text)
	}
	for _, p := range l.Wrong {
		wrong = append(wrong, p.Msg)
	}
	want := []string{"a.org by www.a.org", "b.org by https://b.org/x", "capacitor: by capacitor:", "d.org by *.d.org",
		"h0.org by h0.org", "h1.org by h1.org", "h2.org by h2.org", "h3.org by h3.org", "h4.org by h4.org",
		"h5.org by h5.org"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	want = []string{`"c.org:8080" is not a domain: what stands before the colon is read as a scheme`,
		`"*.d.org" counts as "d.org": there are no wildcards, and the names below count anyway`,
		"an entry of WKAppBoundDomains is empty", "an entry of WKAppBoundDomains must be a string",
		`"h6.org" comes after the tenth: WebKit reads ten`, `"h7.org" comes after the tenth: WebKit reads ten`}
	if diff := cmp.Diff(want, wrong); diff != "" {
		t.Error(diff)
	}
	if !l.Covers("https", "m.a.org") || l.Covers("https", "h7.org") {
		t.Error("the list covers what it does not have")
	}
	if l = list(t, "<string>a.org</string>"); len(l.Domains) != 0 || len(l.Wrong) != 1 {
		t.Errorf("a string is taken for an array: %+v", l)
	}
}

// FuzzRead: whatever an entry is, what is kept of it is read as itself.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"example.org", "*.a.org", "capacitor:", "https://u@[::1]:9/x", "x:y", "ﬁ.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok, why := appbound.Read(text)
		if !ok {
			if why == "" || d != (appbound.Domain{}) {
				t.Fatalf("%q is refused as %+v without a reason", text, d)
			}
			return
		}
		if again, ok, _ := appbound.Read(d.String()); !ok || again != d {
			t.Fatalf("%q is kept as %q, which is read as %+v, %v", text, d, again, ok)
		}
	})
}
