package repair

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// A line of the list that a platform drops, cuts or never matches may still say
// what was meant. Such a line is written anew, in the form that every platform
// reads the same, and never removed: what it was for would be lost with it.

// valueOf returns the attribute that an element of the list is about; misnamed
// says that it stands under another name.
func valueOf(e *configxml.Element) (attr configxml.Attr, name string, misnamed, ok bool) {
	names := []string{"href"}
	if e.Name == "access" {
		names = []string{"origin", "uri"} // which BlackBerry 10 reads
	}
	for _, own := range names {
		switch a, has := e.Attr(own); {
		case has && strings.TrimSpace(a.Value) != "":
			return a, own, false, true
		case has && !ok:
			attr, ok = a, true
		}
	}
	for _, other := range e.Attrs {
		switch strings.ToLower(other.Name) {
		case "origin", "href", "url", "src", "uri":
			if other.Prefix != "xmlns" && strings.TrimSpace(other.Value) != "" {
				return other, names[0], true, true
			}
		}
	}
	return attr, names[0], false, ok
}

// saysNothing reports whether nothing in the element tells what it was for: no
// letter of a host, no scheme of an app, and not every host either.
func saysNothing(e *configxml.Element) bool {
	attr, _, _, ok := valueOf(e)
	if !ok {
		return true
	}
	value := strings.TrimSpace(attr.Value)
	scheme, rest, found := strings.Cut(value, ":")
	if !found {
		rest = value
	} else if hasLetter(scheme) && !slices.Contains(webSchemes, strings.ToLower(strings.TrimSpace(scheme))) {
		return false
	}
	host, _, _ := strings.Cut(strings.TrimLeft(rest, "/\\"), "/")
	every := host == "*" && (!found || scheme == "*" || hasLetter(scheme))
	return !every && !hasLetter(host)
}

var webSchemes = []string{"http", "https", "ws", "wss"}

func hasLetter(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool {
		return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c >= 0x80
	})
}

// meant returns the value that an entry was probably meant to have, in the form
// that every platform reads; "" where that is the value that it has, or nobody
// can tell.
func meant(value string) string {
	text := strings.Join(strings.Fields(value), "")
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "https", strings.TrimLeft(text, "/")
	}
	scheme = strings.ToLower(scheme)
	if scheme == "*" {
		scheme = "https"
	}
	if !slices.Contains(webSchemes, scheme) {
		return ""
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, path := rest[:end], rest[end:]
	host = host[strings.LastIndexByte(host, '@')+1:]
	name, port, _ := strings.Cut(host, ":")
	if name = meantHost(name); name == "" {
		return ""
	}
	if port != "" && strings.Trim(port, "0123456789") == "" {
		name += ":" + port
	}
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path = path[:i]
	}
	if better := scheme + "://" + name + path; better != value && readable(better) {
		return better
	}
	return ""
}

// meantHost writes a wildcard as a label of its own: "*" glued to a name, or
// several in a row, is one for the names below. A wildcard anywhere else has no
// form that every platform reads.
func meantHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	name := strings.TrimLeft(host, "*.")
	if !hasLetter(name) || strings.Contains(name, "*") || !strings.Contains(name, ".") && name != "localhost" {
		return ""
	}
	if name != host {
		return "*." + name
	}
	return name
}

// rewrite offers what an entry was meant to say. What stands behind a name that
// no platform reads is put under the right one.
func (w *work) rewrite(e *configxml.Element) []candidate {
	attr, name, misnamed, ok := valueOf(e)
	if !ok {
		return nil
	}
	value := meant(attr.Value)
	if value == "" {
		if !misnamed {
			return nil
		}
		value = attr.Value
	}
	if misnamed {
		edits := []configxml.Edit{{Start: attr.Start, End: attr.End,
			New: name + `="` + configxml.Escape(value) + `"`}}
		if empty, has := e.Attr(name); has { // nothing stands in it
			edits = append(edits, w.project.Config.RemoveAttr(empty))
		}
		return []candidate{w.edit("write "+name+"=\""+value+"\", which platforms read", false, edits...)}
	}
	return []candidate{w.edit("write \""+value+"\", which every platform reads the same", false, attr.SetValue(value))}
}

// mend writes an entry anew that does not do what it says; one that says nothing
// goes.
func (w *work) mend(e *configxml.Element) []candidate {
	if saysNothing(e) {
		return []candidate{w.edit("remove the entry, it does nothing", true, w.project.Config.Removal(e))}
	}
	return w.rewrite(e)
}
