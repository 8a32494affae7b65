// Package admin is the listener for operators: health, readiness, metrics, the
// stream of events, and whatever else its owner mounts there, such as a console.
//
// It has no sign-in, so it must stay on this machine. Loopback alone does not
// achieve that: a web page can reach loopback under a name that its author
// controls (DNS rebinding), and can send forms to it. So only loopback names are
// answered, and changes only from the listener's own pages and with a [Token],
// which other users of the machine cannot read. Everything that changes something
// must use another method than GET, HEAD and OPTIONS.
package admin

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/loopback"
	"github.com/cordon-sec/cordon/internal/problem"
	"github.com/cordon-sec/cordon/internal/systemd"
)

const (
	headerTime = 10 * time.Second // for the head of a request
	idleTime   = time.Minute      // for the next request on a connection
	readyTime  = 2 * time.Second  // for the answer to whether requests are taken
	maxHeader  = 16 << 10         // bytes of a request's head
)

// Options are what a listener for operators serves.
type Options struct {
	// Ready reports whether requests are taken, before its context ends; nil: they
	// always are.
	Ready func(context.Context) bool
	// Stale says on /readyz why the configuration in the files is not the one in
	// force, "" if it is; nil: nobody asks.
	Stale func() string
	// Metrics and Events answer /metrics and /events; nil answers 404.
	Metrics, Events http.Handler
	// Pages answer further patterns of http.ServeMux.
	Pages map[string]http.Handler
	// Rest answers everything else; nil answers 404.
	Rest http.Handler
	// Token lets changes in; nil: none are taken. ReadOnly says why, for whoever
	// tries.
	Token    *Token
	ReadOnly string
	// ErrorLog takes what goes wrong with connections; nil drops it.
	ErrorLog *log.Logger
}

// CheckAddress returns an error unless an address is one of loopback with a
// port, or names a socket of systemd's.
func CheckAddress(address string) error {
	if systemd.IsSocket(address) {
		return nil // Listen looks where it is bound
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil || !hostname.IsLoopback(host) {
		return fmt.Errorf("%q must be a loopback address with a port, such as 127.0.0.1:9090: there is no "+
			"sign-in on it", address)
	}
	return nil
}

// Listen opens an address that CheckAddress allows. What it finds bound to more
// than this machine, such as a socket of systemd's, is an error.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	if systemd.IsSocket(address) {
		l, err := systemd.Listen(address)
		if err != nil {
			return nil, err
		}
		return local(l)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return local(l)
}

// local closes a listener that other machines can reach.
func local(l net.Listener) (net.Listener, error) {
	if !loopback.Bound(l) {
		_ = l.Close() // nothing has come of it
		return nil, fmt.Errorf("%s can be reached from outside, and there is no sign-in on it: bind it to 127.0.0.1",
			l.Addr())
	}
	return l, nil
}

// NewServer returns a server that answers operators. Its Shutdown ends the
// streams, which would not end by themselves.
func NewServer(o Options) *http.Server {
	if o.ErrorLog == nil {
		o.ErrorLog = log.New(io.Discard, "", 0)
	}
	streams, end := context.WithCancel(context.Background())
	server := &http.Server{
		Handler:           loopbackNames(http.NewCrossOriginProtection().Handler(o.guard(o.mux()))),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          o.ErrorLog,
		BaseContext:       func(net.Listener) context.Context { return streams },
	}
	server.RegisterOnShutdown(end)
	return server
}

func (o Options) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		if o.Ready != nil && !o.Ready(ctx) {
			problem.Write(w, problem.Problem{Status: http.StatusServiceUnavailable, Reason: "not-ready"})
			return
		}
		fmt.Fprintln(w, "ready")
		if o.Stale == nil {
			return
		}
		if why := o.Stale(); why != "" {
			fmt.Fprintf(w, "the configuration in its files is not in force: %s\n", why)
		}
	})
	if o.Token != nil {
		mux.HandleFunc("GET "+proofPath, o.Token.serveProof)
	}
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	if o.Events != nil {
		mux.Handle("GET /events", o.Events)
	}
	for pattern, page := range o.Pages {
		mux.Handle(pattern, page)
	}
	if o.Rest != nil {
		mux.Handle("/", o.Rest)
	}
	return mux
}

// loopbackNames refuses requests under names that can mean another machine.
func loopbackNames(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hostname.IsLoopback(r.Host) {
			problem.Write(w, problem.Problem{Status: http.StatusMisdirectedRequest, Reason: "host",
				Detail: "Only loopback names are answered here."})
			return
		}
		next.ServeHTTP(w, r)
	})
}
