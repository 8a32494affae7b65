package main

import (
	"context"
	"fmt"
	"time"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/pins"
)

// onlineTimeout bounds what is asked of one server.
const onlineTimeout = 10 * time.Second

// askPinned asks every host that the project pins for its certificates, on the
// port that the list names for it, else 443. A host that cannot be reached is
// no finding about its pins: the command says so instead.
func askPinned(ctx context.Context, p *app.App, authority string) (served []app.Served, unreached []error, err error) {
	if p.Config == nil {
		return nil, nil, nil
	}
	s, err := newSurvey(&pinOptions{authority: authority, timeout: onlineTimeout})
	if err != nil {
		return nil, nil, err
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
		if f.err != nil {
			unreached = append(unreached, f.err)
			continue
		}
		answer := app.Served{Host: e.Host, Err: f.doubt}
		for _, c := range f.chain {
			answer.Chain = append(answer.Chain, c.Raw)
		}
		served = append(served, answer)
	}
	return served, unreached, nil
}
