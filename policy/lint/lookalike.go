package lint

import (
	"sort"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// scripts are the scripts that mixedScripts tells apart.
var scripts = []struct {
	name  string
	table *unicode.RangeTable
}{
	{"Latin", unicode.Latin}, {"Cyrillic", unicode.Cyrillic}, {"Greek", unicode.Greek}, {"Armenian", unicode.Armenian},
	{"Hebrew", unicode.Hebrew}, {"Arabic", unicode.Arabic}, {"Cherokee", unicode.Cherokee},
	{"Georgian", unicode.Georgian}, {"Han", unicode.Han}, {"Hiragana", unicode.Hiragana},
	{"Katakana", unicode.Katakana}, {"Hangul", unicode.Hangul}, {"Bopomofo", unicode.Bopomofo}, {"Thai", unicode.Thai},
	{"Devanagari", unicode.Devanagari},
}

// together are the sets of scripts that honest names mix (Unicode TR 39,
// "highly restrictive").
var together = []string{"Han Hiragana Katakana Latin", "Bopomofo Han Latin", "Han Hangul Latin"}

// labels yields the host's labels, decoded from punycode.
func labels(host string) []string {
	list := strings.Split(strings.TrimPrefix(host, "*."), ".")
	for i, label := range list {
		if decoded, err := idna.Punycode.ToUnicode(label); err == nil {
			list[i] = decoded
		}
	}
	return list
}

// isPlain reports whether a host has no letters but those of ASCII, and none in
// punycode: nothing in it looks like something else.
func isPlain(host string) bool {
	for i := range len(host) {
		if host[i] >= 0x80 {
			return false
		}
	}
	return !strings.Contains(strings.ToLower(host), "xn--")
}

// mixedScripts returns the first label with letters of scripts that do not go
// together, and their names.
func mixedScripts(host string) (label string, names []string) {
	if isPlain(host) {
		return "", nil
	}
	for _, label := range labels(host) {
		found := scriptsOf(label)
		if len(found) > 1 && !goTogether(found) {
			return label, found
		}
	}
	return "", nil
}

func scriptsOf(label string) []string {
	seen := make(map[string]bool)
	for _, c := range label {
		if c < 0x80 && !unicode.IsLetter(c) {
			continue
		}
		for _, s := range scripts {
			if unicode.Is(s.table, c) {
				seen[s.name] = true
			}
		}
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func goTogether(found []string) bool {
	for _, set := range together {
		fits := true
		for _, name := range found {
			fits = fits && strings.Contains(set, name)
		}
		if fits {
			return true
		}
	}
	return false
}

// confusable are letters of other scripts that look like a Latin one in
// common fonts.
var confusable = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ѕ': 's', 'ј': 'j', 'һ': 'h',
	'ԁ': 'd', 'ԛ': 'q', 'ԝ': 'w', 'ӏ': 'l', 'ѵ': 'v', 'г': 'r', 'ь': 'b', 'к': 'k', 'м': 'm', 'т': 't', 'в': 'b',
	'н': 'h', 'α': 'a', 'ο': 'o', 'ρ': 'p', 'ν': 'v', 'ι': 'i', 'κ': 'k', 'υ': 'u', 'χ': 'x', 'γ': 'y', 'ω': 'w',
	'η': 'n', 'τ': 't', 'ɑ': 'a', 'ı': 'i', 'ɩ': 'i', 'ſ': 'f', 'օ': 'o', 'ո': 'n', 'ս': 'u', 'հ': 'h', 'ց': 'g',
	'ʀ': 'r', 'ɡ': 'g',
}

// lookalike returns the first label that is not ASCII but whose every letter
// looks like a Latin one, and what it reads like. A label that mixes scripts
// is mixedScripts' business.
func lookalike(host string) (label, reads string) {
	if isPlain(host) {
		return "", ""
	}
	for _, label := range labels(host) {
		var b strings.Builder
		foreign := false
		for _, c := range label {
			if c < 0x80 {
				b.WriteRune(c)
				continue
			}
			latin, ok := confusable[c]
			if !ok {
				foreign = false
				break
			}
			foreign = true
			b.WriteRune(latin)
		}
		if foreign && len([]rune(label)) == b.Len() && len(scriptsOf(label)) < 2 {
			return label, b.String()
		}
	}
	return "", ""
}
