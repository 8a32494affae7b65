package lint

import (
	"cmp"
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// flawed reports every entry that some targets read with the flaw, once with
// all of them and the first one's note.
func (r *run) flawed(flaw policy.Flaw, readings []*reading, verb string) {
	for _, e := range r.entries {
		if e.role == forContent || r.explained(e, flaw) {
			continue
		}
		var having []*reading
		var first *Witness
		note := ""
		for _, rd := range readings {
			if hostPort(e) && rd.schemeFirst() && (flaw == policy.Rewritten || flaw == policy.NeverMatches) {
				continue // port-read-as-scheme says it
			}
			for _, rule := range rd.rules[e.index] {
				does, w := rd.flawOf(e, rule)
				if does == flaw && !(e.role == forExternal && flaw == policy.Rewritten &&
					rule.Purpose != policy.ForLaunch) {
					having = append(having, rd)
					first = cmp.Or(first, w)
					if note == "" && rule.Note != "" {
						note = ": " + rule.Note
					}
					break
				}
			}
		}
		if len(having) > 0 {
			r.report(r.at(e.element), []option{on(having), witnessed(first)},
				"%s is %s by %s%s", quote(e.text), verb, names(having), note)
		}
	}
}

// flawOf returns a rule's flaw, with a URL that it lets in where that matters: an
// entry of which the platform reads a part that covers nothing never matches.
func (rd *reading) flawOf(e *entry, rule *policy.Rule) (policy.Flaw, *Witness) {
	if rule.Flaw != policy.Cut {
		return rule.Flaw, nil
	}
	if w := rd.letsIn(e, rule); w != nil {
		return policy.Cut, w
	}
	return policy.NeverMatches, nil
}

// explained reports whether a more telling rule speaks about the entry.
func (r *run) explained(e *entry, flaw policy.Flaw) bool {
	switch {
	case !e.has, e.attr.Name == "uri", e.user != "", strings.ContainsAny(e.text, " \t\r\n"):
		return true
	case wildcardTop(e):
		return flaw != policy.BreaksBuild
	case e.element.Value("subdomains") != "":
		return flaw == policy.Rewritten
	case strings.ContainsFunc(e.host, func(c rune) bool { return c >= 0x80 }):
		return flaw == policy.NeverMatches
	}
	return false
}

func checkEntryCut(r *run)       { r.flawed(policy.Cut, r.targets, "cut short") }
func checkEntryDropped(r *run)   { r.flawed(policy.Dropped, r.targets, "dropped") }
func checkEntryRewritten(r *run) { r.flawed(policy.Rewritten, r.targets, "read as something else") }
func checkUnreachable(r *run)    { r.flawed(policy.NeverMatches, r.targets, "kept but never matched") }
func checkUnverified(r *run) {
	r.flawed(policy.Unreadable, r.targets, "read in a way that could not be established")
}
