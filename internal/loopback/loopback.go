// Package loopback sees that a listener is bound where its address promises: a
// name such as app.localhost counts as this machine, and is resolved by whatever
// the system asks.
package loopback

import (
	"fmt"
	"net"

	hostname "github.com/cordon-sec/cordon/host"
)

// Check returns an error, and closes the listener, if its address was one of
// loopback and it is bound to more than this machine.
func Check(address string, l net.Listener) error {
	if !hostname.IsLoopback(address) || Bound(l) {
		return nil
	}
	_ = l.Close() // nothing has come of it
	return fmt.Errorf("%s is bound to %s, which can be reached from outside: listen on 127.0.0.1 or [::1]", address,
		l.Addr())
}

// Bound reports whether only this machine can reach a listener.
func Bound(l net.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return !ok || a.IP.IsLoopback()
}
