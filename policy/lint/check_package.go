package lint

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
)

// checkPackage compares the list of a package with that of the project beside it.
func checkPackage(r *run) {
	beside := r.project.Beside
	if beside == nil || beside.Ships() == nil || r.project.Ships() == nil || len(r.targets) == 0 {
		return
	}
	platform := r.targets[0].target.Platform
	built, source := r.project.Ships(), beside.Ships()
	left := make(map[string][]*configxml.Element)
	for _, e := range source.For(platform) {
		if isListElement(e.Name) {
			left[statement(e)] = append(left[statement(e)], e)
		}
	}
	for _, e := range built.For(platform) {
		if !isListElement(e.Name) {
			continue
		}
		key := statement(e)
		if len(left[key]) == 0 {
			r.report(e.Place(), nil, "the package has %s, and %s of the project does not", key, source.Name())
			continue
		}
		left[key] = left[key][1:]
	}
	for _, e := range source.For(platform) {
		if key := statement(e); isListElement(e.Name) && len(left[key]) > 0 && left[key][0] == e {
			left[key] = left[key][1:]
			r.report(built.Root().Place(), nil, "%s of the project has %s in line %d, and the package does not",
				e.Place().File, key, e.Place().Line)
		}
	}
}

// statement writes an entry as the same text whatever order its attributes have.
func statement(e *configxml.Element) string {
	var list []string
	for _, a := range e.Attrs {
		if a.Prefix != "xmlns" && a.Name != "xmlns" {
			list = append(list, a.Name+"="+quote(a.Value))
		}
	}
	slices.Sort(list)
	return "<" + strings.Join(append([]string{e.Name}, list...), " ") + ">"
}
