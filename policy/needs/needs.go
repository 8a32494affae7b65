// Package needs says what an app's pages need of a Content-Security-Policy
// besides hosts, and which file asks for it: style elements that a framework
// makes at run time, URLs of schemes without a host, workers, WebAssembly.
//
// [Of] reads what all pages of an app share (its scripts, style sheets,
// package.json, plugins), [OfPage] what one page adds. [Grants] say which of the
// needs a policy may meet; the preference [Preference] changes them. What must
// never be met, such as inline event handlers that scripts write, is a need all
// the same, so that it can be told before it breaks.
//
// The package is pure. It reads as much as it takes to keep an app alive, and
// claims no more: what a script is given at run time stays unknown.
package needs

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// Need is one source expression that a directive must hold for something in the
// app to work.
type Need struct {
	// Directive is its name, such as "img-src".
	Directive string
	// Source is the expression, such as "data:" or "'unsafe-inline'".
	Source string
	// What says what asks for it, as the end of a sentence that begins with the
	// file: "puts style elements into the page".
	What string
	// Fails is the end of the sentence "…, which fails" for a need that is never met,
	// "" for the usual one.
	Fails string
	// By is the library or plugin that does it, "" where that is not known.
	By string
	// Place is where it stands, the zero Place for what the platform itself needs.
	Place policy.Place
}

// The sources that needs name besides schemes.
const (
	UnsafeInline = "'unsafe-inline'"
	UnsafeEval   = "'unsafe-eval'"
	WasmEval     = "'wasm-unsafe-eval'"
)

// Class is what [Preference] calls the need, "" for one that is never met.
func (n Need) Class() string {
	switch n.Directive {
	case "style-src-elem":
		return ClassStyleElements
	case "style-src-attr":
		return ClassStyleAttributes
	case "worker-src":
		if n.Source == "blob:" {
			return ClassWorkers
		}
		return ""
	case "script-src":
		switch n.Source {
		case WasmEval:
			return ClassWasm
		case UnsafeEval:
			return ClassEval
		}
		return ""
	case "script-src-elem", "script-src-attr", "object-src":
		return ""
	}
	switch n.Source {
	case "data:":
		return ClassData
	case "blob:":
		return ClassBlob
	}
	return ClassSchemes
}

// Asked is a need with everything that asks for it.
type Asked struct {
	Need
	// Others are the further needs of the same source in the same directive.
	Others []Need
}

// mostNamed is how many files a sentence names.
const mostNamed = 3

// Askers names what asks, for a sentence: "www/app.js:1:20 (lit)".
func (a *Asked) Askers() string {
	var names []string
	for _, n := range append([]Need{a.Need}, a.Others...) {
		name := n.By
		if !n.Place.IsZero() {
			name = n.Place.String()
			if n.By != "" {
				name += " (" + n.By + ")"
			}
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	more := ""
	if len(names) > mostNamed {
		names, more = names[:mostNamed], " and others"
	}
	return strings.Join(names, ", ") + more
}

// Group puts together what asks for the same, in the order in which it comes
// first.
func Group(list []Need) []Asked {
	var all []Asked
	for _, n := range list {
		at := slices.IndexFunc(all, func(a Asked) bool {
			return a.Directive == n.Directive && a.Source == n.Source && a.Fails == n.Fails
		})
		if at < 0 {
			all = append(all, Asked{Need: n})
			continue
		}
		all[at].Others = append(all[at].Others, n)
	}
	return all
}
