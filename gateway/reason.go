package gateway

import (
	"errors"

	"github.com/cordon-sec/cordon/egress"
)

// The reasons of the gateway, besides those of package policy (not-listed,
// listed, malformed, ...) and of package egress (address-refused,
// no-such-host, unreachable, pin-mismatch, ...). The list is closed and
// documented in docs/reference/gateway-events.md.
const (
	reasonBadTarget      = "bad-target"          // the request target is no absolute URL or host:port in strict form
	reasonNotProxy       = "not-a-proxy-request" // a request in origin form, as to a web server
	reasonPort           = "port-not-named"      // neither 80 nor 443, and no rule names the port
	reasonCleartext      = "cleartext"           // cleartext where only TLS may go
	reasonNoIdentity     = "no-identity"         // no credential and no certificate
	reasonBadIdentity    = "unknown-client"      // a credential or certificate of nobody
	reasonMethod         = "method"              // TRACE
	reasonProxyHeader    = "proxy-header"        // no PROXY protocol header where one must be
	reasonNameMissing    = "sni-missing"
	reasonNameMismatch   = "sni-mismatch"
	reasonNameUnexpected = "sni-unexpected" // a server name in a tunnel to an address
	reasonHello          = "hello-malformed"
	reasonSecondHello    = "second-hello" // after a HelloRetryRequest, not the first hello again
	reasonHelloTimeout   = "hello-timeout"
	reasonNotTLS         = "not-tls"
	reasonUpgradeOnly    = "upgrade-only" // cleartext in a tunnel that is no HTTP request
	reasonRate           = "rate"         // above the rate limit
	reasonBusy           = "busy"         // too many requests in progress
	reasonTunnels        = "tunnels"      // too many tunnels open
	reasonDraining       = "draining"     // shutting down
	reasonOwnListener    = "own-listener" // the address is the gateway itself
	reasonUpstreamBad    = "upstream-malformed"
	reasonUpstreamGone   = "upstream-closed"
	reasonUpstreamSlow   = "upstream-timeout"
	reasonUpstream407    = "upstream-proxy-auth" // an origin asked for proxy credentials
	reasonClientGone     = "client-gone"
	reasonClientTLS      = "client-handshake" // TLS between an inspected client and the gateway
	reasonOperator       = "ended-by-operator"
	reasonClientSlow     = "client-timeout" // the client did not go on in time
	reasonInternal       = "internal-error"
	reasonNoMeans        = "no-descriptors" // the system gives the gateway no more of them
	reasonAccept         = "accept-failed"  // the system gave a listener no connection, for another reason
	reasonHostMismatch   = "host-mismatch"  // inside a tunnel, a Host other than its target
	reasonAnswered       = "answered-here"  // OPTIONS with Max-Forwards: 0
	reasonFraming        = "framing"        // a request whose extent is in doubt
)

// egressReason returns the reason and status for an error of package egress.
func egressReason(err error) (reason string, status int) {
	if isScarce(err) {
		return reasonNoMeans, 503
	}
	var e *egress.Error
	if !errors.As(err, &e) {
		return "unreachable", 502
	}
	if e.Reason == egress.AddressRefused {
		for _, answer := range e.Refused {
			if answer.Refused == egress.Own {
				return reasonOwnListener, 403
			}
		}
	}
	switch {
	case e.Reason.Refused():
		return e.Reason.String(), 403
	case e.Timeout():
		return e.Reason.String(), 504
	}
	return e.Reason.String(), 502
}
