package gateway

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/problem"
)

// pacPath is where the proxy configuration is served.
const pacPath = "/proxy.pac"

// adminServer serves health, metrics and events. Loopback alone is no safety: a
// web page can reach it by a name that it controls, so only loopback Host names
// are answered, and changes only from the same origin.
func (g *Gateway) adminServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !g.ready.Load() {
			problem.Write(w, problem.Problem{Status: http.StatusServiceUnavailable, Reason: "not-ready"})
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET "+pacPath, g.adminPAC)
	if g.options.Metrics != nil {
		mux.Handle("GET /metrics", g.options.Metrics.Handler())
	}
	if g.options.Ring != nil {
		mux.Handle("GET /events", g.options.Ring)
	}
	if g.options.Admin != nil {
		mux.Handle("/", g.options.Admin)
	}
	return &http.Server{
		Handler:           onlyLoopbackNames(http.NewCrossOriginProtection().Handler(mux)),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
}

// onlyLoopbackNames refuses requests whose Host is no loopback name.
func onlyLoopbackNames(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hostname.IsLoopback(r.Host) {
			problem.Write(w, problem.Problem{Status: http.StatusMisdirectedRequest, Reason: "host", Detail: "only loopback names are answered here"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// adminPAC serves the proxy configuration of ?app=NAME, or of the first app.
func (g *Gateway) adminPAC(w http.ResponseWriter, r *http.Request) {
	d := g.doorOf(r.URL.Query().Get("app"))
	if d == nil {
		problem.Write(w, problem.Problem{Status: http.StatusNotFound, Reason: "no-app"})
		return
	}
	writePAC(w, d.listener.Addr().String(), d.tls)
}

func (g *Gateway) doorOf(app string) *door {
	for _, d := range g.doors {
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
