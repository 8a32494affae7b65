package export

import (
	"fmt"
	"slices"
	"strings"
)

// hostsFormat exports a policy as a plain list of hosts, one a line: the
// least common denominator of firewalls, DNS filters and proxies. "*.h" stands
// for the names below h; "*" for every host.
var hostsFormat = Format{
	Name:  "hosts",
	Title: "List of hosts",
	Can:   Ports | Exact | Deep | Requests | Denies,
}

// exportHosts writes the list, sorted, each host once.
func exportHosts(s Source) Artifact {
	origins := s.Wire()
	var lines []string
	for i := range origins {
		o := &origins[i]
		host := o.Host
		if host == "" {
			host = "*"
		}
		for _, scheme := range o.Schemes {
			port := portOf(o, scheme)
			lines = append(lines, fmt.Sprintf("%s:%d", host, port))
			if o.Subdomains {
				lines = append(lines, fmt.Sprintf("*.%s:%d", host, port))
			}
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	content := hostsFormat.Header("# ", s)
	if len(lines) > 0 {
		content += strings.Join(lines, "\n") + "\n"
	}
	return Artifact{Path: "cordon-hosts.txt", Content: []byte(content), Losses: hostsFormat.Widening(origins)}
}
