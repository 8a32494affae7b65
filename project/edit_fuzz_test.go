package project

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// A page that is given a policy has exactly that one, obeyed from its first
// element on; giving it twice changes nothing, and the rest of the page stays.
func FuzzPagePolicy(f *testing.F) {
	for _, page := range []string{
		"<!doctype html><html><head><title>t</title></head></html>",
		`<html><head><meta http-equiv="Content-Security-Policy" content="default-src *"></head>`,
		`<head><meta charset=utf-8><meta http-equiv=content-security-policy content='x "y"'><script></script>`,
		`<head><script src=a></script><meta http-equiv="Content-Security-Policy" content="a">`,
		"<head\r\n><!-- <head> --><base href=/></head>", "<p>", "", "<head>\x00</head",
		`<meta http-equiv="Content-Security-Policy" content=default-src>`,
	} {
		f.Add([]byte(page), "default-src 'self'; connect-src https://a.example")
	}
	f.Add([]byte("<head>"), `img-src "><script>alert(1)</script> & 'x'`)
	f.Fuzz(func(t *testing.T, data []byte, content string) {
		if bytes.ContainsAny([]byte(content), "\x00\r\n") || !utf8.ValidString(content) {
			return
		}
		page := ReadPage(app.File{Name: "p.html", Data: bytes.Clone(data)})
		made, ok := withPolicy(&page, content)
		if !bytes.Equal(page.Data, data) {
			t.Fatal("the page itself was changed")
		}
		if !ok {
			return
		}
		again := ReadPage(app.File{Name: "p.html", Data: made})
		_, attr, has := policyTag(&again)
		if !has || attr.Value != content {
			t.Fatalf("%q\nbecame %q\nwhose policy is %q, want %q", data, made, attr.Value, content)
		}
		twice, ok := withPolicy(&again, content)
		if !ok || !bytes.Equal(twice, made) {
			t.Fatalf("a second time %q became %q", made, twice)
		}
	})
}

// Where a browser would not obey the tag, the page counts as one that cannot be
// given a policy: what stands before the head has opened the body.
func TestPolicyBehindTheBody(t *testing.T) {
	for page, want := range map[string]bool{
		"\ufeff <!doctype html>\n<!-- c --><html>\n<head>": true, "text<head>": false, "<p><head>": false,
		"<html>x<head>": false, "<body><head></head>": false, "<head></head><head>": true,
	} {
		p := ReadPage(app.File{Name: "p.html", Data: []byte(page)})
		if _, ok := withPolicy(&p, "default-src 'self'"); ok != want {
			t.Errorf("%q: %v, want %v", page, ok, want)
		}
	}
}

// A member that is set has its value, and every other member stays.
func FuzzSetMember(f *testing.F) {
	for _, data := range []string{`{}`, `{"server": {}}`,
		`{"a": [1, {"server": 2}], "server" : {"url": "x", "cleartext": true }}`, `{"server": 1}`, `[]`,
		` {"server":{"cleartext":{"cleartext":1}}} `} {
		f.Add([]byte(data), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, value bool) {
		text := "false"
		if value {
			text = "true"
		}
		made, err := jsonspan.Set(data, "server", "cleartext", text)
		if err != nil {
			return
		}
		var before, after map[string]any
		if json.Unmarshal(data, &before) != nil {
			t.Fatalf("%q is no object and was edited to %q", data, made)
		}
		if err := json.Unmarshal(made, &after); err != nil {
			t.Fatalf("%q became %q: %v", data, made, err)
		}
		server, ok := after["server"].(map[string]any)
		if !ok || server["cleartext"] != value {
			t.Fatalf("%q became %q", data, made)
		}
		old, _ := before["server"].(map[string]any)
		delete(server, "cleartext")
		delete(old, "cleartext")
		delete(before, "server")
		delete(after, "server")
		if !reflect.DeepEqual(before, after) || len(old) != len(server) {
			t.Fatalf("%q became %q", data, made)
		}
	})
}

// A property list whose key is set keeps the others, and a second time nothing
// changes.
func FuzzSetPlistKey(f *testing.F) {
	const value = "<dict>\n\t\t<key>NSAllowsArbitraryLoads</key>\n\t\t<false/>\n\t</dict>"
	for _, data := range []string{
		"<plist><dict><key>A</key><string>b</string></dict></plist>",
		"<plist><dict><key>NSAppTransportSecurity</key><dict><key>x</key><true/></dict>" +
			"<key>B</key><true/></dict></plist>",
		"<plist><dict/></plist>", "<plist><array/></plist>",
		"<plist><dict><key>NSAppTransportSecurity</key></dict></plist>",
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := configxml.Parse("Info.plist", data)
		if err != nil {
			return
		}
		made, _, err := setPlist(doc, "NSAppTransportSecurity", value)
		if err != nil {
			return
		}
		again, err := configxml.Parse("Info.plist", made)
		if err != nil {
			t.Fatalf("%q became %q: %v", data, made, err)
		}
		twice, _, err := setPlist(again, "NSAppTransportSecurity", value)
		if err != nil || !bytes.Equal(twice, made) {
			t.Fatalf("a second time %q became %q: %v", made, twice, err)
		}
	})
}
