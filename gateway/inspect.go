package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
)

// inspector holds what signs for hosts whose tunnels are decrypted.
type inspector struct {
	issuer *ca.Issuer
	notes  []string
}

// newInspector loads the authority, if an app is to be inspected.
func newInspector(c Config) (*inspector, error) {
	wanted := false
	for _, a := range c.Apps {
		wanted = wanted || a.Inspect
	}
	if !wanted {
		return nil, nil
	}
	authority, err := ca.Load(c.CA.Certificate, c.CA.Key)
	if err != nil {
		return nil, err
	}
	issuer, err := authority.Issuer(ca.IssuerOptions{})
	if err != nil {
		return nil, err
	}
	return &inspector{issuer: issuer, notes: authority.Notes()}, nil
}

// inspection is a tunnel that is decrypted: TLS ends here on both sides, and
// every request inside is decided by its whole URL.
type inspection struct {
	c         *connecting
	secure    *tls.Conn
	transport *http.Transport
	once      sync.Once
}

// inspectServer serves the requests inside decrypted tunnels. Its listener is
// fed with connections whose handshake is still to come.
type inspectServer struct {
	g      *Gateway
	server *http.Server
	conns  chan net.Conn
	done   chan struct{}
	close  sync.Once

	mu   sync.Mutex
	open map[net.Conn]*inspection
}

var errInspectClosed = errors.New("inspection has ended")

func newInspectServer(g *Gateway, c Config) *inspectServer {
	s := &inspectServer{g: g, conns: make(chan net.Conn), done: make(chan struct{}), open: map[net.Conn]*inspection{}}
	s.server = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: c.Timeouts.Header,
		IdleTimeout:       c.Timeouts.KeepAlive,
		MaxHeaderBytes:    max(c.Limits.RequestHeader-4096, 1024),
		ErrorLog:          log.New(io.Discard, "", 0),
		TLSConfig:         &tls.Config{NextProtos: []string{"h2", "http/1.1"}},
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, inspectionKey{}, s.of(conn))
		},
		ConnState: func(conn net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				s.finish(conn)
			}
		},
		DisableGeneralOptionsHandler: true,
	}
	return s
}

type inspectionKey struct{}

// Accept returns the next connection to serve.
func (s *inspectServer) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case <-s.done:
		return nil, errInspectClosed
	}
}

// Close ends Accept.
func (s *inspectServer) Close() error {
	s.close.Do(func() { close(s.done) })
	return nil
}

// Addr returns an address for the server's use alone.
func (s *inspectServer) Addr() net.Addr { return &net.TCPAddr{} }

func (s *inspectServer) of(conn net.Conn) *inspection {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[conn]
}

// finish ends the tunnel around a connection that is closed, or that has become
// a tunnel of its own by an upgrade.
func (s *inspectServer) finish(conn net.Conn) {
	s.mu.Lock()
	i := s.open[conn]
	delete(s.open, conn)
	s.mu.Unlock()
	if i == nil {
		return
	}
	i.once.Do(func() {
		i.transport.CloseIdleConnections()
		i.c.t.upstream.Close()
		i.c.t.closing.Do(func() {}) // the client's side is the server's to close
		i.c.t.finish()
	})
}

// inspectTLS hands the tunnel over to the server of decrypted tunnels. What was
// read is read again by the handshake.
func (c *connecting) inspectTLS(flight *[]byte) {
	t := c.t
	t.moves.Store(true)
	e := t.event
	t.g.events.Record(&e)
	counted := &countingConn{Conn: t.client, first: append([]byte(nil), *flight...), t: t}
	putFlight(flight)
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.inspect.issuer.Leaf(c.to.host) // the target of the CONNECT, which the name equals
		},
	}
	s := t.g.inspected
	i := &inspection{c: c, secure: tls.Server(counted, config)}
	i.transport = c.inspectTransport()
	s.mu.Lock()
	s.open[i.secure] = i
	s.mu.Unlock()
	select {
	case s.conns <- i.secure:
	case <-s.done:
		t.client.Close()
		s.finish(i.secure)
	}
}

// inspectTransport returns the transport of one decrypted tunnel. Its first
// connection is the one that the CONNECT opened; every other one is resolved,
// judged and dialled anew.
func (c *connecting) inspectTransport() *http.Transport {
	t, d := c.t, c.t.g.dialer
	to := t.app.destination(c.to, c.tls.rule)
	transport := d.Transport(egress.TransportOptions{Allow: to.Allow, Pins: to.Pins})
	transport.DisableCompression = true
	transport.MaxResponseHeaderBytes = int64(c.config.Limits.ResponseHeader)
	transport.ResponseHeaderTimeout = c.config.Timeouts.ResponseHeader
	transport.IdleConnTimeout = c.config.Timeouts.KeepAlive
	again := transport.DialTLSContext
	var used atomic.Bool
	transport.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if used.CompareAndSwap(false, true) {
			return d.Handshake(ctx, t.upstream, to, egress.TLSOptions{Protocols: []string{"h2", "http/1.1"}})
		}
		return again(ctx, network, addr)
	}
	return transport
}

// countingConn gives the first bytes of a connection again, and counts.
type countingConn struct {
	net.Conn
	first []byte
	t     *tunnel
}

// Read returns what the client sent.
func (c *countingConn) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		c.t.up.Add(int64(n))
		return n, nil
	}
	n, err := c.Conn.Read(p)
	c.t.up.Add(int64(n))
	return n, err
}

// Write sends to the client.
func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.t.down.Add(int64(n))
	return n, err
}

// ServeHTTP decides a request inside a decrypted tunnel.
func (s *inspectServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i, ok := r.Context().Value(inspectionKey{}).(*inspection)
	if !ok || i == nil {
		panic(http.ErrAbortHandler)
	}
	g, c := s.g, i.c
	x := exchange{g: g, state: g.state.Load(), w: w, r: r, began: time.Now()}
	x.event = event.Event{ID: g.ids.make(), Time: x.began, Type: event.Decision, Source: "gateway", Method: r.Method,
		Client: c.t.event.Client, Identity: c.t.event.Identity}
	x.event.App = c.t.app.config.Name
	if x.app = x.state.byName[c.t.app.config.Name]; x.app == nil {
		x.refuse(http.StatusForbidden, reasonBadIdentity, "the app is no longer configured")
		return
	}
	if !x.admitInside() {
		return
	}
	defer x.leave()
	t, reason := insideTarget(r, c.to)
	x.target("https", c.to, t.path())
	if reason != "" {
		w.Header()["Connection"] = closeField
		x.refuse(http.StatusMisdirectedRequest, reason, "the request is not for the tunnel's target")
		return
	}
	if r.Method == http.MethodTrace || r.Method == http.MethodConnect {
		x.refuse(http.StatusMethodNotAllowed, reasonMethod, r.Method+" is not forwarded")
		return
	}
	upgrade := r.ProtoMajor == 1 && asksWebSocket(r.Header)
	if t.scheme, reason = askedScheme("https", upgrade, r); reason != "" {
		x.refuse(http.StatusBadRequest, reason, "an upgrade with a body")
		return
	}
	decided := x.app.decide(t.scheme, t.authority, t.rest, false)
	x.decided(decided)
	if !decided.ok {
		x.refuse(http.StatusForbidden, decided.reason, hint(decided, t.scheme, t.authority))
		return
	}
	if r.Method == http.MethodOptions && x.answersOptions() {
		return
	}
	dropHopFields(r.Header)
	if upgrade {
		x.upgrade(t, decided)
		return
	}
	x.forwardInspected(i, t)
}

// admitInside applies the limits to a request of an app that is known.
func (x *exchange) admitInside() bool {
	if wait, ok := x.g.limits.rate.Take(x.began); !ok {
		x.tooMany(reasonRate, wait)
		return false
	}
	if wait, ok := x.app.limits.rate.Take(x.began); !ok {
		x.tooMany(reasonRate, wait)
		return false
	}
	if !x.g.limits.requests.enter() {
		x.tooMany(reasonBusy, time.Second)
		return false
	}
	if !x.app.limits.requests.enter() {
		x.g.limits.requests.leave()
		x.tooMany(reasonBusy, time.Second)
		return false
	}
	x.entered = true
	return true
}

// insideTarget returns the target of a request inside a tunnel. Its host must
// be the tunnel's own: that is what a tunnel that is not decrypted cannot see.
func insideTarget(r *http.Request, tunnel authority) (t target, reason string) {
	t = target{scheme: "https", authority: tunnel, rest: r.RequestURI}
	if !strings.HasPrefix(t.rest, "/") {
		inner, err := parseTarget(t.rest)
		if err != nil || inner.authority != tunnel || inner.scheme != "https" && inner.scheme != "wss" {
			t.rest = "/"
			return t, reasonHostMismatch
		}
		t.rest = inner.rest
	} else if checkRest(t.rest) != nil {
		t.rest = "/"
		return t, reasonBadTarget
	}
	host, err := splitAuthority(r.Host, 443)
	if err != nil || host != tunnel {
		return t, reasonHostMismatch
	}
	return t, ""
}
