package gateway

import (
	"sync/atomic"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/limit"
)

// gauge counts what is in progress up to a limit.
type gauge struct {
	limit int64 // 0: none
	now   atomic.Int64
}

func (g *gauge) enter() bool {
	if n := g.now.Add(1); g.limit > 0 && n > g.limit {
		g.now.Add(-1)
		return false
	}
	return true
}

func (g *gauge) leave() { g.now.Add(-1) }

// limits are the limits of the gateway or of one app.
type limits struct {
	requests gauge
	tunnels  gauge
	rate     *limit.Bucket
}

func newLimits(l config.Limits) *limits {
	return &limits{
		requests: gauge{limit: int64(l.Requests)},
		tunnels:  gauge{limit: int64(l.Tunnels)},
		rate:     limit.NewBucket(l.Rate, l.Burst),
	}
}
