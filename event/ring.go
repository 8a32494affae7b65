package event

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Ring keeps the latest events in memory and passes new ones to subscribers.
// Safe for concurrent use.
type Ring struct {
	mu          sync.Mutex
	events      []Event
	next        int
	full        bool
	recorded    uint64 // events in all; the latest one has this number
	subscribers map[*Subscription]struct{}
}

// NewRing returns a ring that keeps the latest n events.
func NewRing(n int) *Ring {
	return &Ring{events: make([]Event, max(n, 1)), subscribers: map[*Subscription]struct{}{}}
}

// Record keeps the event, in the place of the oldest one if the ring is full.
func (r *Ring) Record(e *Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events[r.next] = *e
	r.recorded++
	r.next++
	if r.next == len(r.events) {
		r.next, r.full = 0, true
	}
	for s := range r.subscribers {
		select {
		case s.events <- *e:
		default:
			s.missed++
		}
	}
}

// Latest returns the kept events, oldest first.
func (r *Ring) Latest() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.latest()
}

func (r *Ring) latest() []Event {
	if !r.full {
		return append([]Event(nil), r.events[:r.next]...)
	}
	return append(append([]Event(nil), r.events[r.next:]...), r.events[:r.next]...)
}

// Page returns up to limit of the kept events that keep accepts, newest first,
// beginning with those older than number before; 0 begins with the newest.
// next is what to ask for the following page with, 0 if nothing older is kept.
// keep is called under the ring's lock and must be quick.
func (r *Ring) Page(before uint64, limit int, keep func(*Event) bool) (page []Event, next uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before == 0 || before > r.recorded {
		before = r.recorded + 1
	}
	size := uint64(len(r.events))
	oldest := uint64(1)
	if r.recorded > size {
		oldest = r.recorded - size + 1
	}
	for n := before - 1; n >= oldest; n-- {
		e := &r.events[(n-1)%size]
		if !keep(e) {
			continue
		}
		if len(page) == limit {
			return page, n + 1
		}
		page = append(page, *e)
	}
	return page, 0
}

// Subscription is one reader of a ring's new events.
type Subscription struct {
	ring   *Ring
	events chan Event
	missed int
}

// Subscribe returns the kept events and a subscription to those that follow
// without a gap. A reader that falls more than 1024 events behind misses some.
func (r *Ring) Subscribe() ([]Event, *Subscription) {
	s := &Subscription{ring: r, events: make(chan Event, 1024)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subscribers[s] = struct{}{}
	return r.latest(), s
}

// Events is where new events arrive.
func (s *Subscription) Events() <-chan Event { return s.events }

// Missed returns how many events the reader was too slow for since the last
// call.
func (s *Subscription) Missed() int {
	s.ring.mu.Lock()
	defer s.ring.mu.Unlock()
	n := s.missed
	s.missed = 0
	return n
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.ring.mu.Lock()
	defer s.ring.mu.Unlock()
	delete(s.ring.subscribers, s)
}

// ServeHTTP streams the kept and all new events as server-sent events, one JSON
// object each, until the client goes. With ?tail=none the kept ones are left
// out.
func (r *Ring) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	kept, sub := r.Subscribe()
	defer sub.Close()
	if req.URL.Query().Get("tail") == "none" {
		kept = nil
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // a stream outlives the server's write time-out
	for i := range kept {
		if writeServerSent(w, &kept[i]) != nil {
			return
		}
	}
	if control.Flush() != nil {
		return
	}
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	for {
		select {
		case <-req.Context().Done():
			return
		case e := <-sub.Events():
			if writeServerSent(w, &e) != nil {
				return
			}
			if n := sub.Missed(); n > 0 {
				fmt.Fprintf(w, "event: missed\ndata: %d\n\n", n)
			}
		case <-alive.C:
			if _, err := w.Write([]byte(": alive\n\n")); err != nil {
				return
			}
		}
		if control.Flush() != nil {
			return
		}
	}
}

func writeServerSent(w http.ResponseWriter, e *Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.Type, data)
	return err
}

// MarshalJSON returns the event as the log writes it, without zero fields.
func (e *Event) MarshalJSON() ([]byte, error) {
	var space [28]slog.Attr
	fields := map[string]any{"type": e.Type}
	for _, a := range e.attrs(space[:0]) {
		fields[a.Key] = a.Value.Any()
	}
	return json.Marshal(fields)
}
