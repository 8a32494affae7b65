// Package gateway enforces an app's policy on the wire: a forward proxy that
// decides every connection by the app's own config.xml, whatever the web view
// asks its list and whatever it does not.
//
// The way of a request: a listener takes the connection, the app is
// recognised (by the listener, a client certificate or a proxy credential), the
// target is parsed into its one normal form, the app's policy decides, package
// egress resolves and judges the address and connects to it, and what follows
// is a tunnel whose first bytes are checked (connect.go, hello.go), and its
// handshake until it is known which ClientHello counts (opening.go), a forwarded
// request (forward.go) or an upgraded connection (upgrade.go). Requests inside a
// tunnel that is decrypted, or that turns out to be in cleartext, are forwarded
// as those that come in absolute form (inspect.go). Every request ends in
// exactly one decision event.
//
// On Linux, plain connections are the business of a few workers (workers_linux.go,
// flow_*linux.go), each an event loop that accepts, answers CONNECT, and relays;
// what is not a CONNECT in its usual form, and everything on a TLS listener, is
// net/http's. Both ways come to the same decisions in the same functions.
//
// A connection to an origin belongs to whom it was opened for. Connections in
// HTTP/1 are kept and shared by the clients of one app under one policy, until
// a request on one carries credentials of a scheme that is not known to prove
// each request by itself (NTLM, Negotiate and every unknown one), or a response
// challenges for such a scheme or says that the connection is authenticated.
// From then on the connection belongs to the client connection of that request
// (clientconn.go): all its requests to the origin, and nobody else's, go over
// it, and it is closed with it. Connections that were opened for a tunnel whose
// inside is served belong to that tunnel from the start.
//
// Everything that is not understood is refused, and a refusal says so: 403 with
// problem details, never 407, and a closed connection where the extent of the
// request is in doubt.
package gateway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/systemd"
	"github.com/cordon-sec/cordon/internal/watch"
)

// Options are what a Gateway needs besides its configuration.
type Options struct {
	// Loaded is the configuration to begin with, with what it names. Package source
	// reads it from files.
	Loaded config.Loaded
	// Reload returns the configuration as it is now; nil if it cannot change.
	Reload func() (config.Loaded, error)
	// Changed reports whether Reload would return another one than last time. The
	// gateway asks it every second while it serves, and reloads if so; nil: it
	// reloads when Reload is called alone.
	Changed func() bool
	// Events takes the decisions; nil records nothing.
	Events *event.Recorder
	// Metrics, if not nil, is served on the admin listener and gets the
	// gateway's gauges.
	Metrics *event.Metrics
	// Ring, if not nil, is streamed on the admin listener.
	Ring *event.Ring
	// Admin handles what the admin listener does not know itself, such as the
	// console; nil answers 404.
	Admin http.Handler
	// AdminToken is the file with the token that changes on the admin listener
	// need; it is made where there is none. "": no changes are taken.
	AdminToken string
	// Resolver and Roots stand in for the system's own; nil: the system's.
	Resolver egress.Resolver
	Roots    *x509.CertPool
}

// Gateway is a forward proxy that enforces policies. Make it with New, and
// start it with Run.
type Gateway struct {
	options   Options
	events    *event.Recorder
	dialer    *egress.Dialer
	state     atomic.Pointer[state]
	limits    *limits
	tunnels   tunnels
	kept      pool
	ids       ids
	listeners []*listener
	workers   *workers // from Serve on
	admin     *listener
	// inspected serves what is inside decrypted tunnels.
	inspected *inspectServer

	scarce   scarcity
	draining atomic.Bool
	cutting  atomic.Bool // what still runs after the drain time is cut off
	ready    atomic.Bool
	reload   sync.Mutex
	stale    atomic.Pointer[string] // why the last reload failed; nil if it did not
}

// state is what a reload replaces as a whole.
type state struct {
	config config.Config
	apps   []*app
	byName map[string]*app
	byUser map[[sha256.Size]byte]*app
	byCert map[string]*app
	// only is the app of the shared listener if nobody is identified there.
	only      *app
	inspector *inspector
	tls       *tls.Config

	clientCAs   *x509.CertPool
	revocations *egress.RevocationLists
}

// New checks the configuration and returns a gateway that listens to nothing yet.
// The warnings of the policies go to Warnings.
func New(options Options) (*Gateway, error) {
	g := &Gateway{options: options, events: options.Events, ids: newIDs(), scarce: scarcity{since: time.Now()}}
	st, err := newState(options.Loaded, nil)
	if err != nil {
		return nil, err
	}
	c := st.config
	resolver := options.Resolver
	if resolver == nil && len(c.DNS) > 0 {
		if resolver, err = resolverFor(c.DNS); err != nil {
			return nil, err
		}
	}
	g.dialer, err = egress.New(egress.Config{
		Resolver: resolver, Roots: options.Roots,
		DNSTimeout: c.Timeouts.Lookup, ConnectTimeout: c.Timeouts.Connect,
		KeepAlive: -1, // silent tunnels are found by their counters
	})
	if err != nil {
		return nil, err
	}
	g.limits = newLimits(c.Limits)
	g.kept.lifetime, g.kept.most = c.Timeouts.KeepAlive, maxKept
	g.inspected = newInspectServer(g, c)
	g.state.Store(st)
	if options.Metrics != nil {
		g.registerGauges(options.Metrics)
	}
	return g, nil
}

func (g *Gateway) registerGauges(m *event.Metrics) {
	m.Gauge("cordon_gateway_tunnels", "Open tunnels and upgraded connections.",
		func() float64 { return float64(g.tunnels.count()) })
	m.Gauge("cordon_gateway_requests", "Requests in progress.",
		func() float64 { return float64(g.limits.requests.now.Load()) })
	m.Gauge("cordon_gateway_out_of_descriptors", "Whether the system refuses descriptors (1) or not (0).",
		func() float64 {
			if g.lacking() {
				return 1
			}
			return 0
		})
	m.Gauge("cordon_gateway_upstream_idle", "Kept connections to origins.",
		func() float64 { return float64(g.kept.count()) })
}

// newState makes a state of a configuration. Limits of apps that were there before
// stay in force with their counts.
func newState(l config.Loaded, before *state) (*state, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	l.Config = l.Config.WithDefaults()
	c := l.Config
	st := &state{config: c, byName: map[string]*app{}, byUser: map[[sha256.Size]byte]*app{}, byCert: map[string]*app{}}
	for i, ac := range c.Apps {
		a, err := newApp(ac, l.Apps[i], l.Revocations)
		if err != nil {
			return nil, err
		}
		if before != nil && before.byName[ac.Name] != nil && before.byName[ac.Name].config.Limits == ac.Limits {
			a.limits = before.byName[ac.Name].limits
		}
		st.apps = append(st.apps, a)
		st.byName[ac.Name] = a
		if a.credential != nil {
			key := sha256.Sum256([]byte(a.credential.user))
			st.byUser[key] = a
		}
		if ac.Certificate != "" {
			st.byCert[config.CertificateName(ac.Certificate)] = a
		}
		if ac.Listen == "" && a.credential == nil && ac.Certificate == "" {
			st.only = a
		}
	}
	st.tls, st.clientCAs, st.revocations = serverTLS(&l), l.ClientCAs, l.Revocations
	var err error
	st.inspector, err = newInspector(&l)
	return st, err
}

// expiringSoon is how long before its end a revocation list is warned of.
const expiringSoon = 24 * time.Hour

// Warnings returns what an operator should know about the policies in force.
func (g *Gateway) Warnings() []string {
	var all []string
	st := g.state.Load()
	if st.inspector != nil {
		all = append(all, st.inspector.notes...)
	}
	all = append(all, st.revocations.Notes(time.Now(), expiringSoon)...)
	for _, a := range st.apps {
		listen := a.config.Listen
		if listen == "" {
			listen = st.config.Listen
		}
		if a.credential == nil && a.config.Certificate == "" && !hostname.IsLoopback(listen) &&
			!systemd.IsSocket(listen) {
			all = append(all, fmt.Sprintf("%s: whoever reaches %s is the app: nothing identifies it", a.config.Name,
				listen))
		}
		for _, w := range a.warnings {
			all = append(all, a.config.Name+": "+w)
		}
	}
	return all
}

func (g *Gateway) notice(reason, detail string) {
	g.events.Record(&event.Event{Type: event.Notice, Source: "gateway", Reason: reason, Detail: detail})
}

// ids makes request ids: a random beginning for the process and a counter.
type ids struct {
	prefix string
	next   *atomic.Uint64
}

func newIDs() ids {
	var b [5]byte
	rand.Read(b[:])
	return ids{prefix: hex.EncodeToString(b[:]) + "-", next: new(atomic.Uint64)}
}

func (i ids) make() string {
	const digits = "0123456789abcdef"
	n := i.next.Add(1)
	var b [24]byte
	at := len(b)
	for {
		at--
		b[at] = digits[n&15]
		if n >>= 4; n == 0 {
			break
		}
	}
	return i.prefix + string(b[at:])
}

func prefixOf(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// background runs what the gateway does beside requests until the context ends:
// closing silent tunnels and kept connections.
func (g *Gateway) background(ctx context.Context) {
	idle := g.state.Load().config.Timeouts.Idle
	told := g.Warnings()
	watch.Every(ctx, min(max(idle/4, 10*time.Millisecond), 5*time.Second), func() {
		now := time.Now()
		g.tunnels.sweep(now, idle)
		g.kept.sweep(now)
		sweepIdlePipes()
		for _, note := range g.state.Load().revocations.Notes(now, expiringSoon) { // they come by themselves
			if !slices.Contains(told, note) {
				told = append(told, note)
				g.notice("policy-warning", note)
			}
		}
	})
}

// changedEvery is how often the gateway asks whether its configuration has changed.
const changedEvery = time.Second

// follow reloads when the configuration has changed, until the context ends.
func (g *Gateway) follow(ctx context.Context) {
	watch.Every(ctx, changedEvery, func() {
		if g.options.Changed() {
			_ = g.Reload() // it has recorded its failure
		}
	})
}
