package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/server"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/console/parts"
	"github.com/cordon-sec/cordon/event"
)

// adminRole is who may use a console on the site unless a condition says
// otherwise.
const adminRole = `"roles" in user.claims && "admin" in user.claims["roles"]`

// siteConsole returns what puts the console on the site itself, at /console/, for
// the users for whom the condition holds: those of the site's own sign-in.
func siteConsole(condition string) (func(*server.Backend) (http.Handler, error), error) {
	rule, err := identity.CompileCondition(condition)
	if err != nil {
		return nil, fmt.Errorf("--console: %w", err)
	}
	if rule.UsesRow() {
		return nil, errors.New("--console: the condition must not speak of row: the console is not a table")
	}
	return func(b *server.Backend) (http.Handler, error) { return withConsole(b, rule) }, nil
}

// withConsole is a backend's handler with the console in front.
func withConsole(b *server.Backend, rule *identity.Condition) (http.Handler, error) {
	door := &consoleDoor{backend: b, rule: rule}
	handler, err := console.New(console.Config{Base: console.Path, Title: orElse(b.Settings.App.Name, "backend"),
		Tables: &parts.Tables{Service: b.Tables}, People: &parts.People{Auth: b.Auth}, Authorize: door.authorize})
	if err != nil {
		return nil, err
	}
	site, guarded := b.Handler, b.Auth.Middleware(handler)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == console.Path || strings.HasPrefix(r.URL.Path, console.Path+"/") {
			guarded.ServeHTTP(w, r)
			return
		}
		site.ServeHTTP(w, r)
	}), nil
}

// consoleDoor lets the right users in.
type consoleDoor struct {
	backend *server.Backend
	rule    *identity.Condition
}

// authorize is console.Config.Authorize. Whoever is not signed in is sent to
// sign in where there is one way to; every refusal is an event.
func (d *consoleDoor) authorize(w http.ResponseWriter, r *http.Request) bool {
	who, err := identity.FromContext(r.Context())
	if err != nil || !who.Authenticated() {
		d.refuse(w, r, http.StatusUnauthorized, "unauthenticated")
		return false
	}
	facts := identity.Facts{
		Principal: who,
		Request:   identity.Request{Method: r.Method, Path: r.URL.Path, Operation: "console", Time: time.Now()},
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		facts.Request.Address = from.Addr()
	}
	// A condition that cannot be evaluated does not hold.
	if ok, err := d.rule.Holds(r.Context(), facts); err != nil || !ok {
		d.refuse(w, r, http.StatusForbidden, "rule")
		return false
	}
	return true
}

func (d *consoleDoor) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	e := &event.Event{
		Type:    event.Decision,
		Source:  "backend",
		Method:  r.Method,
		Host:    r.Host,
		Path:    r.URL.Path,
		Verdict: event.Blocked,
		Reason:  reason,
		Status:  status,
	}
	e.Client, _ = netip.ParseAddrPort(r.RemoteAddr)
	providers := d.backend.Auth.ProviderNames()
	if status == http.StatusUnauthorized && r.Method == http.MethodGet && len(providers) == 1 {
		for name := range providers {
			e.Status = http.StatusFound
			d.backend.Events.Record(e)
			http.Redirect(
				w,
				r,
				d.backend.Auth.Path()+"/login/"+url.PathEscape(
					name,
				)+"?post_login_redirect_uri="+url.QueryEscape(
					console.Path+"/",
				),
				http.StatusFound,
			)
			return
		}
	}
	d.backend.Events.Record(e)
	http.Error(w, "The console is for administrators of this site.", status)
}
