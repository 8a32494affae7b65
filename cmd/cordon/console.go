package main

import (
	"net/http"

	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/console/parts"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/server"
)

// gatewayConsole is the console of cordon gateway: the traffic, and the policy
// of the app where there is one.
func gatewayConsole(of config.Config, ring *event.Ring) (http.Handler, error) {
	c := console.Config{Title: "gateway", Traffic: ring, ReadOnly: true}
	if len(of.Apps) == 1 {
		c.Title = of.Apps[0].Name
		c.Policy = &parts.Policy{Path: of.Apps[0].Config}
	}
	return console.Mount(c)
}

// serveConsole is the console of cordon serve: the tables and the people.
func serveConsole(b *server.Backend) http.Handler {
	handler, err := console.Mount(console.Config{Title: orElse(b.Settings.App.Name, "backend"),
		Tables: &parts.Tables{Service: b.Tables}, People: &parts.People{Auth: b.Auth}})
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
