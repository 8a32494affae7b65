package gateway

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/problem"
)

// pacPath is where the proxy configuration is served.
const pacPath = "/proxy.pac"

// adminServer answers operators.
func (g *Gateway) adminServer() *http.Server {
	o := admin.Options{
		Ready: func(context.Context) bool { return g.ready.Load() },
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
	d := g.doorOf(r.URL.Query().Get("app"))
	if d == nil {
		problem.Write(w, problem.Problem{Status: http.StatusNotFound, Reason: "no-app"})
		return
	}
	writePAC(w, d.accepts.Addr().String(), d.tls)
}

func (g *Gateway) doorOf(app string) *listener {
	for _, d := range g.listeners {
		if app == "" || d.app == app || d.app == "" && g.state.Load().byName[app] != nil {
			return d
		}
	}
	return nil
}

// servePAC serves the proxy configuration on the proxy's own listener, for the
// address that the client reached it by.
func servePAC(w http.ResponseWriter, r *http.Request, secure bool) {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		problem.Write(w, problem.Problem{Status: http.StatusInternalServerError})
		return
	}
	writePAC(w, local.String(), secure)
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
