package settings

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend"
	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/services"
	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/secret"
)

// Store is a database as the backend's parts need it.
type Store interface {
	auth.Store
	tables.Store
	// Close ends it.
	Close() error
}

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
	// as the console; nil answers 404. It is called once the backend is open.
	AdminHandler func(*Backend) http.Handler
	// Stdout and Stderr are where events go when telemetry.log names them.
	Stdout, Stderr io.Writer
}

// Backend is a backend that listens and is ready to serve.
type Backend struct {
	// Settings are those that it was made of.
	Settings *Settings
	// URL is its public address.
	URL *url.URL
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
	server   Server
	listener net.Listener
	admin    net.Listener
	tls      *serverTLS
	dialer   *egress.Dialer
	log      *event.Log
	logFile  io.Closer
	closed   []func(context.Context) error
}

// Open listens and makes all parts ready. On an error everything that was
// opened is closed again. Failures of the machine are *EnvironmentError; all
// others are the configuration's.
func Open(ctx context.Context, s *Settings, o Options) (*Backend, error) {
	b := &Backend{Settings: s, options: o, server: s.Server.withDefaults()}
	if o.Admin != "" {
		b.server.Admin = o.Admin
	}
	for _, step := range []func(context.Context) error{b.listen, b.openEvents, b.openTLS, b.openEgress, b.openStore, b.openAuth, b.openTables, b.openServices, b.assemble} {
		if err := step(ctx); err != nil {
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
			defer cancel()
			return nil, errors.Join(err, b.close(closing))
		}
	}
	return b, nil
}

// close ends what was opened, the last first.
func (b *Backend) close(ctx context.Context) error {
	var errs []error
	for i := len(b.closed) - 1; i >= 0; i-- {
		errs = append(errs, b.closed[i](ctx))
	}
	b.closed = nil
	return errors.Join(errs...)
}

func (b *Backend) atClose(do func(context.Context) error) { b.closed = append(b.closed, do) }

// listen opens the ports first: everything else may take a while, and the
// public URL may depend on the port.
func (b *Backend) listen(ctx context.Context) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", b.server.Listen)
	if err != nil {
		return environment(err)
	}
	b.listener = listener
	b.atClose(func(context.Context) error { return ignoreClosed(listener.Close()) })
	if b.URL, err = b.server.publicURL(portOf(listener.Addr().String())); err != nil {
		return fmt.Errorf("server.url %w", err)
	}
	if b.server.Admin == "" {
		return nil
	}
	if !(Server{Listen: b.server.Admin}).loopback() {
		return fmt.Errorf("the admin address %s is no loopback address", b.server.Admin)
	}
	if b.admin, err = config.Listen(ctx, "tcp", b.server.Admin); err != nil {
		return environment(err)
	}
	b.atClose(func(context.Context) error { return ignoreClosed(b.admin.Close()) })
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
		b.atClose(func(ctx context.Context) error {
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

// openStore opens the database.
func (b *Backend) openStore(ctx context.Context) error {
	dsn, err := b.Settings.database()
	if err != nil {
		return err
	}
	store, err := openStore(ctx, b.Settings, dsn)
	if err != nil {
		return environment(err)
	}
	b.Store = store
	b.atClose(func(context.Context) error { return store.Close() })
	return nil
}

// database returns the address of the database, resolved when it is a
// reference.
func (s *Settings) database() (string, error) {
	kind, err := s.databaseKind()
	if err != nil {
		return "", fmt.Errorf("database %w", err)
	}
	if kind != "secret" {
		return s.Database, nil
	}
	value, err := s.Secrets().Resolve(secret.Reference(s.Database))
	if err != nil {
		return "", fmt.Errorf("database: %w", err)
	}
	return value.Text(), nil
}

func openStore(ctx context.Context, s *Settings, dsn string) (Store, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
		return postgres.Open(ctx, postgres.Options{URL: dsn})
	}
	if dsn == "" {
		dsn = "sqlite:./cordon.db"
	}
	o, err := sqlite.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	o.Path = s.Path(o.Path)
	return sqlite.Open(ctx, o)
}

// OpenStore opens the database that the settings name, for commands that work on
// it without serving.
func OpenStore(ctx context.Context, s *Settings) (Store, error) {
	dsn, err := s.database()
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, s, dsn)
	return store, environment(err)
}

// DatabaseName names the database for people, without a password.
func (s *Settings) DatabaseName() string {
	dsn, err := s.database()
	if err != nil {
		return s.Database
	}
	if u, err := url.Parse(dsn); err == nil && u.Host != "" {
		return u.Redacted()
	}
	if dsn == "" {
		dsn = "sqlite:./cordon.db"
	}
	if o, err := sqlite.ParseDSN(dsn); err == nil {
		return "sqlite:" + s.Path(o.Path)
	}
	return "sqlite"
}

func (b *Backend) openAuth(ctx context.Context) error {
	var err error
	b.Auth, err = auth.New(ctx, auth.Options{Config: b.Settings.Identity, URL: b.URL, Loopback: b.server.loopback(), Store: b.Store,
		Secrets: b.Settings.Secrets(), Client: b.providerClient(), Events: b.Events})
	if err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	return nil
}

func (b *Backend) openTables(ctx context.Context) error {
	config, err := b.Settings.tablesWithSecrets()
	if err != nil {
		return err
	}
	key, err := b.Auth.DeriveKey("webhook")
	if err != nil {
		return err
	}
	b.Tables, err = tables.New(ctx, config, b.Store, tables.Options{URL: b.URL, Log: slog.New(slog.NewTextHandler(b.options.Stderr, nil)),
		ReadFile: func(name string) ([]byte, error) { return os.ReadFile(b.Settings.Path(name)) }, Webhooks: b.webhookClient(), WebhookKey: key})
	if err != nil {
		return err
	}
	b.atClose(func(ctx context.Context) error { return b.Tables.Close(ctx) })
	return nil
}

// tablesWithSecrets resolves the secrets of the webhooks.
func (s *Settings) tablesWithSecrets() (tables.Config, error) {
	config := make(tables.Config, len(s.Tables))
	for name, t := range s.Tables {
		if t.Webhook != nil && t.Webhook.Secret != "" {
			value, err := s.Secrets().Resolve(secret.Reference(t.Webhook.Secret))
			if err != nil {
				return nil, fmt.Errorf("tables.%s.webhook.secret: %w", name, err)
			}
			hook := *t.Webhook
			hook.Secret = value.Text()
			t.Webhook = &hook
		}
		config[name] = t
	}
	return config, nil
}

func (b *Backend) openServices(context.Context) error {
	var err error
	b.Services, err = services.New(services.Options{Config: b.Settings.Services, Transport: b.serviceTransport, Tokens: b.Auth,
		PrivateCookies: []string{auth.CookieName, "CordonLogin-", "CordonCompletion"}, Events: b.Events})
	return err
}

func (b *Backend) assemble(context.Context) error {
	var proxies []netip.Prefix
	for _, text := range b.server.Proxies {
		prefix, err := parseRange(text)
		if err != nil {
			return fmt.Errorf("server.proxies: %w", err)
		}
		proxies = append(proxies, prefix)
	}
	var err error
	b.Handler, err = backend.New(backend.Options{Auth: b.Auth, Tables: b.Tables, Services: b.Services, TablesConfig: b.Settings.Tables,
		NoSwagger: b.server.Swagger != nil && !*b.server.Swagger, Name: b.Settings.App.Name, URL: b.URL, CORS: b.server.CORS, Proxies: proxies, Events: b.Events})
	return err
}

// references are the secrets that the settings name, by the path of keys.
func (s *Settings) references() map[string]secret.Reference {
	all := map[string]secret.Reference{"identity.signing_key": s.Identity.SigningKey}
	for i, r := range s.Identity.PreviousKeys {
		all["identity.previous_keys."+strconv.Itoa(i)] = r
	}
	for name, p := range s.Identity.Providers {
		all["identity.providers."+name+".client_secret"] = p.ClientSecret
		all["identity.providers."+name+".private_key"] = p.PrivateKey
	}
	for name, t := range s.Tables {
		if t.Webhook != nil {
			all["tables."+name+".webhook.secret"] = secret.Reference(t.Webhook.Secret)
		}
	}
	if kind, err := s.databaseKind(); err == nil && kind == "secret" {
		all["database"] = secret.Reference(s.Database)
	}
	maps.DeleteFunc(all, func(_ string, r secret.Reference) bool { return r == "" })
	return all
}

// CheckSecrets resolves every secret that the settings name, as a start would.
func (s *Settings) CheckSecrets() error {
	var all Errors
	references := s.references()
	for _, key := range slices.Sorted(maps.Keys(references)) {
		if _, err := s.Secrets().Resolve(references[key]); err != nil {
			all = append(all, s.atSecret(err, key))
		}
	}
	if len(all) > 0 {
		return all
	}
	return nil
}

// atSecret makes an error about a secret: without the line, which may hold it.
func (s *Settings) atSecret(err error, key string) *Error {
	e := s.at(err.Error(), strings.Split(key, ".")...)
	e.Excerpt = ""
	return e
}

// authorityDir is where the development authority of this configuration lives.
func (s *Settings) authorityDir() string { return filepath.Join(s.Dir(), ".cordon", "ca") }
