package lint

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
)

// Use is one URL that the app's own sources name.
type Use struct {
	URL string
	// Kind is the kind of request that it makes; Navigation for links.
	Kind policy.Kind
	// Place is where it stands.
	Place policy.Place
}

// Uses returns the web URLs that the pages and scripts of a project name, in
// the order of its files. Libraries and frameworks that the app carries with it
// are left out: what they name are mostly examples and documentation.
func Uses(p *app.App) []Use {
	r := &run{project: p, sources: readSources(p)}
	var list []Use
	for _, u := range r.uses() {
		if !u.library {
			list = append(list, Use{URL: u.url, Kind: u.kind, Place: u.file.Place(u.span.Start, u.span.End)})
		}
	}
	return list
}
