//go:build !js

package dialect

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// covered is what a line of whatwgConfig covers, in the words of the WHATWG
// URL standard: what the strict reading lets pass must look like this to a
// browser too.
type covered struct {
	schemes string
	host    string
	below   bool
	port    string
	folder  string
}

var whatwgLines = []struct {
	xml  string
	want covered
}{
	{`<access origin="https://h.example"/>`, covered{schemes: "https: wss:", host: "h.example"}},
	{`<access origin="http://*.sub.example"/>`, covered{schemes: "http: ws:", host: "sub.example", below: true}},
	{`<access origin="https://p.example:8443/folder/*"/>`,
		covered{schemes: "https: wss:", host: "p.example", port: "8443", folder: "/folder"}},
	{`<access origin="https://f.example/a/b"/>`, covered{schemes: "https: wss:", host: "f.example", folder: "/a/b"}},
	{`<access origin="https://*.bücher.example"/>`,
		covered{schemes: "https: wss:", host: "xn--bcher-kva.example", below: true}},
	{`<access origin="https://192.0.2.1"/>`, covered{schemes: "https: wss:", host: "192.0.2.1"}},
	{`<access origin="https://[2001:db8::1]:8443"/>`,
		covered{schemes: "https: wss:", host: "[2001:db8::1]", port: "8443"}},
	{`<access origin="wss://s.example/ws"/>`, covered{schemes: "wss:", host: "s.example", folder: "/ws"}},
	{`<access origin="http://strasse.example:443"/>`,
		covered{schemes: "http: ws:", host: "strasse.example", port: "443"}},
}

// TestWhatTheStrictReadingAllowsBrowsersReadAlike asks a browser's URL parser
// (Node's) and Go's about every URL that the strict reading allows, out of many
// that were bent in the ways in which parsers disagree.
func TestWhatTheStrictReadingAllowsBrowsersReadAlike(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		lane.Missing(t, "Node.js is not installed: no WHATWG URL parser to compare with")
	}
	p, byStart := whatwgPolicy(t)
	random := rand.New(rand.NewPCG(2, 2026))
	var allowed []string
	var wants []covered
	for range 300_000 {
		raw := bentURL(random)
		d := p.Decide(policy.Request{URL: raw, Kind: policy.XHR})
		if d.Verdict == policy.Allow {
			allowed = append(allowed, raw)
			wants = append(wants, byStart[d.Rule.Place.Start])
		}
	}
	if len(allowed) < 5_000 {
		t.Fatalf("only %d URLs are allowed: the test asks too little", len(allowed))
	}
	for i, got := range whatwgParse(t, node, allowed) {
		if got.Error != "" || !wants[i].holds(got) {
			t.Errorf("%q is allowed for %+v, and a browser reads %+v", allowed[i], wants[i], got)
		}
		u, err := url.Parse(allowed[i])
		if err == nil && u.User != nil {
			t.Errorf("%q is allowed, and net/url reads the user %q", allowed[i], u.User)
		}
		if err == nil && isASCII(u.Host) &&
			!wants[i].holdsHost(strings.ToLower(strings.TrimSuffix(u.Host, ":"+u.Port()))) {
			t.Errorf("%q is allowed for %+v, and net/url reads the host %q", allowed[i], wants[i], u.Host)
		}
	}
}

func isASCII(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 }

func whatwgPolicy(t *testing.T) (*policy.Policy, map[int]covered) {
	t.Helper()
	xml, byStart := "<widget>\n", make(map[int]covered)
	for _, line := range whatwgLines {
		byStart[len(xml)] = line.want
		xml += line.xml + "\n"
	}
	doc, err := configxml.Parse("config.xml", []byte(xml+"</widget>"))
	if err != nil {
		t.Fatal(err)
	}
	target, err := ParseTarget("cordon")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(doc, target)
	if err != nil {
		t.Fatal(err)
	}
	return p, byStart
}

// whatwgURL is a URL's parts as the standard's API names them.
type whatwgURL struct{ Protocol, Host, Port, Path, User, Error string }

func whatwgParse(t *testing.T, node string, urls []string) []whatwgURL {
	t.Helper()
	const script = `
const fs = require("fs")
const out = JSON.parse(fs.readFileSync(process.argv[2], "utf8")).map(s => {
  try {
    const u = new URL(s)
    return {Protocol: u.protocol, Host: u.hostname, Port: u.port, Path: u.pathname, User: u.username + u.password}
  } catch (e) { return {Error: String(e)} }
})
process.stdout.write(JSON.stringify(out))`
	dir := t.TempDir()
	in, err := json.Marshal(urls)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"urls.json": in, "parse.js": []byte(script)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), node, filepath.Join(dir, "parse.js"),
		filepath.Join(dir, "urls.json")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var parsed []whatwgURL
	if err := json.Unmarshal(out, &parsed); err != nil || len(parsed) != len(urls) {
		t.Fatalf("%d of %d URLs came back: %v", len(parsed), len(urls), err)
	}
	return parsed
}

func (c covered) holds(u whatwgURL) bool {
	if u.User != "" || u.Port != c.port || !strings.Contains(" "+c.schemes+" ", " "+u.Protocol+" ") ||
		!c.holdsHost(u.Host) {
		return false
	}
	if c.folder == "" {
		return true
	}
	// Node 20 leaves some dot segments behind ("/a/.x/../b" with a query that
	// has one), against the standard.
	name, err := url.PathUnescape(u.Path)
	name = path.Clean(name)
	return err == nil && (name == c.folder || strings.HasPrefix(name, c.folder+"/"))
}

func (c covered) holdsHost(host string) bool {
	host = strings.TrimSuffix(host, ".") // the same name, written from the root
	return host == c.host || c.below && strings.HasSuffix(host, "."+c.host)
}

// bentURL writes a URL near one of whatwgLines and bends it at up to three
// places.
func bentURL(random *rand.Rand) string {
	one := func(from ...string) string { return from[random.IntN(len(from))] }
	raw := one("https://", "https://", "https://", "https://", "https://", "http://", "http://", "wss://", "ws://",
		"HTTPS://", "Https://", "https:", "https:/", "https:///", `https:\\`, "", "//", "ftp://", "blob:https://") +
		one("", "", "", "", "", "", "", "", "", "x.", "a.b.", "u@", "u:p@", "evil.test@", "xn--", "-.", "_x.", "..") +
		one("h.example", "h.example", "sub.example", "p.example:8443", "p.example:8443/folder", "f.example/a/b",
			"bücher.example", "xn--bcher-kva.example", "BÜCHER.example", "192.0.2.1", "0xc0.0.2.1", "192.0.513",
			"3221225985", "[2001:db8::1]:8443", "[2001:DB8::1]:8443", "[2001:db8:0::1]:8443", "s.example/ws",
			"strasse.example:443", "straße.example:443", "STRASSE.example:443", "evil.test") +
		one("", "", "", "", "", "", "", "", "", ".", ":443", ":80", ":8443", ":08443", ":", ":0", ":65536",
			".evil.test", "@evil.test", `\@evil.test`, "#@evil.test", "?@evil.test", "%00.evil.test",
			"%2eevil.test", "。evil.test") +
		one("", "/", "/folder", "/folder/x", "/a/b", "/a/b/c", "/a/b/../../x", "/a/b/%2e%2e/x", "/a/b/.%2E/x",
			"/a/b;/../x", "/a/b/..%2fx", "/a/b/..;/x", "/a/./b/x", "//a/b", "/a//b", "/A/B", "/a/b%", "/a/b%2",
			"/%61/b/c", "/a/b\\..\\x", "/ws", "/ws/../x", "/folder/..", "/folder/.", "/folder/%252e%252e/x") +
		one("", "", "?q=1", "#f", "?/../x", "#/../x", "?\\x", " ")
	for range random.IntN(3) {
		at := random.IntN(len(raw) + 1)
		end := min(len(raw), at+random.IntN(2))
		raw = raw[:at] + one("", "", "@", ":", "/", `\`, "?", "#", "%", ".", "..", "\t", "\n", "\x00", " ", "[", "]",
			"|", "^", "%2f", "%2e", "%5c", "%40", "\u00ad", "\u200d", "ß", "\u3002", "１", "K", "ſ", "\u2044", "\u0130",
			"é", "\ufeff", "~", "!", "$", "'", "{", "x", "0", "-") + raw[end:]
	}
	return raw
}
