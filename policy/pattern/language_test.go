package pattern

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestLanguageContains(t *testing.T) {
	for _, test := range []struct {
		name     string
		language Language
		in       []string
		out      []string
	}{
		{"below", Below("h.example"), []string{"h.example", ".h.example", "a.h.example", "A-1..b.h.example"},
			[]string{"xh.example", "_x.h.example", "é.h.example", "H.example", "h.example.", ""}},
		{"below folded", Below("h.example").Fold(), []string{"H.Example", "a.H.EXAMPLE"}, []string{"a.ſ.example"}},
		{"below in lower case", BelowInLowerCase("h.example").Fold(),
			[]string{"H.Example", "a.H.example", ".h.example"}, []string{"A.h.example", "_a.h.example"}},
		{"address", Address(), []string{"[::1]", "10.0.0.1", "1", "a.1"},
			[]string{"", ".", "1.a", "a1", "a.b1", "0x7f"}},
		{"within", Within("/p/"), []string{"/p", "/p/", "/p/q"}, []string{"/pq", "/", "/P"}},
		{"within everything", Within("/"), []string{"", "/", "/x"}, []string{"x"}},
		{"glob", Glob("/a*b"), []string{"/ab", "/a/b/b", "/a\xffb"},
			[]string{"/a\nb", "/a\u2028b", "/a\u0085b", "/a\rb", "/abc"}},
		{"glob with a line end", Glob("/\n*"), []string{"/\n", "/\nx"}, []string{"/\n\n", "/"}},
		{"glob without star", Glob("/a"), []string{"/a"}, []string{"/ab"}},
		{"glob folds ASCII only", Glob("K*S").Fold(), []string{"kxs"}, []string{"\u212axs", "kx\u017f"}},
		{"expression is a search", mustExpression("b."), []string{"abc"}, []string{"ab", "ab\n"}},
		{"one of", OneOf(Exactly("a"), Language{}, Prefix("b")), []string{"a", "bc"}, []string{"", "ab"}},
		{"one of none", OneOf(), nil, []string{"", "a"}},
		{"present", Present(), []string{"", "x"}, nil},
		{"zero", Language{}, nil, []string{"", "x"}},
	} {
		for _, s := range test.in {
			if !test.language.Contains(s) {
				t.Errorf("%s: %q is not contained", test.name, s)
			}
		}
		for _, s := range test.out {
			if test.language.Contains(s) {
				t.Errorf("%s: %q is contained", test.name, s)
			}
		}
	}
}

// The forms are matched by hand and as expressions; both must agree.
func TestFormsAgreeWithTheirExpressions(t *testing.T) {
	texts := append(append(append([]string{"1", "a.1", "a1", "_a.a.b", "/a/b/", "x*y"}, drawnHosts...), drawnPaths...),
		drawnGlobs...)
	for _, l := range []Language{
		Present(), Exactly("a.b"), Exactly("A.b").Fold(), Below("a.b"), Below("a.b").Fold(), BelowInLowerCase("a.b"),
		Prefix("/a"), Within("/a"), Within("/A").Fold(), Glob("/a*b"), Glob("*.a.b"), Glob("*").Fold(), Address(),
		OneOf(Exactly("a"), Address()),
	} {
		expr, ok := expressionOf(&l)
		if !ok {
			t.Errorf("%+v has no expression", l)
			continue
		}
		re := regexp.MustCompile(expr)
		for _, text := range texts {
			if printable(text) && l.Contains(text) != re.MatchString(text) {
				t.Errorf("%q: the form says %v, its expression %s says otherwise", text, l.Contains(text), expr)
			}
		}
	}
}

func TestAbsentParts(t *testing.T) {
	u := URL{Scheme: "tel", Whole: "tel:1", Port: -1, Has: HasScheme}
	for name, test := range map[string]struct {
		pattern Pattern
		want    bool
	}{
		"any host and path":   {Pattern{Scheme: Exactly("tel"), Host: Any(), Path: Any()}, true},
		"a host":              {Pattern{Scheme: Exactly("tel"), Host: Present(), Path: Any()}, false},
		"a path":              {Pattern{Scheme: Exactly("tel"), Host: Any(), Path: Present()}, false},
		"the empty host":      {Pattern{Scheme: Exactly("tel"), Host: Exactly(""), Path: Any()}, false},
		"no port":             {Pattern{Scheme: Any(), Host: Any(), Path: Any(), Port: NoPort}, true},
		"a port":              {Pattern{Scheme: Any(), Host: Any(), Path: Any(), Port: 80}, false},
		"whole":               {Pattern{Scheme: Any(), Host: Any(), Path: Any(), Whole: Prefix("tel:")}, true},
		"another whole":       {Pattern{Scheme: Any(), Host: Any(), Path: Any(), Whole: Prefix("sms:")}, false},
		"forgotten languages": {Pattern{Scheme: Any(), Host: Any()}, false},
	} {
		if got := test.pattern.Covers(&u); got != test.want {
			t.Errorf("%s: Covers = %v", name, got)
		}
	}
}

// A tunnel's path is unknown, so a path may be any; but an expression over the
// whole URL must not cover every host because of that.
func TestUnknownPath(t *testing.T) {
	evil := URL{Scheme: "https", Host: "evil.test", Whole: "https://evil.test/", Port: -1, Has: HasScheme | HasHost,
		AnyPath: true}
	good := URL{Scheme: "https", Host: "good.test", Whole: "https://good.test/", Port: -1, Has: HasScheme | HasHost,
		AnyPath: true}
	byHost := Pattern{Scheme: Exactly("https"), Host: Exactly("good.test"), Path: Exactly("/only")}
	byWhole := Pattern{Scheme: Any(), Host: Any(), Path: Any(), Whole: mustExpression(`^https://good\.test`)}
	noPath := Pattern{Scheme: Any(), Host: Any()}
	for _, p := range []Pattern{byHost, byWhole} {
		if !p.Covers(&good) || p.Covers(&evil) {
			t.Errorf("%+v: good %v, evil %v", p, p.Covers(&good), p.Covers(&evil))
		}
	}
	if noPath.Covers(&good) {
		t.Error("a pattern with the empty path language covers a URL of unknown path")
	}
}

func TestExpressionErrors(t *testing.T) {
	for _, expr := range []string{"(", "a{1001}", `\8`, strings.Repeat("a", maxExpression+1)} {
		if l, err := Expression(expr); err == nil || !l.IsZero() {
			t.Errorf("Expression(%.10q) = %v, %v; want the zero Language and an error", expr, l, err)
		}
	}
}

func TestRequiredLiterals(t *testing.T) {
	for expr, want := range map[string][]string{
		`^https?://(.*\.)?apache\.org`: {"http", "://", "apache.org"},
		`a|b`:                          nil,
		`(?i)apache`:                   nil,
		`(apache)*x`:                   {"x"},
		`(apache)+`:                    {"apache"},
		`[ab]c.d`:                      {"c", "d"},
	} {
		if got := requiredLiterals(expr); !slices.Equal(got, want) {
			t.Errorf("requiredLiterals(%s) = %q, want %q", expr, got, want)
		}
	}
}

// bankSearch finds what looks ahead would find: "bank", unless "er" follows.
type bankSearch struct{ name string }

func (bankSearch) Matches(s string) bool {
	_, after, found := strings.Cut(s, "bank")
	return found && !strings.HasPrefix(after, "er")
}

func (b bankSearch) String() string { return b.name }

func TestSearched(t *testing.T) {
	l, err := Searched(bankSearch{"bank"}, `bank`, false)
	if err != nil {
		t.Fatal(err)
	}
	if !l.Contains("a bank") || l.Contains("a banker") || l.Contains("x") || !l.Fold().Contains("bank") {
		t.Error("the search does not decide")
	}
	other, err := Searched(bankSearch{"another"}, `bank`, false)
	if err != nil {
		t.Fatal(err)
	}
	same, err := Searched(bankSearch{"bank"}, `bank`, false)
	if err != nil {
		t.Fatal(err)
	}
	if l.equal(&other) || !l.equal(&same) {
		t.Error("searches are told apart by their text")
	}
	if _, err := Searched(bankSearch{}, `(`, true); err == nil {
		t.Error("an expression that is none must be an error")
	}
	exact, err := Searched(bankSearch{}, `bank`, true)
	if err != nil {
		t.Fatal(err)
	}
	union, plain := OneOf(Exactly("x"), l), Exactly("x")
	if !l.Approximate() || !union.Approximate() || exact.Approximate() || plain.Approximate() {
		t.Error("what is approximate is not said")
	}
	p := Pattern{Scheme: Any(), Host: Any(), Path: Any(), Whole: l}
	if !p.Approximate() {
		t.Error("the pattern is not said to be approximate")
	}
	if n, ok := NewSet([]Pattern{{Scheme: Any(), Host: Exactly("h"), Path: Any()}, p}).Match(&URL{Whole: "http://bank/",
		Scheme: "http", Host: "bank", Path: "/", Has: HasScheme | HasHost | HasPath, Port: -1}); n != 1 || !ok {
		t.Errorf("the set finds %d, %t", n, ok)
	}
	// The algebra takes the expression.
	url, outcome := Covered(AllHosts, []Pattern{p}).Witness(100_000)
	if outcome != Found || !strings.Contains(url, "bank") {
		t.Errorf("witness %q, %v", url, outcome)
	}
}
