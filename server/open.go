// Package server is the running backend: Open makes of a cordon.yaml (package
// settings) everything that it names, listening and ready; Serve answers until
// its context ends, and Close ends what was opened and not served.
//
//	s, err := settings.Load("cordon.yaml")
//	b, err := server.Open(ctx, s, server.Options{Stdout: os.Stdout, Stderr: os.Stderr})
//	err = b.Serve(ctx)
//
// The parts are opened in one order (ports, events, TLS, egress, database, sign-in,
// tables, services) and closed in the other. What fails because of the machine is
// an *EnvironmentError; everything else is the configuration's fault.
package server

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"

	"github.com/cordon-sec/cordon/backend"
	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/services"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/loopback"
	"github.com/cordon-sec/cordon/settings"
)

// EnvironmentError wraps a failure of the machine: a port, a disk, a database
// that does not answer.
type EnvironmentError struct{ Err error }

// Error returns the failure's text.
func (e *EnvironmentError) Error() string { return e.Err.Error() }

// Unwrap returns the failure.
func (e *EnvironmentError) Unwrap() error { return e.Err }

func environment(err error) error {
	if err == nil {
		return nil
	}
	return &EnvironmentError{Err: err}
}

// Options are what a backend needs besides its settings.
type Options struct {
	// Admin replaces server.admin when it is not "".
	Admin string
	// AdminHandler answers what the admin listener does not know itself, such
	// as the console; nil answers 404. It is called once the backend is open, and
	// again for each reload.
	AdminHandler func(*Backend) http.Handler
	// Site puts something in front of a backend's handler, such as an app's own
	// pages; nil: nothing. It is called once all parts are open, and again for each
	// reload; its error is that of Open or Reload.
	Site func(*Backend) (http.Handler, error)
	// Mounts makes pages of the site's own, by the first segment of their paths, such
	// as "/console"; see backend.Options. The Backend has no Handler yet.
	Mounts func(*Backend) (map[string]http.Handler, error)
	// Cleartext answers http at the same port besides https, for browsers that
	// do not trust the development authority. It takes loopback for the listener
	// and for the public URL.
	Cleartext bool
	// Stdout and Stderr are where events go when telemetry.log names them.
	Stdout, Stderr io.Writer
}

// Backend is a backend that listens and is ready to serve. Its fields do not
// change: what a reload puts in their place is another Backend, which the handlers
// of Options are given.
type Backend struct {
	// Settings are those that it was made of.
	Settings *settings.Settings
	// URL is its public address.
	URL *url.URL
	// Plain is the address over http, nil unless Options.Cleartext asked for it.
	Plain *url.URL
	// Handler answers everything.
	Handler http.Handler
	// Auth, Tables and Services are its parts.
	Auth     *auth.Server
	Tables   *tables.Service
	Services *services.Handler
	// Store is its database.
	Store Store
	// Events takes what happens; Metrics and Ring are nil without an admin
	// listener.
	Events  *event.Recorder
	Metrics *event.Metrics
	Ring    *event.Ring

	options  Options
	server   settings.Server
	listener net.Listener
	admin    net.Listener
	tls      *serverTLS
	dialer   *egress.Dialer
	log      *event.Log
	logFile  io.Closer
	rest     http.Handler // of the admin listener
	// parts end with this Backend; fixed end with the last one, as they are all
	// reloads' alike.
	parts, fixed closers
	webhooks     *tables.Webhooks
	live         *live
	notices      []string // of the database
}

// closers end what was opened, the last first.
type closers []func(context.Context) error

func (c *closers) add(do func(context.Context) error) { *c = append(*c, do) }

func (c *closers) close(ctx context.Context) error {
	var errs []error
	for _, do := range slices.Backward(*c) {
		errs = append(errs, do(ctx))
	}
	*c = nil
	return errors.Join(errs...)
}

// Open listens and makes all parts ready. On an error everything that was
// opened is closed again. Failures of the machine are *EnvironmentError; all
// others are the configuration's.
func Open(ctx context.Context, s *settings.Settings, o Options) (*Backend, error) {
	b := &Backend{Settings: s, options: o, server: s.Server.WithDefaults(), live: &live{served: make(chan struct{})}}
	if o.Admin != "" {
		b.server.Admin = o.Admin
	}
	for _, step := range []func(context.Context) error{b.listen, b.openEvents, b.openTLS, b.openStore, b.openWebhooks,
		b.openParts} {
		if err := step(ctx); err != nil {
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
			defer cancel()
			return nil, errors.Join(err, b.Close(closing))
		}
	}
	b.live.current = &generation{backend: b}
	return b, nil
}

// openWebhooks starts what sends webhooks, whichever settings they come from.
func (b *Backend) openWebhooks(context.Context) error {
	b.webhooks = tables.NewWebhooks(slog.New(slog.NewTextHandler(b.options.Stderr, nil)))
	b.fixed.add(b.webhooks.Close)
	return nil
}

// openParts opens what a reload replaces.
func (b *Backend) openParts(ctx context.Context) error {
	for _, step := range []func(context.Context) error{b.openEgress, b.openAuth, b.openTables, b.openServices,
		b.assemble, b.define} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// define brings the database into the shape that the settings ask for. It is the
// last step: what is refused must not have changed anything.
func (b *Backend) define(ctx context.Context) error { return b.Tables.Define(ctx) }

// Close ends a backend that was opened and is not served, within the context's
// time. Serve closes by itself.
func (b *Backend) Close(ctx context.Context) error {
	return errors.Join(b.parts.close(ctx), b.fixed.close(ctx))
}

// listen opens the ports first: everything else may take a while, and the
// public URL may depend on the port.
func (b *Backend) listen(ctx context.Context) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", b.server.Listen)
	if err != nil {
		return environment(err)
	}
	if err := loopback.Check(b.server.Listen, listener); err != nil {
		return fmt.Errorf("server.listen: %w", err)
	}
	b.listener = listener
	b.fixed.add(func(context.Context) error { return ignoreClosed(listener.Close()) })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return environment(err)
	}
	if b.URL, err = b.server.PublicURL(port); err != nil {
		return fmt.Errorf("server.url %w", err)
	}
	if b.options.Cleartext {
		if !b.server.Loopback() || !hostname.IsLoopback(b.URL.Host) || b.URL.Scheme != "https" ||
			b.server.TLS.Mode == "off" {
			return fmt.Errorf("http beside https must stay on this machine: server.listen is %s and the public URL %s",
				b.server.Listen, b.URL)
		}
		b.Plain = &url.URL{Scheme: "http", Host: b.URL.Host}
	}
	if b.server.Admin == "" {
		return nil
	}
	if err := admin.CheckAddress(b.server.Admin); err != nil {
		return fmt.Errorf("server.admin: %w", err)
	}
	if b.admin, err = admin.Listen(ctx, b.server.Admin); err != nil {
		return environment(err)
	}
	b.fixed.add(func(context.Context) error { return ignoreClosed(b.admin.Close()) })
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (b *Backend) openEvents(context.Context) error {
	var sinks []event.Sink
	out, err := b.logWriter()
	if err != nil {
		return environment(err)
	}
	if out != nil {
		b.log = event.NewLog(out, event.LogOptions{})
		sinks = append(sinks, b.log)
		b.fixed.add(func(ctx context.Context) error {
			err := b.log.Close(ctx)
			if b.logFile != nil {
				err = errors.Join(err, b.logFile.Close())
			}
			return err
		})
	}
	if b.admin != nil {
		b.Metrics, b.Ring = event.NewMetrics(), event.NewRing(1024)
		sinks = append(sinks, b.Metrics, b.Ring)
		if b.log != nil {
			b.Metrics.WatchLog(b.log)
		}
	}
	b.Events = event.NewRecorder(sinks...)
	return nil
}

func (b *Backend) logWriter() (io.Writer, error) {
	switch name := b.Settings.Telemetry.Log; name {
	case "", "stderr":
		return b.options.Stderr, nil
	case "stdout":
		return b.options.Stdout, nil
	case "none":
		return nil, nil
	default:
		file, err := os.OpenFile(b.Settings.Path(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return nil, err
		}
		b.logFile = file
		return file, nil
	}
}

// openEgress makes the dialer for everything that the backend itself sends.
func (b *Backend) openEgress(context.Context) error {
	config := egress.Config{}
	for _, text := range b.Settings.Egress.Allow {
		private, err := egress.ParsePrivate("", text)
		if err != nil {
			return fmt.Errorf("egress.allow: %w", err)
		}
		config.Allow = append(config.Allow, private)
	}
	if file := b.Settings.Egress.Roots; file != "" {
		pem, err := os.ReadFile(b.Settings.Path(file))
		if err != nil {
			return fmt.Errorf("egress.roots: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			return environment(err)
		}
		if !pool.AppendCertsFromPEM(pem) {
			return fmt.Errorf("egress.roots: %s holds no certificate", file)
		}
		config.Roots = pool
	}
	var err error
	b.dialer, err = egress.New(config)
	return err
}

func (b *Backend) openAuth(ctx context.Context) error {
	config := b.Settings.Identity
	if b.Plain != nil {
		config.Redirects = append(slices.Clone(config.Redirects), b.Plain.String())
	}
	var err error
	b.Auth, err = auth.New(ctx, auth.Options{Config: config, URL: b.URL, Loopback: b.server.Loopback(), Store: b.Store,
		Secrets: b.Settings.Secrets(), Client: b.providerClient(), Events: b.Events})
	if err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	return nil
}

func (b *Backend) openTables(context.Context) error {
	config, err := b.Settings.TablesWithSecrets()
	if err != nil {
		return err
	}
	key, err := b.Auth.DeriveKey("webhook")
	if err != nil {
		return err
	}
	b.Tables, err = tables.Prepare(config, b.Store,
		tables.Options{URL: b.URL, Log: slog.New(slog.NewTextHandler(b.options.Stderr, nil)),
			ReadFile: func(name string) ([]byte, error) { return os.ReadFile(b.Settings.Path(name)) },
			Webhooks: b.webhookClient(), WebhookKey: key, Queue: b.webhooks,
			DefaultVersion: b.server.DefaultAPIVersion})
	if err != nil {
		return err
	}
	b.parts.add(func(ctx context.Context) error { return b.Tables.Close(ctx) })
	return nil
}

func (b *Backend) openServices(context.Context) error {
	var err error
	b.Services, err = services.New(services.Options{Config: b.Settings.Services, Transport: b.serviceTransport,
		Tokens: b.Auth, PrivateCookies: []string{auth.CookieName, "CordonLogin-", "CordonCompletion"},
		Events: b.Events})
	return err
}

func (b *Backend) assemble(context.Context) error {
	var proxies []netip.Prefix
	for _, text := range b.server.Proxies {
		prefix, err := settings.ParseRange(text)
		if err != nil {
			return fmt.Errorf("server.proxies: %w", err)
		}
		proxies = append(proxies, prefix)
	}
	var err error
	var mounts map[string]http.Handler
	if b.options.Mounts != nil {
		if mounts, err = b.options.Mounts(b); err != nil {
			return err
		}
	}
	b.Handler, err = backend.New(backend.Options{Mounts: mounts, Auth: b.Auth, Tables: b.Tables, Services: b.Services,
		TablesConfig: b.Settings.Tables, NoSwagger: b.server.Swagger != nil && !*b.server.Swagger,
		Name: b.Settings.App.Name, URL: b.URL, CORS: b.server.CORS, Proxies: proxies,
		ForwardedOnly: b.server.ProxyHeader == "forwarded", Events: b.Events})
	if err != nil {
		return err
	}
	if b.options.Site != nil {
		if b.Handler, err = b.options.Site(b); err != nil {
			return err
		}
	}
	if b.options.AdminHandler != nil && b.admin != nil {
		b.rest = b.options.AdminHandler(b)
	}
	return nil
}
