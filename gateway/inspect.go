package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	hostname "github.com/cordon-sec/cordon/host"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
)

// inspector holds what signs for hosts whose tunnels are decrypted.
type inspector struct {
	issuer *ca.Issuer
	notes  []string
}

// newInspector makes the inspector, if an app is to be inspected.
func newInspector(l *config.Loaded) (*inspector, error) {
	if !l.Config.Inspects() {
		return nil, nil
	}
	issuer, err := l.Authority.Issuer(ca.IssuerOptions{})
	if err != nil {
		return nil, err
	}
	return &inspector{issuer: issuer, notes: l.Authority.Notes()}, nil
}

// inspection is a tunnel that is served as the requests inside it, each of which
// is decided by its whole URL: TLS ends here on both sides, or there is none.
type inspection struct {
	c      *connecting
	scheme string    // of what is inside: https or http
	conn   net.Conn  // what is served
	secure *tls.Conn // the same, of a tunnel that is decrypted; nil in cleartext
	client *clientConn
	once   sync.Once
	passed atomic.Bool // an upgraded connection has the tunnel's place in the limits

	used  atomic.Bool // the connection that the CONNECT opened has been taken
	mu    sync.Mutex  // held while it is not known what the origin speaks
	known bool
	http2 atomic.Bool
	ready net.Conn // the first connection for transport
	// transport speaks HTTP/2 to the origin, and app is the app whose pins, lists
	// and exceptions its connections were opened by.
	transport *http.Transport
	app       *app
}

// inspectServer serves the requests inside tunnels. Its listener is fed with
// connections whose handshake, if there is one, is over.
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

func newInspectServer(g *Gateway, c config.Config) *inspectServer {
	s := &inspectServer{g: g, conns: make(chan net.Conn), done: make(chan struct{}), open: map[net.Conn]*inspection{}}
	s.server = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: c.Timeouts.Header,
		IdleTimeout:       c.Timeouts.KeepAlive,
		MaxHeaderBytes:    c.Limits.RequestHeader - 4096, // as of the listeners
		ErrorLog:          log.New(io.Discard, "", 0),
		TLSConfig:         &tls.Config{NextProtos: []string{"h2", "http/1.1"}},
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			i := s.of(conn)
			return context.WithValue(context.WithValue(ctx, inspectionKey{}, i), clientKey{}, i.client)
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
	i.end()
}

// end ends the tunnel, once.
func (i *inspection) end() {
	i.once.Do(func() {
		i.client.end()
		i.giveUp()
		t := i.c.t
		if !i.used.Swap(true) {
			t.upstream.Close()
		}
		t.closing.Do(func() { t.reason = i.ended() }) // the client's side is the server's to close
		t.passed = i.passed.Load()
		t.finish()
	})
}

// ended returns who ended a tunnel whose inside is served. Of one that is
// decrypted the client says so inside, before its connection ends: the connection,
// which is closed by now, then says for good that there is no more.
func (i *inspection) ended() string {
	t := i.c.t
	if i.secure != nil && !i.passed.Load() { // else it lives on
		if _, err := i.secure.Read(make([]byte, 1)); err == io.EOF {
			t.ends(byClient)
		}
	}
	switch first := t.first.Load(); {
	case t.cut() != "":
		return t.cut()
	case first != nil:
		return *first
	case t.g.draining.Load():
		return byShutdown
	}
	return byGateway
}

// begin records the decision about the tunnel and serves what is inside.
func (i *inspection) begin() {
	t := i.c.t
	t.moves.Store(true)
	e := t.event
	t.g.events.Record(&e)
	s := t.g.inspected
	s.mu.Lock()
	s.open[i.conn] = i
	s.mu.Unlock()
	select {
	case s.conns <- i.conn:
	case <-s.done:
		t.client.Close()
		s.finish(i.conn)
	}
}

// first returns the connection that the CONNECT opened, once, and nil from then
// on; also for no tunnel, and for an app that is another since a reload.
func (i *inspection) first(a *app) *upstream {
	if i == nil || i.used.Swap(true) {
		return nil
	}
	t := i.c.t
	raw, ok := t.upstream.(syscall.Conn)
	if !ok || !quiet(raw) || t.app != a {
		t.upstream.Close()
		return nil
	}
	// It may have waited for long, as a kept one.
	return &upstream{conn: t.upstream, raw: raw, reused: true, result: egress.Result{Addr: t.event.Address}}
}

// inspectTLS shakes hands with the client and hands the tunnel over to the
// server of what is inside. What was read is read again by the handshake.
func (c *connecting) inspectTLS(received *[]byte) {
	t := c.t
	counted := &countingConn{Conn: t.client, first: append([]byte(nil), *received...), t: t}
	putBuffer(received)
	secure := tls.Server(counted, &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.inspect.issuer.Leaf(c.to.host) // the target of the CONNECT, which the name equals
		},
	})
	i := &inspection{c: c, scheme: "https", conn: secure, secure: secure, client: &clientConn{alone: true}}
	_ = t.client.SetDeadline(time.Now().Add(c.config.Timeouts.Header))
	if err := secure.Handshake(); err != nil {
		c.dropHandshake(err)
		return
	}
	_ = t.client.SetDeadline(time.Time{})
	if secure.ConnectionState().NegotiatedProtocol != "h2" {
		i.conn = newWatched(secure, i.client)
	}
	i.begin()
}

// dropHandshake ends a tunnel whose client did not come to terms with the gateway:
// most often it does not trust the authority.
func (c *connecting) dropHandshake(err error) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.drop(event.Failed, reasonClientSlow, "the client did not end its TLS handshake with the gateway in time")
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		c.drop(event.Failed, reasonClientTLS, "the client closed the connection in its TLS handshake with the "+
			"gateway: it may not trust the gateway's authority")
	default:
		c.drop(event.Failed, reasonClientTLS, "TLS between the client and the gateway: "+err.Error())
	}
}

// inspectTransport returns the transport of one decrypted tunnel to an origin
// that speaks HTTP/2. Its first connection is the one by which that became
// known; every other one is resolved, judged and dialled anew.
func (c *connecting) inspectTransport(i *inspection) *http.Transport {
	protocols := []string{"h2", "http/1.1"}
	transport := c.t.g.dialer.Transport(egress.TransportOptions{TLS: egress.TLSOptions{Protocols: protocols}})
	transport.DisableCompression = true
	transport.MaxResponseHeaderBytes = int64(c.config.Limits.ResponseHeader)
	transport.ResponseHeaderTimeout = c.config.Timeouts.ResponseHeader
	transport.IdleConnTimeout = c.config.Timeouts.KeepAlive
	transport.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		if conn := i.takeReady(); conn != nil {
			return conn, nil
		}
		a := c.t.g.state.Load().byName[c.t.app.config.Name] // the app as it is in force now
		if a == nil {
			return nil, &upstreamError{reasonBadIdentity, "the app is no longer configured"}
		}
		to := a.destination(c.to, c.tls.rule)
		raw, _, err := c.t.g.dial(ctx, to)
		if err != nil {
			return nil, err
		}
		conn, err := c.t.g.dialer.Handshake(ctx, raw, to, egress.TLSOptions{Protocols: protocols})
		if err != nil {
			return nil, err
		}
		if conn.ConnectionState().NegotiatedProtocol != "h2" {
			conn.Close()
			i.forget()
			return nil, &upstreamError{reasonUpstreamBad, "the origin speaks HTTP/2 no more"}
		}
		return conn, nil
	}
	return transport
}

// transportFor returns the transport to the origin. What was opened for an app as it
// was before a reload serves no request of the app as it is now.
func (i *inspection) transportFor(a *app) *http.Transport {
	i.mu.Lock()
	if i.app == a {
		defer i.mu.Unlock()
		return i.transport
	}
	i.mu.Unlock()
	i.giveUp()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.app != a {
		i.app, i.transport = a, i.c.inspectTransport(i)
	}
	return i.transport
}

// giveUp closes what is open to the origin and in no use.
func (i *inspection) giveUp() {
	if conn := i.takeReady(); conn != nil {
		conn.Close()
	}
	i.mu.Lock()
	transport := i.transport
	i.mu.Unlock()
	if transport != nil {
		transport.CloseIdleConnections()
	}
}

func (i *inspection) takeReady() net.Conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	conn := i.ready
	i.ready = nil
	return conn
}

// forget makes the next request ask again what the origin speaks.
func (i *inspection) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.known = false
	i.http2.Store(false)
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
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		c.t.ends(byClient)
	}
	return n, err
}

// Write sends to the client.
func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.t.down.Add(int64(n))
	return n, err
}

// CloseWrite passes the end of a stream on.
func (c *countingConn) CloseWrite() error { return closeWrite(c.Conn) }

// ServeHTTP decides a request inside a tunnel.
func (s *inspectServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i, ok := r.Context().Value(inspectionKey{}).(*inspection)
	if !ok || i == nil {
		panic(http.ErrAbortHandler)
	}
	g, c := s.g, i.c
	x := request{g: g, state: g.state.Load(), w: w, r: r, client: i.client, inside: i, began: time.Now()}
	x.event = event.Event{ID: g.ids.make(), Time: x.began, Type: event.Decision, Source: "gateway", Method: r.Method,
		Client: c.t.event.Client, Identity: c.t.event.Identity}
	x.event.App = c.t.app.config.Name
	c.t.busy.Add(1)
	defer c.t.busy.Add(-1)
	x.doubtful = i.client.watched != nil && i.client.watched.doubtful()
	if r.ProtoMajor == 1 && r.ProtoMinor == 0 {
		w.Header()["Connection"] = closeField
	}
	if x.app = x.state.byName[c.t.app.config.Name]; x.app == nil {
		x.refuse(http.StatusForbidden, reasonBadIdentity, "the app is no longer configured")
		return
	}
	if names, err := c.client.names(x.state); err != nil || !x.app.recognises(names) {
		x.refuse(http.StatusForbidden, reasonBadIdentity, "the tunnel's client certificate does not count any more")
		return
	}
	if !x.admitInside() {
		return
	}
	defer x.leave()
	t, reason := insideTarget(r, i.scheme, c.to)
	x.target(i.scheme, c.to, t.path())
	switch {
	case reason != "":
		w.Header()["Connection"] = closeField
		x.refuse(http.StatusMisdirectedRequest, reason, "the request is not for the tunnel's target")
	case x.doubtful:
		x.refuseDoubtful()
	case r.Method == http.MethodTrace || r.Method == http.MethodConnect:
		x.refuse(http.StatusMethodNotAllowed, reasonMethod, r.Method+" is not forwarded")
	default:
		x.forwardTo(t)
	}
}

// admitInside applies the limits to a request of an app that is known.
func (x *request) admitInside() bool {
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
// be the tunnel's own: that is what a tunnel that is not looked into cannot see.
// In cleartext a URL is none: whoever sends one may believe to speak to the
// proxy.
func insideTarget(r *http.Request, scheme string, tunnel authority) (t target, reason string) {
	t = target{scheme: scheme, authority: tunnel, rest: r.RequestURI}
	switch {
	case t.rest == "*" && r.Method == http.MethodOptions:
		t.rest = "/"
	case !strings.HasPrefix(t.rest, "/"):
		inner, err := parseTarget(t.rest)
		if err != nil || inner.authority != tunnel || scheme != "https" || hostname.DefaultPort(inner.scheme) != 443 {
			t.rest = "/"
			return t, reasonHostMismatch
		}
		t.rest = inner.rest
	case checkRest(t.rest) != nil:
		t.rest = "/"
		return t, reasonBadTarget
	}
	host, err := splitAuthority(r.Host, hostname.DefaultPort(scheme))
	if err != nil || host != tunnel {
		return t, reasonHostMismatch
	}
	return t, ""
}
