package pins_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pins"
)

func parse(t testing.TB, data string) *configxml.Document {
	t.Helper()
	doc, err := configxml.Parse("config.xml", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func hash(text string) pin.Hash { return pin.HashOf([]byte(text)) }

// describe writes elements and problems as lines, to compare them.
func describe(elements []pins.Element, problems []*pins.Problem) string {
	var s strings.Builder
	for _, e := range elements {
		fmt.Fprintf(&s, "%s %v %d", e.Entry.Host, e.Entry.Subdomains, len(e.Entry.Hashes))
		if !e.Entry.Expires.IsZero() {
			s.WriteString(" " + e.Entry.Expires.Format(time.RFC3339))
		}
		fmt.Fprintf(&s, " at %s\n", e.Entry.Source)
	}
	for _, p := range problems {
		fmt.Fprintf(&s, "%v unbound=%v\n", p, p.Unbound)
	}
	return s.String()
}

func TestRead(t *testing.T) {
	h := hash("key").String()
	for _, c := range []struct{ name, body, platform, want string }{
		{"full", `<cordon:pin host="api.example.org" subdomains="true" sha256="` + h + `" expires="2027-06-30"/>`, "",
			"api.example.org true 1 2027-06-30T00:00:00Z at config.xml:1\n"},
		{"short", `<cordon:pin host="API.example.org" sha256=" ` + h + ` "/>`, "",
			"api.example.org false 1 at config.xml:1\n"},
		{"other prefix", `<c:pin xmlns:c="urn:cordon:1" host="a.example" sha256="` + h + `"/>`, "",
			"a.example false 1 at config.xml:1\n"},
		{"no prefix", `<pin xmlns="urn:cordon:1" host="a.example" sha256="` + h + `"/>`, "",
			"a.example false 1 at config.xml:1\n"},
		{"not ours", `<pin host="a.example" sha256="` + h +
			`"/><x:pin xmlns:x="urn:x" host="b.example"/><cordon:other host="c.example"/>`, "", ""},
		{"platforms", `<platform name="ios"><cordon:pin host="i.example" sha256="` + h +
			`"/></platform><platform name="android"><cordon:pin host="a.example" sha256="` + h + `"/></platform>`,
			"ios",
			"i.example false 1 at config.xml:1\n"},
		{"every platform", `<platform name="ios"><cordon:pin host="i.example" sha256="` + h + `"/></platform>`, "",
			"i.example false 1 at config.xml:1\n"},
		{"bad hash", `<cordon:pin host="a.example" sha256="abc"/>`, "",
			"a.example false 0 at config.xml:1\nconfig.xml:1:9: pin \"abc\" is not base64 unbound=false\n"},
		{"no hash", `<cordon:pin host="a.example"/>`, "",
			"a.example false 0 at config.xml:1\n" +
				"config.xml:1:9: pin \"\" has 0 bytes; a SHA-256 has 32 unbound=false\n"},
		{"bad day", `<cordon:pin host="a.example" sha256="` + h + `" expires="30.6.2027"/>`, "",
			"a.example false 0 at config.xml:1\n" +
				"config.xml:1:9: expires=\"30.6.2027\" is not a day as 2027-06-30 unbound=false\n"},
		{"wildcard", `<cordon:pin host="*.example.org" sha256="` + h + `"/>`, "",
			"example.org true 1 at config.xml:1\n" +
				"config.xml:1:9: write host=\"example.org\" subdomains=\"true\" instead of a wildcard unbound=false\n"},
		{"bad subdomains", `<cordon:pin host="a.example" subdomains="yes" sha256="` + h + `"/>`, "",
			"a.example true 1 at config.xml:1\n" +
				"config.xml:1:9: subdomains=\"yes\" is neither \"true\" nor \"false\"; taken as \"true\" " +
				"unbound=false\n"},
		{"misspelled", `<cordon:pin host="a.example" sub="true" sha256="` + h + `"/>`, "",
			"a.example false 1 at config.xml:1\n" +
				"config.xml:1:9: a pin has no attribute \"sub\" (host, subdomains, sha256, expires, certificate) " +
				"unbound=false\n"},
		{"no host", `<cordon:pin sha256="` + h + `"/>`, "",
			"config.xml:1:9: host \"\": the host is empty unbound=true\n"},
		{"address", `<cordon:pin host="192.0.2.1" sha256="` + h + `"/>`, "",
			"config.xml:1:9: host \"192.0.2.1\": an address cannot be pinned unbound=true\n"},
	} {
		elements, problems := pins.Read(parse(t, "<widget>"+c.body+"</widget>"), c.platform)
		if got := describe(elements, problems); got != c.want {
			t.Errorf("%s:\ngot  %swant %s", c.name, got, c.want)
		}
	}
}

// Reading pins leaves the document as it is: its elements are the same for whoever
// reads it next.
func TestReadLeavesTheDocument(t *testing.T) {
	doc := parse(t, `<widget xmlns:cordon="urn:cordon:1"><name>a</name><cordon:pin host="a.example" sha256="`+
		hash("key").String()+`"/><access origin="https://a.example"/></widget>`)
	first := describe(pins.Read(doc, ""))
	if again := describe(pins.Read(doc, "")); first == "" || again != first {
		t.Errorf("read %q and then %q", first, again)
	}
	names := ""
	for _, e := range doc.Root().Children {
		names += e.Name + " "
	}
	if names != "name pin access " {
		t.Errorf("the document has %s", names)
	}
}

func TestReadFiles(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	leaf := root.Leaf(t, testpki.Spec{Name: "leaf", Hosts: []string{"A.example", "*.b.example", "192.0.2.1"}})
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"www/certificates/api.example.org.cer", root.DER(), "api.example.org false 1;"},
		{"leaf.cer", leaf.DER(), "a.example false 1; b.example true 1;"},
		{"root.cer", root.DER(), "problem root.cer unbound=true"},
		{"api.example.org.cer", root.PEM(), "api.example.org false 0; problem api.example.org.cer unbound=false"},
		{"leaf.cer", leaf.PEM(), "problem leaf.cer unbound=true"},
		{"X.CER", leaf.DER(), "problem X.CER unbound=true"},
		{"readme.txt", []byte("hello"), ""},
	} {
		entries, problems := pins.ReadFiles([]pins.File{{Name: c.name, Data: c.data}})
		var got []string
		for _, e := range entries {
			if e.Mode != pin.InsteadOfRoots || e.Source != c.name {
				t.Errorf("%s: entry %+v", c.name, e)
			}
			got = append(got, fmt.Sprintf("%s %v %d;", e.Host, e.Subdomains, len(e.Anchors)))
		}
		for _, p := range problems {
			if p.Msg == "" || !strings.HasPrefix(p.Error(), c.name+": ") {
				t.Errorf("%s: problem %q", c.name, p)
			}
			got = append(got, fmt.Sprintf("problem %s unbound=%v", p.File, p.Unbound))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q, want %q", c.name, s, c.want)
		}
	}
}

func TestSet(t *testing.T) {
	if set, problems := pins.Set(parse(t, "<widget/>"), "", nil); set != nil || problems != nil {
		t.Errorf("an app without pins: %v, %v", set, problems)
	}
	doc := parse(t, `<widget><cordon:pin host="a.example" sha256="x"/></widget>`)
	set, problems := pins.Set(doc, "", nil)
	if len(problems) != 1 {
		t.Fatalf("problems %v", problems)
	}
	bound, ok := set.For("a.example")
	if !ok || bound.Verify(nil, time.Unix(0, 0)) == nil {
		t.Error("an unreadable pin leaves its host open")
	}
}

func TestAdd(t *testing.T) {
	a, b := hash("a"), hash("b")
	entries := []pin.Entry{{Host: "a.example", Subdomains: true, Hashes: []pin.Hash{a, b},
		Expires: time.Date(2027, 6, 30, 0, 0, 0, 0, time.UTC)}}
	lineA := `<cordon:pin host="a.example" subdomains="true" sha256="` + a.String() + `" expires="2027-06-30"/>`
	lineB := strings.Replace(lineA, a.String(), b.String(), 1)
	const ns = ` xmlns:cordon="urn:cordon:1"`
	for _, c := range []struct{ name, before, want string }{
		{"after the last child", "<widget id=\"x\">\n  <access origin=\"*\"/>\n</widget>\n",
			"<widget id=\"x\"" + ns + ">\n  <access origin=\"*\"/>\n  " + lineA + "\n  " + lineB + "\n</widget>\n"},
		{"after the last pin", "<widget xmlns:cordon=\"urn:cordon:1\">\r\n\t<cordon:pin host=\"z.example\"/>\r\n" +
			"\t<name>n</name>\r\n</widget>",
			"<widget xmlns:cordon=\"urn:cordon:1\">\r\n\t<cordon:pin host=\"z.example\"/>\r\n\t" + lineA + "\r\n\t" +
				lineB + "\r\n\t<name>n</name>\r\n</widget>"},
		{"empty root", "<widget></widget>", "<widget" + ns + ">\n    " + lineA + "\n    " + lineB + "\n</widget>"},
		{"closed root", "<w:widget xmlns:w=\"urn:w\" />",
			"<w:widget xmlns:w=\"urn:w\"" + ns + " >\n    " + lineA + "\n    " + lineB + "\n</w:widget>"},
		{"one is there", "<widget" + ns + ">" + lineA + "</widget>",
			"<widget" + ns + ">" + lineA + "\n" + lineB + "</widget>"},
		{"both are there", "<widget>" + lineA + lineB + "</widget>", "<widget>" + lineA + lineB + "</widget>"},
	} {
		got, err := pins.Add(parse(t, c.before), entries...)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\ngot  %q\nwant %q", c.name, err, got, c.want)
			continue
		}
		again, err := pins.Add(parse(t, string(got)), entries...)
		if err != nil || string(again) != string(got) {
			t.Errorf("%s: adding twice changes the file: %v\n%q", c.name, err, again)
		}
		elements, problems := pins.Read(parse(t, string(got)), "")
		found := 0
		for _, e := range elements {
			if e.Entry.Host == "a.example" && e.Entry.Subdomains && !e.Entry.Expires.IsZero() &&
				len(e.Entry.Hashes) == 1 {
				found++
			}
		}
		if found != 2 {
			t.Errorf("%s: what was written reads back as %v, %v", c.name, elements, problems)
		}
	}
	doc := parse(t, "<widget/>")
	for _, e := range []pin.Entry{{Host: "A b"}, {Host: "a.example", Mode: pin.InsteadOfRoots}} {
		if got, err := pins.Add(doc, e); err == nil {
			t.Errorf("Add(%+v) = %s", e, got)
		}
	}
}
