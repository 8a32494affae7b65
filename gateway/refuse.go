package gateway

import (
	"net/http"
	"strconv"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/problem"
)

// refuse answers with problem details and records the decision. The answer says
// which check refused, and nothing about the policy.
func (x *request) refuse(status int, reason, detail string) {
	x.refused(status, reason, detail, event.Blocked)
}

// failed is refuse for what went wrong on the way.
func (x *request) failed(status int, reason, detail string) {
	x.refused(status, reason, detail, event.Failed)
}

func (x *request) refused(status int, reason, detail string, verdict event.Verdict) {
	x.finalHead()
	if x.r.ProtoMajor == 1 && (x.r.Method == http.MethodConnect || !emptyBody(x.r)) {
		// What is left of the body, or the tunnel data of a client that did not
		// wait, must not be read as the next request.
		x.w.Header()["Connection"] = closeField
	}
	x.event.Verdict, x.event.Reason, x.event.Detail = verdict, reason, detail
	x.event.Status = status
	x.event.Total = time.Since(x.began)
	body := problemBody(status, reason, x.event.ID)
	h := x.w.Header()
	h["Content-Type"] = problemType
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // the client may be gone
	x.record()
	if x.r.Method != http.MethodConnect && !emptyBody(x.r) {
		x.drain()
	}
}

// The limits of reading what a client still sends of a body that nobody wants.
// If the connection were closed before, the system would reset it, and the
// client might lose the answer.
const (
	drainQuiet = 2 * time.Second
	drainTime  = 30 * time.Second
)

// drain sends the answer, and reads the rest of the request's body for nobody.
func (x *request) drain() {
	if x.r.ProtoMajor > 1 || x.r.Header.Get("Expect") != "" {
		return // HTTP/2 has a word for it, and who was to wait has an answer now
	}
	control := http.NewResponseController(x.w)
	if control.Flush() != nil {
		return
	}
	buffer := smallBuffers.Get().(*[]byte)
	defer smallBuffers.Put(buffer)
	for end := time.Now().Add(drainTime); time.Now().Before(end); {
		_ = control.SetReadDeadline(time.Now().Add(drainQuiet))
		if _, err := x.r.Body.Read(*buffer); err != nil {
			return
		}
	}
}

// gone reports whether the client has left: it has reset its connection, or has
// closed its side for so long that it is not waited for.
func (x *request) gone() bool {
	return x.cut.Load() || x.r.ProtoMajor > 1 && x.r.Context().Err() != nil || x.client.left()
}

// abandon records why nobody waits for an answer, and ends the connection, or
// stream. It does not return.
func (x *request) abandon(reason, detail string) {
	x.recordGone(reason, detail)
	panic(http.ErrAbortHandler)
}

func (x *request) recordGone(reason, detail string) {
	x.event.Verdict, x.event.Reason, x.event.Detail, x.event.Status = event.Failed, reason, detail, 0
	x.event.Total = time.Since(x.began)
	x.record()
}

// record hands the decision to the recorder, which copies it.
func (x *request) record() { x.g.events.Record(&x.event) }

var (
	problemType = []string{problem.ContentType}
	noStore     = []string{"no-store"}
)

// problemBody renders problem details without reflection: refusals are the
// cheapest thing that an attacker can ask for.
func problemBody(status int, reason, id string) []byte {
	b := make([]byte, 0, 160)
	b = append(b, `{"title":"`...)
	b = append(b, http.StatusText(status)...)
	b = append(b, `","status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, `,"reason":"`...)
	b = append(b, reason...)
	b = append(b, `","requestId":"`...)
	b = append(b, id...)
	return append(b, "\"}\n"...)
}
