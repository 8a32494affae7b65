package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/egress"
)

// forwardInspected forwards a request out of a decrypted tunnel: in HTTP/2 if
// the origin speaks it, and otherwise as every other request.
func (x *request) forwardInspected(t target, r decision) {
	if err := x.probe(t, r); err != nil {
		x.refuseDial(err)
		return
	}
	if x.inside.http2.Load() {
		x.forwardHTTP2(t)
		return
	}
	x.forwardPlain(t, r)
}

// probe finds out, by a connection that is used afterwards, what the origin
// speaks. Of requests that come at once, the first one asks.
func (x *request) probe(t target, r decision) error {
	i := x.inside
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.known {
		return nil
	}
	u, err := x.newUpstream(t, r, []string{"h2", "http/1.1"})
	if err != nil {
		return err
	}
	if i.known = true; !u.http2 {
		x.probed = u
		return nil
	}
	u.releaseReader()
	i.ready = u.conn
	i.app = x.app
	i.transport = i.c.inspectTransport(i)
	i.http2.Store(true)
	return nil
}

// forwardHTTP2 forwards a request in HTTP/2, and its response.
func (x *request) forwardHTTP2(t target) {
	i := x.inside
	// Opaque keeps the spelling of the path; HTTP/2 takes the authority off it.
	host := t.hostField("https")
	ctx, cancel := context.WithCancel(context.WithoutCancel(x.r.Context()))
	defer cancel()
	defer x.whenGone(cancel)()
	hints := &hints{x: x}
	out := x.r.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: hints.pass,
		GotConn: func(info httptrace.GotConnInfo) {
			x.event.Address = addrPort(info.Conn.RemoteAddr())
		},
	}))
	out.URL = &url.URL{Scheme: "https", Host: t.authority.String(), Opaque: "//" + host + t.rest}
	if t.whole {
		out.URL.Opaque, out.URL.Path = "", "*"
	}
	out.Host, out.RequestURI, out.Close = host, "", false
	body := &insideBody{}
	if out.Body, out.Trailer = http.NoBody, nil; !emptyBody(x.r) {
		body = newInsideBody(x, cancel)
		defer body.leave()
		out.Body, out.Trailer = body, body.trailer
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // nothing is added on the client's behalf
	}
	resp, err := i.transportFor(x.app).RoundTrip(out)
	hints.end()
	if err == nil {
		err = checkInside(resp)
	}
	if err != nil {
		if resp != nil {
			resp.Body.Close()
		}
		x.event.Up = body.taken.Load()
		x.refuseInside(err)
		return
	}
	trip := &insideTrip{silence: time.AfterFunc(x.state.config.Timeouts.Idle, cancel), body: body}
	x.respond(trip, resp)
	if cancel(); trip.bodyPending() {
		x.drain()
	}
}

// hints passes informational responses on until the final one is there. The
// transport calls it from a goroutine of its own.
type hints struct {
	mu    sync.Mutex
	x     *request
	count int
	over  bool
}

func (h *hints) pass(code int, fields textproto.MIMEHeader) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.count++; h.count > maxInformational {
		return &upstreamError{reasonUpstreamBad, "too many informational responses"}
	}
	if name, bad := badField(http.Header(fields)); bad {
		return &upstreamError{reasonUpstreamBad, fmt.Sprintf("malformed field %q", name)}
	}
	if !h.over && code != http.StatusContinue {
		h.x.inform(code, http.Header(fields))
	}
	return nil
}

func (h *hints) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
}

// checkInside refuses responses as checkResponse does, in HTTP/2 as well.
func checkInside(resp *http.Response) error {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return &upstreamError{reasonUpstreamBad, "an upgrade that nobody asked for"}
	}
	major := resp.ProtoMajor
	resp.ProtoMajor = 1
	err := checkResponse(resp)
	resp.ProtoMajor = major
	return err
}

func (x *request) refuseInside(err error) {
	var e *egress.Error
	if errors.As(err, &e) {
		x.refuseDial(err)
		return
	}
	x.refuseUpstream(err)
}

// insideTrip is a round trip of a decrypted tunnel's transport, which reads its
// answer by itself: what comes is cut off by a timer.
type insideTrip struct {
	silence *time.Timer
	body    *insideBody
}

func (p *insideTrip) extend(to time.Time) { p.silence.Reset(time.Until(to)) }
func (p *insideTrip) ahead() bool         { return false }
func (p *insideTrip) uploaded() int64     { return p.body.taken.Load() }
func (p *insideTrip) end(bool)            { p.silence.Stop() }

// bodyPending reports whether the request's body has not been read to its end.
func (p *insideTrip) bodyPending() bool { return p.body.x != nil && !p.body.ended.Load() }
