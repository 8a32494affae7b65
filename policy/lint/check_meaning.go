package lint

import (
	"cmp"
	"fmt"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// neverAsked returns the targets that never ask the list for a kind.
func (r *run) neverAsked(kind policy.Kind) []*reading {
	var list []*reading
	for _, rd := range r.targets {
		d := rd.policy.Decide(policy.Request{URL: webProbes[0], Kind: kind})
		if d.Verdict == policy.Bypass {
			list = append(list, rd)
		}
	}
	return list
}

func checkAccessNoEffect(r *run) {
	var first *entry
	count := 0
	for _, e := range r.entries {
		if e.role == forAccess && e.has && !e.anyHost() { // a catch-all does not even pretend
			if first == nil {
				first = e
			}
			count++
		}
	}
	if first == nil {
		return
	}
	readings := r.neverAsked(policy.XHR)
	if len(readings) == 0 {
		return
	}
	if page := r.project.StartPage(); page != nil && !readCSP(page).opens("connect-src") {
		return // the page's own policy does what the list does not
	}
	subject := "this entry restricts"
	if count > 1 {
		subject = fmt.Sprintf("the %d access entries restrict", count)
	}
	r.report(r.at(first.element), []option{on(readings)},
		"%s nothing that pages request on %s", subject, names(readings))
}

func checkLaunchGrants(r *run) {
	r.each(func(e *entry) {
		var readings []*reading
		var first *Witness
		for _, rd := range r.all() {
			if w := rd.letsInside(e); w != nil {
				readings = append(readings, rd)
				first = cmp.Or(first, w)
			}
		}
		if first != nil {
			r.report(r.at(e.element), []option{on(readings), witnessed(first)},
				"%s is allowed inside the app on %s, where launch-external is not known", quote(e.text),
				names(readings))
		}
	}, forExternal)
}

// letsInside returns the witness that an external entry lets a URL in, or nil.
func (rd *reading) letsInside(e *entry) *Witness {
	for _, rule := range rd.rules[e.index] {
		if rule.Purpose != policy.ForLaunch {
			if w := rd.letsIn(e, rule); w != nil {
				return w
			}
		}
	}
	return nil
}

func checkPortAsScheme(r *run) {
	r.each(func(e *entry) {
		if !hostPort(e) {
			return
		}
		var readings []*reading
		for _, rd := range r.targets {
			if rd.schemeFirst() && len(rd.rules[e.index]) > 0 && !rd.entryCovers(e, e.sampleOf("http")) &&
				!rd.entryCovers(e, e.sampleOf("https")) && rd.reads(e) {
				readings = append(readings, rd)
			}
		}
		if len(readings) > 0 {
			r.report(r.at(e.element), []option{on(readings)},
				"%s is read as the scheme %s with the host %s on %s", quote(e.text), e.host, e.port, names(readings))
		}
	}, forAccess, forExternal, forNavigation, forIntent)
}

// schemeFirst reports whether the target's grammar tries a scheme before a
// host.
func (rd *reading) schemeFirst() bool {
	switch rd.target.Platform {
	case "android", "amazon-fireos", "ios":
		return true
	}
	return false
}

// hostPort reports whether the text is host:port without a scheme.
func hostPort(e *entry) bool {
	return e.scheme == "" && e.host != "" && e.port != "" && strings.Trim(e.port, "0123456789") == "" &&
		isScheme(e.host)
}

// reads reports whether the target reads the entry's element at all.
func (rd *reading) reads(e *entry) bool {
	for _, rule := range rd.rules[e.index] {
		if rule.Flaw != policy.Ignored {
			return true
		}
	}
	return false
}

// wildcardTop reports whether the host's last label is a wildcard.
func wildcardTop(e *entry) bool {
	return e.has && !e.opaque && strings.HasSuffix(e.host, ".*") && e.host != "*.*"
}

func checkWildcardTop(r *run) {
	r.each(func(e *entry) {
		if !wildcardTop(e) {
			return
		}
		does := ""
		for _, rd := range r.targets {
			for _, rule := range rd.rules[e.index] {
				if rule.Flaw != policy.NoFlaw && rule.Flaw != policy.Ignored && does == "" {
					does = fmt.Sprintf(": %s by %s", flawWords[rule.Flaw], rd.target)
				}
			}
		}
		r.report(r.at(e.element), nil, "the last label of %s is a wildcard%s", quote(e.text), does)
	}, forAccess, forExternal, forNavigation, forIntent)
}

var flawWords = map[policy.Flaw]string{
	policy.Dropped: "dropped", policy.Cut: "cut", policy.NeverMatches: "never matched",
	policy.BreaksBuild: "refused at build time", policy.Unreadable: "read in an unknown way",
	policy.Rewritten: "read as something else",
}

func checkWithoutEffect(r *run) {
	if len(r.targets) == 0 {
		return
	}
	for _, e := range r.entries {
		if e.role == forContent || e.role == forAccess || !e.has || e.attr.Name == "uri" {
			continue
		}
		ignored, concerned := 0, 0
		for _, rd := range r.targets {
			if e.scope != "" && e.scope != rd.target.Platform {
				continue
			}
			concerned++
			if !rd.reads(e) && !(rd.derives() && e.opensCleartext()) {
				ignored++
			}
		}
		if concerned > 0 && ignored == concerned {
			r.report(r.at(e.element), []option{on(r.targets)},
				"<%s> has no effect on %s", e.element.Name, names(r.targets))
		}
	}
}

// checkNotStrict reports what only the strict reading refuses: the other rules
// speak about what a platform refuses too.
func checkNotStrict(r *run) {
	if r.strict == nil {
		return
	}
	for _, e := range r.entries {
		if e.scope != "" || !e.has || e.role == forContent || r.explained(e, policy.Dropped) || e.anyHost() ||
			hostPort(e) {
			continue
		}
		for _, rule := range r.strict.rules[e.index] {
			if rule.Flaw == policy.NoFlaw || rule.Flaw == policy.Rewritten || r.flawedElsewhere(e) {
				continue
			}
			note := ""
			if rule.Note != "" {
				note = ": " + rule.Note
			}
			r.report(r.at(e.element), nil, "%s counts for nothing in the strict reading%s", quote(e.text), note)
			break
		}
	}
}

func (r *run) flawedElsewhere(e *entry) bool {
	for _, rd := range r.targets {
		for _, rule := range rd.rules[e.index] {
			switch rule.Flaw {
			case policy.Dropped, policy.Cut, policy.NeverMatches, policy.BreaksBuild:
				return true
			}
		}
	}
	return false
}

func checkSubdomainsIgnored(r *run) {
	r.each(func(e *entry) {
		if e.element.Value("subdomains") != "true" || e.anyHost() || !e.web() {
			return
		}
		if _, address := e.address(); address {
			return
		}
		sub := *e
		sub.host = "sub." + e.base()
		var readings []*reading
		for _, rd := range r.targets {
			if rd.entryCovers(e, e.sample()) && !rd.entryCovers(e, sub.sample()) {
				readings = append(readings, rd)
			}
		}
		if len(readings) > 0 {
			r.report(r.at(e.element), []option{on(readings)},
				"names below %s are not listed on %s: the attribute is ignored there", e.base(), names(readings))
		}
	}, forAccess, forExternal)
}

func checkUnanchored(r *run) {
	r.each(func(e *entry) {
		if !e.web() || e.anyHost() || len(r.anyWebsite(e)) > 0 {
			return
		}
		var doubtful []*reading
		for _, rd := range r.targets {
			if !rd.anchored(e) {
				doubtful = append(doubtful, rd)
			}
		}
		if len(doubtful) == 0 {
			return
		}
		for _, probe := range elsewhere(e.schemeOr("http"), e.base()) {
			if readings, w := shown(doubtful, e, probe); w != nil {
				r.report(r.at(e.element), []option{on(readings), witnessed(w)},
					"%s also covers %s on %s", quote(e.text), probe, names(readings))
				return
			}
		}
	}, forAccess, forExternal, forNavigation)
}

func checkContentHost(r *run) {
	r.each(func(e *entry) {
		if e.scheme != "" || e.opaque || e.host == "" {
			return
		}
		readings := covering(r.targets, e, "http://"+e.host+samplePath(e))
		if len(readings) == 0 {
			return
		}
		options := []option{on(readings)}
		if e.text == "index.html" && len(e.element.Attrs) == 1 {
			options = append(options,
				r.fixed("remove <content>, index.html is the default", r.project.Config.Removal(e.element)))
		}
		r.report(r.at(e.element), options,
			"src %s lets pages of the host %s open inside the app on %s", quote(e.text), e.host, names(readings))
	}, forContent)
}

func checkSchemeMissing(r *run) {
	r.each(func(e *entry) {
		if e.scheme != "" || e.opaque || e.host == "" || e.anyHost() || hostPort(e) || wildcardTop(e) {
			return
		}
		readings := covering(r.targets, e, e.sampleOf("http"))
		also := ""
		if len(readings) > 0 {
			also = ", cleartext included on " + names(readings)
		}
		r.report(r.at(e.element), []option{on(readings)}, "%s names no scheme%s", quote(e.text), also)
	}, forAccess, forExternal, forNavigation, forIntent)
}

func checkIDN(r *run) {
	r.each(func(e *entry) {
		if !e.web() || !strings.ContainsFunc(e.host, func(c rune) bool { return c >= 0x80 }) {
			return
		}
		name, err := hostname.Parse(e.base())
		if err != nil {
			return
		}
		ascii := name.String()
		converted := *e
		converted.host = ascii
		var readings []*reading
		for _, rd := range r.targets {
			if rd.reads(e) && !rd.entryCovers(e, converted.sample()) {
				readings = append(readings, rd)
			}
		}
		if len(readings) > 0 {
			r.report(r.at(e.element), []option{on(readings)},
				"web views ask for %s, which %s does not cover on %s", ascii, quote(e.text), names(readings))
		}
	}, forAccess, forExternal, forNavigation, forIntent)
}

func checkSwallowed(r *run) {
	r.each(func(e *entry) {
		var readings []*reading
		var by *policy.Rule
		for _, rd := range r.targets {
			if rd.target.Platform == dialect.Strict || !rd.entryCovers(e, e.sample()) {
				continue
			}
			d := rd.policy.Decide(policy.Request{URL: e.sample(), Kind: policy.Navigation})
			if d.Verdict == policy.Allow && d.Rule != nil && !d.Rule.Implicit() &&
				r.entryAt(d.Rule) != e {
				readings, by = append(readings, rd), d.Rule
			}
		}
		if by != nil {
			r.report(r.at(e.element), []option{on(readings)},
				"what %s covers opens inside the app instead on %s, because of %s in line %d", quote(e.text),
				names(readings), quote(by.Text), by.Place.Line)
		}
	}, forIntent, forExternal)
}
