// Package backend assembles the mobile backend: one http.Handler made of
// sign-in, tables, services, push and the description of the tables.
//
// [New] takes the parts, each made by its own package, and puts them behind one
// another: CORS, the caller's address, the middleware of package auth, then the
// part that the first segment of the path names. A part that is nil answers 404;
// only Options.Auth is required. New fails where CORS entries cannot be read
// ([CheckCORS]); the handler it returns is safe for concurrent use, and turns the
// panic of a part into a 500 that the operator hears of.
//
// To run a whole backend of a cordon.yaml, with its database and listeners, use
// package server.
package backend

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/answer"
	"github.com/cordon-sec/cordon/internal/caught"
	"github.com/cordon-sec/cordon/internal/problem"
)

// Options are the parts of a backend. A nil part answers 404.
type Options struct {
	// Auth signs users in and says who asks. It is required.
	Auth *auth.Server
	// Tables answers below /tables.
	Tables http.Handler
	// Services answers below /api.
	Services http.Handler
	// TablesConfig describes the tables to /swagger.
	TablesConfig tables.Config
	// NoSwagger turns /swagger off.
	NoSwagger bool
	// Name is the app's name, for /swagger.
	Name string
	// URL is the public URL.
	URL *url.URL
	// CORS are the hosts and origins that may call from a browser.
	CORS []string
	// Proxies are the addresses whose X-Forwarded-For or Forwarded is believed.
	Proxies []netip.Prefix
	// ForwardedOnly says that these write Forwarded, and pass on an
	// X-Forwarded-For of whoever sent it: it is not believed.
	ForwardedOnly bool
	// Mounts are pages of the site's own, such as a console, by the first segment of
	// their paths ("/console"). They know who has signed in
	// (identity.FromContext) and the client's own address.
	Mounts map[string]http.Handler
	// Events records what goes wrong; nil records nothing.
	Events *event.Recorder
}

// New returns the backend's handler. The first segment of a path counts in any
// letter case, as on App Service.
func New(o Options) (http.Handler, error) {
	cors, err := newCORS(o.CORS)
	if err != nil {
		return nil, err
	}
	for path := range o.Mounts {
		if !strings.HasPrefix(path, "/") || strings.Count(path, "/") != 1 || len(path) == 1 {
			return nil, fmt.Errorf("backend: %q must be one segment, such as /console", path)
		}
	}
	b := &backend{Options: o}
	if !o.NoSwagger {
		b.swagger = newSwagger(o)
	}
	site := o.Auth.Middleware(http.HandlerFunc(b.route))
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.Auth.Owns(r.URL.Path) {
			o.Auth.ServeHTTP(w, r)
			return
		}
		site.ServeHTTP(w, r)
	})
	handler = b.mounted(cors.wrap(handler))
	return b.recover(believe(o.Proxies, o.ForwardedOnly, handler)), nil
}

// mounted answers what is mounted, and hands everything else on. No other origin
// may read it: it stands outside of CORS.
func (b *backend) mounted(next http.Handler) http.Handler {
	if len(b.Mounts) == 0 {
		return next
	}
	guarded := map[string]http.Handler{}
	for path, handler := range b.Mounts {
		guarded[path] = b.Auth.Middleware(challenged(handler))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if handler := guarded["/"+first]; handler != nil {
			handler.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type backend struct {
	Options
	swagger http.Handler
}

// route hands a request to the part that its first segment names.
func (b *backend) route(w http.ResponseWriter, r *http.Request) {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var part http.Handler
	switch {
	case strings.EqualFold(first, "tables") && b.Tables != nil:
		part = challenged(http.HandlerFunc(b.tables))
	case strings.EqualFold(first, "api"):
		part = b.Services
	case strings.EqualFold(first, "push"):
		part = challenged(proven(http.HandlerFunc(push)))
	case strings.EqualFold(strings.Trim(r.URL.Path, "/"), "swagger") && b.swagger != nil:
		part = challenged(proven(b.swagger))
	}
	if part == nil {
		problem.Write(w, problem.Problem{Status: http.StatusNotFound, Detail: "There is nothing at this address."})
		return
	}
	part.ServeHTTP(w, r)
}

// tables tells the operator of what the tables refused; the other parts do so
// themselves.
func (b *backend) tables(w http.ResponseWriter, r *http.Request) {
	if b.Events == nil {
		b.Tables.ServeHTTP(w, r)
		return
	}
	seen := answer.Watch(w)
	b.Tables.ServeHTTP(seen, r)
	b.record(r, seen.Status())
}

// record tells the operator of a request that was refused or failed.
func (b *backend) record(r *http.Request, status int) {
	verdict := event.Blocked
	switch {
	case status >= http.StatusInternalServerError:
		verdict = event.Failed
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusMethodNotAllowed,
		status == http.StatusTooManyRequests:
	default:
		return
	}
	e := &event.Event{Type: event.Decision, Source: "backend", Method: r.Method, Host: r.Host, Path: r.URL.Path,
		Verdict: verdict, Reason: "table-" + strconv.Itoa(status), Status: status}
	e.Client, _ = netip.ParseAddrPort(r.RemoteAddr)
	b.Events.Record(e)
}

// proven refuses requests whose proof does not hold, as every part does.
func proven(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := identity.FromContext(r.Context()); err != nil {
			auth.WriteRefusal(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// push answers the registration of an installation as the original does without
// a push service: 204, and nothing is kept (azure-mobile-apps 4.0.2,
// express/middleware/notifications.js).
func push(w http.ResponseWriter, r *http.Request) {
	segments := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(segments) != 3 || !strings.EqualFold(segments[1], "installations") {
		problem.Write(w, problem.Problem{Status: http.StatusNotFound, Detail: "There is nothing at this address."})
		return
	}
	if r.Method != http.MethodPut && r.Method != http.MethodDelete {
		w.Header().Set("Allow", "PUT, DELETE")
		problem.Write(w, problem.Problem{Status: http.StatusMethodNotAllowed})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// recover answers 500 for a part that panicked, and tells the operator where.
func (b *backend) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause) // the way to end a connection
			}
			b.Events.Record(&event.Event{Type: event.Notice, Source: "backend", Reason: "panic", Method: r.Method,
				Path: r.URL.Path, Status: http.StatusInternalServerError, Detail: caught.Panic(cause, debug.Stack())})
			problem.Write(w, problem.Problem{Status: http.StatusInternalServerError})
		}()
		next.ServeHTTP(w, r)
	})
}
