package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/cordon-sec/cordon/pin"
)

// TransportOptions configure an HTTP transport.
type TransportOptions struct {
	// Allow adds to the configuration's Allow.
	Allow []Private
	// Pins, if not nil, stand in for the configuration's Pins.
	Pins *pin.Set
	// Cleartext lets the transport speak http. Without it only https leaves.
	Cleartext bool
	// TLS are the options of its TLS connections. If it names no Protocols,
	// HTTP/2 and HTTP/1.1 are offered.
	TLS TLSOptions
}

// Transport returns an HTTP transport all of whose connections are made by the
// Dialer. It asks no environment for a proxy and follows no redirects (a
// transport never does; whoever wraps it in an http.Client decides). Response
// heads are limited to 256 KiB. The caller owns it: it may set more limits
// before the first use, and calls CloseIdleConnections at the end.
func (d *Dialer) Transport(options TransportOptions) *http.Transport {
	if options.TLS.Protocols == nil {
		options.TLS.Protocols = []string{"h2", "http/1.1"}
	}
	to := func(addr string) (Destination, error) {
		host, port, err := splitAddr(addr)
		return Destination{Host: host, Port: port, Allow: options.Allow, Pins: options.Pins}, err
	}
	return &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			dest, err := to(addr)
			if err != nil {
				return nil, err
			}
			if !options.Cleartext {
				return nil, &Error{Step: StepConnect, Reason: Cleartext, Host: dest.Host,
					Err: errors.New("only https leaves here")}
			}
			conn, result, err := d.Dial(ctx, dest)
			observe(ctx, result, err)
			if err != nil {
				return nil, err
			}
			return conn, nil
		},
		DialTLSContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
			dest, err := to(addr)
			if err != nil {
				return nil, err
			}
			conn, result, err := d.DialTLS(ctx, dest, options.TLS)
			observe(ctx, result, err)
			if err != nil {
				return nil, err
			}
			return conn, nil
		},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        60 * time.Second,
		ResponseHeaderTimeout:  60 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}
}

// splitAddr takes host:port apart as net/http hands it to dialers.
func splitAddr(addr string) (host string, port uint16, err error) {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, &Error{Step: StepResolve, Reason: BadHost, Host: addr, Err: err}
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, &Error{Step: StepResolve, Reason: BadHost, Host: addr, Err: fmt.Errorf("port %q", digits)}
	}
	return host, uint16(n), nil
}

type observerKey struct{}

// WithObserver returns a context under which the connections that a Transport
// opens are reported to f, with the error if they failed. A request that uses
// a kept connection reports nothing. f may be called from another goroutine.
func WithObserver(ctx context.Context, f func(Result, error)) context.Context {
	return context.WithValue(ctx, observerKey{}, f)
}

func observe(ctx context.Context, result Result, err error) {
	if f, ok := ctx.Value(observerKey{}).(func(Result, error)); ok {
		f(result, err)
	}
}
