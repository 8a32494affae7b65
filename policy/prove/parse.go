package prove

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Limits of a file.
const (
	// MaxSize is the largest file in bytes.
	MaxSize = 1 << 20
	// MaxAssertions is how many assertions a file may have.
	MaxAssertions = 2000
)

// Parse reads a file of assertions, one a line; "#" begins a comment. The name
// is used in places. A line that is no assertion is a *SyntaxError; assertions
// that no policy can keep together are a *ContradictionError.
func Parse(name string, data []byte) (*File, error) {
	start := policy.Place{File: name, Line: 1, Column: 1}
	if len(data) > MaxSize {
		return nil, &SyntaxError{start, fmt.Sprintf("the file is larger than %d bytes", MaxSize)}
	}
	f := &File{}
	text := strings.TrimPrefix(string(data), "\ufeff")
	offset := len(data) - len(text)
	for number, line := range strings.Split(text, "\n") {
		l := lineReader{file: name, number: number + 1, text: strings.TrimSuffix(line, "\r"), offset: offset}
		offset += len(line) + 1
		a, err := l.read()
		if err != nil {
			return nil, err
		}
		if a == nil {
			continue
		}
		if len(f.Assertions) == MaxAssertions {
			return nil, &SyntaxError{a.Place, fmt.Sprintf("more than %d assertions", MaxAssertions)}
		}
		f.Assertions = append(f.Assertions, *a)
	}
	if len(f.Assertions) == 0 {
		return nil, &SyntaxError{start, "there is no assertion; write a line such as: never allow http://*"}
	}
	return f, f.contradictions()
}

// word is one word of a line; column counts bytes from 1.
type word struct {
	text   string
	column int
}

// lineReader reads one line.
type lineReader struct {
	file   string
	number int
	offset int
	text   string
	words  []word
}

func (l *lineReader) place(w word) policy.Place {
	start := l.offset + w.column - 1
	return policy.Place{File: l.file, Line: l.number, Column: w.column, Start: start, End: start + len(w.text)}
}

func (l *lineReader) fail(w word, format string, args ...any) error {
	return &SyntaxError{l.place(w), fmt.Sprintf(format, args...)}
}

// split cuts the line into words, which blanks and commas separate. A "#" at
// the beginning of a word begins a comment.
func (l *lineReader) split() {
	for i := 0; i < len(l.text); {
		switch l.text[i] {
		case ' ', '\t', ',':
			i++
			continue
		case '#':
			return
		}
		end := i
		for end < len(l.text) && strings.IndexByte(" \t,", l.text[end]) < 0 {
			end++
		}
		l.words = append(l.words, word{l.text[i:end], i + 1})
		i = end
	}
}

// next takes the next word; at the end of the line it is an empty one there.
func (l *lineReader) next() word {
	if len(l.words) == 0 {
		return word{"", len(l.text) + 1}
	}
	w := l.words[0]
	l.words = l.words[1:]
	return w
}

// read reads the line, nil for one without an assertion.
func (l *lineReader) read() (*Assertion, error) {
	l.split()
	if len(l.words) == 0 {
		return nil, nil
	}
	first := l.next()
	if !utf8.ValidString(l.text) {
		return nil, l.fail(first, "the line is not UTF-8")
	}
	a := &Assertion{Text: strings.TrimSpace(l.text), Place: l.place(first)}
	switch first.text {
	case "never":
		a.Form = Never
	case "always":
		a.Form = Always
	case "only":
		a.Form = Only
	case "same":
		a.Form = Same
	default:
		return nil, l.fail(first, "%q cannot begin an assertion: write never, always, only or same", first.text)
	}
	if a.Form != Same {
		if err := l.verb(a); err != nil {
			return nil, err
		}
	}
	if err := l.objects(a); err != nil {
		return nil, err
	}
	return a, l.targets(a)
}

// verb reads the verdict. Only a navigation is ever launched, so launch is
// about navigation unless a kind is named; navigate says allow and the kind.
func (l *lineReader) verb(a *Assertion) error {
	w := l.next()
	switch w.text {
	case "allow":
		a.Verdict = policy.Allow
	case "block":
		a.Verdict = policy.Block
	case "bypass":
		a.Verdict = policy.Bypass
	case "launch":
		a.Verdict = policy.Launch
	case "navigate":
		a.Verdict, a.Kinds = policy.Allow, []policy.Kind{policy.Navigation}
	case "":
		return l.fail(w, "%s what? Write allow, navigate, launch, bypass or block", a.Form)
	default:
		return l.fail(w, "%q must be a verdict: write allow, navigate, launch, bypass or block", w.text)
	}
	return nil
}

// objects reads kinds and URL sets up to "on".
func (l *lineReader) objects(a *Assertion) error {
	navigate := len(a.Kinds) > 0
	for len(l.words) > 0 && l.words[0].text != "on" {
		w := l.next()
		kind, err := policy.ParseKind(w.text)
		switch {
		case err == nil && navigate:
			return l.fail(w, "navigate names the kind itself: write allow with other kinds")
		case err == nil && len(a.urls.texts) > 0:
			return l.fail(w, "kinds stand before the URLs")
		case err == nil:
			a.Kinds = append(a.Kinds, kind)
			continue
		}
		if err := a.urls.add(w.text); err != nil {
			return l.fail(w, "%q must be a set of URLs: %s", w.text, err)
		}
	}
	if len(a.urls.texts) == 0 && (a.Form == Always || a.Form == Only) {
		return l.fail(l.next(), "%s needs URLs, such as https://api.example.org/*", a.Form)
	}
	if len(a.Kinds) == 0 {
		a.Kinds = []policy.Kind{policy.XHR}
		if a.Verdict == policy.Launch {
			a.Kinds[0] = policy.Navigation
		}
	}
	return nil
}

// targets reads what follows "on".
func (l *lineReader) targets(a *Assertion) error {
	on := l.next()
	if on.text == "on" && len(l.words) == 0 {
		return l.fail(l.next(), "on which platform?")
	}
	known := map[policy.Target]bool{}
	for len(l.words) > 0 {
		w := l.next()
		t, err := dialect.ParseTarget(w.text)
		if err != nil {
			return l.fail(w, "%s", err)
		}
		if known[t] {
			return l.fail(w, "%s is named twice", t)
		}
		known[t] = true
		a.Targets = append(a.Targets, t)
		if !strings.Contains(w.text, "@") && !t.Version.IsZero() {
			a.bare = append(a.bare, t)
		}
	}
	if a.Form == Same && len(a.Targets) < 2 {
		return l.fail(word{"", len(l.text) + 1}, "same needs two platforms, such as: same on android ios")
	}
	if len(a.Targets) == 0 {
		a.Targets, a.anywhere = []policy.Target{{Platform: dialect.Strict}}, true
	}
	return nil
}
