package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/event"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/origin"
	"github.com/cordon-sec/cordon/internal/sealing"
	"github.com/cordon-sec/cordon/internal/secret"
)

// Options are what a Server is made of.
type Options struct {
	// Config is the configuration as it was read.
	Config Config
	// URL is the public URL of the site, without a path.
	URL *url.URL
	// Loopback says that the listener can be reached from this machine only.
	Loopback bool
	// Store keeps what has to be remembered.
	Store Store
	// Secrets finds the keys and client secrets that Config names.
	Secrets secret.Source
	// Client reaches the providers; it must refuse addresses that the operator
	// has not allowed.
	Client *http.Client
	// Events records sign-ins and refusals; nil records nothing.
	Events *event.Recorder
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Server signs users in and proves who asks. It is safe for concurrent use.
type Server struct {
	config    Config
	public    *url.URL
	store     Store
	providers map[string]provider
	bearers   []namedBearer // those whose own tokens are accepted, by name
	places    *destinations
	authority *identity.Authority
	idKey     []byte
	shared    [][]byte
	boxes     boxes
	limits    *limiter
	known     *proofCache
	revoked   *revocations
	refreshes singleflight.Group
	events    *event.Recorder
	now       func() time.Time
	warnings  []string
	routes    *http.ServeMux
	cross     *http.CrossOriginProtection
}

// boxes seal for one purpose each.
type boxes struct{ cookie, flow, code, session, key, page *sealing.Box }

// New makes a server ready to answer: it resolves the keys, and reads or creates
// what the store has to hold. It fails on any problem of the configuration.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if problems := o.Config.Check(o.URL, o.Loopback && hostname.IsLoopback(o.URL.Host)); len(problems) > 0 {
		return nil, fmt.Errorf("identity.%w", problems[0])
	}
	config := o.Config.withDefaults(o.URL)
	s := &Server{config: config, public: o.URL, store: o.Store, events: o.Events, now: o.Now,
		providers: map[string]provider{}, limits: newLimiter(config.RateLimit, o.Now), known: newProofCache(),
		revoked: newRevocations()}
	var err error
	if s.places, err = newDestinations(o.URL, config.Redirects); err != nil {
		return nil, fmt.Errorf("identity.redirects: %w", err)
	}
	if err := s.openKeys(ctx, o.Secrets); err != nil {
		return nil, err
	}
	for name, c := range config.Providers {
		if s.providers[name], err = newProvider(name, c, o.Client, o.Secrets, o.Now); err != nil {
			return nil, err
		}
	}
	s.openBearers()
	if err := s.loadRevocations(ctx); err != nil {
		return nil, err
	}
	s.cross = s.crossOrigin()
	s.routes = s.newRoutes()
	return s, nil
}

// String hides the keys.
func (s *Server) String() string { return "auth.Server ***" }

// GoString hides the keys from %#v too.
func (s *Server) GoString() string { return s.String() }

// Warnings are what the operator should know at start.
func (s *Server) Warnings() []string { return s.warnings }

// site is the address of ours at which a request came in: the public one, or a
// second one that the listener answers at. Cookies are Secure, and callbacks
// come back, as that address says.
func (s *Server) site(r *http.Request) *url.URL { return origin.Of(r.Context(), s.public) }

func (s *Server) secure(r *http.Request) bool { return s.site(r).Scheme == "https" }

// Path is where the endpoints are.
func (s *Server) Path() string { return s.config.Path }

// ProviderNames maps each configured provider to its type.
func (s *Server) ProviderNames() map[string]string {
	names := map[string]string{}
	for name, c := range s.config.Providers {
		names[name] = c.Type
	}
	return names
}

// openKeys resolves the signing keys, derives the others, and gets the id key.
func (s *Server) openKeys(ctx context.Context, secrets secret.Source) error {
	if err := s.openShared(ctx, secrets); err != nil {
		return err
	}
	for purpose, box := range map[string]**sealing.Box{"auth cookie": &s.boxes.cookie, "auth flow": &s.boxes.flow,
		"auth code": &s.boxes.code, "auth session": &s.boxes.session, "auth signing key": &s.boxes.key,
		"auth page": &s.boxes.page} {
		made, err := sealing.NewBox(purpose, s.shared...)
		if err != nil {
			return err
		}
		*box = made
	}
	var err error
	if s.idKey, err = s.keepSecret(ctx, "id key"); err != nil {
		return err
	}
	s.authority, err = identity.NewAuthority(s.config.Issuer, s.config.Audience, identity.Algorithm(s.config.Algorithm),
		&identity.KeySet{Shared: s.shared}, s.now)
	if err != nil {
		return err
	}
	return s.rotate(ctx)
}

// openShared resolves the signing keys, the current one first.
func (s *Server) openShared(ctx context.Context, secrets secret.Source) error {
	if s.config.SigningKey == "" {
		key, err := s.keepSecret(ctx, "development signing key")
		if err != nil {
			return err
		}
		s.shared = append(s.shared, key)
		s.warnings = append(s.warnings, "identity.signing_key is not set: a key was made and is kept in the "+
			"database, which is for development only")
	} else if err := s.addShared("identity.signing_key", s.config.SigningKey, secrets); err != nil {
		return err
	}
	for i, reference := range s.config.PreviousKeys {
		if err := s.addShared(fmt.Sprintf("identity.previous_keys.%d", i), reference, secrets); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) addShared(name string, reference secret.Reference, secrets secret.Source) error {
	value, err := secrets.Resolve(reference)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	key, isText, err := value.Key()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(key) < identity.MinKeyBytes {
		if !isText {
			return fmt.Errorf("%s: has %d bytes, a hexadecimal key has %d or more", name, len(key),
				identity.MinKeyBytes)
		}
		s.warnings = append(s.warnings,
			fmt.Sprintf("%s is a text of %d bytes: it can be guessed from any token. Make a key with: openssl "+
				"rand -hex 32", name, len(key)))
	}
	s.shared = append(s.shared, key)
	return nil
}

// keepSecret returns the 32 bytes that the store keeps under a name, made on
// first use.
func (s *Server) keepSecret(ctx context.Context, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh)
	kept, err := s.store.Secret(ctx, name, fresh)
	if err != nil {
		return nil, fmt.Errorf("auth: the %s: %w", name, err)
	}
	if len(kept) != len(fresh) {
		return nil, fmt.Errorf("auth: the %s in the store is damaged", name)
	}
	return kept, nil
}

// DeriveKey returns 32 bytes for another part's purpose, derived from the
// signing key.
func (s *Server) DeriveKey(purpose string) ([]byte, error) {
	return sealing.Derive(s.shared[0], purpose, 32)
}

// Run does what has to happen now and then until the context ends: it takes
// over revocations of other processes, exchanges signing keys, and removes what
// has expired.
func (s *Server) Run(ctx context.Context) {
	revocations, rotation, sweep := time.NewTicker(revocationPoll), time.NewTicker(time.Minute),
		time.NewTicker(time.Hour)
	defer revocations.Stop()
	defer rotation.Stop()
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-revocations.C:
			err = s.within(ctx, s.loadRevocations)
		case <-rotation.C:
			err = s.within(ctx, s.rotate)
		case <-sweep.C:
			err = s.within(ctx, func(ctx context.Context) error {
				_, err := s.store.Sweep(ctx, s.now(), s.now().Add(-s.config.RefreshGrace))
				return err
			})
		}
		if err != nil && ctx.Err() == nil {
			s.notice("store", "sign-in housekeeping: "+err.Error())
		}
	}
}

func (s *Server) within(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return do(ctx)
}

// notice tells the operator something.
func (s *Server) notice(reason, detail string) {
	s.events.Record(&event.Event{Type: event.Notice, Source: "backend", Reason: reason, Detail: detail})
}

// record tells the operator how a request to us was answered.
func (s *Server) record(r *http.Request, verdict event.Verdict, reason, detail string, status int) {
	e := &event.Event{Type: event.Decision, Source: "backend", Method: r.Method, Host: r.Host, Path: r.URL.Path,
		Verdict: verdict, Reason: reason, Detail: detail, Status: status}
	e.Client, _ = netip.ParseAddrPort(r.RemoteAddr)
	s.events.Record(e)
}

// clientAddr is the address that a request comes from.
func clientAddr(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return from.Addr()
}

// random returns 32 random bytes as text.
func random() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newRoutes says who answers what below the path.
func (s *Server) newRoutes() *http.ServeMux {
	mux, at := http.NewServeMux(), s.config.Path
	mux.HandleFunc("GET "+at+"/login/{provider}", s.handleLogin)
	mux.HandleFunc("POST "+at+"/login", s.handleOwnToken)
	mux.HandleFunc("POST "+at+"/login/{provider}", s.handleTrade)
	mux.HandleFunc("GET "+at+"/login/{provider}/callback", s.handleCallback)
	mux.HandleFunc("POST "+at+"/login/{provider}/callback", s.handleCallback)
	mux.HandleFunc("GET "+at+"/login/done", s.handleDone)
	mux.HandleFunc("GET "+at+"/login/{provider}/token", s.handleCode)
	mux.HandleFunc("GET "+at+"/me", s.handleMe)
	mux.HandleFunc("GET "+at+"/refresh", s.handleRefresh)
	mux.HandleFunc("POST "+at+"/refresh", s.handleRefresh)
	mux.HandleFunc("GET "+at+"/logout", s.handleLogout)
	mux.HandleFunc("POST "+at+"/logout", s.handleLogout)
	mux.HandleFunc("GET "+at+"/logout/done", s.handleLogoutDone)
	mux.HandleFunc("GET "+at+"/sessions", s.handleSessions)
	mux.HandleFunc("DELETE "+at+"/sessions", s.handleRevokeAll)
	mux.HandleFunc("DELETE "+at+"/sessions/{id}", s.handleRevokeOne)
	mux.HandleFunc("GET /.well-known/jwks.json", s.handleKeys)
	return mux
}

// ServeHTTP answers the endpoints below Path and /.well-known/jwks.json. Paths
// are taken in any letter case, except for a session's id.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	path := strings.TrimSuffix(r.URL.Path, "/")
	if lower := strings.ToLower(path); !strings.HasPrefix(lower, s.config.Path+"/sessions/") {
		path = lower
	}
	if path != r.URL.Path {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = path, ""
	}
	s.routes.ServeHTTP(w, r)
}

// Owns reports whether a path, in any letter case, is one of ours.
func (s *Server) Owns(path string) bool {
	path = strings.ToLower(path)
	return path == s.config.Path || strings.HasPrefix(path, s.config.Path+"/") || path == "/.well-known/jwks.json"
}
