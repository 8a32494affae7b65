package lint

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/native"
)

// derives reports whether a release derives App Transport Security from the list:
// cordova-ios from 4.0.1 on.
func (rd *reading) derives() bool {
	return rd.target.Platform == "ios" && rd.target.Version.AtLeast(4, 0, 1)
}

// iosDerives returns the readings of iOS releases that derive App Transport
// Security from the list.
func (r *run) iosDerives() []*reading {
	var list []*reading
	for _, rd := range r.targets {
		if rd.derives() {
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
				if !rd.target.Version.AtLeast(6, 3, 0) {
					continue // what is no URL was passed over
				}
				if why[e] = "\"Invalid URL\""; !contains(failing[e], rd) {
					failing[e] = append(failing[e], rd)
				}
			}
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
		if e.text != "*" && (e.host != "*" || e.scheme == "") {
			return
		}
		var list []*reading
		for _, rd := range readings {
			if !e.narrowed() || !rd.target.Version.AtLeast(4, 3, 0) {
				list = append(list, rd)
			}
		}
		if len(list) > 0 {
			r.known(native.ArbitraryLoads)
			r.report(r.at(e.element), []option{on(list)},
				"%s %s makes prepare write NSAllowsArbitraryLoads", e.attr.Name, quote(e.text))
		}
	})
}

// narrowed reports whether the entry has an attribute, read by cordova-ios from
// 4.3 on, that makes prepare write a key besides which iOS 10 and later ignore
// NSAllowsArbitraryLoads.
func (e *entry) narrowed() bool {
	for _, name := range []string{"allows-arbitrary-loads-in-web-content", "allows-arbitrary-loads-in-media",
		"allows-arbitrary-loads-for-media", "allows-local-networking"} {
		if e.element.Value(name) == "true" {
			return true
		}
	}
	return false
}

func checkExternalCleartext(r *run) {
	r.derived(func(e *entry, readings []*reading) {
		if e.opensCleartext() {
			r.known(insecure(e.base()))
			r.report(r.at(e.element), []option{on(readings)},
				"prepare allows insecure loads from %s inside the app, although the entry is external", e.base())
		}
	})
}

// opensCleartext reports whether prepare for iOS makes an external entry an
// exception that allows insecure loads.
func (e *entry) opensCleartext() bool {
	return e.role == forExternal && (e.scheme == "http" || e.scheme == "*") && e.host != "" && e.host != "*"
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
	for _, t := range r.native().Transports() {
		for _, x := range t.Exceptions {
			if x.Never != "" && !t.Fragment.Generated {
				r.report(x.Place, nil, "the key %s equals no host: %s", quote(x.Host), x.Never)
			}
		}
	}
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
	for _, t := range r.native().Transports() {
		for _, x := range t.Exceptions {
			for _, weak := range x.Weak {
				r.told(t.Fragment, weak.Key+x.Host, weak.Place, nil, "%s=%s weakens TLS for %s%s", weak.Key,
					quote(weak.Text), quote(x.Host), weak.Through)
			}
		}
	}
}
