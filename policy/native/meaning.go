package native

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// NameKind says what sort of name stands for a value.
type NameKind uint8

// The kinds of names.
const (
	// OfResource is a resource of Android: @bool/cleartext, whose text is
	// bool/cleartext.
	OfResource NameKind = iota + 1
	// OfGradle is a placeholder that Gradle replaces in a manifest: ${cleartext}.
	OfGradle
	// OfXcode is a build setting of Xcode: $(CLEARTEXT).
	OfXcode
)

// Name is a name that stands for a value in a native file.
type Name struct {
	Kind NameKind
	Text string
}

// String writes the name as it stands in a file.
func (n Name) String() string {
	switch n.Kind {
	case OfResource:
		return "@" + n.Text
	case OfGradle:
		return "${" + n.Text + "}"
	}
	return "$(" + n.Text + ")"
}

// Given is a value, and where it is written.
type Given struct {
	Text  string
	Place policy.Place
	// Alias says that it names an XML resource that other values stand for as well, so
	// that there need not be a file of that name.
	Alias bool
}

// Meaning is what a value comes to that names stand in: on different devices, and in
// different builds of an app, it may be several.
type Meaning struct {
	// Texts are the values that it may have, each once.
	Texts []Given
	// Unknown says why it may have another one, as a clause; "" if it has none other.
	Unknown string
}

// Lookup returns what a project gives a name. A name that it does not have means
// nothing and has no Unknown. A Lookup is asked while [MergeWith] runs, never later.
type Lookup func(Name) Meaning

// maxMeanings bounds how many values one value may have, maxNested how deep names stand
// for names, maxAsked how many names are looked up for one value, and maxLong how long
// it may be. maxSpent bounds what all values of a set cost together: one for each text
// that is made, lookupCost for each name that is asked for the first time.
const (
	maxMeanings = 64
	maxNested   = 20
	maxAsked    = 2000
	maxLong     = 4096
	maxSpent    = 200_000
	lookupCost  = 10
)

// tooMany says that a value has more than maxMeanings, spent that all names of a set cost too much.
const (
	tooMany = "it has too many values"
	spent   = "the names in the native files stand for too many values"
)

// resolver finds out what values mean.
type resolver struct {
	lookup       Lookup
	depth, asked int
	spent        int
	found        map[Name]Meaning
}

// add adds the values of another meaning.
func (m *Meaning) add(other Meaning) {
	for _, g := range other.Texts {
		if !slices.ContainsFunc(m.Texts, func(have Given) bool { return have.Text == g.Text }) {
			m.Texts = append(m.Texts, g)
		}
	}
	if m.Unknown == "" {
		m.Unknown = other.Unknown
	}
	if len(m.Texts) > maxMeanings {
		m.Texts, m.Unknown = m.Texts[:maxMeanings], tooMany
	}
}

// known is the meaning of what is written out.
func known(text string, at policy.Place) Meaning {
	return Meaning{Texts: []Given{{Text: text, Place: at}}}
}

// manifest returns what the value of an attribute in AndroidManifest.xml means: Gradle
// replaces placeholders first, Android follows references.
func (r *resolver) manifest(text string, at policy.Place) Meaning {
	var m Meaning
	expanded := r.expand(OfGradle, text, at)
	m.Unknown = expanded.Unknown
	for _, g := range expanded.Texts {
		m.add(r.reference(g))
	}
	return m
}

// plist returns what a string of Info.plist means, in which Xcode replaces build
// settings. Keys it leaves as they are.
func (r *resolver) plist(text string, at policy.Place) Meaning { return r.expand(OfXcode, text, at) }

// reference follows a reference to a resource.
func (r *resolver) reference(g Given) Meaning {
	text := strings.TrimSpace(g.Text)
	switch {
	case strings.HasPrefix(text, "?"):
		return Meaning{Unknown: fmt.Sprintf("%s is what the app's theme says", text)}
	case !strings.HasPrefix(text, "@"):
		return Meaning{Texts: []Given{g}}
	}
	name, kind := resourceOf(text)
	switch {
	case name.Text == "":
		return Meaning{Unknown: fmt.Sprintf("%s is not a resource of the app", text)}
	case kind == "xml": // the file is what it stands for, unless it is another name for one
		m, others := known("@"+name.Text, g.Place), r.ask(name, r.reference)
		m.Texts[0].Alias = len(others.Texts) > 0
		m.add(others)
		return m
	}
	m := r.ask(name, r.reference)
	if len(m.Texts) == 0 && m.Unknown == "" {
		m.Unknown = name.String() + " is not among the app's own resources"
	}
	return m
}

// resourceOf reads a reference to a resource of the app, @type/name, with the app's
// package or without; of any other the name has no text.
func resourceOf(text string) (name Name, kind string) {
	text = strings.TrimPrefix(text[1:], "+")
	if space, rest, ok := strings.Cut(text, ":"); ok {
		if text = rest; space == "android" || space == "*android" {
			return Name{}, ""
		}
	}
	kind, local, ok := strings.Cut(text, "/")
	if !ok || kind == "" || local == "" {
		return Name{}, ""
	}
	return Name{OfResource, text}, kind
}

// ask looks a name up, and goes on with each of its values.
func (r *resolver) ask(name Name, next func(Given) Meaning) Meaning {
	if r.lookup == nil {
		return Meaning{}
	}
	if r.asked++; r.depth >= maxNested || r.asked > maxAsked {
		return Meaning{Unknown: name.String() + " stands for itself, or for too many others"}
	}
	r.depth++
	defer func() { r.depth-- }()
	found := r.look(name)
	m := Meaning{Unknown: found.Unknown}
	for _, g := range found.Texts {
		if r.spent++; r.spent > maxSpent {
			m.add(Meaning{Unknown: spent})
			break
		}
		m.add(next(g))
	}
	return m
}

// look returns what the project gives a name, which it is asked for once.
func (r *resolver) look(name Name) Meaning {
	m, known := r.found[name]
	if known {
		return m
	}
	if r.spent += lookupCost; r.spent > maxSpent {
		return Meaning{Unknown: spent}
	}
	m.add(r.lookup(name))
	if r.found == nil {
		r.found = make(map[Name]Meaning)
	}
	r.found[name] = m
	return m
}

// expand replaces the placeholders, or the build settings, that stand in a text.
func (r *resolver) expand(kind NameKind, text string, at policy.Place) Meaning {
	before, inner, after, ok := nextName(kind, text)
	switch {
	case !ok:
		return known(text, at)
	case len(text) > maxLong:
		return Meaning{Unknown: "it is too long"}
	case r.spent > maxSpent:
		return Meaning{Unknown: spent}
	}
	value := r.named(kind, inner, at)
	if before == "" && after == "" {
		return value
	}
	rest := r.expand(kind, after, at)
	m := Meaning{Unknown: value.Unknown}
	if m.Unknown == "" {
		m.Unknown = rest.Unknown
	}
	for _, g := range value.Texts {
		for _, end := range rest.Texts {
			if r.spent++; r.spent > maxSpent {
				m.add(Meaning{Unknown: spent})
				return m
			}
			if len(before)+len(g.Text)+len(end.Text) > maxLong {
				m.add(Meaning{Unknown: "it comes to too long a text"})
				continue
			}
			m.add(known(before+g.Text+end.Text, g.Place))
			if m.Unknown == tooMany {
				return m
			}
		}
	}
	return m
}

// nextName finds the first name in a text: what stands before it, it, and the rest.
func nextName(kind NameKind, text string) (before, inner, after string, ok bool) {
	for start := 0; start+1 < len(text); start++ {
		open := text[start+1]
		if text[start] != '$' || open != '{' && (open != '(' || kind != OfXcode) {
			continue
		}
		closing, depth := byte('}'), 0
		if open == '(' {
			closing = ')'
		}
		for end := start + 1; end < len(text); end++ {
			switch text[end] {
			case open:
				depth++
			case closing:
				if depth--; depth == 0 {
					return text[:start], text[start+2 : end], text[end+1:], true
				}
			}
		}
		return "", "", "", false
	}
	return "", "", "", false
}

// named returns what one placeholder or build setting means; in the name of a build
// setting others may stand.
func (r *resolver) named(kind NameKind, inner string, at policy.Place) Meaning {
	if kind == OfGradle {
		name := Name{kind, inner}
		return r.ask(name, func(g Given) Meaning { return Meaning{Texts: []Given{g}} }).given(name)
	}
	if r.depth >= maxNested {
		return Meaning{Unknown: "$(" + inner + ") stands for itself, or for too many others"}
	}
	r.depth++
	names := r.expand(OfXcode, inner, at)
	r.depth--
	m := Meaning{Unknown: names.Unknown}
	for _, name := range names.Texts {
		m.add(r.setting(name.Text))
	}
	return m
}

// setting returns what one build setting means, which may have a default.
func (r *resolver) setting(inner string) Meaning {
	text, operator, operated := strings.Cut(inner, ":")
	m := r.ask(Name{OfXcode, text}, func(g Given) Meaning {
		if g.Text == "$(inherited)" {
			return Meaning{} // what the other levels say, which are looked at as well
		}
		return r.expand(OfXcode, g.Text, g.Place)
	})
	switch usual, hasUsual := strings.CutPrefix(operator, "default="); {
	case operated && !hasUsual:
		return Meaning{Unknown: "$(" + inner + ") changes what it stands for"}
	case hasUsual && len(m.Texts) == 0:
		m.add(known(usual, policy.Place{}))
	}
	return m.given(Name{OfXcode, text})
}

// given is the meaning of a name that must have a value.
func (m Meaning) given(name Name) Meaning {
	if len(m.Texts) == 0 && m.Unknown == "" {
		m.Unknown = name.String() + " is given no value that is written out"
	}
	return m
}

// of returns what the value of an element in a fragment means. What a plugin's
// variable without a value stands in is not known.
func (r *resolver) of(f *Fragment, start int, text string, at policy.Place) Meaning {
	if why := f.Unset[start]; why != "" && strings.Contains(text, "$") {
		return Meaning{Unknown: why}
	}
	r.asked = 0
	if f.Kind == Info {
		return r.plist(text, at)
	}
	return r.manifest(text, at)
}

// Through says which name makes a value what it is and where that is written, for the
// end of a message; "" for a value that is written out.
func (g Given) Through(written string) string {
	if g.Text == written || strings.TrimSpace(written) == g.Text {
		return ""
	}
	if g.Place.Line == 0 {
		return fmt.Sprintf("; %s comes to %s", written, g.Text)
	}
	return fmt.Sprintf("; %s comes to %s by %s:%d", written, g.Text, g.Place.File, g.Place.Line)
}
