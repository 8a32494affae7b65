package needs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// Preference is the name of the preference in config.xml that says what the
// pages' policy grants of what they need.
const Preference = "CordonPageNeeds"

// The words that the preference takes. Found stands for whatever is found in the
// app, eval apart; the others grant their kind whether or not it is found.
const (
	Found                = "found"
	None                 = "none"
	ClassStyleElements   = "style-elements"
	ClassStyleAttributes = "style-attributes"
	ClassHandlers        = "handlers"
	ClassData            = "data"
	ClassBlob            = "blob"
	ClassSchemes         = "schemes"
	ClassWorkers         = "workers"
	ClassWasm            = "wasm"
	ClassEval            = "eval"
)

// Classes are the kinds of needs, in the order of the documentation.
func Classes() []string {
	return []string{ClassStyleElements, ClassStyleAttributes, ClassHandlers, ClassData, ClassBlob, ClassSchemes,
		ClassWorkers, ClassWasm, ClassEval}
}

// Grants are the needs that a policy may meet. The zero Grants are the usual
// ones: whatever is found, eval apart.
type Grants struct {
	// named are the kinds by name; unset says that no preference does.
	set   bool
	found bool
	named []string
}

// GrantError says what is wrong with the preference.
type GrantError struct{ Word string }

// Error names the word and those that are known.
func (e *GrantError) Error() string {
	return fmt.Sprintf("the preference %s: %q must be one of %s, %s, %s", Preference, e.Word, Found, None,
		strings.Join(Classes(), ", "))
}

// ReadGrants reads the preference as a platform sees it, "" for every platform.
// A nil document has the usual grants. The error is a *GrantError.
func ReadGrants(doc *configxml.Document, platform string) (Grants, error) {
	if doc == nil {
		return Grants{}, nil
	}
	value, ok := doc.Preference(platform, Preference)
	if !ok {
		return Grants{}, nil
	}
	g := Grants{set: true}
	words := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' || r == ';' })
	for _, word := range words {
		switch {
		case word == Found:
			g.found = true
		case word == None && len(words) == 1:
		case slices.Contains(Classes(), word):
			g.named = append(g.named, word)
		default:
			return Grants{}, &GrantError{Word: word}
		}
	}
	return g, nil
}

// Has reports whether what is found of a kind is granted. No kind grants what
// must never be met.
func (g Grants) Has(class string) bool {
	if slices.Contains(g.named, class) {
		return true
	}
	return class != "" && class != ClassEval && (!g.set || g.found)
}

// byName are the needs that a word stands for where nothing was found.
var byName = map[string][]Need{
	ClassStyleElements:   {{Directive: "style-src-elem", Source: UnsafeInline}},
	ClassStyleAttributes: {{Directive: "style-src-attr", Source: UnsafeInline}},
	ClassData: {{Directive: "img-src", Source: "data:"}, {Directive: "media-src", Source: "data:"},
		{Directive: "font-src", Source: "data:"}},
	ClassBlob:    {{Directive: "img-src", Source: "blob:"}, {Directive: "media-src", Source: "blob:"}},
	ClassWorkers: {{Directive: "worker-src", Source: "blob:"}},
	ClassWasm:    {{Directive: "script-src", Source: WasmEval}},
	ClassEval:    {{Directive: "script-src", Source: UnsafeEval}},
}

// Named are the needs that the preference grants by name.
func (g Grants) Named() []Need {
	var all []Need
	for _, word := range g.named {
		for _, n := range byName[word] {
			n.What, n.By = "grants it by name", "the preference "+Preference
			all = append(all, n)
		}
	}
	return all
}
