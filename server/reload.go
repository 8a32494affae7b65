package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/settings"
)

// generation is a Backend that answers requests, from its start or reload on
// until the next one.
type generation struct {
	backend *Backend
	// requests are those that it still answers.
	requests sync.WaitGroup
	// stop ends its work in the background.
	stop context.CancelFunc
}

// live is what runs: it is shared by the Backends that follow each other.
type live struct {
	reload sync.Mutex    // one at a time
	served chan struct{} // closed once Serve has begun

	mu      sync.RWMutex
	current *generation
	// background is the context of what runs beside the requests, and running its
	// goroutines; background is nil unless Serve runs.
	background context.Context
	running    *sync.WaitGroup
}

// enter returns the generation that answers a request that has just come. Its
// requests must be told of the end.
func (l *live) enter() *generation {
	l.mu.RLock()
	defer l.mu.RUnlock()
	l.current.requests.Add(1)
	return l.current
}

// site answers a request by whatever is in force when it comes.
func (l *live) site(w http.ResponseWriter, r *http.Request) {
	g := l.enter()
	defer g.requests.Done()
	g.backend.Handler.ServeHTTP(w, r)
}

// rest is the same for what the admin listener does not know itself.
func (l *live) rest(w http.ResponseWriter, r *http.Request) {
	g := l.enter()
	defer g.requests.Done()
	if g.backend.rest == nil {
		http.NotFound(w, r)
		return
	}
	g.backend.rest.ServeHTTP(w, r)
}

// start lets the current generation work in the background too.
func (l *live) start(ctx context.Context, running *sync.WaitGroup) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.background, l.running = ctx, running
	l.begin(l.current)
	close(l.served)
}

// begin starts a generation's work. The caller holds mu.
func (l *live) begin(g *generation) {
	ctx, stop := context.WithCancel(l.background)
	g.stop = stop
	l.running.Go(func() { g.backend.Auth.Run(ctx) })
}

// end says that Serve has ended and returns the generation that was in force.
func (l *live) end() *generation {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.background = nil
	return l.current
}

// ErrNotServing says that a backend is no longer served, so that nothing can be
// reloaded.
var ErrNotServing = errors.New("server: it has ended: nothing can be reloaded")

// Reload puts other settings into force: all of them or none. The requests that
// run are finished by what was in force when they came; nothing is cut. On an
// error nothing has changed. What only a start can change (the listeners, the
// certificate's place, the database, the log) must be as it was. The outcome is a
// notice in the events. It may be called at any time, also concurrently; before
// Serve it waits for that.
func (b *Backend) Reload(ctx context.Context, s *settings.Settings) error {
	_, err := b.ReloadFrom(ctx, func() (*settings.Settings, error) { return s, nil })
	return err
}

// ReloadFrom is Reload of what read returns; where that is an error, the notice
// says so too. It returns the warnings that what was in force did not have.
func (b *Backend) ReloadFrom(ctx context.Context, read func() (*settings.Settings, error)) (warnings []string,
	err error) {
	l := b.live
	select {
	case <-l.served:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.reload.Lock()
	defer l.reload.Unlock()
	known := l.inForce().Warnings()
	s, err := read()
	if err == nil {
		err = l.replace(ctx, s)
	}
	e := &event.Event{Type: event.Notice, Source: "backend", Reason: "reloaded"}
	if err != nil {
		e.Reason, e.Detail = "reload-failed", err.Error()
	}
	b.Events.Record(e)
	if err != nil {
		return nil, err
	}
	for _, warning := range l.inForce().Warnings() {
		if !slices.Contains(known, warning) {
			warnings = append(warnings, warning)
		}
	}
	return warnings, nil
}

// inForce returns the Backend that answers at the moment.
func (l *live) inForce() *Backend {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.current.backend
}

func (l *live) replace(ctx context.Context, s *settings.Settings) error {
	l.mu.RLock()
	old, serving := l.current, l.background != nil
	l.mu.RUnlock()
	if !serving {
		return ErrNotServing
	}
	next, err := old.backend.next(s)
	if err != nil {
		return err
	}
	if err := next.openParts(ctx); err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		return errors.Join(err, next.parts.close(closing))
	}
	g := &generation{backend: next}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.background == nil { // Serve has ended in the meantime
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		return errors.Join(ErrNotServing, next.parts.close(closing))
	}
	l.current = g
	l.begin(g)
	background := l.background
	l.running.Go(func() { old.retire(background) })
	return nil
}

// retire ends a generation once its last request has ended (they have their own
// deadlines), or when the server ends.
func (g *generation) retire(ctx context.Context) {
	ended := make(chan struct{})
	go func() { // ends with the last request
		g.requests.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	g.stop()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	if err := g.backend.parts.close(closing); err != nil {
		g.backend.Events.Record(&event.Event{Type: event.Notice, Source: "backend", Reason: "close",
			Detail: err.Error()})
	}
}

// next is a Backend of other settings around what stays open.
func (b *Backend) next(s *settings.Settings) (*Backend, error) {
	v := s.Server.WithDefaults()
	if b.options.Admin != "" {
		v.Admin = b.options.Admin
	}
	if fixed := b.fixedChanges(s, v); len(fixed) > 0 {
		return nil, fmt.Errorf("a changed %s takes a restart; nothing of the file is in force", wording.Join(fixed))
	}
	return &Backend{
		Settings: s, URL: b.URL, Plain: b.Plain, Store: b.Store, Events: b.Events, Metrics: b.Metrics, Ring: b.Ring,
		options: b.options, server: v, listener: b.listener, admin: b.admin, tls: b.tls, log: b.log, live: b.live,
		webhooks: b.webhooks,
	}, nil
}

// fixedChanges names the keys that differ and that only a start can change.
func (b *Backend) fixedChanges(s *settings.Settings, v settings.Server) []string {
	var changed []string
	for _, key := range []struct {
		name     string
		old, now any
	}{
		{"server.listen", b.server.Listen, v.Listen},
		{"server.url", b.server.URL, v.URL},
		{"server.tls", b.server.TLS, v.TLS},
		{"server.admin", b.server.Admin, v.Admin},
		{"server.max_connections", b.server.MaxConnections, v.MaxConnections},
		{"database", b.Settings.Database, s.Database},
		{"telemetry.log", b.Settings.Telemetry.Log, s.Telemetry.Log},
	} {
		if !reflect.DeepEqual(key.old, key.now) {
			changed = append(changed, key.name)
		}
	}
	return changed
}
