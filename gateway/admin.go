package gateway

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"

	"github.com/cordon-sec/cordon/gateway/config"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/problem"
)

// pacPath is where the proxy configuration is served.
const pacPath = "/proxy.pac"

// adminServer answers operators.
func (g *Gateway) adminServer() *http.Server {
	o := admin.Options{
		Ready: func(context.Context) bool { return g.ready.Load() && !g.lacking() },
		Stale: g.Stale,
		Pages: map[string]http.Handler{
			"GET " + pacPath:                      http.HandlerFunc(g.adminPAC),
			"GET " + TestPath:                     http.HandlerFunc(g.adminTest),
			"GET " + TunnelsPath:                  http.HandlerFunc(g.adminTunnels),
			"DELETE " + TunnelsPath + "/{tunnel}": http.HandlerFunc(g.adminEndTunnel),
		},
		Rest: g.options.Admin,
	}
	if file := g.options.AdminToken; file != "" {
		var err error
		if o.Token, err = admin.OpenToken(file); err != nil {
			o.ReadOnly = err.Error()
			g.notice("admin-read-only", err.Error())
		}
	}
	if g.options.Metrics != nil {
		o.Metrics = g.options.Metrics.Handler()
	}
	if g.options.Ring != nil {
		o.Events = g.options.Ring
	}
	return admin.NewServer(o)
}

// adminPAC serves the proxy configuration of ?app=NAME, or of the first app.
func (g *Gateway) adminPAC(w http.ResponseWriter, r *http.Request) {
	d := g.listenerOf(r.URL.Query().Get("app"))
	if d == nil {
		problem.Write(w, problem.Problem{Status: http.StatusNotFound, Reason: "no-app"})
		return
	}
	writePAC(w, g.state.Load().reachedBy(d, r), d.tls)
}

func (g *Gateway) listenerOf(app string) *listener {
	for _, d := range g.listeners {
		if app == "" || d.app == app || d.app == "" && g.state.Load().byName[app] != nil {
			return d
		}
	}
	return nil
}

// servePAC serves the proxy configuration on the proxy's own listener, for the
// address that the client reached it by.
func (x *request) servePAC() {
	name, err := config.ParsePublicName(x.r.Host, defaultPort(x.listener.tls))
	address := name.String()
	if err != nil || x.state.config.PublicName != "" {
		address = x.state.reachedBy(x.listener, x.r)
	}
	writePAC(x.w, address, x.listener.tls)
}

// defaultPort is what a client means that names no port.
func defaultPort(tls bool) uint16 {
	if tls {
		return 443
	}
	return 80
}

// reachedBy returns the address by which clients reach a listener, for one that
// asks here or elsewhere: the public name, the address that the listener is bound
// to or a name of its certificate, or, where it is bound to every address, the name
// that was asked for or else the address that was.
func (st *state) reachedBy(d *listener, r *http.Request) string {
	local := addrPort(d.accepts.Addr())
	if st.config.PublicName != "" {
		if name, err := config.ParsePublicName(st.config.PublicName, local.Port()); err == nil {
			return name.String()
		}
	}
	if name := listenerName(st.tls); d.tls && name != "" {
		return net.JoinHostPort(name, strconv.Itoa(int(local.Port())))
	}
	if !local.Addr().IsUnspecified() {
		return local.String()
	}
	host := "localhost"
	if asked, err := config.ParsePublicName(r.Host, local.Port()); err == nil {
		host = asked.Host.String()
	} else if ip := clientOf(r).reached(); ip.IsValid() && !ip.IsUnspecified() {
		host = ip.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(local.Port())))
}

// listenerName returns the first name of a listener's certificate that is one
// host's, "" if there is none.
func listenerName(c *tls.Config) string {
	if c == nil || len(c.Certificates) == 0 {
		return ""
	}
	leaf := c.Certificates[0].Leaf
	if leaf == nil {
		return ""
	}
	for _, name := range leaf.DNSNames {
		if _, err := hostname.Parse(name); err == nil {
			return name
		}
	}
	for _, ip := range leaf.IPAddresses {
		return ip.String()
	}
	return ""
}

// writePAC writes a script that sends everything to the gateway, and nothing
// directly: what the list refuses is refused there, with a reason.
func writePAC(w http.ResponseWriter, address string, secure bool) {
	way := "PROXY "
	if secure {
		way = "HTTPS "
	}
	script := fmt.Sprintf("function FindProxyForURL(url, host) {\n  return %q;\n}\n", way+address)
	w.Header().Set("Content-Type", "application/x-ns-proxy-autoconfig")
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, script) // the client may be gone
}
