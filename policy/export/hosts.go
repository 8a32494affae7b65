package export

import (
	"fmt"
	"slices"
	"strings"
)

// hostsFormat is Hosts; its constant describes it.
var hostsFormat = Format{
	Name:  Hosts,
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
	content := hostsFormat.header("# ", s)
	if len(lines) > 0 {
		content += strings.Join(lines, "\n") + "\n"
	}
	return Artifact{Path: "cordon-hosts.txt", Content: []byte(content), Losses: hostsFormat.widening(origins)}
}
