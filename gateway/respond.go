package gateway

import (
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/event"
)

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
func (x *request) respond(trip answerer, resp *http.Response) {
	x.finalHead()
	x.event.Status = resp.StatusCode
	lasting := resp.ContentLength < 0 && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream")
	x.bindUpstream(trip, resp)
	named := copyFields(x.w.Header(), resp.Header)
	trailing := announceTrailers(x.w.Header(), resp.Trailer, named)
	if trip.bodyPending() && x.r.ProtoMajor == 1 {
		// The origin answered before it had the whole body: what is left of it
		// must not be read as the next request.
		x.w.Header().Set("Connection", "close")
	}
	if lasting {
		first := x.event
		x.g.events.Record(&first)
	}
	x.w.WriteHeader(resp.StatusCode)
	for _, name := range trailing {
		delete(x.w.Header(), name) // of the head, which is written; else it would come again
	}
	down, err := x.copyBody(trip, resp)
	if len(resp.Trailer) > 0 {
		_ = http.NewResponseController(x.w).Flush() // else a short body would go with its length, and no trailer
	}
	for name, values := range resp.Trailer {
		if len(values) > 0 && mayTrail(name, named) {
			x.w.Header()[http.TrailerPrefix+name] = values
		}
	}
	x.event.Total = time.Since(x.began)
	keep := err == nil && !resp.Close && resp.StatusCode != http.StatusSwitchingProtocols
	trip.end(keep)
	x.event.Up, x.event.Down = trip.uploaded(), down
	switch {
	case lasting:
		x.event.Type, x.event.Time = event.Close, time.Time{}
		x.event.Detail = x.enderOf(err)
	case err != nil:
		var detail string
		_, x.event.Reason, detail = x.blame(err)
		x.event.Verdict, x.event.Detail = event.Failed, "the response broke off: "+detail
	}
	x.record()
	if err != nil {
		x.breakOff(err)
	}
}

// breakOff ends a response that is not whole, in a way that the client sees. What
// has come of it is handed on before, unless it was the client that did not take it.
func (x *request) breakOff(err error) {
	if from := (*clientError)(nil); !errors.As(err, &from) {
		control := http.NewResponseController(x.w)
		_ = control.SetWriteDeadline(time.Now().Add(x.state.config.Timeouts.Idle))
		_ = control.Flush()
	}
	panic(http.ErrAbortHandler)
}

// copyFields copies the end-to-end fields of a response.
func copyFields(to, from http.Header) (named []string) {
	named = dropHopFields(from)
	for name, values := range from {
		to[name] = values
	}
	if _, ok := from["Content-Type"]; !ok {
		to["Content-Type"] = nil // nothing is guessed on the origin's behalf
	}
	return named
}

// announceTrailers announces what was announced and may pass. A trailer needs
// chunks, so that a length that is known goes.
func announceTrailers(to, trailer http.Header, named []string) (names []string) {
	for name := range trailer {
		if mayTrail(name, named) {
			to.Add("Trailer", name)
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		delete(to, "Content-Length")
	}
	return names
}

// bindUpstream makes the connection that a response came over the client's own,
// if the response says that the connection stands for who asks.
func (x *request) bindUpstream(trip answerer, resp *http.Response) {
	p, ok := trip.(*roundTrip)
	if !ok || !bindsByResponse(resp.Header) {
		return
	}
	if x.client == nil {
		resp.Close = true
		return
	}
	x.client.bind(p.u.key)
	p.u.owner = x.client
	if resp.StatusCode == http.StatusUnauthorized && !x.client.alone {
		resp.Header["Proxy-Support"] = []string{"Session-Based-Authentication"} // RFC 4559 section 6
	}
}

// copyBody passes the body on. It flushes when nothing more is there at the
// moment, the head alone too, so that events and media arrive when they are
// sent, and small responses in one piece.
func (x *request) copyBody(trip answerer, resp *http.Response) (int64, error) {
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
	streams := x.r.ProtoMajor > 1 // there a deadline ends the stream also where nothing is written
	for {
		if now := time.Now(); streams || now.Sub(armed) > idle/8 {
			armed = now
			trip.extend(now.Add(idle))
			_ = control.SetWriteDeadline(now.Add(idle))
		}
		if !trip.ahead() {
			if err := control.Flush(); err != nil {
				return total, &clientError{err}
			}
		}
		if streams {
			_ = control.SetWriteDeadline(time.Time{})
		}
		n, err := resp.Body.Read(*buffer)
		if n > 0 {
			total += int64(n)
			x.flow()
			if streams {
				_ = control.SetWriteDeadline(time.Now().Add(idle))
			}
			if _, werr := x.w.Write((*buffer)[:n]); werr != nil {
				return total, &clientError{werr}
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
