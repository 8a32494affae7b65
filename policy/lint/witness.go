package lint

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// Witness is a URL that shows that what a finding says is true: asked about it,
// the engine gives the verdict.
type Witness struct {
	URL string
	// Kind is what asks for the URL. The question is strict: what the list says,
	// also where the platform never asks it, unless Unasked is set.
	Kind   policy.Kind
	Target policy.Target
	// Verdict is Allow or Launch, never Block.
	Verdict policy.Verdict
	// Unasked says that the finding is about what the platform does without a
	// question to any list.
	Unasked bool
}

// Request is the question that the witness answers.
func (w *Witness) Request() policy.Request {
	return policy.Request{URL: w.URL, Kind: w.Kind, Strict: !w.Unasked}
}

// grants says how a URL that an entry for the purpose lets in is asked about,
// and what the answer is.
func grants(purpose policy.Purpose) (verdict policy.Verdict, kinds []policy.Kind) {
	switch purpose {
	case policy.ForNavigation:
		return policy.Allow, []policy.Kind{policy.Navigation}
	case policy.ForLaunch:
		return policy.Launch, []policy.Kind{policy.Navigation}
	}
	// Up to 2.6, and on Windows Phone, navigation alone asks the list.
	return policy.Allow, []policy.Kind{policy.XHR, policy.Plugin, policy.Navigation}
}

// purpose is what the entry is for, as its author meant it.
func (e *entry) purpose() policy.Purpose {
	switch e.role {
	case forNavigation, forContent:
		return policy.ForNavigation
	case forIntent, forExternal:
		return policy.ForLaunch
	}
	return policy.ForRequest
}

// lets asks a target whether it lets a URL in by this entry, as an entry of its
// role does.
func (rd *reading) lets(e *entry, url string) *Witness {
	verdict, kinds := grants(e.purpose())
	return rd.decides(e, url, verdict, kinds...)
}

// decides returns the witness that the target reads the entry as covering the
// URL and decides it so, or nil.
func (rd *reading) decides(e *entry, url string, verdict policy.Verdict, kinds ...policy.Kind) *Witness {
	if !rd.entryCovers(e, url) {
		return nil
	}
	return rd.verdict(url, verdict, kinds...)
}

// verdict returns the witness that the target decides the URL so for one of the
// kinds, or nil.
func (rd *reading) verdict(url string, verdict policy.Verdict, kinds ...policy.Kind) *Witness {
	for _, kind := range kinds {
		w := Witness{URL: url, Kind: kind, Target: rd.target, Verdict: verdict}
		if rd.policy.Decide(w.Request()).Verdict == verdict {
			return &w
		}
	}
	return nil
}

// shown returns those readings in which the entry lets one of the URLs in, and
// the first witness; nil if there is none.
func shown(readings []*reading, e *entry, urls ...string) ([]*reading, *Witness) {
	var list []*reading
	var first *Witness
	for _, rd := range readings {
		for _, url := range urls {
			if w := rd.lets(e, url); w != nil {
				list = append(list, rd)
				if first == nil {
					first = w
				}
				break
			}
		}
	}
	return list, first
}

// witnessed attaches the URL that shows what the finding says.
func witnessed(w *Witness) option { return func(f *Finding) { f.Witness = w } }

// everyHost returns URLs of a host that nobody lists, as an entry that means
// every host covers them: over https and http, or with the entry's own port and
// path.
func (e *entry) everyHost() []string {
	urls := webProbes[:]
	if e.web() && e.anyHost() {
		urls = append(urls[:len(urls):len(urls)], e.sampleOf(e.schemeOr("https")), e.sampleOf(e.schemeOr("http")))
	}
	return urls
}

// witnessSteps is enough for the few patterns of one entry.
const witnessSteps = 400_000

// coveredBy returns a URL that the target reads the entry as covering, or "".
func (rd *reading) coveredBy(e *entry) string {
	how := pattern.AllHosts
	if rd.target.Platform == dialect.Strict {
		how = pattern.WebHosts
	}
	for _, rule := range rd.rules[e.index] {
		if rule.Flaw == policy.Dropped || rule.Flaw == policy.Ignored {
			continue
		}
		if url, outcome := pattern.Covered(how, rule.Patterns).Witness(witnessSteps); outcome == pattern.Found {
			return url
		}
	}
	return ""
}

// letsIn returns the witness that a rule which the target reads out of the entry
// lets something in, whatever it is; nil if none does.
func (rd *reading) letsIn(e *entry, rule *policy.Rule) *Witness {
	if len(rule.Patterns) == 0 {
		return nil
	}
	verdict, kinds := grants(rule.Purpose)
	for _, url := range append(e.everyHost(), e.sample(), e.sampleOf(e.schemeOr("http")), rd.coveredBy(e)) {
		if w := rd.decides(e, url, verdict, kinds...); w != nil {
			return w
		}
	}
	return nil
}

// of compiles the list for a platform that the project may not name: its own
// targets of that platform, or else the latest.
func (r *run) of(platform string) []*reading {
	var list []*reading
	for _, rd := range r.targets {
		if rd.target.Platform == platform {
			list = append(list, rd)
		}
	}
	if list != nil || r.project.Config == nil {
		return list
	}
	target, err := dialect.ParseTarget(platform)
	if err != nil {
		return nil
	}
	if rd, err := r.read(target); err == nil {
		list = append(list, rd)
	}
	return list
}
