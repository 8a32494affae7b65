package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/origin"
	"github.com/cordon-sec/cordon/internal/settle"
	"github.com/cordon-sec/cordon/internal/systemd"
	"github.com/cordon-sec/cordon/internal/watch"
)

// Lines say what the backend serves and where, for start-up.
func (b *Backend) Lines() []string {
	lines := []string{fmt.Sprintf("Serving %s (listening on %s, %s)", b.URL, b.listener.Addr(), b.describeTLS())}
	names := b.Auth.ProviderNames()
	var providers []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		providers = append(providers, name+" ("+names[name]+")")
	}
	if len(providers) == 0 {
		providers = []string{"no provider"}
	}
	lines = append(lines, "  "+b.Auth.Path()+"  sign-in: "+strings.Join(providers, ", "))
	for _, name := range b.Tables.Names() {
		lines = append(lines, "  /tables/"+name+"  "+b.Tables.Describe(name))
	}
	for _, name := range b.Services.Names() {
		lines = append(lines, "  /api/"+name+"  "+b.Services.Describe(name))
	}
	if b.server.Swagger == nil || *b.server.Swagger {
		lines = append(lines, "  /swagger  description of the tables")
	}
	lines = append(lines, "Data in "+DatabaseName(b.Settings))
	if b.admin != nil {
		lines = append(lines, fmt.Sprintf("Admin on http://%s/ (/healthz /readyz /metrics /events)", b.admin.Addr()))
	}
	return lines
}

func (b *Backend) describeTLS() string {
	switch {
	case b.tls == nil:
		return "without TLS"
	case b.tls.authority != "":
		return "TLS by the development authority " + b.tls.authority
	}
	return "TLS"
}

// Warnings are what the operator should know at start.
func (b *Backend) Warnings() []string {
	warnings := append(b.DatabaseNotices(), b.Auth.Warnings()...)
	if b.tls != nil {
		warnings = append(warnings, b.tls.notes...)
		if b.tls.created {
			warnings = append(warnings, "a development authority was made: browsers and apps trust the site once "+
				"they trust it (cordon ca trust --dir "+filepath.Dir(b.tls.authority)+")")
		}
	}
	return warnings
}

// DatabaseNotices are what opening the database has found and the operator should
// know, such as that a newer version has added to its schema. They are among the
// warnings.
func (b *Backend) DatabaseNotices() []string { return slices.Clone(b.notices) }

// Addr is the address that is listened on.
func (b *Backend) Addr() net.Addr { return b.listener.Addr() }

// AdminAddr is the address of the admin listener, nil without one.
func (b *Backend) AdminAddr() net.Addr {
	if b.admin == nil {
		return nil
	}
	return b.admin.Addr()
}

// Serve answers until the context ends, then lets the requests that run finish,
// for server.drain at the longest, and closes everything. It returns nil after
// an orderly stop.
func (b *Backend) Serve(ctx context.Context) error {
	var ready atomic.Bool
	site := b.siteServer()
	servers := []*http.Server{site}
	failed := make(chan error, 3) // one for each listener: site, http beside it, admin
	var running sync.WaitGroup
	for _, listener := range b.siteListeners() {
		running.Go(func() { failed <- site.Serve(listener) })
	}
	if b.admin != nil {
		operators := b.adminServer(&ready)
		servers = append(servers, operators)
		running.Go(func() { failed <- operators.Serve(b.admin) })
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	b.live.start(background, &running)
	running.Go(func() { settle.Run(background) })
	if b.tls != nil && b.tls.refresh != nil {
		running.Go(func() { watch.Every(background, b.tls.every, b.tls.refresh) })
	}
	ready.Store(true)
	systemd.Notify("READY=1")
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = environment(err)
	}
	ready.Store(false)
	systemd.Notify("STOPPING=1")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.live.inForce().server.Drain)
	defer cancel()
	for _, s := range servers {
		if s.Shutdown(drain) != nil {
			_ = s.Close() // the time is over: connections are cut
		}
	}
	last := b.live.end() // from here on no reload begins
	stop()
	running.Wait()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	closed := errors.Join(last.backend.parts.close(closing), b.fixed.close(closing))
	if errors.Is(closed, context.DeadlineExceeded) {
		// Webhooks that nobody takes are in the log; they are no failed stop.
		slog.New(slog.NewTextHandler(b.options.Stderr, nil)).Warn("stopped before everything was written", "error",
			closed)
		closed = nil
	}
	return errors.Join(err, closed)
}

// closeTime bounds what comes after the requests: webhooks, events, the
// database.
const closeTime = 5 * time.Second

// siteListeners take a bounded number of connections and speak TLS, or TLS and
// cleartext.
func (b *Backend) siteListeners() []net.Listener {
	listener := netutil.LimitListener(b.listener, b.server.MaxConnections)
	switch {
	case b.tls == nil:
		return []net.Listener{listener}
	case b.Plain == nil:
		return []net.Listener{tls.NewListener(listener, b.tls.config)}
	}
	both := split(listener)
	return []net.Listener{tls.NewListener(both.secure, b.tls.config), both.plain}
}

// markPlain notes at which of the site's addresses a connection came in.
func (b *Backend) markPlain(ctx context.Context, conn net.Conn) context.Context {
	if _, secure := conn.(*tls.Conn); secure || b.Plain == nil {
		return ctx
	}
	return origin.With(ctx, b.Plain)
}

func (b *Backend) siteServer() *http.Server {
	var handler http.Handler = http.HandlerFunc(b.live.site)
	if b.Metrics != nil {
		handler = measure(b.Metrics.Registry(), handler)
	}
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute,
		WriteTimeout: 10 * time.Minute, IdleTimeout: 2 * time.Minute, ConnContext: b.markPlain,
		ErrorLog: b.errorLog(),
	}
}

// errorLog takes what goes wrong with connections.
func (b *Backend) errorLog() *log.Logger {
	return slog.NewLogLogger(quiet{slog.NewTextHandler(b.options.Stderr, nil)}, slog.LevelDebug)
}

// quiet drops what clients cause, such as broken handshakes.
type quiet struct{ slog.Handler }

// Enabled is part of slog.Handler.
func (quiet) Enabled(context.Context, slog.Level) bool { return true }

// Handle is part of slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	for _, text := range []string{"TLS handshake error", "http2: ", "URL query contains semicolon"} {
		if strings.Contains(r.Message, text) {
			return nil
		}
	}
	return q.Handler.Handle(ctx, r)
}

// adminServer answers operators.
func (b *Backend) adminServer(ready *atomic.Bool) *http.Server {
	o := admin.Options{Metrics: b.Metrics.Handler(), Events: b.Ring, ErrorLog: b.errorLog()}
	o.Ready = func(ctx context.Context) bool {
		_, err := b.Store.Users(ctx, "", 1)
		return err == nil && ready.Load()
	}
	var err error
	if o.Token, err = admin.OpenToken(admin.TokenFile(b.Settings.Dir())); err != nil {
		o.ReadOnly = err.Error()
		b.Events.Record(&event.Event{
			Type: event.Notice, Source: "backend", Reason: "admin-read-only", Detail: err.Error(),
		})
	}
	if b.options.AdminHandler != nil {
		o.Rest = http.HandlerFunc(b.live.rest)
	}
	return admin.NewServer(o)
}
