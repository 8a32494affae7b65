package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
)

// roundTrip forwards a request out of a decrypted tunnel.
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
	if emptyBody(x.r) {
		out.Body = http.NoBody
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
	defer resp.Body.Close()
	x.hand(resp, cancel)
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

// hand passes a response on, each piece as it comes.
func (x *exchange) hand(resp *http.Response, cancel context.CancelFunc) {
	x.event.Status = resp.StatusCode
	lasting := resp.ContentLength < 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream")
	copyFields(x.w.Header(), resp.Header)
	announceTrailers(x.w.Header(), resp.Trailer)
	if lasting {
		first := x.event
		x.g.events.Record(&first)
	}
	x.w.WriteHeader(resp.StatusCode)
	down, err := x.copyPieces(resp, cancel)
	for name, values := range resp.Trailer {
		x.w.Header()[name] = values
	}
	x.event.Down = down
	x.event.Total = time.Since(x.began)
	if lasting {
		x.event.Type, x.event.Time = event.Close, time.Time{}
	}
	if err != nil {
		x.event.Detail = fmt.Sprintf("the response broke off: %v", err)
	}
	x.record()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// copyPieces passes a body on and gives up on an origin that is silent for too
// long.
func (x *exchange) copyPieces(resp *http.Response, cancel context.CancelFunc) (total int64, err error) {
	buffer := smallBuffers.Get().(*[]byte)
	defer smallBuffers.Put(buffer)
	control := http.NewResponseController(x.w)
	idle := x.state.config.Timeouts.Idle
	timer := time.AfterFunc(idle, cancel)
	defer timer.Stop()
	for {
		n, err := resp.Body.Read(*buffer)
		total += int64(n)
		if n > 0 {
			_ = control.SetWriteDeadline(time.Now().Add(idle))
			if _, werr := x.w.Write((*buffer)[:n]); werr != nil {
				return total, werr
			}
		}
		if err == io.EOF || err == nil && total == resp.ContentLength {
			return total, control.SetWriteDeadline(time.Time{})
		}
		if err != nil {
			return total, err
		}
		timer.Reset(idle)
		if err := control.Flush(); err != nil {
			return total, err
		}
	}
}
