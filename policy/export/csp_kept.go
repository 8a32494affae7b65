package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/needs"
)

// selfURL stands for the page's own origin.
const selfURL = "https://localhost/"

// runs are the schemes whose URLs run with the page's own origin, or as a page of
// their own.
var runs = []string{"data", "blob", "filesystem", "javascript", "about"}

// isLocal reports whether a source leads to no host of the network, such as data:,
// gap: and cdvfile://localhost, about which config.xml says nothing.
func isLocal(token string) bool {
	s, ok := csp.ParseSource(token)
	return ok && s.Scheme != "" &&
		!slices.Contains([]string{"http", "https", "ws", "wss", "ftp", "javascript"}, s.Scheme)
}

// kept returns the sources of the page's own policy that lead to no host, as far as
// they are granted. Frames get what runs in them only where the policy speaks of
// frames.
func (p *Page) kept(name string) []string {
	d, ok := p.Existing.Effective(name)
	if !ok {
		return nil
	}
	var all []string
	for _, token := range d.Sources {
		s, _ := csp.ParseSource(token)
		need := needs.Need{Directive: name, Source: s.Scheme + ":"}
		if isLocal(token) && meansThere(token, name) && p.Grants.Has(need.Class()) &&
			(name != "frame-src" || d.Name != "default-src" || !slices.Contains(runs, s.Scheme)) {
			all = append(all, token)
		}
	}
	return all
}

// keptWorkers returns the blob: that a page's own policy has for workers alone.
func (p *Page) keptWorkers() []string {
	for _, name := range []string{"worker-src", "child-src"} {
		if d, ok := p.Existing.Get(name); ok {
			if d.Has("blob:") && p.Grants.Has(needs.ClassWorkers) {
				return []string{"blob:"}
			}
			return nil
		}
	}
	return nil
}

// keptCode returns what a page's own policy says about code and the list covers:
// hosts from which scripts load more. WebAssembly may be compiled where it could
// be.
func (p *Page) keptCode(name string, listed []dialect.Origin) []string {
	d, ok := p.Existing.Effective(name)
	if !ok {
		return nil
	}
	var all []string
	for _, token := range d.Sources {
		if name == "script-src" && p.Grants.Has(needs.ClassWasm) && strings.EqualFold(token, needs.WasmEval) {
			all = append(all, needs.WasmEval)
		}
		s, ok := csp.ParseSource(token)
		sample, isHost := sampleOf(token)
		if !ok || !isHost || isLocal(token) || s.Host == "*" || !covers(listed, sample) {
			continue
		}
		if s.Scheme == "" {
			token = "https://" + token
		}
		all = append(all, token)
	}
	return all
}

// covers reports whether a list lets a URL load.
func covers(listed []dialect.Origin, url string) bool {
	d := csp.Directive{Sources: sources(listed, "https", "http", "wss", "ws")}
	return d.Allows(url, selfURL)
}

// sampleOf returns a URL that a source with a host covers, and that others cover
// only if they cover all of it.
func sampleOf(token string) (url string, ok bool) {
	if token == "*" {
		return "https://every-host.invalid/", true
	}
	s, ok := csp.ParseSource(token)
	if !ok || s.Host == "" {
		switch s.Scheme {
		case "http", "https", "ws", "wss":
			return s.Scheme + "://every-host.invalid/", true
		}
		return "", false
	}
	scheme := s.Scheme
	if scheme == "" {
		scheme = "https"
	}
	host := s.Host
	if host == "*" {
		host = "every-host.invalid"
	}
	url = scheme + "://" + strings.Replace(host, "*", "every-name", 1)
	switch s.Port {
	case "":
	case "*":
		url += ":65501"
	default:
		url += ":" + s.Port
	}
	return url + s.Path, true
}

// restricting are directives that name no source to load from and take something
// away from the page: they stay as they are.
var restricting = map[string]bool{"upgrade-insecure-requests": true, "block-all-mixed-content": true,
	"require-trusted-types-for": true, "trusted-types": true}

// baseOf is what base-uri says: nothing, where the page's own policy says so.
func baseOf(existing csp.Policy) string {
	if d, ok := existing.Get("base-uri"); ok && len(d.Sources) == 1 && strings.EqualFold(d.Sources[0], "'none'") {
		return "'none'"
	}
	return "'self'"
}

// governed are the directives that nothing else stands in for.
var governed = []string{"connect-src", "img-src", "media-src", "font-src", "frame-src", "script-src-elem",
	"script-src-attr", "style-src-elem", "style-src-attr", "worker-src", "manifest-src", "object-src", "form-action",
	"base-uri"}

// stands are the directives that stand in for others, and govern nothing where
// those are there.
var stands = map[string]bool{"default-src": true, "child-src": true, "script-src": true, "style-src": true}

// dropped names every source of the page's own policy that the new one has not,
// with where it is missing: what needs it stops.
func dropped(existing, made csp.Policy, s Source) []Loss {
	var order []string
	missing := map[string][]string{}
	miss := func(token string, names ...string) {
		if _, seen := missing[token]; !seen {
			order = append(order, token)
		}
		for _, name := range names {
			if !slices.Contains(missing[token], name) {
				missing[token] = append(missing[token], name)
			}
		}
	}
	for _, d := range existing.Directives {
		names := governs(existing, d.Name)
		switch {
		case restricting[d.Name]:
			continue
		case len(names) == 0 && !stands[d.Name]:
			miss(d.Name)
			continue
		}
		for _, token := range d.Sources {
			means := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !meansThere(token, name) })
			if len(means) == 0 && !holds(made, d.Name, token) {
				miss(token, d.Name)
			}
			for _, name := range means {
				if !holds(made, name, token) {
					miss(token, name)
				}
			}
		}
	}
	losses := make([]Loss, 0, len(order))
	for _, token := range order {
		loss := Loss{Message: sayDropped(token, together(missing[token]), s)}
		if len(missing[token]) > 0 { // else it did nothing in a page
			loss.Drops = token
		}
		losses = append(losses, loss)
	}
	return losses
}

// governs lists what a directive of a policy governs, itself or as a fallback.
// Plug-ins and manifests count where the policy speaks of them.
func governs(p csp.Policy, directive string) []string {
	var names []string
	for _, name := range governed {
		d, ok := p.Effective(name)
		if ok && d.Name == directive && (d.Name == name || name != "object-src" && name != "manifest-src") {
			names = append(names, name)
		}
	}
	return names
}

// meansThere reports whether a source means anything in a directive: keywords are
// about code, and gap: is asked for by a frame.
func meansThere(token, name string) bool {
	script, style := strings.HasPrefix(name, "script-src"), strings.HasPrefix(name, "style-src")
	attribute := strings.HasSuffix(name, "-attr")
	switch l := strings.ToLower(token); {
	case l == "'none'":
		return true
	case l == needs.UnsafeInline, strings.HasPrefix(l, "'sha"), l == "'unsafe-hashes'":
		return script || style
	case l == needs.UnsafeEval, l == needs.WasmEval:
		return name == "script-src-elem"
	case strings.HasPrefix(l, "'nonce-"), l == "'strict-dynamic'":
		return (script || style) && !attribute
	case attribute:
		return false
	case l == "gap:" || strings.HasPrefix(l, "gap://"):
		return name == "frame-src"
	}
	return true
}

// holds reports whether a directive of the new policy has a source, or covers what
// it covers.
func holds(made csp.Policy, name, token string) bool {
	d, ok := made.Effective(name)
	if !ok || strings.EqualFold(token, "'none'") || d.Has(token) {
		return true
	}
	sample, isHost := sampleOf(token)
	return isHost && d.Allows(sample, selfURL)
}

// together writes a directive for elements as the one for both.
func together(names []string) []string {
	var all []string
	for _, name := range names {
		name = strings.TrimSuffix(name, "-elem")
		base, attribute := strings.CutSuffix(name, "-attr")
		if !slices.Contains(all, name) && (!attribute || !slices.Contains(all, base)) {
			all = append(all, name)
		}
	}
	return all
}

// sayDropped is the sentence about one source, or about a directive as a whole.
func sayDropped(token string, names []string, s Source) string {
	where := strings.Join(names, ", ")
	what := fmt.Sprintf("the page's own policy has %s in %s, ", token, where)
	switch l := strings.ToLower(token); {
	case len(names) == 0:
		return fmt.Sprintf("the page's own policy has %s, which does nothing in a page: it is left out", token)
	case l == needs.UnsafeEval && slices.Contains(names, "script-src"):
		return "eval and new Function stop working: the page's policy has 'unsafe-eval'"
	case strings.HasPrefix(l, "'nonce-"):
		return what + "which everybody can read in a packaged page: scripts and styles with it stop working, unless " +
			"they stand in the page"
	case strings.HasPrefix(l, "'sha"):
		return what + "which is of no script or style in the page: what has it stops working"
	case l == needs.UnsafeInline && strings.HasPrefix(where, "style-src"):
		return what + fmt.Sprintf("which nothing that was read needs: %q and %q in the preference %s keep it",
			needs.ClassStyleElements, needs.ClassStyleAttributes, needs.Preference)
	case strings.HasPrefix(l, "'"):
		return what + "which is left out: what needs it stops working"
	}
	sample, isHost := sampleOf(token)
	switch parsed, _ := csp.ParseSource(token); {
	case !isHost:
		return what + "which is left out there: such URLs no longer load"
	case token == "*" || parsed.Host == "" || parsed.Host == "*":
		return what + "which is every host: only those that are listed are left"
	case covers(s.Frames(), sample):
		return what + "which is listed, but code and forms need more than that: nothing loads from there any more"
	default:
		return fmt.Sprintf("the page's own policy has %s, which is on no list: nothing loads from there any more%s",
			token, known[parsed.Host])
	}
}

// known says what hosts of the usual templates are for.
var known = map[string]string{"ssl.gstatic.com": " (TalkBack, the screen reader of Android, asked for it: list it " +
	"where that matters)"}
