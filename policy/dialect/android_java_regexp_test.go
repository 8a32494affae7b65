package dialect

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// Which expressions java.util.regex.Pattern of OpenJDK 17 accepts, and what
// they find, was tried there.
func TestJavaRegexp(t *testing.T) {
	t.Parallel()
	tests := []struct {
		expr       string
		found, not string // blank-separated Go string contents
	}{
		{`a.c`, `abc a\x0bc a\u00e9c`, `ac a\nc a\rc a\u0085c a\u2028c a\u2029c`},
		{`^a|b$`, `ax xb xb\n xb\r\n xb\u2028`, `xa bx xb\n\n`},
		{`x{2}`, `xx xxx`, `x`},
		{`x{2,}y`, `xxy xxxxy`, `xy`},
		{`^x{1,2}y`, `xy xxy`, `xxxy`},
		{`{2}a`, `a`, `b`},
		{`a*{2}`, `a b`, ``},
		{`a??b`, `b ab`, `a`},
		{`(?:ab)+c`, `abc ababc`, `ac`},
		{`[]a]`, `] a`, `b`},
		{`[^]a]`, `b \n`, `] a`},
		{`[a-c&]`, `a & c`, `d`},
		{`[a-]`, `a -`, `b`},
		{`[\d.]x`, `1x .x`, `xx`},
		{`\Q.*\E+`, `.* .**`, `ab`},
		{`\Q*a`, `*a`, `a`},
		{`a\Qb.c\E.d`, `ab.cxd`, `abxcxd`},
		{`\x41\u0042\03\cA\e\t`, `AB\x03\x01\x1b\t`, `AB`},
		{`\w+\s\S`, `a_1\x0bx`, `a_1x`},
		{`\h\v\R`, `\u00a0\x0b\r\n`, `aa`},
		{`\Ax\z`, `x`, `x\n ax`},
		{`x\Z`, `x x\n`, `xy`},
		{`}]`, `}]`, `}`},
		{`()`, `x`, ``},
		{`(|a)b`, `b`, `a`},
		{`\.\/\-`, `./-`, `a/-`},
		{`ü😀?`, `ü ü😀`, `u`},
		{`^*a`, `a ba`, `b`},
	}
	for _, test := range tests {
		translated, err := translateJava(test.expr)
		if err != nil {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		re, err := regexp.Compile(translated)
		if err != nil {
			t.Errorf("%s became %s: %v", test.expr, translated, err)
			continue
		}
		for _, s := range unquoted(t, test.found) {
			if !re.MatchString(s) {
				t.Errorf("%s (as %s) is not found in %q", test.expr, translated, s)
			}
		}
		for _, s := range unquoted(t, test.not) {
			if re.MatchString(s) {
				t.Errorf("%s (as %s) is found in %q", test.expr, translated, s)
			}
		}
	}
}

func unquoted(t *testing.T, list string) []string {
	t.Helper()
	all := strings.Fields(list)
	for i := range all {
		all[i] = unquote(t, all[i])
	}
	return all
}

func TestJavaRegexpRefused(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`(`, `)`, `a)`, `[`, `[a`, `[]`, `[^]`, `*`, `+a`, `a**`, `?`, `a|*`, `{`, `a{`, `a{x}`, `a{1`, `a{1,`,
		`a{2,1}`, `a{,1}`, `[z-a]`, `\`, `a\`, `\y`, `\x4`, `\u41`, `\08`, `\c`, `\E`, `[\1]`, `[a-`, `(a`, `(?:a`,
	} {
		if got, err := translateJava(expr); !errors.Is(err, errJavaRegexp) {
			t.Errorf("%s: %s, %v; want a refusal", expr, got, err)
		}
	}
}

func TestJavaRegexpWithoutEqual(t *testing.T) {
	t.Parallel()
	for _, expr := range []string{
		`a++`, `a*+`, `a?+`, `a{2}+`, `(?=a)`, `(?!a)`, `(?<=a)`, `(?>a)`, `(?i)a`, `(?<n>a)`, `(a)\1`, `\k<n>`, `\bx`,
		`\B`, `\G`, `\X`, `\p{L}`, `\PL`, `[\p{L}]`, `[a[b]]`, `[a&&b]`, `[\D]`, `a{1001}`, `$a`, `(a$)`,
		`\N{DIGIT ONE}`, "\xff", strings.Repeat("(", 200),
	} {
		if got, err := translateJava(expr); !errors.Is(err, errJavaUnreadable) {
			t.Errorf("%.40s: %.40s, %v; want it left alone", expr, got, err)
		}
	}
}

func FuzzJavaRegexp(f *testing.F) {
	for _, expr := range []string{`^https?://(.*.)?h\.example`, `[]a-z&]+{2,3}?`, `\Qa.b\E|(?:x|y)*$`, `a{2}{3}`,
		`\x41\u00e9\08`, `[^\s\-]`, `((((`, `\Q`} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		translated, err := translateJava(expr)
		if err != nil {
			if !errors.Is(err, errJavaRegexp) && !errors.Is(err, errJavaUnreadable) {
				t.Errorf("%q: an error of no kind: %v", expr, err)
			}
			return
		}
		if strings.Count(expr, "{") > 1 || len(expr) > 200 {
			return // Go's syntax limits what counted repetitions add up to
		}
		if _, err := regexp.Compile(translated); err != nil {
			t.Errorf("%q became %q: %v", expr, translated, err)
		}
	})
}
