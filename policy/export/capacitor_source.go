package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// CapacitorSource reads what a Capacitor configuration says about where pages may be
// opened, for an app without a config.xml. Nothing in it limits what pages request.
func CapacitorSource(c *capacitor.Config) Source {
	s := Source{File: c.File}
	s.Origins, s.Unread = maskOrigins(c)
	s.Unread = append(s.Unread, Loss{Message: "nothing limits what the pages of a Capacitor app request: hosts that " +
		"only scripts ask are not among the lines of " + c.File})
	return s
}

// InCapacitor is the source of a Capacitor app that has a config.xml: for formats that
// say what the app opens or contacts, server.allowNavigation alone says which pages open
// inside it, and the lines of the file what they request. With both the app is built for
// Cordova as well, where the file says which pages open.
func (s Source) InCapacitor(c *capacitor.Config, both bool) Source {
	pages, unread := maskOrigins(c)
	s.pages = &capacitorPages{file: c.File, origins: pages, unread: unread, both: both}
	return s
}

// capacitorPages is what a Capacitor configuration says beside a config.xml.
type capacitorPages struct {
	file    string
	origins []dialect.Origin
	unread  []Loss
	both    bool
}

// built is the source as the app is built, where Capacitor builds it.
func (s Source) built() Source {
	p := s.pages
	if p == nil {
		return s
	}
	s.pages = nil
	s.Origins = slices.Clone(s.Origins)
	for i := range s.Origins {
		o := &s.Origins[i]
		o.Navigation = o.Navigation && p.both
	}
	s.Origins = append(s.Origins, p.origins...)
	s.Unread = slices.Concat(s.Unread, p.unread)
	s.File += " and " + p.file
	return s
}

// maskOrigins reads server.allowNavigation: what its masks cover on one of the two
// platforms at least, and what is lost with that.
func maskOrigins(c *capacitor.Config) (origins []dialect.Origin, losses []Loss) {
	for _, mask := range c.Server.AllowNavigation {
		rule := policy.Rule{Element: "server.allowNavigation", Text: mask.Value, Place: mask.Place,
			Purpose: policy.ForNavigation}
		o := dialect.Origin{Rule: rule, Schemes: []string{"http", "https"}, Navigation: true}
		lost, ok := readMask(mask.Value, &o)
		if lost != "" {
			losses = append(losses, Loss{Place: mask.Place, Rule: mask.Value, Message: lost, Widens: ok})
		}
		if ok {
			origins = append(origins, o)
		}
	}
	return origins, losses
}

// readMask puts the hosts of a mask into an origin; lost says what is more in them than
// the mask covers, or why it is none. What masks cover is in docs/reference/capacitor.md.
func readMask(mask string, o *dialect.Origin) (lost string, ok bool) {
	text := strings.TrimRight(mask, ".") // neither platform compares what is behind the last label
	if mask != "" && text == "" {
		return "a mask of dots covers every host on Android, and none on iOS", true
	}
	if text == "*" {
		return "", true
	}
	bare, below := strings.CutPrefix(text, "*.")
	read, err := host.Parse(bare)
	if err != nil || strings.ContainsAny(bare, "*:/?#@") {
		return "the mask is not one host, nor the names below one", false
	}
	name := read.String()
	o.Host, o.Subdomains = name, below
	switch {
	case below:
		return fmt.Sprintf("the mask covers the names one level below %s, and neither %s itself nor what is deeper",
			name, name), true
	case !strings.Contains(name, "."):
		o.Subdomains = true
		return fmt.Sprintf("on Android a mask of one label covers every host that ends in .%s, on iOS %s alone", name,
			name), true
	}
	return "", true
}
