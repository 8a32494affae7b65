package gateway

import (
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
)

// forward answers a request in absolute form: plain HTTP, a WebSocket upgrade
// over plain HTTP, or https that the gateway itself is to speak TLS for.
func (x *exchange) forward() {
	t, err := parseTarget(x.r.RequestURI)
	if err != nil {
		x.refuse(http.StatusBadRequest, reasonBadTarget, err.Error())
		return
	}
	x.target(t.scheme, t.authority, t.path())
	upgrade := asksWebSocket(x.r.Header)
	asked, reason := askedScheme(t.scheme, upgrade, x.r)
	if reason != "" {
		x.refuse(http.StatusBadRequest, reason, "a ws: URL without a WebSocket upgrade, or an upgrade with a body")
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
	if x.r.Method == http.MethodOptions && x.answersOptions() {
		return
	}
	dropHopFields(x.r.Header)
	if upgrade {
		x.upgrade(t, r)
		return
	}
	x.forwardPlain(t, r)
}

// askedScheme returns the scheme that the list is asked for.
func askedScheme(scheme string, upgrade bool, r *http.Request) (asked, reason string) {
	secure := scheme == "https" || scheme == "wss"
	switch {
	case !upgrade && (scheme == "ws" || scheme == "wss"):
		return "", reasonBadTarget
	case upgrade && (!emptyBody(r) || r.Method != http.MethodGet):
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
func (x *exchange) answersOptions() bool {
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

// forwardPlain forwards a request that is not inspected, and its response.
func (x *exchange) forwardPlain(t target, r decision) {
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
			x.refuseUpstream(err)
			return
		}
		x.respond(trip, resp)
		return
	}
}

// dialUpstream returns a kept connection for a request that may be repeated,
// or a new one.
func (x *exchange) dialUpstream(t target, r decision, kept bool) (*upstream, error) {
	key := poolKey{x.app, t.scheme, t.host, t.port}
	if kept {
		if u := x.g.kept.take(key); u != nil {
			x.event.Address = u.result.Addr
			return u, nil
		}
	}
	ctx, cancel := x.context()
	defer cancel()
	to := x.app.destination(t.authority, r.rule)
	conn, result, err := x.g.dialer.Dial(ctx, to)
	x.event.Address, x.event.Lookup, x.event.Connect = result.Addr, result.Resolve, result.Connect
	if err != nil {
		return nil, err
	}
	u := &upstream{conn: conn, raw: conn, result: result, key: key}
	if t.scheme == "https" || t.scheme == "wss" {
		secure, err := x.g.dialer.Handshake(ctx, conn, to, egress.TLSOptions{Protocols: []string{"http/1.1"}})
		if err != nil {
			return nil, err
		}
		u.conn = secure
	}
	u.open()
	return u, nil
}

// upstreamError is what is wrong with an origin's answer.
type upstreamError struct {
	reason string
	detail string
}

func (e *upstreamError) Error() string { return e.detail }

// refuseUpstream answers for an origin that did not.
func (x *exchange) refuseUpstream(err error) {
	x.w.Header().Set("Connection", "close")
	var bad *upstreamError
	var body *bodyError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &body):
		x.refuse(http.StatusBadRequest, reasonFraming, "the request's body: "+body.err.Error())
	case errors.As(err, &bad):
		x.failed(http.StatusBadGateway, bad.reason, bad.detail)
	case errors.As(err, &timeout) && timeout.Timeout():
		x.failed(http.StatusGatewayTimeout, reasonUpstreamSlow, "the origin did not answer in time")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		x.failed(http.StatusBadGateway, reasonUpstreamGone, "the origin closed the connection")
	default:
		x.failed(http.StatusBadGateway, reasonUpstreamBad, err.Error())
	}
}

// answerer is what a response comes from: a round trip of the gateway's own, or
// one inside a decrypted tunnel.
type answerer interface {
	// extend moves the time by which something more must have come.
	extend(to time.Time)
	// ahead reports whether more of the body has come already.
	ahead() bool
	// bodyPending reports whether the request's body has not been read to its end.
	bodyPending() bool
	// uploaded returns how many bytes of the request's body were sent.
	uploaded() int64
	// end finishes; keep says that both sides are at the end of a message.
	end(keep bool)
}

// respond hands the origin's response on, each piece as it comes.
func (x *exchange) respond(trip answerer, resp *http.Response) {
	x.event.Status = resp.StatusCode
	lasting := resp.ContentLength < 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream")
	copyFields(x.w.Header(), resp.Header)
	dropHopFields(resp.Trailer)
	announceTrailers(x.w.Header(), resp.Trailer)
	if trip.bodyPending() {
		// The origin answered before it had the whole body: what is left of it
		// must not be read as the next request.
		x.w.Header().Set("Connection", "close")
	}
	if lasting {
		first := x.event
		x.g.events.Record(&first)
	}
	x.w.WriteHeader(resp.StatusCode)
	down, err := x.copyBody(trip, resp)
	dropHopFields(resp.Trailer)
	for name, values := range resp.Trailer {
		x.w.Header()[name] = values
	}
	keep := err == nil && !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols
	trip.end(keep)
	x.event.Up, x.event.Down = trip.uploaded(), down
	x.event.Total = time.Since(x.began)
	if err != nil {
		x.event.Detail = "the response broke off: " + err.Error()
	}
	if lasting {
		x.event.Type, x.event.Time = event.Close, time.Time{}
	}
	x.record()
	if err != nil {
		panic(http.ErrAbortHandler) // the client must see that something is missing
	}
}

// copyFields copies the end-to-end fields of a response.
func copyFields(to, from http.Header) {
	dropHopFields(from)
	for name, values := range from {
		to[name] = values
	}
	if _, ok := from["Content-Type"]; !ok {
		to["Content-Type"] = nil // nothing is guessed on the origin's behalf
	}
}

func announceTrailers(to, trailer http.Header) {
	for name := range trailer {
		if httpguts.ValidTrailerHeader(name) {
			to.Add("Trailer", name)
		} else {
			delete(trailer, name)
		}
	}
}

// copyBody passes the body on. It flushes when nothing more is there at the
// moment, so that events and media arrive when they are sent, and small
// responses in one piece.
func (x *exchange) copyBody(trip answerer, resp *http.Response) (int64, error) {
	defer resp.Body.Close()
	if resp.ContentLength == 0 || resp.Body == http.NoBody {
		return 0, nil
	}
	control := http.NewResponseController(x.w)
	buffer := smallBuffers.Get().(*[]byte)
	defer smallBuffers.Put(buffer)
	idle := x.state.config.Timeouts.Idle
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }()
	var total int64
	var armed time.Time
	for {
		if total > 0 && !trip.ahead() {
			if err := control.Flush(); err != nil {
				return total, err
			}
		}
		if now := time.Now(); now.Sub(armed) > idle/8 {
			armed = now
			trip.extend(now.Add(idle))
			_ = control.SetWriteDeadline(now.Add(idle))
		}
		n, err := resp.Body.Read(*buffer)
		if n > 0 {
			total += int64(n)
			if _, werr := x.w.Write((*buffer)[:n]); werr != nil {
				return total, werr
			}
		}
		if err == io.EOF || err == nil && total == resp.ContentLength {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// checkResponse refuses what a client and the gateway could read differently,
// and what must not reach a client of a proxy.
func checkResponse(resp *http.Response) error {
	if name, bad := badField(resp.Header); bad {
		return &upstreamError{reasonUpstreamBad, "malformed field " + strconv.Quote(textproto.TrimString(name))}
	}
	switch {
	case resp.StatusCode < 100 || resp.StatusCode > 599:
		return &upstreamError{reasonUpstreamBad, "status " + strconv.Itoa(resp.StatusCode)}
	case resp.StatusCode == http.StatusProxyAuthRequired:
		return &upstreamError{reasonUpstream407, "an origin asked for proxy credentials"}
	case resp.ProtoMajor != 1:
		return &upstreamError{reasonUpstreamBad, "version " + resp.Proto}
	}
	return nil
}
