package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/dialect"
)

// squidFormat is Squid; its constant describes it.
var squidFormat = Format{
	Name:  Squid,
	Title: "Squid access rules",
	Can:   Schemes | Ports | Exact | Deep | EveryHost | Requests | Denies,
	Limits: []string{
		"squid does not look inside tunnels: the name in the TLS handshake is not compared with the listed one",
		"WebSockets without TLS (ws) come as tunnels to port 80 and are refused",
		"squid lets an allowed name resolve to a private address",
	},
}

// group is the destinations that share a way of asking and a port.
type group struct {
	tunnel bool
	port   int
	every  bool
	hosts  []string
}

// exportSquid writes the rules, for an include line in squid.conf.
func exportSquid(s Source) Artifact {
	origins := s.Wire()
	losses := squidFormat.widening(origins)
	var groups []*group
	find := func(tunnel bool, port int) *group {
		for _, g := range groups {
			if g.tunnel == tunnel && g.port == port {
				return g
			}
		}
		groups = append(groups, &group{tunnel: tunnel, port: port})
		return groups[len(groups)-1]
	}
	for i := range origins {
		o := &origins[i]
		if o.Covers("https") || o.Covers("wss") {
			find(true, portOf(o, "https")).add(o)
		}
		if o.Covers("http") {
			find(false, portOf(o, "http")).add(o)
		}
		losses = append(losses, tunnelLosses(o, "squid")...)
	}
	var b strings.Builder
	b.WriteString(squidFormat.header("# ", s))
	b.WriteString("acl cordon_connect method CONNECT\nacl cordon_http proto HTTP\n" +
		`acl cordon_address dstdom_regex -n ^\[ (^|\.)[0-9]+$` + "\n")
	for i, g := range groups {
		g.write(&b, i+1)
	}
	b.WriteString("http_access deny all\n")
	return Artifact{Path: "cordon-squid.conf", Content: []byte(b.String()), Losses: losses}
}

func (g *group) add(o *dialect.Origin) {
	switch {
	case o.Host == "":
		g.every = true
	case o.Subdomains:
		g.hosts = append(g.hosts, "."+o.Host)
	default:
		g.hosts = append(g.hosts, o.Host)
	}
}

// write writes one group. Squid refuses a list in which one entry covers
// another, so covered ones are left out.
func (g *group) write(b *strings.Builder, number int) {
	way := "cordon_http !cordon_connect"
	if g.tunnel {
		way = "cordon_connect"
	}
	fmt.Fprintf(b, "acl cordon_port_%d port %d\n", number, g.port)
	if g.every {
		fmt.Fprintf(b, "http_access allow %s cordon_port_%d !cordon_address\n", way, number)
	}
	hosts := slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(g.hosts))), func(host string) bool {
		return slices.ContainsFunc(g.hosts, func(other string) bool { return host != other && coversHost(other, host) })
	})
	if len(hosts) == 0 {
		return
	}
	fmt.Fprintf(b, "acl cordon_hosts_%d dstdomain -n %s\n", number, strings.Join(hosts, " "))
	fmt.Fprintf(b, "http_access allow %s cordon_port_%d cordon_hosts_%d\n", way, number, number)
}

// coversHost reports whether squid's entry a covers everything that b does.
func coversHost(a, b string) bool {
	return strings.HasPrefix(a, ".") && (strings.HasSuffix(b, a) || b == a[1:])
}
