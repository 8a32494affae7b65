package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/loopback"
	"github.com/cordon-sec/cordon/internal/settle"
	"github.com/cordon-sec/cordon/internal/systemd"
	"github.com/cordon-sec/cordon/internal/watch"
)

// listener is one address that the proxy answers at.
type listener struct {
	gateway *Gateway
	// app is the app whose own listener this is, "" for the shared one.
	app     string
	accepts net.Listener
	server  *http.Server
	tls     bool
}

// ListenError is a listener that could not be opened.
type ListenError struct {
	// Address is what was to be listened on.
	Address string
	Err     error
}

// Error names the address and the cause.
func (e *ListenError) Error() string { return fmt.Sprintf("listen on %s: %v", e.Address, e.Err) }

// Unwrap returns the cause.
func (e *ListenError) Unwrap() error { return e.Err }

// Listen opens every listener that the configuration names. The error is a
// *ListenError. Nothing is accepted before Serve.
func (g *Gateway) Listen() error {
	st := g.state.Load()
	shared := false
	for _, a := range st.apps {
		if a.config.Listen == "" {
			shared = true
			continue
		}
		if err := g.open(a.config.Listen, a.config.Name, st); err != nil {
			return err
		}
	}
	if shared {
		if err := g.open(st.config.Listen, "", st); err != nil {
			return err
		}
	}
	if st.config.Admin != "" {
		l, err := admin.Listen(context.Background(), st.config.Admin)
		if err != nil {
			g.closeListeners()
			return &ListenError{st.config.Admin, err}
		}
		g.admin = &listener{gateway: g, accepts: newReserved(l), server: g.adminServer()}
		g.dialer.AddOwnPorts(addrPort(l.Addr()).Port())
	}
	return nil
}

func (g *Gateway) open(address, appName string, st *state) error {
	l, err := listenOn(address)
	if err != nil {
		g.closeListeners()
		return err
	}
	g.dialer.AddOwnPorts(addrPort(l.Addr()).Port())
	d := &listener{gateway: g, app: appName,
		accepts: newProxyListener(l, st.config.ProxyProtocol, st.config.Timeouts.Header, g.refuseHeader)}
	if st.tls != nil {
		d.tls = true
		d.accepts = tls.NewListener(d.accepts, &tls.Config{
			MinVersion: tls.VersionTLS12,
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
				return g.state.Load().tls, nil
			},
		})
	} else {
		d.accepts = g.workers.front(d, d.accepts)
	}
	c := st.config
	d.server = &http.Server{
		Handler:           d,
		ReadHeaderTimeout: c.Timeouts.Header,
		IdleTimeout:       c.Timeouts.KeepAlive,
		// net/http allows 4096 bytes more than it is told.
		MaxHeaderBytes:               c.Limits.RequestHeader - 4096,
		ErrorLog:                     log.New(io.Discard, "", 0), // what clients do wrong is no news
		TLSNextProto:                 map[string]func(*http.Server, *tls.Conn, http.Handler){},
		DisableGeneralOptionsHandler: true,
		ConnContext:                  withClient,
		ConnState:                    endClient,
	}
	g.listeners = append(g.listeners, d)
	return nil
}

// refuseHeader records a PROXY protocol header that was refused. Nothing is
// known but who sent it.
func (g *Gateway) refuseHeader(from netip.AddrPort, err error) {
	g.events.Record(&event.Event{ID: g.ids.make(), Time: time.Now(), Type: event.Decision, Source: "gateway",
		Client: from, Verdict: event.Blocked, Reason: reasonProxyHeader, Detail: err.Error()})
}

// Close closes the listeners of a gateway that is not served. Serve closes them by
// itself.
func (g *Gateway) Close() {
	g.closeListeners()
	if g.admin != nil {
		g.admin.accepts.Close()
		g.admin = nil
	}
}

func (g *Gateway) closeListeners() {
	for _, d := range g.listeners {
		d.accepts.Close()
	}
	g.listeners = nil
}

// listenOn opens host:port, or takes the socket that systemd passes.
func listenOn(address string) (net.Listener, error) {
	if systemd.IsSocket(address) {
		l, err := systemd.Listen(address)
		if err != nil {
			return nil, &ListenError{address, err}
		}
		return l, nil
	}
	// Silent connections are closed by time-outs, so keep-alive probes are not
	// asked for: they cost four system calls for each connection.
	plain := net.ListenConfig{KeepAlive: -1}
	plain.SetMultipathTCP(false)
	l, err := plain.Listen(context.Background(), "tcp", address)
	if err == nil {
		err = loopback.Check(address, l)
	}
	if err != nil {
		return nil, &ListenError{address, err}
	}
	return l, nil
}

// Addr returns the address of the shared listener, or of the first app's own;
// AppAddr that of one app. They are nil before Listen.
func (g *Gateway) Addr() net.Addr {
	for _, d := range g.listeners {
		if d.app == "" {
			return d.accepts.Addr()
		}
	}
	if len(g.listeners) > 0 {
		return g.listeners[0].accepts.Addr()
	}
	return nil
}

// AppAddr returns the address of the app's own listener, or nil.
func (g *Gateway) AppAddr(app string) net.Addr {
	for _, d := range g.listeners {
		if d.app == app {
			return d.accepts.Addr()
		}
	}
	return nil
}

// AdminAddr returns the address of the admin listener, or nil.
func (g *Gateway) AdminAddr() net.Addr {
	if g.admin == nil {
		return nil
	}
	return g.admin.accepts.Addr()
}

// Serve accepts connections until the context ends, then drains: nothing new is
// accepted, and what runs may go on for the drain time. It returns nil after
// that, or the first error of a listener.
func (g *Gateway) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, len(g.listeners)+1)
	serve := func(d *listener, accepts net.Listener) {
		if err := d.server.Serve(accepts); err != nil && !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}
	var err error
	if g.workers, err = newWorkers(g); err != nil {
		g.Close()
		return fmt.Errorf("start the workers: %w", err)
	}
	g.workers.run()
	defer g.workers.stop()
	for _, d := range g.listeners {
		if err := g.workers.open(d.accepts); err != nil {
			address := d.accepts.Addr().String()
			g.Close()
			return &ListenError{address, err}
		}
	}
	var running sync.WaitGroup
	for _, d := range g.listeners {
		running.Go(func() { serve(d, watchedListener{restingListener{d.accepts, g}}) })
	}
	if g.admin != nil {
		running.Go(func() { serve(g.admin, restingListener{g.admin.accepts, g}) })
	}
	running.Go(func() { g.background(ctx) })
	running.Go(func() { settle.Run(ctx) })
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		if g.options.Changed != nil {
			g.follow(ctx)
		}
	}()
	running.Go(func() { _ = g.inspected.server.Serve(g.inspected) })
	g.ready.Store(true)
	systemd.Notify("READY=1")
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	systemd.Notify("STOPPING=1")
	cancel()
	g.drain()
	running.Wait()
	watch.Await(followed)
	return err
}

// drain ends what runs: handlers and tunnels get the drain time to end by
// themselves.
func (g *Gateway) drain() {
	g.ready.Store(false)
	g.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), g.state.Load().config.Timeouts.Drain)
	defer cancel()
	var ending sync.WaitGroup
	for _, d := range g.allListeners() {
		ending.Go(func() {
			if d.server.Shutdown(ctx) != nil {
				g.cutting.Store(true)
				d.server.Close()
			}
			d.accepts.Close()
		})
	}
	ending.Go(func() {
		if g.inspected.server.Shutdown(ctx) != nil {
			g.cutting.Store(true)
			g.inspected.server.Close()
		}
	})
	ending.Wait()
	select {
	case <-g.tunnels.wait():
	case <-ctx.Done():
	}
	g.tunnels.shutAll(byShutdown)
	select {
	case <-g.tunnels.wait():
	case <-time.After(5 * time.Second): // an inspected tunnel may hang in its origin's handshake
	}
	g.kept.closeAll()
	closeIdlePipes()
}

func (g *Gateway) allListeners() []*listener {
	all := append([]*listener(nil), g.listeners...)
	if g.admin != nil {
		all = append(all, g.admin)
	}
	return all
}

// serverTLS returns what the proxy's listeners speak TLS with, nil if they do not.
func serverTLS(l *config.Loaded) *tls.Config {
	if l.Config.TLS == nil {
		return nil
	}
	c := &tls.Config{Certificates: []tls.Certificate{*l.Certificate}, MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1"}}
	if l.ClientCAs != nil {
		c.ClientCAs, c.ClientAuth = l.ClientCAs, tls.VerifyClientCertIfGiven
	}
	return c
}

// resolverFor returns a resolver that asks the named servers.
func resolverFor(servers []string) (egress.Resolver, error) {
	var list []netip.AddrPort
	for _, s := range servers {
		a, err := egress.ParseServer(s)
		if err != nil {
			return nil, fmt.Errorf("dns: %w", err)
		}
		list = append(list, a)
	}
	return egress.NewResolver(list...)
}
