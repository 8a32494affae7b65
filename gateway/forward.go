package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"syscall"

	"github.com/cordon-sec/cordon/egress"
)

// forward answers a request in absolute form: plain HTTP, a WebSocket upgrade
// over plain HTTP, or https that the gateway itself is to speak TLS for.
func (x *request) forward() {
	t, err := parseTarget(x.r.RequestURI)
	if err != nil {
		x.refuse(http.StatusBadRequest, reasonBadTarget, err.Error())
		return
	}
	x.target(t.scheme, t.authority, t.path())
	x.forwardTo(t)
}

// forwardTo decides about a request whose target is known, and forwards it: the
// one way of requests in absolute form and of those inside tunnels.
func (x *request) forwardTo(t target) {
	t.whole = asksWhole(x.r)
	upgrade := x.r.ProtoMajor == 1 && asksWebSocket(x.r.Header)
	asked, reason := askedScheme(t.scheme, upgrade, x.r)
	if reason != "" {
		x.refuse(http.StatusBadRequest, reason, "a ws: URL without a WebSocket upgrade, or an upgrade with a body or "+
			"before HTTP/1.1")
		return
	}
	t.scheme = asked
	x.event.Scheme = asked
	r := x.app.decide(t.scheme, t.authority, t.rest, false)
	x.decided(r)
	if !r.ok {
		x.refuse(http.StatusForbidden, r.reason, hint(r, t.scheme, t.authority))
		return
	}
	if err := x.judge(t, r); err != nil {
		x.refuseDial(err)
		return
	}
	if x.r.Method == http.MethodOptions && x.answersOptions() {
		return
	}
	x.named = dropRequestFields(x.r.Header)
	switch {
	case upgrade:
		x.upgrade(t, r)
	case x.inside != nil && t.scheme == "https":
		x.forwardInspected(t, r)
	default:
		x.forwardPlain(t, r)
	}
}

// judge judges a target that is an address by the rule of this request: a
// connection to it that is open already may have been opened by another rule's
// right.
func (x *request) judge(t target, r decision) error {
	if !t.addr.IsValid() {
		return nil // what a name may resolve into is the same for every request of the app
	}
	to := x.app.destination(t.authority, r.rule)
	answers, err := x.g.dialer.Resolve(x.r.Context(), to)
	if err != nil {
		return err
	}
	for _, a := range answers {
		if a.Refused == egress.Usable {
			return nil
		}
	}
	return &egress.Error{Step: egress.StepJudge, Reason: egress.AddressRefused, Host: to.Host, Refused: answers}
}

// askedScheme returns the scheme that the list is asked for.
func askedScheme(scheme string, upgrade bool, r *http.Request) (asked, reason string) {
	secure := scheme == "https" || scheme == "wss"
	switch {
	case !upgrade && (scheme == "ws" || scheme == "wss"):
		return "", reasonBadTarget
	case upgrade && (!emptyBody(r) || r.Method != http.MethodGet || !r.ProtoAtLeast(1, 1)):
		return "", reasonFraming
	case upgrade && secure:
		return "wss", ""
	case upgrade:
		return "ws", ""
	}
	return scheme, ""
}

// answersOptions counts Max-Forwards down, and answers when the gateway is the
// last to be asked (RFC 9110 section 7.6.2).
func (x *request) answersOptions() bool {
	value := x.r.Header.Get("Max-Forwards")
	if value == "" {
		return false
	}
	n, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		x.refuse(http.StatusBadRequest, reasonFraming, "Max-Forwards must be a number")
		return true
	}
	if n > 0 {
		x.r.Header.Set("Max-Forwards", strconv.FormatUint(n-1, 10))
		return false
	}
	h := x.w.Header()
	h.Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
	h.Set("Content-Length", "0")
	if !emptyBody(x.r) {
		h.Set("Connection", "close")
	}
	x.w.WriteHeader(http.StatusOK)
	x.answered()
	return true
}

// forwardPlain forwards a request in HTTP/1, and its response.
func (x *request) forwardPlain(t target, r decision) {
	safe := emptyBody(x.r) &&
		(x.r.Method == http.MethodGet || x.r.Method == http.MethodHead || x.r.Method == http.MethodOptions)
	for {
		u, err := x.dialUpstream(t, r, safe)
		if err != nil {
			x.refuseDial(err)
			return
		}
		trip := newRoundTrip(x, u, t)
		resp, err := trip.run()
		if err != nil && u.reused && safe && trip.untouched() && x.r.Context().Err() == nil {
			trip.end(false)
			continue // the origin closed a kept connection at this moment
		}
		if err != nil {
			trip.end(false)
			x.event.Up = trip.uploaded()
			x.refuseUpstream(err)
			return
		}
		x.respond(trip, resp)
		return
	}
}

// dialUpstream returns a kept connection for a request that may be repeated,
// or a new one.
func (x *request) dialUpstream(t target, r decision, kept bool) (*upstream, error) {
	owner, key := x.owner(t)
	if u := x.probed; u != nil {
		x.probed, u.owner, u.key = nil, owner, key
		return u, nil
	}
	if u := x.keptUpstream(owner, key, kept); u != nil {
		x.event.Address = u.result.Addr
		return u, nil
	}
	u, err := x.newUpstream(t, r, []string{"http/1.1"})
	if err != nil {
		return nil, err
	}
	u.owner, u.key = owner, key
	return u, nil
}

// newUpstream opens a connection to the target, with TLS and one of the
// protocols if its scheme says so. The first one inside a tunnel is that which
// the CONNECT opened.
func (x *request) newUpstream(t target, r decision, protocols []string) (*upstream, error) {
	ctx, cancel := x.context()
	defer cancel()
	to := x.app.destination(t.authority, r.rule)
	u := x.inside.first(x.app)
	if u != nil {
		if err := x.secure(ctx, u, t, to, protocols); err == nil || !closedOnUs(err) {
			return u, err
		}
		// The origin has given up the connection, which waited for this request.
	}
	conn, result, err := x.g.dial(ctx, to)
	x.dialled(result)
	if err != nil {
		return nil, err
	}
	u = &upstream{conn: conn, raw: conn, result: result}
	return u, x.secure(ctx, u, t, to, protocols)
}

// secure makes a connection ready for requests, with TLS if the target's scheme
// says so. On error it is closed.
func (x *request) secure(ctx context.Context, u *upstream, t target, to egress.Destination, protocols []string) error {
	x.event.Address = u.result.Addr
	if t.scheme == "https" || t.scheme == "wss" {
		secure, err := x.g.dialer.Handshake(ctx, u.conn, to, egress.TLSOptions{Protocols: protocols})
		if err != nil {
			return err
		}
		u.conn = secure
		u.http2 = secure.ConnectionState().NegotiatedProtocol == "h2"
	}
	u.open()
	return nil
}

// closedOnUs reports whether a handshake failed because the other side has closed
// the connection.
func closedOnUs(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// owner returns the key of the connections to a target, and the client whose
// connection the request's must be, or nil if it may be one that is shared. A
// request that authenticates its connection makes it the client's.
func (x *request) owner(t target) (*clientConn, poolKey) {
	key := poolKey{x.app, t.scheme, t.host, t.port}
	switch t.scheme {
	case "ws":
		key.scheme = "http"
	case "wss":
		key.scheme = "https"
	}
	if values := x.r.Header["Authorization"]; x.client != nil && bindsConnection(values) {
		x.client.bind(key)
	}
	if x.client.owns(key) {
		return x.client, key
	}
	return nil, key
}

// keptUpstream returns a connection that is open already: the client's own for
// every request, since it may stand for the client; one of all for those that
// may be repeated.
func (x *request) keptUpstream(owner *clientConn, key poolKey, shared bool) *upstream {
	if owner != nil {
		return owner.take(key, x.g.kept.lifetime)
	}
	if shared {
		return x.g.kept.take(key)
	}
	return nil
}

// upstreamError is what is wrong with an origin's answer.
type upstreamError struct {
	reason string
	detail string
}

func (e *upstreamError) Error() string { return e.detail }
