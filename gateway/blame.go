package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// clientError is a failure to hand something to the client.
type clientError struct{ err error }

func (e *clientError) Error() string { return "write to the client: " + e.err.Error() }
func (e *clientError) Unwrap() error { return e.err }

// refuseUpstream answers for a request that an origin did not answer, or whose
// client did not send it.
func (x *request) refuseUpstream(err error) {
	status, reason, detail := x.blame(err)
	if status == 0 {
		if reason == reasonClientGone {
			detail = "the client left before there was an answer"
		}
		x.abandon(reason, detail)
	}
	x.w.Header().Set("Connection", "close")
	if status == http.StatusBadRequest && reason == reasonFraming {
		x.refuse(status, reason, detail)
		return
	}
	x.failed(status, reason, detail)
}

// blame says whose doing it is that a request, or its response, broke off: the
// status is what a client is answered that waits, 0 where none does.
func (x *request) blame(err error) (status int, reason, detail string) {
	var bad *upstreamError
	var body *bodyError
	var client *clientError
	var network *net.OpError
	if why := x.cutBy(); why != "" {
		switch why {
		case byOperator:
			return 0, reasonOperator, "an operator ended the tunnel"
		case byIdle:
			return 0, reasonClientSlow, "the tunnel was silent for too long"
		}
		return 0, reasonDraining, "the gateway stopped, and waited no longer"
	}
	switch {
	case x.gone():
		return 0, reasonClientGone, "the client left"
	case errors.As(err, &client) && isTimeout(err):
		return 0, reasonClientSlow, "the client did not take what was sent in time"
	case errors.As(err, &client):
		return 0, reasonClientGone, "the client left"
	case errors.As(err, &body) && isTimeout(body.err):
		return http.StatusRequestTimeout, reasonClientSlow, "the client did not go on with its body in time"
	case errors.As(err, &body) && errors.Is(body.err, io.ErrUnexpectedEOF):
		return http.StatusBadRequest, reasonClientGone, "the client ended its side in the middle of its body"
	case errors.As(err, &body):
		return http.StatusBadRequest, reasonFraming, "the request's body: " + body.err.Error()
	case errors.As(err, &bad):
		return http.StatusBadGateway, bad.reason, bad.detail
	case isTimeout(err), errors.Is(err, context.Canceled): // by the timer of a trip inside a tunnel
		return http.StatusGatewayTimeout, reasonUpstreamSlow, "the origin did not go on in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network), endedInHTTP2(err):
		return http.StatusBadGateway, reasonUpstreamGone, "the origin closed the connection"
	}
	return http.StatusBadGateway, reasonUpstreamBad, err.Error()
}

// cutBy returns what the gateway cut the request for before its end, "" if it did
// not.
func (x *request) cutBy() string {
	if x.g.cutting.Load() {
		return byShutdown
	}
	if x.inside == nil {
		return ""
	}
	return x.inside.c.t.cut()
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// enderOf says who ended a stream of events.
func (x *request) enderOf(err error) string {
	if err == nil {
		return byOrigin
	}
	if why := x.cutBy(); why != "" {
		return why
	}
	switch _, reason, _ := x.blame(err); reason {
	case reasonClientGone:
		return byClient
	case reasonClientSlow, reasonUpstreamSlow:
		return byIdle
	}
	return byOrigin
}

// streamError is what net/http says of a stream in HTTP/2 that broke off: its own
// type takes the place of one with these fields.
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (streamError) Error() string { return "a stream broke off" }

// endedInHTTP2 reports whether the origin ended a stream in the middle. One that
// this side ends, because what came is malformed, is another matter.
func endedInHTTP2(err error) bool {
	if text := err.Error(); strings.HasPrefix(text, "http2: server sent GOAWAY") ||
		strings.HasPrefix(text, "http2: Transport received Server's graceful shutdown GOAWAY") {
		return true // net/http has no name for these
	}
	var stream streamError
	return errors.As(err, &stream) && stream.Cause != nil && stream.Cause.Error() == "received from peer"
}
