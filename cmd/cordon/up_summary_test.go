package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/up"
)

// What the terminal says of an app is this, and nothing that the app's files say
// reaches it raw.
func TestUpSummary(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 10 {
		many = append(many, fmt.Sprintf("h%d.example", i))
	}
	for _, test := range []struct {
		name    string
		summary up.Summary
		short   bool
		want    string
	}{
		{"cordova", up.Summary{
			Name: "To\u009b31mdo", Page: mustParse(t, "http://localhost:8443"), Secure: mustParse(t,
				"https://localhost:8443"),
			Pages: "www", Rules: "my-app/config.xml", Reaches: []string{"a.example", "*.b.example"},
			Refused: "not-listed.example", Warnings: []string{"a \x1b[31mwarning"},
			Gateway: mustParse(t, "http://127.0.0.1:3128"), Console: mustParse(t, "http://127.0.0.1:9090/console/"),
			StandIn: mustParse(t, "http://demo.localhost:8443"),
			SignIn:  map[string]string{"google": "development", "entra": "openid"},
			Tables:  []string{"note", "todoitem"}, Database: "sqlite:my-app/cordon.db",
			Authority: "my-app/.cordon/ca/ca.pem",
		}, false, `http://localhost:8443/

  app       http://localhost:8443/  To\u009b31mdo: www/ with the exported Content-Security-Policy
            for devices https://localhost:8443/
  backend   the same address  sign-in: entra (openid), google (development); tables: note, todoitem
  gateway   http://127.0.0.1:3128  enforces my-app/config.xml: a.example, *.b.example
  console   http://127.0.0.1:9090/console/
  data      sqlite:my-app/cordon.db

Development only: sign-in without passwords; a certificate of this folder's own
authority, my-app/.cordon/ca/ca.pem
(what trusting it takes: cordon ca trust --dir my-app/.cordon/ca);
demo.localhost stands in for other hosts. The page's address and the stand-in's
are allowed besides config.xml.

Try, in another terminal:
  curl --proxy http://127.0.0.1:3128 http://demo.localhost:8443/tip   # allowed in development
  curl --proxy http://127.0.0.1:3128 https://not-listed.example/   # on no list: 403
  chromium --user-data-dir="$(mktemp -d)" --proxy-server=http://127.0.0.1:3128 --proxy-bypass-list='<-loopback>' http://localhost:8443/

warning: a \x1b[31mwarning
Ctrl-C stops everything.
`},
		{"capacitor behind a development server", up.Summary{
			Name: "Notes", Page: mustParse(t, "http://localhost:9443"), Secure: mustParse(t, "https://localhost:9443"),
			AppURL: mustParse(t, "http://localhost:5173"), Rules: "my-app/capacitor.config.json", Capacitor: true,
			Reaches: many, Device: []up.DeviceOrigin{
				{Target: policy.Target{Platform: "capacitor-android", Version: policy.Version{Major: 7}},
					Origin: "https://localhost"}},
			Gateway: mustParse(t, "http://127.0.0.1:3129"), Console: mustParse(t, "http://127.0.0.1:9091/console/"),
			StandIn: mustParse(t, "http://demo.localhost:9443"), SignIn: map[string]string{},
			Database: "sqlite:my-app/cordon.db", Authority: "my-app/.cordon/ca/ca.pem",
		}, false, `http://localhost:9443/

  app       http://localhost:9443/  Notes: http://localhost:5173 behind the exported Content-Security-Policy
            for devices https://localhost:9443/
  backend   the same address  sign-in: none; tables: none
  gateway   http://127.0.0.1:3129  enforces my-app/capacitor.config.json: ` + strings.Join(many[:8], ", ") + `, and 2 more
  console   http://127.0.0.1:9091/console/
  data      sqlite:my-app/cordon.db

The rules are server.allowNavigation of my-app/capacitor.config.json: Capacitor asks no list
for what a page fetches, and here the same hosts bind it. For rules of its own:
cordon init my-app

On devices the pages have other addresses, which servers see as the origin of requests:
  https://localhost (capacitor-android@7.0.0)

Development only: sign-in without passwords; a certificate of this folder's own
authority, my-app/.cordon/ca/ca.pem
(what trusting it takes: cordon ca trust --dir my-app/.cordon/ca);
demo.localhost stands in for other hosts. The page's address and the stand-in's
are allowed besides capacitor.config.json.
Styles that the development server's scripts put into a page are allowed; a built app's are not.

Try, in another terminal:
  curl --proxy http://127.0.0.1:3129 http://demo.localhost:9443/tip   # allowed in development
  chromium --user-data-dir="$(mktemp -d)" --proxy-server=http://127.0.0.1:3129 --proxy-bypass-list='<-loopback>' http://localhost:9443/

Ctrl-C stops everything.
`},
		{"quiet", up.Summary{Page: mustParse(t, "http://localhost:8443")}, true, "http://localhost:8443/\n"},
	} {
		var out strings.Builder
		printSummary(&out, test.summary, "my-app", test.short)
		if out.String() != test.want {
			t.Errorf("%s:\n%s\nwant:\n%s", test.name, &out, test.want)
		}
	}
	if got := listed(nil); got != "it lists nothing" {
		t.Errorf("of an empty list it says %q", got)
	}
}

// Each thing that happens is a line.
func TestUpLines(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	for _, n := range []up.Notice{
		{Kind: up.RulesInForce, File: "a/config.xml"}, {Kind: up.RulesRefused, Text: "a/config.xml:2:1: \x1b"},
		{Kind: up.Warned, Text: "every host"}, {Kind: up.EventsLost, Text: "no space left"},
	} {
		printNotice(&out, n)
	}
	for _, e := range []up.InstallEvent{
		{Step: "npm ci", State: up.StepBegan}, {Step: "npm ci", State: up.StepDone, Took: 12600 * time.Millisecond},
		{Step: "npm ci", State: up.StepFailed, Exit: 7}, {Step: "npm ci", State: up.StepNotRun,
			Err: errors.New("no memory")},
	} {
		printInstall(&out, "my-app", e)
	}
	printTrust(&out, nil)
	printTrust(&out, []up.TrustStep{{Command: "first", Who: "curl"}, {Command: "second", Who: "Chromium"}})
	const want = `cordon: a/config.xml was read again: its rules are in force
cordon: a/config.xml:2:1: \x1b; the last good rules stay in force
warning: every host
cordon: events are lost: no space left
cordon: my-app: npm ci
cordon: my-app: npm ci: done in 13 s
cordon: my-app: npm ci failed with exit status 7; continuing without it
cordon: my-app: npm ci cannot be run (no memory); continuing without it
cordon: http needs no certificate; for https without a warning on this machine:
  first   # curl
  second   # Chromium
`
	if out.String() != want {
		t.Errorf("it says:\n%s\nwant:\n%s", &out, want)
	}
}
