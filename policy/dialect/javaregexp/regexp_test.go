package javaregexp

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

func errorWord(err error) string {
	switch {
	case errors.Is(err, ErrRefused):
		return "refused"
	case errors.Is(err, ErrUnreadable):
		return "unreadable"
	}
	return err.Error()
}

// What each construct finds. The recordings of Java in testdata have many more.
func TestFind(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr       string
		found, not string // blank-separated Go string contents
	}{
		{`a.c`, `abc a\x0bc a\u00e9c`, `ac a\nc a\rc a\u0085c a\u2028c a\u2029c`},
		{`(?s)a.c`, `a\nc`, `ac`},
		{`(?d)a.c`, `a\rc`, `a\nc`},
		{`^a|b$`, `ax xb xb\n xb\r\n xb\u2028`, `xa bx xb\n\n`},
		{`\r$`, `x\r`, `x\r\n`}, // no line ends between \r and \n
		{`(?m)^a$`, `x\na\ny a`, `xa ax`},
		{`x{2}`, `xx xxx`, `x`},
		{`{2}a`, `a`, `b`},
		{`a*{2}`, `a b`, ``},
		{`[]a]`, `] a`, `b`},
		{`[^]a]`, `b \n`, `] a`},
		{`[a-c&]`, `a & c`, `d`},
		{`[a-]`, `a -`, `b`},
		{`[a-c[x-z]]`, `a z`, `d`},
		{`[a-c&&[bc]]`, `b c`, `a`},
		{`[a-z&&[^m-p]]`, `a q`, `m p`},
		{`[a&&b&c]`, ``, `a b & c`},
		{`[a&&[b]&c]`, `a & c`, `b`}, // what is collected counts on both sides
		{`[^\D]`, `1`, `a`},
		{`[\w&&\D]x`, `ax`, `1x`},
		{`\Q.*\E+`, `.* .**`, `ab`},
		{`a\Qb.c\E.d`, `ab.cxd`, `abxcxd`},
		{`\x41\u0042\03\cA\e\t`, `AB\x03\x01\x1b\t`, `AB`},
		{`\x{1F600}`, `\U0001F600`, `x`},
		{`\ud83d\ude00`, `\U0001F600`, `x`},
		{`\N{SOLIDUS}\N{digit one}`, `/1`, `1/`},
		{`\h\v\R`, `\u00a0\x0b\r\n`, `aa`},
		{`\G\Ax\z`, `x`, `x\n ax`},
		{`x\Z`, `x x\n`, `xy`},
		{`\bx\B`, `xy`, `yx ax`},
		{`é\b.`, `é.`, `éa`}, // \w is ASCII, \b is not
		{`\p{Lu}\pL\P{L}`, `ÄÖ1`, `äÖ1`},
		{`\p{IsGreek}\p{InCyrillic}\p{sc=Latn}\p{blk=Basic Latin}\p{gc=Nd}`, `αжé-1`, `aжé-1`},
		{`\p{javaUpperCase}\p{IsWhite_Space}\p{Punct}`, `A\u2003!`, `a\u2003!`},
		{`(?i)k\u212a`, `K\u212a`, `\u212a\u212a`},
		{`(?iu)k`, `K \u212a`, `x`},
		{`(?i:a)b`, `Ab ab`, `AB`},
		{`(?x) a b #c` + "\n" + `d`, `abd`, `ab`},
		{`(?U)\w\d`, `é١`, `-1`},
		{`(a|b)\1`, `aa xbb`, `ab`},
		{`(?<n>a|b)-\k<n>`, `a-a b-b`, `a-b`},
		{`(a)?\1b`, `aab`, `b`}, // what captured nothing is found nowhere
		{`a(?=b)`, `ab`, `ac`},
		{`^(?=.*x)a`, `abx`, `ab`},
		{`a(?!b)`, `ac a`, `ab`},
		{`(?<=a|bc)d`, `ad bcd`, `cd`},
		{`(?<!a)b`, `b cb`, `ab`},
		{`a*+a`, ``, `aaa`},
		{`a?+a`, `aa`, `a`},
		{`(?>a|ab)c`, `ac`, `abc`},
		{`(?:a|ab){2}+c`, `aac`, `abac`},
		{`\X\b{g}x`, `ax`, `a`},
		{`ü😀?`, `ü ü😀`, `u`},
		{`}]`, `}]`, `}`},
		{`(|a)b`, `b`, `a`},
		{`^*a`, `a ba`, `b`},
		{`\.\/\-\ü`, `./-ü`, `a/-`},
		{``, `x`, ``},
	}
	for _, test := range tests {
		e, err := Parse(test.expr)
		if err != nil {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		for _, s := range unquotedFields(t, test.found) {
			if got := e.Find(s, 10_000); got != Found {
				t.Errorf("%s is not found in %q (%d)", test.expr, s, got)
			}
		}
		for _, s := range unquotedFields(t, test.not) {
			if got := e.Find(s, 10_000); got != NotFound {
				t.Errorf("%s is found in %q (%d)", test.expr, s, got)
			}
		}
	}
}

func unquotedFields(t *testing.T, list string) []string {
	t.Helper()
	all := strings.Fields(list)
	for i := range all {
		s, err := strconv.Unquote(`"` + all[i] + `"`)
		if err != nil {
			t.Fatalf("%s: %v", all[i], err)
		}
		all[i] = s
	}
	return all
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`(`, `)`, `a)`, `[`, `[a`, `[]`, `[^]`, `*`, `+a`, `a**`, `?`, `a|*`, `{`, `a{`, `a{x}`, `a{1`, `a{1,`,
		`a{2,1}`, `a{,1}`, `a{2147483648}`, `[z-a]`, `[a-\d]`, `[&&]`, `\`, `a\`, `\y`, `\x4`, `\x4\Q1\E`, `\u41`,
		`\08`, `\c`, `\E`, `[\1]`, `[\b]`, `[a-`, `(a`, `(?:a`, `(?q)`, `(?<1>a)`, `(?<n>a)(?<n>b)`, `\k<n>`,
		`\k`, `(?P<n>a)`,
		`\p{`, `\p{}`, `\p{Foo}`, `\p{Lu `, `\p{lu}`, `\p{Is}`, `\p{sc=Foo}`, `\p{foo=L}`, `\x{110000}`, `\x{}`,
		`\N{}`, `\N{2}`, `\N`, `\N{GREEK SMALL LETTER ALPHA}(`,
		`\b{x}`, `(?<=(a|b)*)c`, `(?<=xa{2,}?)b`, `(?<=\1)b`, `(?i)*`, `[a&&`,
	} {
		if e, err := Parse(expr); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v, %v; want a refusal", expr, e, err)
		}
	}
}

// What cannot be read here is left alone: the names of characters beyond ASCII,
// and what is larger than any origin.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`\N{GREEK SMALL LETTER ALPHA}`, `\p{javaMirrored}`, `[\N{GREEK SMALL LETTER ALPHA}]`, "\xff",
		strings.Repeat("(", 300),
		strings.Repeat("[", 300), strings.Repeat("a", 20_000), strings.Repeat(`[\pL\pN]`, 1500),
		`(?iu)` + strings.Repeat(`[a-z]`, 1000),
	} {
		if e, err := Parse(expr); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%.40s: %.40v, %v; want it left alone", expr, e, err)
		}
	}
}

// What is written in Go's syntax, and how near.
func TestTranslated(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr, equal, near string
		exact             bool
	}{
		{`^https?://h\.example`, `\Ahttp(?:s){0,1}://h\.example`, `\Ahttp(?:s){0,1}://h\.example`, true},
		{`a$`, `a(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z`, `a\z`, true},
		{`(a$|b)c`, ``, `(?:a\z|b)c`, true},
		{`[^a]$`, ``, `[\x{0}-\x{60}b-\x{7F}]\z`, true},
		{`\bx\R\X`, ``, `\bx[^\x00-\x{10FFFF}](?s:.)`, true},
		{`[a-c]++d`, `(?:[a-c])+d`, `(?:[a-c])+d`, true},
		{`[a-c]++b`, ``, `(?:[a-c])+b`, false},
		{`a(?=b)`, `a(?:b)`, `a(?:b)`, true},
		{`(?=b)a`, ``, `a`, false},
		{`(?!b)a`, ``, `a`, false},
		{`(?>a|ab)c`, ``, `(?:a|ab)c`, false},
		{`(a)\1`, ``, `(?:a)(?s:.*)`, false},
		{`a{1001}`, ``, `(?:a){1000,}`, false},
		{`\pL`, ``, `[A-Za-z]`, true},
		{strings.Repeat("ab", 2050), ``, `(?:)`, false},
	}
	for _, test := range tests {
		e, err := Parse(test.expr)
		if err != nil {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		if got, _ := e.Go(); got != test.equal {
			t.Errorf("%s: equal %q, want %q", test.expr, got, test.equal)
		}
		if got, exact := e.Near(); got != test.near || exact != test.exact {
			t.Errorf("%s: near %q (%t), want %q (%t)", test.expr, got, exact, test.near, test.exact)
		}
	}
}

// A class that Java accepts and throws at when certain characters are asked about
// is no answer for these.
func TestThrownIsUndecided(t *testing.T) {
	t.Parallel()
	e, err := Parse(`x[[b]a&&]`)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Outcome{"xa": Undecided, "xb": Undecided, "xc": NotFound, "a": NotFound} {
		if got := e.Find(text, 1000); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// A search that Java does not come to an end with ends here all the same. What
// Java remembers on its way is remembered, too: of the first pair one is done at
// once.
func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 3000)
	for expr, want := range map[string]Outcome{
		`(?=(?:a|aa)*b)c`:            NotFound,
		`^(?:(?:a|aa)*x?)*\1?b(?!c)`: Undecided,
		`(a*)*\1c`:                   Undecided,
		`^(?:a?+){2147483647}c`:      NotFound,
		`(?:(?:(?:a*)*)*)*(?!b)c`:    Undecided,
		`(?<=xa*)c`:                  Undecided,
	} {
		e, err := Parse(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if got := e.Find(long, 1_000_000); got != want {
			t.Errorf("%s: %d, want %d", expr, got, want)
		}
	}
}

// FuzzParse: any text is read or not, and what is found is what the expression
// in Go's syntax finds.
func FuzzParse(f *testing.F) {
	for _, expr := range []string{`^https?://(.*.)?h\.example`, `[]a-z&]+{2,3}?`, `\Qa.b\E|(?:x|y)*$`, `a{2}{3}`,
		`\x41\u00e9\08`, `[^\s\-&&[a-z]]`, `((((`, `\Q`, `(?<n>a)\k<n>(?<=a*)(?x: # )`, `\p{Lu}[\P{L}]`,
		`(?iu)k[a-\x{fff}]`,
		`a*+(?>b|c)(?!d)\b{g}`} {
		f.Add(expr, "http://h.example/ab")
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		e, err := Parse(expr)
		if err != nil {
			if !errors.Is(err, ErrRefused) && !errors.Is(err, ErrUnreadable) {
				t.Errorf("%q: an error of no kind: %v", expr, err)
			}
			return
		}
		if outcome := e.Find(text, 20_000); outcome != Undecided && len(expr) < 200 {
			c := comparison{t: t, counts: map[string]int{}}
			c.translated(pair{expr, text}, outcome == Found)
		}
	})
}
