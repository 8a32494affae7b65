package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"

	"github.com/cordon-sec/cordon/server"

	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
)

// consolePath is where the console is on an admin listener.
const consolePath = "/console"

// mountConsole returns what an admin listener answers besides its own: the
// console, and the way to it from the root.
func mountConsole(c console.Config) (http.Handler, error) {
	c.Base = consolePath
	handler, err := console.New(c)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(consolePath+"/", handler)
	mux.Handle("GET /{$}", http.RedirectHandler(consolePath+"/", http.StatusSeeOther))
	return mux, nil
}

// console is the console of cordon up: all pages.
func (u *upStack) console() (http.Handler, error) {
	return mountConsole(console.Config{
		Title: u.app.name,
		// A change that is made here is in force at once.
		Policy:  &consolePolicy{path: u.dir, writable: true, reload: u.refresh},
		Problem: u.events.problem,
		Traffic: u.ring,
		Tables:  &consoleTables{service: u.site.Tables},
		People:  &consolePeople{auth: u.site.Auth},
	})
}

// gatewayConsole is the console of cordon gateway: the traffic, and the policy
// of the app where there is one.
func gatewayConsole(config gateway.Config, ring *event.Ring) (http.Handler, error) {
	c := console.Config{Title: "gateway", Traffic: ring, ReadOnly: true}
	if len(config.Apps) == 1 {
		c.Title = config.Apps[0].Name
		c.Policy = &consolePolicy{path: config.Apps[0].Config}
	}
	return mountConsole(c)
}

// serveConsole is the console of cordon serve: the tables and the people.
func serveConsole(b *server.Backend) http.Handler {
	handler, err := mountConsole(console.Config{Title: orElse(b.Settings.App.Name, "backend"),
		Tables: &consoleTables{service: b.Tables}, People: &consolePeople{auth: b.Auth}})
	if err != nil {
		// The templates are part of the program and its tests parse them all.
		return http.NotFoundHandler()
	}
	return handler
}

func orElse(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}

// consolePolicy is an app's folder, or its config.xml, as console.Policy.
type consolePolicy struct {
	path     string
	writable bool
	reload   func()
}

// Project is part of console.Policy.
func (p *consolePolicy) Project(context.Context) (*app.App, error) {
	read, _, err := openProject(p.path, nil)
	return read, err
}

// Save is part of console.Policy.
func (p *consolePolicy) Save(_ context.Context, old *configxml.Document, data []byte) error {
	if !p.writable {
		return console.ErrReadOnly
	}
	now, err := os.ReadFile(filepath.Join(p.path, filepath.FromSlash(old.Name())))
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old.Bytes()) {
		return console.ErrChanged
	}
	if err := writeChanges(p.path, []project.Change{{Name: old.Name(), Old: old.Bytes(), New: data}}); err != nil {
		var exit *exitError
		if errors.As(err, &exit) {
			return err
		}
		return errors.Join(console.ErrChanged, err)
	}
	p.reload()
	return nil
}
