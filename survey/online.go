package survey

import (
	"context"
	"fmt"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/pins"
)

// Served asks every host that an app pins for its certificates, on the port that
// its list names for it, else 443. A host that cannot be reached is not a finding
// about its pins: it is among the errors.
func (s *Survey) Served(ctx context.Context, p *app.App) (served []app.Served, unreached []error) {
	if p.Config == nil {
		return nil, nil
	}
	ports := map[string]uint16{}
	for _, o := range dialect.Origins(p.Config) {
		if o.Port > 0 && o.Covers("https") {
			ports[o.Host] = uint16(o.Port)
		}
	}
	asked := map[string]bool{}
	set, _ := pins.Set(p.Config, "", p.Certificates)
	for _, e := range set.Entries() {
		if asked[e.Host] {
			continue
		}
		asked[e.Host] = true
		port, named := ports[e.Host]
		if !named {
			port = 443
		}
		f := s.lookServer(ctx, fmt.Sprintf("%s:%d", e.Host, port), e.Host, port)
		if f.Err != nil {
			unreached = append(unreached, f.Err)
			continue
		}
		answer := app.Served{Host: e.Host, Err: f.Doubt}
		for _, c := range f.Chain {
			answer.Chain = append(answer.Chain, c.Raw)
		}
		served = append(served, answer)
	}
	return served, unreached
}
