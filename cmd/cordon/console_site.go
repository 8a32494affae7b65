package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
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
func siteConsole(condition string) (func(*server.Backend) (map[string]http.Handler, error), error) {
	rule, err := identity.CompileCondition(condition)
	if err != nil {
		return nil, fmt.Errorf("--console: %w", err)
	}
	if rule.UsesRow() {
		return nil, errors.New("--console: the condition must not speak of row: the console is not a table")
	}
	return func(b *server.Backend) (map[string]http.Handler, error) {
		handler, err := consoleFor(b, rule)
		return map[string]http.Handler{console.Path: handler}, err
	}, nil
}

// consoleFor is the console of a backend for the users for whom the rule holds.
func consoleFor(b *server.Backend, rule *identity.Condition) (http.Handler, error) {
	entrance := &consoleEntrance{backend: b, rule: rule}
	return console.New(console.Config{Base: console.Path, Title: orElse(b.Settings.App.Name, "backend"),
		Tables: &parts.Tables{Service: b.Tables}, People: &parts.People{Auth: b.Auth}, Authorize: entrance.authorize})
}

// consoleEntrance lets the right users in.
type consoleEntrance struct {
	backend *server.Backend
	rule    *identity.Condition
}

// authorize is console.Config.Authorize. Whoever is not signed in is sent to
// sign in where there is one way to; every refusal is an event.
func (e *consoleEntrance) authorize(w http.ResponseWriter, r *http.Request) bool {
	who, err := identity.FromContext(r.Context())
	if err != nil || !who.Authenticated() {
		e.refuse(w, r, http.StatusUnauthorized, "unauthenticated")
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
	if ok, err := e.rule.Holds(r.Context(), facts); err != nil || !ok {
		e.refuse(w, r, http.StatusForbidden, "rule")
		return false
	}
	return true
}

func (e *consoleEntrance) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	record := &event.Event{
		Type:    event.Decision,
		Source:  "backend",
		Method:  r.Method,
		Host:    r.Host,
		Path:    r.URL.Path,
		Verdict: event.Blocked,
		Reason:  reason,
		Status:  status,
	}
	record.Client, _ = netip.ParseAddrPort(r.RemoteAddr)
	providers := e.backend.Auth.ProviderNames()
	if status == http.StatusUnauthorized && r.Method == http.MethodGet && len(providers) == 1 {
		for name := range providers {
			record.Status = http.StatusFound
			e.backend.Events.Record(record)
			http.Redirect(
				w,
				r,
				e.backend.Auth.Path()+"/login/"+url.PathEscape(
					name,
				)+"?post_login_redirect_uri="+url.QueryEscape(
					console.Path+"/",
				),
				http.StatusFound,
			)
			return
		}
	}
	e.backend.Events.Record(record)
	http.Error(w, "The console is for administrators of this site.", status)
}
