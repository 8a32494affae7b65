package script_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/script"
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
			s := script.New(&app.File{Name: "app.js", Data: []byte(test.code)}, app.Span{Start: 0, End: len(test.code)})
			var found []string
			for _, l := range s.Literals {
				found = append(found, l.Text)
				if l.Start < 1 || test.code[l.Start-1] != l.Quote || test.code[l.End] != l.Quote {
					t.Errorf("literal %q spans %q", l.Text, test.code[l.Start:l.End])
				}
			}
			if got := strings.Join(found, "|"); got != test.literals {
				t.Errorf("literals %q, want %q", got, test.literals)
			}
			if string(s.Masked) != test.masked {
				t.Errorf("masked %q, want %q", s.Masked, test.masked)
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
		s := script.New(&app.File{Name: "app.js", Data: code}, app.Span{Start: 0, End: len(code)})
		if len(s.Masked) != len(code) || bytes.Count(s.Masked, []byte("\n")) != bytes.Count(code, []byte("\n")) {
			t.Fatalf("masked %q", s.Masked)
		}
		for _, l := range s.Literals {
			if l.Start > l.End || code[l.Start-1] != l.Quote || code[l.End] != l.Quote {
				t.Fatalf("literal %+v in %q", l, code)
			}
		}
		for _, c := range s.Comments {
			if !s.InComment(c.Start) || c.Start >= c.End {
				t.Fatalf("comment %+v in %q", c, code)
			}
		}
	})
}
