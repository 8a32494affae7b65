package lint

import (
	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy/app"
)

// listless are the platforms that never look at a list.
var listless = map[string]bool{"browser": true, "electron": true, "firefoxos": true, "osx": true}

func checkEnforcesNothing(r *run) {
	page := r.project.StartPage()
	if page == nil || len(readCSP(page).metas) > 0 {
		return
	}
	seen := make(map[string]bool)
	for _, engine := range r.project.Engines {
		if listless[engine.Name] && !seen[engine.Name] {
			seen[engine.Name] = true
			r.report(engine.Place, nil,
				"%s enforces no list, and %s has no Content-Security-Policy", engine.Name, page.Name)
		}
	}
}

func checkNotRead(r *run) {
	said, missing := make(map[string]bool), missingAt(r.project)
	for _, u := range unknowns(r.project) {
		said[u.Place.File] = said[u.Place.File] || !missing[u.Place]
	}
	for _, s := range r.project.Skipped {
		if said[s.Name] {
			continue
		}
		f := app.File{Name: s.Name}
		r.report(f.Place(0, 0), nil, "%s was not read: %s", s.Name, s.Why)
	}
	for _, f := range []*app.File{&r.project.Package, &r.project.Lock, &r.project.Capacitor} {
		if len(f.Data) == 0 || said[f.Name] {
			continue
		}
		if _, err := jsonspan.Parse(f.Data); err != nil {
			r.report(f.Place(0, 0), nil, "%s was not read: it is not well-formed JSON", f.Name)
		}
	}
}
