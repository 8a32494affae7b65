package export

import (
	"fmt"
	"slices"

	"github.com/cordon-sec/cordon/policy/dialect"
)

// electronFormat is Electron; its constant describes it.
var electronFormat = Format{
	Name:  Electron,
	Title: "Electron request and permission lists",
	Can:   Schemes | Ports | Paths | Exact | Deep | Requests | Navigation | Launches | Denies,
	Limits: []string{
		"the main process has to apply the lists: cancel what no pattern matches, and deny every permission that is " +
			"not listed",
	},
}

type lists struct {
	Comment    string   `json:"_comment"`
	Requests   []string `json:"requests"`
	Navigation []string `json:"navigation"`
	External   []string `json:"external"`
	// Permissions are those of setPermissionRequestHandler; config.xml names
	// none, so none is granted.
	Permissions []string `json:"permissions"`
}

// exportElectron writes the lists.
func exportElectron(s Source) Artifact {
	requests := s.Requests()
	out := lists{
		Comment:     fmt.Sprintf("Written by cordon export electron from %s: cancel what no pattern matches.", s.File),
		Requests:    matchPatterns(requests),
		Navigation:  matchPatterns(s.Navigation()),
		External:    matchPatterns(s.Launches()),
		Permissions: []string{},
	}
	return Artifact{Path: "cordon-electron.json", Content: encode(out), Losses: electronFormat.widening(s.Wire())}
}

// matchPatterns writes origins as match patterns, sorted, each once: "*.h"
// covers h and everything below it.
func matchPatterns(origins []dialect.Origin) []string {
	all := []string{}
	for i := range origins {
		o := &origins[i]
		if !o.Hierarchical() {
			all = append(all, o.Schemes[0]+":"+o.Path)
			continue
		}
		host := o.Host
		switch {
		case host == "":
			host = "*"
		case o.Subdomains:
			host = "*." + host
		}
		for _, scheme := range o.Schemes {
			base := fmt.Sprintf("%s://%s:%d%s", scheme, host, portOf(o, scheme), o.Path)
			if o.Path != "" {
				all = append(all, base, base+"?*")
			}
			all = append(all, base+"/*")
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
