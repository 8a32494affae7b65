//go:build !linux

package egress

// Start exists on Linux; elsewhere Dial does it.
func (d *Dialer) Start(Destination) (fd int, result Result, ok bool) { return -1, Result{}, false }
