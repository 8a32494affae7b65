package lint

import (
	"testing"

	"github.com/cordon-sec/cordon/policy/app"
)

// FuzzScripts: whatever a script holds, a check of it ends.
func FuzzScripts(f *testing.F) {
	for _, seed := range []string{`a("x")`, "/*", "`${'a'}`", `/[/]/ / "x`, "//\n'\\'", `localStorage["token"] = "x"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		p := &app.App{Scripts: []app.File{{Name: "app.js", Data: code}}}
		if _, err := Check(p); err != nil {
			t.Fatal(err)
		}
	})
}

func TestIsWebURL(t *testing.T) {
	for url, want := range map[string]bool{
		"http://a.example/x": true, "https://a.example": true, "ws://localhost:1": true, "http://u:p@a.example/": true,
		"http://": false, "http://host": false, "ftp://a.example": false, "http://${x}.example": false,
		"http:// a.example": false, "https://*.example": false,
	} {
		if got := isWebURL(url); got != want {
			t.Errorf("isWebURL(%q) = %v", url, got)
		}
	}
}

func TestLooksSecret(t *testing.T) {
	for value, want := range map[string]bool{
		"9f8a7c6d5e4b3a21": true, "zQ4mX8vT1kLp0WsR": true, "s3cr3tPa55w0rd": true, "AAAAB3NzaC1yc2E=": true,
		"short1": false, "YOUR_API_KEY_1": false, "$API_KEY_2": false, "134523967090": false,
		"only letters here1": false, "abcdefghijkl": false, "https://a.example/1": false, "aaaaaaaaaaa1": false,
		"example1234abcd": false,
	} {
		if got := looksSecret(value); got != want {
			t.Errorf("looksSecret(%q) = %v", value, got)
		}
	}
}

func TestLookalike(t *testing.T) {
	for host, want := range map[string]string{
		"xn--80ak6aa92e.com": "apple", "*.xn--80ak6aa92e.com": "apple", "apple.com": "", "bücher.example": "",
		"xn--e1afmkfd.com": "", "раураl.com": "",
	} {
		if _, got := lookalike(host); got != want {
			t.Errorf("lookalike(%q) = %q, want %q", host, got, want)
		}
	}
	for host, want := range map[string]bool{"раураl.com": true, "例え.jp": false, "xn--e1afmkfd.com": false,
		"a1.com": false, "日本語latin.jp": false} {
		if label, _ := mixedScripts(host); (label != "") != want {
			t.Errorf("mixedScripts(%q) = %q", host, label)
		}
	}
}
