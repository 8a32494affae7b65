package lint

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/app"
)

func TestScan(t *testing.T) {
	tests := []struct {
		name, code string
		literals   string // joined by |
		masked     string
	}{
		{"quotes", `a("x", 'y\'z', ` + "`t`" + `)`, `x|y\'z|t`, "a(\" \", '    ', ` `)"},
		{"line comment", "a // \"x\"\n('y')", "y", "a       \n(' ')"},
		{"block comment", `a /* "x" */ ('y')`, "y", `a           (' ')`},
		{"open block comment", `a /* "x"`, "", `a       `},
		{"regular expression", `a = /["'\/]x[/"]/.test("y")`, "y", `a = /           /.test(" ")`},
		{"division", `a = b / c; d = "x" / 2`, "x", `a = b / c; d = " " / 2`},
		{"after return", `return /"/.test(x) ? 'y' : 'z'`, "y|z", `return / /.test(x) ? ' ' : ' '`},
		{"open string", "a = \"x\nb = 'y'", "y", "a = \"x\nb = ' '"},
		{"escaped slash", `"https:\/\/h"`, `https://h`, `"           "`},
		{"comment in string", `"http://h" + '/*' + "x"`, `http://h|/*|x`, `"        " + '  ' + " "`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSource(&app.File{Name: "app.js", Data: []byte(test.code)}, app.Span{Start: 0, End: len(test.code)})
			var found []string
			for _, l := range s.literals {
				found = append(found, l.text)
				if l.start < 1 || test.code[l.start-1] != l.quote || test.code[l.end] != l.quote {
					t.Errorf("literal %q spans %q", l.text, test.code[l.start:l.end])
				}
			}
			if got := strings.Join(found, "|"); got != test.literals {
				t.Errorf("literals %q, want %q", got, test.literals)
			}
			if string(s.masked) != test.masked {
				t.Errorf("masked %q, want %q", s.masked, test.masked)
			}
		})
	}
}

// FuzzScan: scanning never panics, keeps lengths and line ends, and finds only
// what is quoted.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{`a("x")`, "/*", "`${'a'}`", `/[/]/ / "x`, "//\n'\\'", `localStorage["token"] = "x"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		s := newSource(&app.File{Name: "app.js", Data: code}, app.Span{Start: 0, End: len(code)})
		if len(s.masked) != len(code) || bytes.Count(s.masked, []byte("\n")) != bytes.Count(code, []byte("\n")) {
			t.Fatalf("masked %q", s.masked)
		}
		for _, l := range s.literals {
			if l.start > l.end || code[l.start-1] != l.quote || code[l.end] != l.quote {
				t.Fatalf("literal %+v in %q", l, code)
			}
		}
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
