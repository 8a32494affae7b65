package lint

import (
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// checkPagesFound reports a project of which no page was read.
func checkPagesFound(r *run) {
	if r.project.NoPages == nil {
		return
	}
	r.report(r.project.NoPages.Place, nil, "no page of the app was read: %s", r.project.NoPages.Why)
}

// checkFactsKnown reports what could not be established. A plugin that is named and
// not there is said in the summary, as is a platform that is newer than what is known:
// that is how a project looks that was not built, and how one that is ahead of Cordon.
// An entry of a built file has rules of its own.
func checkFactsKnown(r *run) {
	missing := missingAt(r.project)
	for _, u := range unknowns(r.project) {
		if !missing[u.Place] && !ofBuilt(r.project, u) && !slices.Contains(r.project.Newer, u) {
			r.report(u.Place, nil, "%s", u.What)
		}
	}
	r.nativeUnknown()
}

// ofBuilt reports whether what is not known stands in a built config.xml, or in a copy
// of a Capacitor configuration.
func ofBuilt(p *app.App, u configxml.Unknown) bool {
	return slices.ContainsFunc(p.Built, func(b app.Built) bool { return b.Document.Name() == u.Place.File }) ||
		slices.ContainsFunc(p.Copies, func(c app.Copy) bool { return c.Name == u.Place.File })
}

// checkHooks reports the programs that run while the app is made.
func checkHooks(r *run) {
	if r.project.Artifact {
		return // which is what they have made
	}
	for _, h := range r.project.Hooks {
		whose := ""
		if h.Plugin != "" {
			whose = " of the plugin " + h.Plugin
		}
		r.report(h.Place, nil, "%s%s runs at %s: what it changes is not judged", quote(h.Runs), whose, h.When)
	}
}

// checkSwitched reports values that a condition chooses.
func checkSwitched(r *run) {
	for _, s := range r.project.Switched {
		r.report(s.Place, nil, "%s", s.What)
	}
}

func unknowns(p *app.App) []configxml.Unknown {
	if doc := p.Ships(); doc != nil {
		return doc.Unknowns()
	}
	return nil
}

// missingAt are the places where plugins are named that are not there.
func missingAt(p *app.App) map[policy.Place]bool {
	at := make(map[policy.Place]bool)
	for _, plugin := range p.Missing() {
		at[plugin.Place] = !plugin.Place.IsZero()
	}
	return at
}

// checkBuiltConfig and checkBuiltWider report the entries of a built config.xml
// that the project does not have, and the values of a Capacitor configuration's copy.
func checkBuiltConfig(r *run) {
	r.builtEntries(false)
	r.copiedValues(false)
}

func checkBuiltWider(r *run) {
	r.builtEntries(true)
	r.copiedValues(true)
}

func (r *run) builtEntries(wider bool) {
	for i := range r.project.Built {
		b := &r.project.Built[i]
		targets := r.compare(b)
		for _, e := range b.Extra {
			if opensMore(targets, e) == wider {
				r.report(
					e.Place(),
					nil,
					"%s stands in the built file and neither in %s nor in the plugin.xml of a plugin "+
						"that was found",
					described(e),
					r.project.Ships().Name(),
				)
			}
		}
		if b.More > 0 && wider {
			r.report(
				b.Document.Place(0, 0),
				nil,
				"%d more entries stand in the built file and nowhere in the project, "+
					"which were not looked at",
				b.More,
			)
		}
	}
}

// copiedValues reports what a platform's copy of the Capacitor configuration says
// otherwise.
func (r *run) copiedValues(wider bool) {
	for i := range r.project.Copies {
		for _, d := range r.project.Copies[i].Differences {
			if d.Wider == wider {
				r.report(d.Place, nil, "%s, and not in %s: %s", d.What, r.project.Capacitor.Name,
					r.project.Copies[i].Counts())
			}
		}
	}
}

// described writes an element for a message.
func described(e *configxml.Element) string {
	for _, name := range []string{"origin", "href", "src", "name"} {
		if a, ok := e.Attr(name); ok {
			if name == "name" && e.Name == "preference" {
				return "<" + e.Name + "> " + quote(a.Value) + " with the value " + quote(e.Value("value"))
			}
			return "<" + e.Name + "> " + quote(a.Value)
		}
	}
	return "<" + e.Name + ">"
}

// compared is a platform's own file and what the project says, as one target reads them.
type compared struct{ built, ours *policy.Policy }

// compare compiles a built file and the project's document for the targets of its
// platform; what cannot be compiled stays out.
func (r *run) compare(b *app.Built) []compared {
	var list []compared
	for _, t := range r.project.Targets {
		if t.Platform != b.Platform {
			continue
		}
		built, err := dialect.Compile(b.Document, t)
		ours, failed := dialect.Compile(r.project.Ships(), t)
		if err != nil || failed != nil {
			list = append(list, compared{})
			continue
		}
		list = append(list, compared{built, ours})
	}
	return list
}

// opensMore reports whether an entry of a built file opens on its platform what the
// project's own document does not.
func opensMore(targets []compared, e *configxml.Element) bool {
	if !slices.Contains([]string{"access", "allow-navigation", "allow-intent"}, e.Name) {
		return false
	}
	role, ok := roleOf(e)
	if !ok {
		return false
	}
	entry := entry{element: e, role: role}
	entry.read()
	for _, kind := range policy.Kinds() {
		request := policy.Request{URL: entry.sample(), Kind: kind}
		for _, t := range targets {
			if t.built == nil {
				return true
			}
			now, then := t.built.Decide(request).Verdict, t.ours.Decide(request).Verdict
			if now != then && (then == policy.Block || now == policy.Allow) {
				return true
			}
		}
	}
	return false
}
