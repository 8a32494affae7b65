//go:build !linux

package gateway

import "net"

// workers exist on Linux; elsewhere every connection is served by goroutines.
type workers struct{}

func newWorkers(*Gateway) (*workers, error)                     { return &workers{}, nil }
func (*workers) run()                                           {}
func (*workers) stop()                                          {}
func (*workers) front(_ *listener, l net.Listener) net.Listener { return l }
func (*workers) open(net.Listener) error                        { return nil }
func (*workers) adopt(*tunnel) bool                             { return false }

// flow is what a worker serves.
type flow struct{}

func (*flow) shutLater(string) {}
func (*flow) release()         {}

// closeIdlePipes has nothing to give back: it returns 0.
func closeIdlePipes() int { return 0 }

// sweepIdlePipes has nothing to give back.
func sweepIdlePipes() {}
