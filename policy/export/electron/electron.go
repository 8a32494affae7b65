// Package electron exports a policy as lists for an Electron app's main
// process: match patterns for session.webRequest.onBeforeRequest, patterns for
// will-navigate, and what shell.openExternal may be given. Cordova's Electron
// platform enforces nothing of config.xml by itself.
package electron

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/export"
)

// Format describes the export.
var Format = export.Format{
	Name:  "electron",
	Title: "Electron request and permission lists",
	Can:   export.Schemes | export.Ports | export.Paths | export.Exact | export.Deep | export.Requests | export.Navigation | export.Launches | export.Denies,
	Limits: []string{
		"the main process has to apply the lists: cancel what no pattern matches, and deny every permission that is not listed",
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

// Export writes the lists.
func Export(s export.Source) export.Artifact {
	requests := s.Requests()
	out := lists{
		Comment:     fmt.Sprintf("Written by cordon export electron from %s: cancel what no pattern matches.", s.File),
		Requests:    matchPatterns(requests),
		Navigation:  matchPatterns(s.Navigation()),
		External:    matchPatterns(s.Launches()),
		Permissions: []string{},
	}
	content, err := json.MarshalIndent(out, "", "  ")
	if err != nil { // lists of strings always encode
		panic("electron: " + err.Error())
	}
	return export.Artifact{Path: "cordon-electron.json", Content: append(content, '\n'), Losses: Format.Widening(s.Wire())}
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
			port := o.Port
			if port == 0 {
				port = 443
				if scheme == "http" || scheme == "ws" {
					port = 80
				}
			}
			base := fmt.Sprintf("%s://%s:%d%s", scheme, host, port, o.Path)
			if o.Path != "" {
				all = append(all, base, base+"?*")
			}
			all = append(all, base+"/*")
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
