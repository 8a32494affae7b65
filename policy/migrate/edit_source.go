package migrate

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// sameReading reports whether the new platform reads an element as the old one
// does, so that it can stay as it is.
func (m *migration) sameReading(e *configxml.Element, role role) bool {
	now := m.to.role(e)
	if role == launch && e.Name == "access" && m.to.split {
		return false // there is an element that says so
	}
	if now == nothing || now&launch != role&launch || m.to.text(e) != m.from.text(e) {
		return false
	}
	if now&^role != 0 && !(m.to.split && now&launch == 0) {
		return false // it would do more than before
	}
	text := m.bareElement(e)
	return m.sameURLs(e.Name, text, e.Name, text)
}

// bareElement is an element as text, without children and prefix.
func (m *migration) bareElement(e *configxml.Element) string {
	text := string(m.doc.Bytes()[e.Start:e.TagEnd])
	if !strings.HasSuffix(text, "/>") {
		text = strings.TrimSuffix(text, ">") + "/>"
	}
	if e.Prefix != "" {
		text = strings.Replace(text, "<"+e.Prefix+":", "<", 1)
	}
	return text
}

// sameURLs reports whether the new platform reads an element as the old one
// reads another: as the same set of URLs.
func (m *migration) sameURLs(oldName, oldText, newName, newText string) bool {
	before, ok := patterns(oldName, oldText, m.options.From)
	if !ok {
		return false
	}
	after, ok := patterns(newName, newText, m.options.To)
	if !ok {
		return false
	}
	x, y := pattern.Covered(m.from.reading(), before), pattern.Covered(m.to.reading(), after)
	_, outcome := x.Minus(y).Union(y.Minus(x)).Witness(1_000_000)
	return outcome == pattern.Empty
}

// patterns compiles an element alone for a target.
func patterns(name, text string, t policy.Target) ([]pattern.Pattern, bool) {
	doc, err := configxml.Parse("", []byte(`<widget><plugin name="cordova-plugin-whitelist"/>`+text+`</widget>`))
	if err != nil {
		return nil, false
	}
	compiled, err := dialect.Compile(doc, t)
	if err != nil {
		return nil, false
	}
	for _, rule := range compiled.Rules() {
		if !rule.Implicit() && rule.Element == name {
			// Rules that iOS reads at build time only still have their meaning.
			return rule.Patterns, rule.Flaw != policy.Dropped && len(rule.Patterns) > 0
		}
	}
	return nil, false
}

// asWritten replaces lines by a single one with the text as the old file has
// it, if the new platform reads that as the same URLs.
func (m *migration) asWritten(e *configxml.Element, lines []line) []line {
	if len(lines) == 0 || m.to.language != urlPattern && m.to.language != strictText {
		return lines
	}
	one := line{element: lines[0].element, attribute: lines[0].attribute, value: m.from.text(e),
		external: lines[0].external}
	if _, host, ok := strings.Cut(strings.TrimSuffix(one.value, "/*"), "://"); ok && len(lines) == 1 &&
		!strings.Contains(host, "/") &&
		strings.TrimSuffix(lines[0].value, "/*") == strings.TrimSuffix(one.value, "/*") {
		return []line{one} // without a path every path is meant
	}
	if m.sameURLs(e.Name, m.bareElement(e), one.element, m.text(withoutAttributes(e), one)) {
		return []line{one}
	}
	return lines
}

// companions are the lines that an element that stays needs beside it: what
// one list did before, several do now.
func (m *migration) companions(e *configxml.Element, from role, grants []grant) []line {
	own, _ := m.to.element(request)
	var lines []line
	for _, each := range m.to.rolesFor(from) {
		name, attribute := m.to.element(each)
		if name == e.Name || name == own && e.Name == "allow-navigation" && m.to.split {
			continue
		}
		made, _ := m.to.writeGrants(each, m.expandWildcards(grants))
		if len(made) == 0 || len(grants) == 1 && grants[0].all {
			made = []line{{element: name, attribute: attribute, value: m.from.text(e)}}
		}
		lines = append(lines, m.asWritten(e, made)...)
	}
	return lines
}

// replace puts lines in the place of an element, or behind one that stays.
func (m *migration) replace(e *configxml.Element, lines []line, kept bool) {
	var texts []string
	if kept {
		m.written[lineKey(e.Name, m.to.text(e), m.to.external(e))] = true
		texts = append(texts, string(m.doc.Bytes()[e.Start:e.End]))
	}
	for _, l := range lines {
		key := lineKey(l.element, l.value, l.external)
		if m.written[key] {
			continue
		}
		m.written[key] = true
		texts = append(texts, m.text(e, l))
	}
	switch text := strings.Join(texts, m.lineBreak(e.Start)); {
	case len(texts) == 0:
		m.gone[e] = len(m.edits)
		m.edits = append(m.edits, m.doc.Removal(e))
	case kept && len(texts) == 1:
	case kept:
		m.edits = append(m.edits, configxml.Edit{Start: e.End, End: e.End, New: text[e.End-e.Start:]})
	default:
		m.edits = append(m.edits, configxml.Edit{Start: e.Start, End: e.End, New: text})
	}
}

// text writes a line in the manner of an element that is there. An element of
// the same name keeps its other attributes.
func (m *migration) text(e *configxml.Element, l line) string {
	if e.Name == l.element {
		if text, ok := m.copied(e, l); ok {
			return text
		}
	}
	name := l.element
	if e.Prefix != "" {
		name = e.Prefix + ":" + name
	}
	text := "<" + name + " " + l.attribute + `="` + configxml.Escape(l.value) + `"` + l.attributes()
	if strings.HasSuffix(string(m.doc.Bytes()[e.Start:e.TagEnd]), " />") {
		return text + " />"
	}
	return text + "/>"
}

func (l *line) attributes() string {
	text := ""
	if l.subdomains {
		text += ` subdomains="true"`
	}
	if l.external {
		text += ` launch-external="yes"`
	}
	return text
}

func (m *migration) copied(e *configxml.Element, l line) (string, bool) {
	if e.End != e.TagEnd && len(e.Children) > 0 {
		return "", false
	}
	data := m.doc.Bytes()[e.Start:e.End]
	var edits []configxml.Edit
	found := false
	for _, a := range e.Attrs {
		switch {
		case a.Prefix != "":
		case a.Name == "origin" || a.Name == "uri" || a.Name == "href":
			if found {
				edits = append(edits, m.doc.RemoveAttr(a))
				continue
			}
			found = true
			edits = append(edits, configxml.Edit{Start: a.Start, End: a.End,
				New: l.attribute + `="` + configxml.Escape(l.value) + `"` + l.attributes()})
		case a.Name == "subdomains" || a.Name == "launch-external":
			edits = append(edits, m.doc.RemoveAttr(a))
		}
	}
	for i := range edits {
		edits[i].Start -= e.Start
		edits[i].End -= e.Start
	}
	text, err := configxml.Splice(data, edits...)
	return string(text), found && err == nil
}

// lineBreak is the line end and indentation in front of an offset.
func (m *migration) lineBreak(at int) string {
	before := string(m.doc.Bytes()[:at])
	feed := strings.LastIndexByte(before, '\n')
	if feed < 0 || strings.Trim(before[feed+1:], " \t") != "" {
		return "\n"
	}
	if strings.HasSuffix(before[:feed], "\r") {
		feed--
	}
	return before[feed:]
}

// finish puts what was added behind the list, or at the end of a file without
// one.
func (m *migration) finish() {
	var fresh []line
	for _, l := range m.tail {
		if key := lineKey(l.element, l.value, l.external); !m.written[key] {
			m.written[key] = true
			fresh = append(fresh, l)
		}
	}
	if len(fresh) == 0 {
		return
	}
	like, root := m.last, m.doc.Root()
	if like == nil && len(root.Children) > 0 {
		like = root.Children[len(root.Children)-1]
	}
	var texts []string
	for _, l := range fresh {
		if like != nil {
			texts = append(texts, m.text(withoutAttributes(like), l))
		} else {
			texts = append(texts, m.text(withoutAttributes(root), l))
		}
	}
	if like == nil {
		m.insertInside(root, "\n  "+strings.Join(texts, "\n  ")+"\n")
		return
	}
	lineBreak := m.lineBreak(like.Start)
	text := strings.Join(texts, lineBreak)
	if at, removed := m.gone[like]; removed {
		m.edits[at] = configxml.Edit{Start: like.Start, End: like.End, New: text}
		return
	}
	m.edits = append(m.edits, configxml.Edit{Start: like.End, End: like.End, New: lineBreak + text})
}

// withoutAttributes is an element whose manner is followed but not its
// attributes.
func withoutAttributes(e *configxml.Element) *configxml.Element {
	return &configxml.Element{Prefix: listPrefix(e), Start: e.Start, End: e.End, TagEnd: e.TagEnd}
}

func listPrefix(e *configxml.Element) string {
	switch e.Name {
	case "access", "allow-navigation", "allow-intent":
		return e.Prefix
	}
	return ""
}

// insertInside puts text into an element without children.
func (m *migration) insertInside(e *configxml.Element, text string) {
	if e.End != e.TagEnd {
		m.edits = append(m.edits, configxml.Edit{Start: e.TagEnd, End: e.TagEnd, New: text})
		return
	}
	name := e.Name
	if e.Prefix != "" {
		name = e.Prefix + ":" + name
	}
	m.edits = append(m.edits, configxml.Edit{Start: e.End - len("/>"), End: e.End, New: ">" + text + "</" + name + ">"})
}
