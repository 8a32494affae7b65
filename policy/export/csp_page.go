package export

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/needs"
)

// Page is what an export has to know of one page.
type Page struct {
	// Existing is the page's own policy; the zero Policy if it has none.
	Existing csp.Policy
	// Scripts and Styles are the URLs of the scripts and style sheets that the
	// page loads from other places.
	Scripts, Styles []string
	// InlineScripts and InlineStyles are the contents of inline elements, byte
	// for byte.
	InlineScripts, InlineStyles []string
	// Handlers and StyleAttributes are the values of inline event handlers and of
	// style attributes in the page's markup.
	Handlers, StyleAttributes []string
	// ScriptLinks says that the page has javascript: links, which nothing allows.
	ScriptLinks bool
	// WebAssembly lets the page compile WebAssembly, which is no eval of
	// scripts.
	WebAssembly bool
	// Needs are what the page and the scripts of its app need besides hosts.
	Needs []needs.Need
	// Grants say which of the needs the policy meets.
	Grants needs.Grants
	// Native is where the app hands requests of its pages to native code, which no
	// policy of a page holds; the zero Place if it does not.
	Native policy.Place
}

// PagePolicy makes the policy of one page. The losses say what the policy would break
// in the page, what it meets of the page's needs, and what it cannot express.
func PagePolicy(s Source, page Page) (csp.Policy, []Loss) {
	m := pageMaker{page: page, granted: map[string][]string{},
		losses: slices.Concat(cspFormat.widening(s.Wire()), inexact(s.Wire()))}
	m.grant()
	requests, frames := s.Requests(), s.Frames()
	listed := sources(requests, "https", "http")
	m.set("default-src")
	m.set("connect-src", sources(requests, "https", "wss", "http", "ws"), page.kept("connect-src"))
	for _, name := range []string{"img-src", "media-src", "font-src"} {
		m.set(name, listed, page.kept(name))
	}
	m.set("frame-src", sources(frames, "https", "http"), page.kept("frame-src"))
	m.scripts(frames)
	m.styles(frames)
	m.set("form-action", sources(s.Navigation(), "https", "http"))
	m.made = m.made.Set("object-src", "'none'")
	m.made = m.made.Set("base-uri", baseOf(page.Existing))
	for _, d := range page.Existing.Directives {
		if restricting[d.Name] {
			m.made.Directives = append(m.made.Directives, csp.Directive{Name: d.Name, Sources: d.Sources})
		}
	}
	m.losses = append(m.losses, dropped(page.Existing, m.made, s)...)
	m.losses = append(m.losses, opened(page.Existing, m.made)...)
	if !page.Native.IsZero() {
		m.losses = append(
			m.losses,
			Loss{Need: true, Widens: true, Message: fmt.Sprintf("connect-src holds neither fetch "+
				"nor XMLHttpRequest back: CapacitorHttp (%s) sends them by native code", page.Native)},
		)
	}
	return m.made, m.losses
}

// always are the directives that PagePolicy writes into every policy, in its order,
// and sometimes those that it writes besides.
var (
	always = []string{"default-src", "connect-src", "img-src", "media-src", "font-src", "frame-src", "script-src",
		"style-src", "form-action", "object-src", "base-uri"}
	sometimes = []string{"script-src-attr", "worker-src", "style-src-elem", "style-src-attr"}
)

// IsPagePolicy reports whether a policy has the form of those that PagePolicy makes,
// so that it is taken for one, whatever hosts stand in it: the same directives in the
// same order, the first and the one of plug-ins as narrow as they are there.
func IsPagePolicy(p csp.Policy) bool {
	var names []string
	for _, d := range p.Directives {
		if !slices.Contains(sometimes, d.Name) && !restricting[d.Name] {
			names = append(names, d.Name)
		}
	}
	first, _ := p.Get("default-src")
	objects, _ := p.Get("object-src")
	return slices.Equal(names, always) && slices.Equal(first.Sources, []string{"'self'"}) &&
		slices.Equal(objects.Sources, []string{"'none'"})
}

// pageMaker makes the policy of one page.
type pageMaker struct {
	page Page
	made csp.Policy
	// granted are the sources of needs that are met, by directive.
	granted map[string][]string
	losses  []Loss
}

// set gives a directive the page's own origin, what is listed, and what the page
// needs.
func (m *pageMaker) set(name string, lists ...[]string) {
	m.made = m.made.Set(name, with("'self'", slices.Concat(slices.Concat(lists...), m.granted[name]))...)
}

// grant takes the needs that are met, and says of each need what became of it.
func (m *pageMaker) grant() {
	all := slices.Concat(m.page.Needs, m.page.Grants.Named())
	if m.page.WebAssembly {
		m.granted["script-src"] = append(m.granted["script-src"], needs.WasmEval)
	}
	for _, need := range needs.Group(all) {
		class, askers := need.Class(), need.Askers()
		loss := Loss{Need: true}
		switch {
		case m.page.Grants.Has(class):
			m.granted[need.Directive] = append(m.granted[need.Directive], need.Source)
			loss.Widens = true
			loss.Message = fmt.Sprintf("%s has %s, because %s %s", need.Directive, need.Source, askers, need.What)
		case need.Fails != "":
			loss.Message = fmt.Sprintf("%s %s, which fails%s", askers, need.What, need.Fails)
		case class == "":
			loss.Message = fmt.Sprintf(
				"%s %s, which fails: no policy that is worth having has %s in %s",
				askers,
				need.What,
				need.Source,
				need.Directive,
			)
		default:
			loss.Message = fmt.Sprintf("%s %s, which fails: %s is not in %s; %q in the preference %s would let it pass",
				askers, need.What, need.Source, need.Directive, class, needs.Preference)
		}
		m.losses = append(m.losses, loss)
	}
}

// lose notes what the page itself loses.
func (m *pageMaker) lose(format string, args ...any) {
	m.losses = append(m.losses, Loss{Message: fmt.Sprintf(format, args...)})
}

// hashed returns 'unsafe-hashes' with the hashes of attributes, which allows
// these values and no others.
func hashed(values []string) []string {
	return append([]string{"'unsafe-hashes'"}, hashes(values)...)
}

// knowsAttributes says which web views know the directives for attributes.
const knowsAttributes = "web views before Chromium 75 and iOS 15.4 do not know that and refuse them"

func (m *pageMaker) scripts(frames []dialect.Origin) {
	listed, lost := used(frames, "script", m.page.Scripts)
	m.losses = append(m.losses, lost...)
	m.set("script-src", listed, m.page.keptCode("script-src", frames), hashes(m.page.InlineScripts))
	if len(m.page.Handlers) > 0 {
		if m.page.Grants.Has(needs.ClassHandlers) {
			m.made = m.made.Set("script-src-attr", hashed(m.page.Handlers)...)
			m.losses = append(m.losses, Loss{Widens: true,
				Message: "the page's inline event handlers run by their hashes; " + knowsAttributes})
		} else {
			m.lose("inline event handlers stop working: move them into a script")
		}
	}
	if m.page.ScriptLinks {
		m.lose("javascript: links stop working: move them into a script")
	}
	if list := slices.Concat(m.granted["worker-src"], m.page.keptWorkers()); len(list) > 0 {
		m.made = m.made.Set("worker-src", with("'self'", list)...)
	}
}

// styles writes the directives for styles. A web view that knows the ones for
// elements and attributes does not look at style-src: it is for older ones, which
// know no difference.
func (m *pageMaker) styles(frames []dialect.Origin) {
	listed, lost := used(frames, "style sheet", m.page.Styles)
	m.losses = append(m.losses, lost...)
	hosts := slices.Concat(listed, m.page.keptCode("style-src", frames))
	elements := slices.Contains(m.granted["style-src-elem"], needs.UnsafeInline)
	attributes := slices.Contains(m.granted["style-src-attr"], needs.UnsafeInline)
	inline := hashes(m.page.InlineStyles)
	if elements || attributes {
		// Beside a hash a browser ignores 'unsafe-inline'.
		m.set("style-src", hosts, []string{needs.UnsafeInline})
		if elements {
			inline = []string{needs.UnsafeInline}
		}
		m.set("style-src-elem", hosts, inline)
	} else {
		m.set("style-src", hosts, inline)
	}
	switch {
	case attributes:
		m.made = m.made.Set("style-src-attr", needs.UnsafeInline)
	case len(m.page.StyleAttributes) == 0:
		if elements {
			m.made = m.made.Set("style-src-attr")
		}
	case m.page.Grants.Has(needs.ClassStyleAttributes):
		m.made = m.made.Set("style-src-attr", hashed(m.page.StyleAttributes)...)
		m.losses = append(m.losses, Loss{Widens: true,
			Message: "the style attributes of the page's markup apply by their hashes; " + knowsAttributes})
	default:
		m.lose("style attributes in the page's markup stop working: move them into a style sheet")
		if elements {
			m.made = m.made.Set("style-src-attr")
		}
	}
}

// used returns the sources for the URLs that a page loads and the list covers;
// what the list does not cover is a loss.
func used(origins []dialect.Origin, what string, urls []string) (all []string, losses []Loss) {
	for _, url := range urls {
		covered := false
		for i := range origins {
			o := &origins[i]
			for _, scheme := range []string{"https", "http"} {
				d := csp.Directive{Name: "script-src", Sources: expressions(o, scheme)}
				if o.Covers(scheme) && d.Allows(url, "https://localhost/") {
					all, covered = append(all, d.Sources...), true
				}
			}
		}
		if !covered {
			losses = append(losses,
				Loss{Message: fmt.Sprintf("the page's %s %s is on no list and no longer loads", what, url)})
		}
	}
	return all, losses
}

// hashes returns the sources that allow each text once. Browsers hash what they
// parsed, in which every line end is one character.
func hashes(inline []string) []string {
	var all []string
	for _, text := range inline {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
		sum := sha256.Sum256([]byte(text))
		source := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		if !slices.Contains(all, source) {
			all = append(all, source)
		}
	}
	return all
}
