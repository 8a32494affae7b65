package export

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// CapacitorSource reads what a Capacitor configuration says about where pages may be
// opened, for an app without a config.xml. Nothing in it limits what pages request.
func CapacitorSource(c *capacitor.Config) Source {
	s := Source{File: c.File}
	for _, mask := range c.Server.AllowNavigation {
		rule := policy.Rule{Element: "server.allowNavigation", Text: mask.Value, Place: mask.Place,
			Purpose: policy.ForNavigation}
		o := dialect.Origin{Rule: rule, Schemes: []string{"http", "https"}, Host: strings.ToLower(mask.Value),
			Navigation: true}
		switch bare, below := strings.CutPrefix(o.Host, "*."); {
		case o.Host == "*":
			o.Host = ""
		case below:
			o.Host, o.Subdomains = bare, true
		}
		if strings.ContainsAny(o.Host, "*:/?#@") {
			s.Unread = append(s.Unread, Loss{Place: mask.Place, Rule: mask.Value,
				Message: "the mask is not one host, nor the names below one"})
			continue
		}
		s.Origins = append(s.Origins, o)
	}
	s.Unread = append(s.Unread, Loss{Message: "nothing limits what the pages of a Capacitor app request: hosts that " +
		"only scripts ask are not among the lines of " + c.File})
	return s
}
