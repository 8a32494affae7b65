package export

import (
	"slices"
	"strings"
)

// capacitorFormat is Capacitor; its constant describes it.
var capacitorFormat = Format{
	Name:  Capacitor,
	Title: "Capacitor configuration",
	Can:   Exact | Navigation | Denies,
	Limits: []string{
		"a page that is not listed opens in the system's browser",
		"on Android a listed host is also given the native bridge",
	},
}

type server struct {
	AllowNavigation []string `json:"allowNavigation"`
	Cleartext       bool     `json:"cleartext"`
}

// exportCapacitor writes the section, to be merged into capacitor.config.json.
func exportCapacitor(s Source) Artifact {
	origins := s.Navigation()
	losses := capacitorFormat.widening(origins)
	out := server{AllowNavigation: []string{}}
	for i := range origins {
		o := &origins[i]
		switch {
		case o.Host == "":
			out.AllowNavigation = append(out.AllowNavigation, "*")
			losses = append(losses, lose(o, true,
				"on Android a lone star puts the native bridge into every frame of every page"))
		case strings.HasPrefix(o.Host, "["):
			losses = append(losses, lose(o, false, "an IPv6 address cannot be written as a host mask"))
			continue
		case strings.HasPrefix(o.Host, "http"):
			losses = append(losses, lose(o, false,
				"Android takes a name that begins with http for an address, and then puts the native bridge into "+
					"every frame of every page"))
			continue
		case !strings.Contains(o.Host, "."):
			losses = append(losses, lose(o, false,
				"a mask of one label would cover every host that ends in .%s on Android", o.Host))
			continue
		default:
			out.AllowNavigation = append(out.AllowNavigation, o.Host)
		}
		if o.Subdomains {
			out.AllowNavigation = append(out.AllowNavigation, "*."+o.Host)
			losses = append(losses, lose(o, false,
				"only one level below %s is covered: a star stands for one label", o.Host))
		}
	}
	for _, o := range s.Wire() {
		out.Cleartext = out.Cleartext || o.Covers("http")
	}
	slices.Sort(out.AllowNavigation)
	out.AllowNavigation = slices.Compact(out.AllowNavigation)
	return Artifact{Path: "capacitor.cordon.json", Content: encode(map[string]server{"server": out}), Losses: losses}
}
