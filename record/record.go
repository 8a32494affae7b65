// Package record watches what an app asks for, to propose the smallest list that it
// needs: a gateway that lets everything through which its guards allow, and takes
// notes; or a HAR file, as browsers' developer tools save it. Package propose makes
// the lines, and writing them is the caller's.
//
//	r, err := record.New(record.Options{Config: doc, Listen: "127.0.0.1:0"})
//	err = r.Listen()
//	err = r.Serve(ctx) // while the app runs behind r.Addr()
//	list, cleartext := record.Proposals(r.Seen(), false)
package record

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway"
	"github.com/cordon-sec/cordon/gateway/config"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/enforced"
	"github.com/cordon-sec/cordon/policy/propose"
)

// Options are what a Recorder needs.
type Options struct {
	// Config is the app's list: what it allows is noted too.
	Config *configxml.Document
	// Listen is the gateway's address; "": its default.
	Listen string
	// With are origins with ports of their own that are let through, as in
	// https://localhost:8443.
	With []string
	// Private are the private addresses that hosts may resolve into.
	Private []config.Private
	// Authority decrypts what is asked, so that paths and kinds are seen; nil: hosts
	// alone.
	Authority *ca.Authority
}

// Recorder is a gateway that reports, and what it has seen. It is safe for
// concurrent use.
type Recorder struct {
	gateway *gateway.Gateway

	mu      sync.Mutex
	seen    map[propose.Observation]int
	refused map[string]string
}

// New makes a Recorder; Listen and Serve start it.
func New(o Options) (*Recorder, error) {
	lines := make([]propose.Line, len(o.With))
	for i, origin := range o.With {
		if !strings.HasPrefix(origin, "https://") && !strings.HasPrefix(origin, "http://") {
			return nil, fmt.Errorf("--with %q: it must be an origin, as in https://localhost:8443", origin)
		}
		lines[i] = propose.Line{Element: "access", Origin: origin}
	}
	data := o.Config.Bytes()
	if edit, ok := propose.Insert(o.Config, lines...); ok {
		var err error
		if data, err = o.Config.Apply(edit); err != nil {
			return nil, err
		}
	}
	r := &Recorder{seen: map[propose.Observation]int{}, refused: map[string]string{}}
	c := config.Config{
		Listen: o.Listen, Log: "none", Timeouts: config.Timeouts{Drain: 2 * time.Second},
		Apps: []config.App{{Name: "recorded", Config: o.Config.Name(), Mode: config.Report,
			Private: o.Private, Inspect: o.Authority != nil}},
	}
	list, err := enforced.Compile(o.Config.Name(), data, c.Apps[0].Options())
	if err != nil {
		return nil, err
	}
	r.gateway, err = gateway.New(gateway.Options{Events: event.NewRecorder(r), Loaded: config.Loaded{
		Config: c, Apps: []config.Contents{{List: list}}, Authority: o.Authority,
	}})
	return r, err
}

// Listen opens the port.
func (r *Recorder) Listen() error { return r.gateway.Listen() }

// Addr is the gateway's address, after Listen.
func (r *Recorder) Addr() net.Addr { return r.gateway.Addr() }

// Serve records until the context ends.
func (r *Recorder) Serve(ctx context.Context) error { return r.gateway.Serve(ctx) }

// Record is part of event.Sink.
func (r *Recorder) Record(e *event.Event) {
	if e.Type != event.Decision || e.Host == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Verdict {
	case event.Allowed, event.Reported:
		o := propose.Observation{Scheme: e.Scheme, Host: e.Host, Port: int(e.Port), Path: e.Path, Kind: e.Kind}
		if o.Scheme == "" {
			o.Scheme = "https" // a tunnel
		}
		r.seen[o]++
	case event.Blocked:
		r.refused[fmt.Sprintf("%s:%d", e.Host, e.Port)] = e.Reason
	}
}

// Seen is what was asked for so far, with how often.
func (r *Recorder) Seen() []propose.Observation {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := make([]propose.Observation, 0, len(r.seen))
	for o, count := range r.seen {
		o.Count = count
		seen = append(seen, o)
	}
	return seen
}

// Refusal is something that was asked for and not let through even here.
type Refusal struct {
	Host   string // with its port
	Reason string // the gateway's code
}

// Refused are the hosts that the gateway's guards refused, by name.
func (r *Recorder) Refused() []Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]Refusal, 0, len(r.refused))
	for host, reason := range r.refused {
		all = append(all, Refusal{host, reason})
	}
	slices.SortFunc(all, func(a, b Refusal) int { return strings.Compare(a.Host, b.Host) })
	return all
}

// Proposals makes the list: https in place of http, unless cleartext is wanted.
// The hosts that were asked over http and are proposed with https come back too.
func Proposals(seen []propose.Observation, cleartext bool) (list []propose.Proposal, raised map[string]bool) {
	raised = map[string]bool{}
	seen = slices.Clone(seen)
	for i := range seen {
		o := &seen[i]
		if cleartext || o.Scheme == "https" || o.Scheme == "wss" {
			continue
		}
		if name, err := hostname.ParsePlain(o.Host); err == nil && name.Addr().IsValid() {
			continue // an address has no certificate that a browser takes
		}
		o.Scheme = "https"
		if o.Port == 80 {
			o.Port = 443
		}
		raised[o.Host] = true
	}
	return propose.List(seen), raised
}
