package repair

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/lint"
)

// candidates returns the ways to repair a finding, best first: the fix that
// lint attached, then those that this package knows for the rule.
func (w *work) candidates(f *lint.Finding) []candidate {
	var all []candidate
	if f.Fix != nil {
		all = append(all, candidate{summary: f.Fix.Summary, file: f.Fix.File, edits: f.Fix.Edits})
	}
	if e := w.element(f); e != nil {
		all = append(all, w.forElement(f.Rule.ID, e)...)
	}
	if addsPolicy(f.Rule.ID) {
		all = append(all, w.addPolicy(f)...)
	}
	switch f.Rule.ID {
	case "retired-plugin", "plugin-accepts-any-certificate", "whitelist-plugin-obsolete":
		all = append(all, w.replacePlugin(f)...)
	}
	for i := range all {
		all[i].rule, all[i].place = f.Rule.ID, f.Place
	}
	return all
}

// element returns the element of config.xml that a finding is about, or nil.
func (w *work) element(f *lint.Finding) *configxml.Element {
	if w.project.Config == nil || f.Place.File != w.project.Config.Name() {
		return nil
	}
	var found *configxml.Element
	w.project.Config.Root().Walk(func(e *configxml.Element) bool {
		if e.Start == f.Place.Start && e.Parent != nil {
			found = e
		}
		return found == nil && e.Start <= f.Place.Start
	})
	return found
}

// forElement returns the candidates for a rule about an element of the list.
func (w *work) forElement(rule string, e *configxml.Element) []candidate {
	switch rule {
	case "access-catch-all", "navigation-catch-all":
		return w.tighten(e)
	case "intent-catch-all":
		return w.tightenIntent(e)
	case "cleartext-origin", "scheme-missing":
		return w.splitScheme(e)
	case "launch-external-grants":
		return w.closeTrap(e)
	case "entry-cut", "entry-dropped", "entry-rewritten", "unreachable-rule", "missing-attribute", "blank-in-entry",
		"prepare-fails":
		return w.mend(e)
	case "duplicate-rule":
		return []candidate{w.edit("remove the entry, it does nothing", true, w.project.Config.Removal(e))}
	}
	return nil
}

func (w *work) edit(summary string, dead bool, edits ...configxml.Edit) candidate {
	return candidate{summary: summary, file: w.project.Config.Name(), edits: edits, dead: dead}
}

// tighten replaces a catch-all by the hosts that the app's own sources name.
func (w *work) tighten(e *configxml.Element) []candidate {
	attribute := "origin"
	if e.Name == "allow-navigation" {
		attribute = "href"
	}
	attr, ok := e.Attr(attribute)
	if !ok {
		return nil
	}
	var values, encrypted, notes []string
	for _, origin := range w.origins(e.Name == "allow-navigation") {
		secure := origin
		if rest, cleartext := strings.CutPrefix(origin, "http://"); cleartext {
			secure = "https://" + rest
			notes = append(notes, "the app asks "+origin+" without TLS, which is not listed: change the address")
		}
		if e.Name == "allow-navigation" {
			origin, secure = origin+"/*", secure+"/*"
		}
		values, encrypted = append(values, origin), append(encrypted, secure)
	}
	if len(values) == 0 {
		return nil
	}
	summary := "list the hosts that the app's sources name instead of every host"
	if len(w.options.Origins) > 0 && e.Name == "access" {
		summary = "list the hosts that the app's sources and the recording name instead of every host"
	}
	all := []candidate{w.edit(summary, false, w.lines(e, attr, values))}
	if len(notes) > 0 {
		// A catch-all may be one of https alone.
		c := w.edit(summary+", with TLS", false, w.lines(e, attr, encrypted))
		c.notes = notes
		all = append(all, c)
	}
	return all
}

// tightenIntent replaces a catch-all for other apps by the schemes of the
// links in the app's pages.
func (w *work) tightenIntent(e *configxml.Element) []candidate {
	attr, ok := e.Attr("href")
	if e.Name != "allow-intent" || !ok {
		return nil
	}
	values := w.linkSchemes()
	if len(values) == 0 {
		return nil
	}
	return []candidate{w.edit("list the schemes that the app's links have instead of every scheme", false,
		w.lines(e, attr, values))}
}

// splitScheme leaves the encrypted half of an entry that means http and https.
func (w *work) splitScheme(e *configxml.Element) []candidate {
	for _, name := range []string{"origin", "href"} {
		attr, ok := e.Attr(name)
		if !ok {
			continue
		}
		rest, mixed := strings.CutPrefix(attr.Value, "*://")
		if !mixed && strings.Contains(attr.Value, ":") || rest == "" {
			return nil
		}
		return []candidate{w.edit("keep the encrypted half of the entry", false, attr.SetValue("https://"+rest))}
	}
	return nil
}

// closeTrap makes an external access entry say what was meant where the
// platform no longer knows the attribute: another app opens it.
func (w *work) closeTrap(e *configxml.Element) []candidate {
	attr, ok := e.Attr("origin")
	if !ok || e.Name != "access" {
		return nil
	}
	replaced := configxml.Edit{Start: e.Start, End: e.End, New: w.tag(e, "allow-intent", "href", attr.Value)}
	return []candidate{
		w.edit("say allow-intent instead of launch-external", false, replaced),
	}
}

// tag writes an element of another name in the manner of one that is there.
func (w *work) tag(e *configxml.Element, name, attribute, value string) string {
	if e.Prefix != "" {
		name = e.Prefix + ":" + name
	}
	end := "/>"
	if strings.HasSuffix(string(w.project.Config.Bytes()[e.Start:e.TagEnd]), " />") {
		end = " />"
	}
	return "<" + name + " " + attribute + `="` + configxml.Escape(value) + `"` + end
}

// lines replaces an element by copies of it with other values of an attribute,
// one a line.
func (w *work) lines(e *configxml.Element, attr configxml.Attr, values []string) configxml.Edit {
	data := w.project.Config.Bytes()
	text := string(data[e.Start:e.End])
	var copies []string
	for _, value := range values {
		edit := attr.SetValue(value)
		copies = append(copies, text[:edit.Start-e.Start]+edit.New+text[edit.End-e.Start:])
	}
	return configxml.Edit{Start: e.Start, End: e.End, New: strings.Join(copies, w.lineBreak(e))}
}

// lineBreak is the line end and indentation in front of an element.
func (w *work) lineBreak(e *configxml.Element) string {
	before := string(w.project.Config.Bytes()[:e.Start])
	at := strings.LastIndexByte(before, '\n')
	if at < 0 || strings.Trim(before[at+1:], " \t") != "" {
		return "\n"
	}
	if strings.HasSuffix(before[:at], "\r") {
		at--
	}
	return before[at:]
}

// navigationSplit lists, for an app that came from access entries alone, the
// pages that they opened before Android 4.
func (w *work) navigationSplit() []candidate {
	if w.project.Config == nil || !slices.ContainsFunc(w.project.Targets, splits) {
		return nil
	}
	var last *configxml.Element
	var values []string
	for _, e := range w.project.Config.For("") {
		switch e.Name {
		case "allow-navigation", "allow-intent":
			return nil
		case "access":
			attr, ok := e.Attr("origin")
			if _, external := e.Attr("launch-external"); !ok || external || attr.Value == "*" ||
				strings.Contains(attr.Value, "://*") {
				continue
			}
			last = e
			values = append(values, attr.Value)
		}
	}
	values = slices.Compact(values)
	linked := w.origins(true)
	values = slices.DeleteFunc(values, func(origin string) bool {
		return !slices.Contains(linked, strings.TrimSuffix(strings.TrimSuffix(origin, "*"), "/"))
	})
	if len(values) == 0 {
		return nil
	}
	var added strings.Builder
	for _, value := range values {
		href := strings.TrimSuffix(strings.TrimSuffix(value, "*"), "/") + "/*"
		added.WriteString(w.lineBreak(last) + w.tag(last, "allow-navigation", "href", href))
	}
	c := w.edit("list the pages that links lead to with allow-navigation, which Android 4 and later ask", false,
		configxml.Edit{Start: last.End, End: last.End, New: added.String()})
	c.rule, c.place = NavigationSplit, w.project.Config.Place(last.Start, last.TagEnd)
	return []candidate{c}
}
