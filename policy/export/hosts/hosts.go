// Package hosts exports a policy as a plain list of hosts, one a line: the
// least common denominator of firewalls, DNS filters and proxies. "*.h" stands
// for the names below h; "*" for every host.
package hosts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/export"
)

// Format describes the export.
var Format = export.Format{
	Name:  "hosts",
	Title: "List of hosts",
	Can:   export.Ports | export.Exact | export.Deep | export.Requests | export.Denies,
}

// Export writes the list, sorted, each host once.
func Export(s export.Source) export.Artifact {
	origins := s.Wire()
	var lines []string
	for i := range origins {
		o := &origins[i]
		host := o.Host
		if host == "" {
			host = "*"
		}
		for _, port := range ports(o.Schemes, o.Port) {
			lines = append(lines, fmt.Sprintf("%s:%d", host, port))
			if o.Subdomains {
				lines = append(lines, fmt.Sprintf("*.%s:%d", host, port))
			}
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	content := Format.Header("# ", s)
	if len(lines) > 0 {
		content += strings.Join(lines, "\n") + "\n"
	}
	return export.Artifact{Path: "cordon-hosts.txt", Content: []byte(content), Losses: Format.Widening(origins)}
}

// ports returns the explicit port, or the schemes' own ones.
func ports(schemes []string, port int) []int {
	if port != 0 {
		return []int{port}
	}
	var all []int
	for _, scheme := range schemes {
		own := 80
		if scheme == "https" || scheme == "wss" {
			own = 443
		}
		if !slices.Contains(all, own) {
			all = append(all, own)
		}
	}
	return all
}
