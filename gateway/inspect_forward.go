package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/cordon-sec/cordon/egress"
)

// forwardInspected forwards a request out of a decrypted tunnel.
func (x *exchange) forwardInspected(i *inspection, t target) {
	u, err := url.ParseRequestURI(t.rest)
	if err != nil || u.RequestURI() != t.rest {
		x.refuse(http.StatusBadRequest, reasonBadTarget, "the path has no single spelling")
		return
	}
	u.Scheme, u.Host = "https", t.authority.String()
	ctx, cancel := context.WithCancel(x.r.Context())
	defer cancel()
	out := x.r.Clone(ctx)
	out.URL, out.Host, out.RequestURI = u, t.hostField("https"), ""
	out.Close = false
	body := &countedBody{ReadCloser: http.NoBody}
	if out.Body = http.NoBody; !emptyBody(x.r) {
		body.ReadCloser = x.r.Body
		out.Body = body
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // nothing is added on the client's behalf
	}
	x.event.Address = i.c.t.event.Address
	resp, err := i.transport.RoundTrip(out)
	if err == nil {
		err = checkInside(resp)
	}
	if err != nil {
		if resp != nil {
			resp.Body.Close()
		}
		x.refuseInside(err)
		return
	}
	silence := time.AfterFunc(x.state.config.Timeouts.Idle, cancel)
	x.respond(&insideTrip{silence: silence, body: body}, resp)
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

func (x *exchange) refuseInside(err error) {
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
	body    *countedBody
}

func (p *insideTrip) extend(to time.Time) { p.silence.Reset(time.Until(to)) }
func (p *insideTrip) ahead() bool         { return false }
func (p *insideTrip) bodyPending() bool   { return false }
func (p *insideTrip) uploaded() int64     { return p.body.n.Load() }
func (p *insideTrip) end(bool)            { p.silence.Stop() }

// countedBody counts what is read of a request's body.
type countedBody struct {
	io.ReadCloser
	n atomic.Int64
}

// Read reads from the client.
func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}
