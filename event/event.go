// Package event records what was decided and enforced: who asked, for what,
// how it was answered and why.
//
// An [Event] goes through a [Recorder] to any number of sinks: a structured
// log ([Log]), Prometheus metrics ([Metrics]) and a ring for the console
// ([Ring]). No sink ever blocks or fails the request that is being recorded: a
// log that cannot keep up drops events and counts them.
//
// Query strings, fragments, user names and bodies never enter an event: build
// Path with [SafePath].
//
// [NewRecorder] makes a Recorder of sinks, and Recorder.Record records. A nil
// Recorder records nothing, so that parts need not ask whether there is one.
// [Parse] reads a line of a log back. Recorder and sinks are safe for concurrent
// use; a Log is closed at the end, so that what it holds is written.
package event

import (
	"net/netip"
	"strings"
	"time"
)

// Type tells what an event is about.
type Type string

// The types of events.
const (
	// Decision is an answer to one request; every request has exactly one.
	Decision Type = "decision"
	// Close is the end of what a Decision opened and what lasts: a tunnel, an
	// upgraded connection, a stream. It has the same ID as its Decision.
	Close Type = "close"
	// Notice is something that concerns the operator: a reload, a broken
	// configuration, a limit.
	Notice Type = "notice"
)

// Verdict is how a request was answered, in the engine's words.
type Verdict string

// The verdicts.
const (
	// Allowed: the request went through.
	Allowed Verdict = "allow"
	// Blocked: the request was refused by policy.
	Blocked Verdict = "block"
	// Reported: the list refuses the request, and the app's mode let it through.
	Reported Verdict = "report"
	// Failed: policy let the request through and it failed on the way.
	Failed Verdict = "fail"
)

// Denied is the same.
//
// Deprecated: use Blocked. The word in logs was "deny" until it became the
// engine's own; Parse reads both.
const Denied = Blocked

// Reasons of decisions whose Source is "page": what a page's own
// Content-Security-Policy refused.
const (
	ReasonPagePolicy = "page-policy"       // a line in the app's rules would let it through
	ReasonPageFixed  = "page-policy-fixed" // no line would
)

// Event is one decision that was enforced. Its zero fields are left out of the
// log. Values come from clients: treat every string as hostile when printing.
type Event struct {
	// ID is the request's id; the answer to the client carries it too.
	ID   string
	Time time.Time
	Type Type
	// Source is the part that enforced: "gateway" or "backend".
	Source string

	// App is the application that asked, "" if it is unknown.
	App string
	// Identity says how the app was recognised: listener, credential or
	// certificate.
	Identity string
	// Client is the address of whoever asked.
	Client netip.AddrPort

	// Method, Scheme, Host, Port and Path are what was asked for. Path holds no
	// query; it is "" for a tunnel.
	Method string
	Scheme string
	Host   string
	Port   uint16
	Path   string

	// Kind is what asked, such as "image", where the client says so
	// (Sec-Fetch-Dest); "" if it is unknown, as in a tunnel.
	Kind string

	Verdict Verdict
	// Reason is a code from the recording part's closed list.
	Reason string
	// Rule is the text of the rule that decided and Place its file:line:column.
	Rule  string
	Place string
	// Detail is one sentence for the operator about a refusal or failure.
	Detail string

	// Address is the address that was dialled, or that was refused.
	Address netip.AddrPort
	// Status is the HTTP status that the client was given.
	Status int

	// Up and Down count the bytes to and from the other side: of a tunnel all
	// of them, of a request its bodies.
	Up   int64
	Down int64

	// Lookup, Connect and Total say how long the name, the connection and the
	// whole took.
	Lookup  time.Duration
	Connect time.Duration
	Total   time.Duration
}

// Sink takes events. Record must not block and is called concurrently.
type Sink interface {
	Record(*Event)
}

// Recorder hands each event to several sinks. A nil Recorder records nothing.
type Recorder struct {
	sinks []Sink
}

// NewRecorder returns a recorder over sinks; nil ones are left out.
func NewRecorder(sinks ...Sink) *Recorder {
	r := &Recorder{}
	for _, sink := range sinks {
		if sink != nil {
			r.sinks = append(r.sinks, sink)
		}
	}
	return r
}

// maxText bounds every text of an event, so that a client cannot fill a log.
const maxText = 512

// Record hands the event to every sink. It fills in a missing time and cuts
// over-long texts; the caller must not use the event afterwards.
func (r *Recorder) Record(e *Event) {
	if r == nil || len(r.sinks) == 0 {
		return
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	for _, s := range [...]*string{&e.ID, &e.Method, &e.Host, &e.Path, &e.Rule, &e.Detail} {
		if len(*s) > maxText {
			*s = (*s)[:maxText]
		}
	}
	e.Path = SafePath(e.Path)
	for _, sink := range r.sinks {
		sink.Record(e)
	}
}

// SafePath returns the path of a URL or request target as it may be recorded:
// without query and fragment.
func SafePath(raw string) string {
	if i := strings.IndexAny(raw, "?#"); i >= 0 {
		return raw[:i]
	}
	return raw
}
