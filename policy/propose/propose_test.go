package propose_test

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/propose"
)

func TestList(t *testing.T) {
	list := propose.List([]propose.Observation{
		{Scheme: "https", Host: "api.example.org", Path: "/v1", Kind: "xhr", Count: 3},
		{Scheme: "wss", Host: "api.example.org", Kind: "websocket"},
		{Scheme: "https", Host: "img.example.org", Kind: "image"},
		{Scheme: "http", Host: "img.example.org", Port: 80},
		{Scheme: "https", Host: "cdn.tracker.net", Port: 8443, Kind: "script"},
		{Scheme: "https", Host: "2001:db8::1"},
	})
	var got strings.Builder
	for _, p := range list {
		got.WriteString(p.Line.String() + " " + p.Site + " " + strings.Join(p.Kinds, ",") + " " +
			strings.Join(p.Paths, ",") + "\n")
		if p.Foreign != (p.Site != "example.org") {
			t.Errorf("%s: foreign %v", p.Site, p.Foreign)
		}
	}
	want := `<access origin="http://img.example.org" /> example.org  
<access origin="https://api.example.org" /> example.org websocket,xhr /v1
<access origin="https://img.example.org" /> example.org image 
<access origin="https://[2001:db8::1]" /> 2001:db8::1  
<access origin="https://cdn.tracker.net:8443" /> tracker.net script 
`
	if got.String() != want {
		t.Errorf("proposals\n%swant\n%s", got.String(), want)
	}
}

func TestWarnings(t *testing.T) {
	for origin, want := range map[string]string{
		"https://a.example.org": "", "http://a.example.org": "unencrypted", "https://*.example.org": "every name below",
		"https://*.co.uk": "anyone can have", "https://*": "every host", "*": "every host",
		"https://10.0.0.1": "address", "https://[::1]:8443": "address", "https://127.1": "address",
		"https://0x7f.1:80":        "address",
		"https://[::ffff:1.2.3.4]": "address", "https://GITHUB.io.:8443": "public suffix", "https://a..b": "",
		"https://github.io": "public suffix",
	} {
		got := strings.Join(propose.Warnings(origin), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", origin, got, want)
		}
	}
}

// What is inserted is a line that the engine then reads, and nothing else of
// the file changes.
func TestInsert(t *testing.T) {
	line := propose.Line{Element: "access", Origin: "https://new.example.org"}
	for name, test := range map[string]struct{ file, want string }{
		"behind the last": {"<widget>\n  <access origin=\"a\"/>\n  <content/>\n</widget>\n", "<widget>\n  <access " +
			"origin=\"a\"/>\n  <access origin=\"https://new.example.org\" />\n  <content/>\n</widget>\n"},
		"line ends": {"<widget>\r\n\t<content/>\r\n</widget>",
			"<widget>\r\n\t<content/>\r\n\t<access origin=\"https://new.example.org\" />\r\n</widget>"},
		"empty": {"<widget/>", "<widget>\n    <access origin=\"https://new.example.org\" />\n</widget>"},
		"no children": {"<w:widget xmlns:w='x'></w:widget>",
			"<w:widget xmlns:w='x'>\n    <access origin=\"https://new.example.org\" /></w:widget>"},
	} {
		doc, err := configxml.Parse("config.xml", []byte(test.file))
		if err != nil {
			t.Fatal(err)
		}
		edit, ok := propose.Insert(doc, line)
		if !ok {
			t.Fatalf("%s: nothing to insert", name)
		}
		got, err := doc.Apply(edit)
		if err != nil || string(got) != test.want {
			t.Errorf("%s: %v\n%q\nwant\n%q", name, err, got, test.want)
		}
		again, err := configxml.Parse("config.xml", got)
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := dialect.Compile(again, policy.Target{Platform: dialect.Strict})
		if err != nil {
			t.Fatal(err)
		}
		if d := compiled.Decide(policy.Request{URL: line.Origin + "/", Kind: policy.XHR}); d.Verdict != policy.Allow {
			t.Errorf("%s: the line does not allow its origin: %s", name, d.Reason)
		}
		if _, ok := propose.Insert(again, line); ok {
			t.Errorf("%s: the line is inserted twice", name)
		}
	}
}
