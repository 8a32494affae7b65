package lint

import (
	"fmt"
	"iter"
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

func checkDuplicate(r *run) {
	for _, e := range r.entries {
		if e.twin == nil || e.role == forContent || !e.has {
			continue
		}
		r.report(r.at(e.element), []option{r.fixed("remove the second copy", r.project.Config.Removal(e.element))},
			"the same entry stands in line %d", r.line(e.twin))
	}
}

// checkShadowed compares every entry with those that could be wider: the
// catch-alls, the wildcards of each parent domain, and others of its own host.
func checkShadowed(r *run) {
	wide := r.rivals()
	pointless := make(map[*entry][]*entry) // what each catch-all shadows
	for _, e := range r.entries {
		if e.role == forContent || !e.web() || e.attr.Name == "uri" || e.twin != nil {
			continue // without its last uri= BlackBerry 10 would read origins
		}
		by := r.shadow(e, wide)
		switch {
		case by == nil:
		case by.anyHost():
			pointless[by] = append(pointless[by], e)
		default:
			var options []option
			if !r.flawedElsewhere(by) && !r.flawedElsewhere(e) { // else they say more than they do
				options = append(options,
					r.fixed("remove the entry, the wider one stays", r.project.Config.Removal(e.element)))
			}
			r.report(r.at(e.element), options,
				"%s in line %d already covers %s", quote(by.text), r.line(by), quote(e.text))
		}
	}
	for by, list := range pointless {
		more := ""
		if n := len(list) - 1; n > 0 {
			more = fmt.Sprintf(" and %d other %s", n, wording.Plural(n, "entry", "entries"))
		}
		// No fix: the entries are what should stay once the catch-all goes.
		r.report(r.at(list[0].element), nil,
			"%s in line %d already covers %s%s", quote(by.text), r.line(by), quote(list[0].text), more)
	}
}

// line returns the line that an entry begins in.
func (r *run) line(e *entry) int { return r.project.Config.Place(e.element.Start, 0).Line }

// maxRivals bounds how many entries of one host an entry is compared with.
const maxRivals = 16

// rivals are the entries of a role that may be wider than another one, by the host
// that they name.
type rivals [forContent]map[string][]*entry

func (r *run) rivals() rivals {
	var counts [forContent + 1]int
	for _, e := range r.entries {
		counts[e.role]++
	}
	var wide rivals
	for role := range wide {
		wide[role] = make(map[string][]*entry, counts[role])
	}
	for _, e := range r.entries {
		if e.role == forContent || !e.web() {
			continue
		}
		hosts, host := wide[e.role], e.base()
		if list := hosts[host]; len(list) < maxRivals {
			hosts[host] = append(list, e)
		}
	}
	return wide
}

// shadow returns an entry that covers what e covers, or nil. e has no twin before
// it.
func (r *run) shadow(e *entry, wide rivals) *entry {
	for host := e.base(); ; {
		for _, w := range wide[e.role][host] {
			if w == e || w.twin == e || w.scope != "" && w.scope != e.scope || !r.shadows(w, e) {
				continue
			}
			if w.element.Start < e.element.Start || w.scope != e.scope || !r.shadows(e, w) {
				return w // of two that cover the same, the first one stays
			}
		}
		if host == "*" {
			return nil
		}
		if _, parent, more := strings.Cut(host, "."); more {
			host = parent
		} else {
			host = "*"
		}
	}
}

// shadows reports whether w covers all of e wherever e covers anything. The
// entries' own texts say what could differ; the engine is asked about it.
func (r *run) shadows(w, e *entry) bool {
	asked := 0
	for _, rd := range r.all() {
		if !rd.grantsAny(e) {
			continue
		}
		for raw := range witnesses(e) {
			u := rd.policy.Split(raw)
			if !rd.entryHolds(e, &u) {
				continue
			}
			if asked++; !rd.entryHolds(w, &u) {
				return false
			}
		}
	}
	return asked > 0
}

// witnesses yields URLs that tell the forms of entries apart: schemes, the host
// and names below it, ports, paths. Most questions end at the first of them.
func witnesses(e *entry) iter.Seq[string] {
	hosts := []string{e.base()}
	if e.below() {
		hosts = append(hosts, "x."+e.base(), "y.x."+e.base())
	}
	if e.host == "*" {
		hosts = []string{probeHost, "x"}
	}
	ports := []string{"", ":8443", ":80"}
	if e.port != "" {
		ports = append(ports, ":"+e.port)
	}
	trunk := strings.TrimSuffix(samplePath(e), "x")
	paths := []string{"/", samplePath(e), trunk + "cordon/probe"}
	return func(yield func(string) bool) {
		for _, scheme := range []string{"https", "http", "wss", "ws", "ftp"} {
			for _, host := range hosts {
				for _, port := range ports {
					for _, path := range paths {
						if !yield(scheme + "://" + host + port + path) {
							return
						}
					}
				}
			}
		}
	}
}

// platformNames are the names that <platform> may have; those without a list
// of their own are here because the rule is about spelling.
var platformNames = []string{"android", "ios", "browser", "electron", "windows", "windows8", "wp7", "wp8",
	"blackberry10", "blackberry", "amazon-fireos", "firefoxos", "ubuntu", "osx", "tizen", "webos", "winphone", "qnx",
	"symbian", "bada", "www"}

func isPlatform(name string) bool {
	for _, known := range platformNames {
		if known == name {
			return true
		}
	}
	_, known := dialect.Lookup(name)
	return known
}

func checkUnknownScope(r *run) {
	if r.project.Config == nil {
		return
	}
	for _, e := range r.project.Config.Root().Children {
		if e.Name == "platform" && !isPlatform(e.Value("name")) && len(e.Children) > 0 {
			r.report(r.at(e), nil, "there is no platform called %s, so nothing inside has an effect",
				quote(e.Value("name")))
		}
	}
}

func isListElement(name string) bool {
	return name == "access" || name == "allow-navigation" || name == "allow-intent"
}

func checkMisplaced(r *run) {
	if r.project.Config == nil {
		return
	}
	root := r.project.Config.Root()
	root.Walk(func(e *configxml.Element) bool {
		p := e.Parent
		if isListElement(e.Name) && p != root && p != nil && (p.Name != "platform" || p.Parent != root) &&
			!inNative(p) {
			r.report(r.at(e), nil, "<%s> inside <%s> is not part of the list that prepare reads", e.Name, p.Name)
		}
		return true
	})
}

// inNative reports whether an element is content for a native file, where
// names mean something else.
func inNative(e *configxml.Element) bool {
	for ; e != nil; e = e.Parent {
		if e.Name == "config-file" || e.Name == "edit-config" {
			return true
		}
	}
	return false
}

func checkUnknownElement(r *run) {
	if r.project.Config == nil {
		return
	}
	root := r.project.Config.Root()
	root.Walk(func(e *configxml.Element) bool {
		if inNative(e) || e == root {
			return true
		}
		if meant := nearList(e.Name); meant != "" {
			r.report(r.at(e), nil, "no platform reads <%s>; <%s> was probably meant", e.Name, meant)
		}
		return true
	})
}

func nearList(name string) string {
	if isListElement(name) {
		return ""
	}
	plain := strings.TrimSuffix(strings.NewReplacer("_", "-", " ", "").Replace(strings.ToLower(name)), "s")
	plain = strings.ReplaceAll(plain, "allownavigation", "allow-navigation")
	plain = strings.ReplaceAll(plain, "allowintent", "allow-intent")
	switch plain {
	case "access", "acces":
		return "access"
	case "allow-navigation", "allow-navigate", "allow-navigatio":
		return "allow-navigation"
	case "allow-intent", "allow-intend", "allow-intant":
		return "allow-intent"
	}
	return ""
}

func checkMissingAttribute(r *run) {
	for _, e := range r.entries {
		if e.role == forContent {
			continue
		}
		other := e.misnamed()
		switch {
		case !e.has && other == "":
			r.report(r.at(e.element), nil, "<%s> without %s lists nothing", e.element.Name, e.attribute())
		case !e.has:
			r.report(r.at(e.element), nil, "<%s> without %s lists nothing; it has %s= instead", e.element.Name,
				e.attribute(), other)
		case other != "" && strings.TrimSpace(e.text) == "":
			r.report(r.at(e.element), nil, "<%s> with an empty %s lists nothing; it has %s= beside it", e.element.Name,
				e.attr.Name, other)
		case other != "":
			r.report(r.at(e.element), nil, "<%s> is read by %s alone: what %s= says beside it is not listed",
				e.element.Name, e.attr.Name, other)
		}
	}
}

// misnamed returns the name, with its prefix, of an attribute that no platform reads
// on this element and that looks like the one it is about, and says something else
// than that one; "" if there is none.
func (e *entry) misnamed() string {
	requests := e.role == forAccess || e.role == forExternal
	for i := range e.element.Attrs {
		a := &e.element.Attrs[i]
		switch strings.ToLower(a.Name) {
		case "href", "origin", "src", "url":
		case "uri":
			if requests && a.Prefix == "" {
				continue // BlackBerry 10 reads it: see uri-attribute
			}
		default:
			continue
		}
		value := strings.TrimSpace(a.Value)
		switch {
		case value == "" || a.Prefix == "xmlns" || e.has && (a == e.attr || value == strings.TrimSpace(e.text)):
		case a.Prefix != "":
			return a.Prefix + ":" + a.Name
		default:
			return a.Name
		}
	}
	return ""
}

func checkURIAttribute(r *run) {
	others := 0
	for _, rd := range r.targets {
		if rd.target.Platform != "blackberry10" {
			others++
		}
	}
	if others == 0 && len(r.targets) > 0 {
		return
	}
	for _, e := range r.entries {
		uri, has := e.element.Attr("uri")
		switch {
		case !has || e.role != forAccess && e.role != forExternal || e.scope == "blackberry10":
		case e.attr.Name == "uri":
			r.report(r.at(e.element), nil, "only BlackBerry 10 reads uri=%s", quote(e.text))
		case uri.Value != e.text:
			r.report(r.at(e.element), nil, "BlackBerry 10 reads uri=%s here and the others origin=%s", quote(uri.Value),
				quote(e.text))
		}
	}
}

func checkBlank(r *run) {
	for _, e := range r.entries {
		if e.has && strings.ContainsAny(e.text, " \t\r\n\u00a0") {
			r.report(r.at(e.element), nil, "%s has blank space in it, which no real URL matches", quote(e.text))
		}
	}
}
