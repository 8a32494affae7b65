package pattern

import (
	"fmt"

	"pgregory.net/rapid"
)

var (
	drawnSchemes = []string{"http", "https", "ws", "HTTPS", "tel", ""}
	drawnHosts   = []string{
		"", "a", "b", "a.b", "A.b", "x.a.b", "a.b.c", ".a.b", "b.", "..", "é.b", "a.é.b", "x_y.b", "x-1.a.b", "*.b",
		"b.a.b", "A.B", "X.A.B", "y.x.a.b", "\u212a.b",
	}
	drawnPaths = []string{
		"", "/", "/a", "/a/", "/a/b", "/ab", "/A/b", "/a/b/c", "//", "a/b", "/a\nb", "/a/\u0085", "/\xff", "/a/b/",
		"/b",
	}
	drawnGlobs = []string{"/a/*", "/*", "*", "/a*b", "/*/b", "*.b", "*.a.b", "*.A.b", "*..b", "*.", "a*", "/a\n*",
		"/\xff*", "/*a/*", "**"}
	drawnExprs = []string{`^https?://a`, `a.b`, `\Ahttps://(.*\.)?a\.b/\z`, `^`, `b$`}
)

func drawLanguage(t *rapid.T, label string, texts []string, depth int) Language {
	text := rapid.SampledFrom(texts).Draw(t, label+" text")
	var l Language
	switch rapid.IntRange(0, 11).Draw(t, label+" form") {
	case 0:
		l = Any()
	case 1:
		l = rapid.SampledFrom([]Language{Present(), Address()}).Draw(t, label+" present")
	case 2, 3, 4:
		l = Exactly(text)
	case 5:
		l = Below(text)
	case 6:
		l = BelowInLowerCase(text)
	case 7:
		l = Prefix(text)
	case 8:
		l = Within(text)
	case 9:
		l = Glob(rapid.SampledFrom(drawnGlobs).Draw(t, label+" glob"))
	case 10:
		l = mustExpression(rapid.SampledFrom(drawnExprs).Draw(t, label+" expression"))
	case 11:
		if depth == 0 {
			return Language{}
		}
		parts := make([]Language, rapid.IntRange(0, 3).Draw(t, label+" parts"))
		for i := range parts {
			parts[i] = drawLanguage(t, fmt.Sprintf("%s part %d", label, i), texts, depth-1)
		}
		l = OneOf(parts...)
	}
	if rapid.Bool().Draw(t, label+" fold") {
		l = l.Fold()
	}
	return l
}

func mustExpression(expr string) Language {
	l, err := Expression(expr)
	if err != nil {
		panic(err)
	}
	return l
}

var drawnPorts = []Port{AnyPort, NoPort, 80, 8080, 70000}

func drawPattern(t *rapid.T) Pattern {
	p := Pattern{
		Scheme: drawLanguage(t, "scheme", drawnSchemes, 1),
		Host:   drawLanguage(t, "host", drawnHosts, 1),
		Path:   drawLanguage(t, "path", drawnPaths, 1),
		Port:   rapid.SampledFrom(drawnPorts).Draw(t, "port"),
	}
	if rapid.IntRange(0, 9).Draw(t, "whole") == 0 {
		p.Whole = mustExpression(rapid.SampledFrom(drawnExprs).Draw(t, "whole expression"))
	}
	return p
}

func drawURL(t *rapid.T) URL {
	u := URL{
		Scheme:  rapid.SampledFrom(drawnSchemes).Draw(t, "url scheme"),
		Host:    rapid.SampledFrom(drawnHosts).Draw(t, "url host"),
		Path:    rapid.SampledFrom(drawnPaths).Draw(t, "url path"),
		Port:    rapid.SampledFrom([]int32{-1, 0, 80, 8080, 70000}).Draw(t, "url port"),
		Has:     Parts(rapid.SampledFrom([]int{7, 7, 7, 7, 0, 1, 3, 5, 6}).Draw(t, "url parts")),
		AnyPath: rapid.IntRange(0, 5).Draw(t, "any path") == 0,
	}
	u.Whole = u.Scheme + "://" + u.Host + u.Path
	return u
}

// firstCovering is the slow obvious matcher.
func firstCovering(patterns []Pattern, u *URL) (int, bool) {
	for i := range patterns {
		if patterns[i].Covers(u) {
			return i, true
		}
	}
	return -1, false
}
