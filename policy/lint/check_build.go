package lint

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// iosDerives returns the readings of iOS releases that derive App Transport
// Security from the list.
func (r *run) iosDerives() []*reading {
	var list []*reading
	for _, rd := range r.targets {
		if rd.target.Platform == "ios" && rd.target.Version.AtLeast(6, 3, 0) {
			list = append(list, rd)
		}
	}
	return list
}

// derived calls visit for the entries that cordova-ios derives from.
func (r *run) derived(visit func(*entry, []*reading)) {
	readings := r.iosDerives()
	if len(readings) == 0 {
		return
	}
	r.each(func(e *entry) {
		if e.attr.Name != "uri" && (e.scope == "" || e.scope == "ios") {
			visit(e, readings)
		}
	}, forAccess, forExternal, forNavigation)
}

func checkPrepareFails(r *run) {
	failing := make(map[*entry][]*reading)
	why := make(map[*entry]string)
	for _, rd := range r.targets {
		for _, e := range r.entries {
			for _, rule := range rd.rules[e.index] {
				if rule.Flaw == policy.BreaksBuild && e.has {
					failing[e] = append(failing[e], rd)
					why[e] = rule.Note
					break
				}
			}
		}
	}
	r.derived(func(e *entry, readings []*reading) {
		if e.scheme == "" && !e.opaque && e.text != "*" && strings.Contains(e.host, "*") {
			for _, rd := range readings {
				if !contains(failing[e], rd) {
					failing[e] = append(failing[e], rd)
				}
			}
			why[e] = "\"Invalid URL\""
		}
	})
	for _, e := range r.entries {
		if readings := failing[e]; len(readings) > 0 {
			note := ""
			if why[e] != "" {
				note = ": " + why[e]
			}
			r.report(r.at(e.element), []option{on(readings)},
				"building for %s fails on %s%s", names(readings), quote(e.text), note)
		}
	}
}

func contains(list []*reading, rd *reading) bool {
	for _, each := range list {
		if each == rd {
			return true
		}
	}
	return false
}

func checkATSDisabled(r *run) {
	r.derived(func(e *entry, readings []*reading) {
		if e.text == "*" || e.host == "*" && e.scheme != "" {
			for _, narrower := range []string{"allows-arbitrary-loads-in-web-content",
				"allows-arbitrary-loads-in-media", "allows-arbitrary-loads-for-media", "allows-local-networking"} {
				if e.element.Value(narrower) == "true" {
					return // iOS 10+ then ignores the wide key
				}
			}
			r.report(r.at(e.element), []option{on(readings)},
				"%s %s makes prepare write NSAllowsArbitraryLoads", e.attr.Name, quote(e.text))
		}
	})
}

func checkExternalCleartext(r *run) {
	r.derived(func(e *entry, readings []*reading) {
		if e.role == forExternal && (e.scheme == "http" || e.scheme == "*") && e.host != "" && e.host != "*" {
			r.report(r.at(e.element), []option{on(readings)},
				"prepare allows insecure loads from %s inside the app, although the entry is external", e.base())
		}
	})
}

func checkATSKey(r *run) {
	r.derived(func(e *entry, readings []*reading) {
		host := e.base()
		if e.scheme == "" || e.opaque || host == "*" || host == "" {
			return
		}
		if strings.Contains(host, "*") || strings.HasSuffix(host, ".") || strings.HasPrefix(host, "[") {
			r.report(r.at(e.element), []option{on(readings)},
				"prepare writes the key %s, which no host equals", quote(host))
		}
	})
}

// natives calls visit for the elements that change a native file.
func (r *run) natives(visit func(*configxml.Element)) {
	if r.project.Config == nil {
		return
	}
	r.project.Config.Root().Walk(func(e *configxml.Element) bool {
		if e.Name == "config-file" || e.Name == "edit-config" {
			visit(e)
		}
		return true
	})
}

func checkATSConfigFile(r *run) {
	r.natives(func(e *configxml.Element) {
		if e.Name == "config-file" && e.Value("parent") == "NSAppTransportSecurity" {
			r.report(r.at(e), nil, "this dictionary is gone after the second prepare")
		}
	})
}

func checkArbitraryLoads(r *run) {
	r.natives(func(e *configxml.Element) {
		var key *configxml.Element
		e.Walk(func(child *configxml.Element) bool {
			if child.Name == "key" {
				key = child
			} else if child.Name == "true" && key != nil && strings.TrimSpace(key.Text) == "NSAllowsArbitraryLoads" {
				r.report(r.at(key), nil, "NSAllowsArbitraryLoads switches App Transport Security off")
			}
			return true
		})
	})
}

func checkWeakTLS(r *run) {
	for _, e := range r.entries {
		if e.role != forAccess && e.role != forExternal && e.role != forNavigation {
			continue
		}
		for _, a := range e.element.Attrs {
			weak := a.Name == "minimum-tls-version" && (a.Value == "TLSv1.0" || a.Value == "TLSv1.1") ||
				a.Name == "requires-forward-secrecy" && a.Value == "false"
			if weak {
				fix := r.fixed(fmt.Sprintf("remove %s, the default is stricter", a.Name),
					r.project.Config.RemoveAttr(a))
				r.report(r.project.Config.Place(a.Start, a.End), []option{fix},
					"%s=%s weakens TLS for %s", a.Name, quote(a.Value), quote(e.text))
			}
		}
	}
}
