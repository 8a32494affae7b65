// Package up runs an app with everything around it, on this machine: its pages, each
// with the Content-Security-Policy that its list of hosts asks for; the backend of
// its cordon.yaml at the same address; a gateway that lets through what the app
// lists; and a console that shows all of it. It is what cordon up does.
//
//	app, err := up.Open(ctx, up.Config{Dir: "examples/todo", Notify: func(n up.Notice) { … }})
//	fmt.Println(app.Summary().Page)
//	err = app.Serve(ctx)
//
// Open opens every part in one order (the folder's rules, the backend, the log beside
// the app, the gateway with the console) and closes what it opened where a later one
// fails. Serve answers until its context ends; it looks after the file of the rules
// and puts each good change into force in all parts at once. Close ends what was
// opened and is not served.
//
// All listeners are on loopback, and what is needed in development alone is allowed
// besides the app's rules (DevelopmentPlace); nothing of that is written to the app's
// own files. Beside them are then .cordon, with a certificate authority and the log,
// and the database, cordon.db unless the cordon.yaml names another.
//
// What fails because of the machine is a *server.EnvironmentError, a port that is
// taken a *PortError among them; everything else is the folder's or the Config's
// fault. An App is safe for concurrent use, but Serve and Close are each for one call.
//
// Install runs what a cloned folder needs of npm, before Open.
package up

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/console/parts"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/localstate"
	"github.com/cordon-sec/cordon/internal/watch"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/enforced"
	"github.com/cordon-sec/cordon/project/folder"
	"github.com/cordon-sec/cordon/server"
	"github.com/cordon-sec/cordon/settings"
)

// App is an app that is opened or runs.
type App struct {
	config Config
	target policy.Target // whose reading the gateway enforces
	appURL *url.URL      // of the development server, nil without one
	folder *appFolder
	site   *server.Backend
	// backend answers what is the backend's own, and front everything.
	backend, front http.Handler
	gateway        *gateway.Gateway
	ring           *event.Ring
	log            *event.Log
	logFile        *os.File
	events         *upEvents
	recorder       *event.Recorder
	summary        Summary
	// notifying lets one notice out at a time.
	notifying sync.Mutex
	// seen is the file of the rules as it was read last.
	reloading sync.Mutex
	seen      watch.Stamp
	missing   time.Time // since when it is not there, zero if it is
	// standIn ends what the stand-in keeps open.
	standIn     context.Context
	stopStandIn context.CancelFunc
}

// Open opens every part and listens; nothing is accepted before Serve. The context
// bounds the opening.
func Open(ctx context.Context, c Config) (*App, error) {
	a := &App{config: c, ring: event.NewRing(100_000)}
	var err error
	if a.target, a.appURL, err = c.parse(); err != nil {
		return nil, err
	}
	site, err := folder.OpenSite(c.Dir, a.appURL != nil)
	if err != nil {
		return nil, err
	}
	a.folder = &appFolder{Site: *site}
	a.standIn, a.stopStandIn = context.WithCancel(context.WithoutCancel(ctx))
	for _, open := range []func(context.Context) error{a.openSite, a.openLog, a.openGateway} {
		if err := open(ctx); err != nil {
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
			defer cancel()
			_ = a.Close(closing) // the error that led here is the one to tell
			return nil, err
		}
	}
	return a, nil
}

// closeTime bounds the closing of what was opened when a later part fails.
const closeTime = 5 * time.Second

// Close ends an App that was opened and is not served, within the context's time.
// Serve closes by itself.
func (a *App) Close(ctx context.Context) error {
	a.stopStandIn()
	if a.gateway != nil {
		a.gateway.Close()
	}
	var err error
	if a.site != nil {
		err = a.site.Close(ctx)
	}
	a.closeLog()
	return err
}

// openSite opens the backend, which has the app's address.
func (a *App) openSite(ctx context.Context) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	stderr := a.config.Stderr
	if stderr == nil {
		stderr = io.Discard
	}
	o := server.Options{Cleartext: true, Site: a.inFront, Stdout: io.Discard, Stderr: stderr}
	a.site, err = server.Open(ctx, s, o)
	if err != nil {
		return portError(err, SiteListener)
	}
	for _, notice := range a.site.DatabaseNotices() {
		a.notify(Notice{Kind: DatabaseNewer, Text: notice})
	}
	a.folder.origins = a.origins()
	return nil
}

// configuredPort is the port of the app where the command line names none: that of
// server.listen, or DefaultPort.
func configuredPort(s *settings.Settings) (int, error) {
	_, text, err := net.SplitHostPort(s.Server.Listen)
	if err != nil {
		return DefaultPort, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("server.listen: %q must be a port", text)
	}
	return number, nil
}

// SitePort is the port that an app in dir is served at unless Config names another:
// that of its cordon.yaml, or DefaultPort where there is none that can be read.
func SitePort(dir string) int {
	s, err := settings.Load(filepath.Join(dir, "cordon.yaml"))
	if err != nil {
		return DefaultPort
	}
	number, err := configuredPort(s)
	if err != nil || number == 0 {
		return DefaultPort
	}
	return number
}

// settings are those of the app's cordon.yaml, or the defaults of development,
// moved to loopback.
func (a *App) settings() (*settings.Settings, error) {
	file := filepath.Join(a.config.Dir, "cordon.yaml")
	s, err := settings.Load(file)
	if errors.Is(err, os.ErrNotExist) {
		s, err = settings.Parse(file, []byte(developmentYAML))
	}
	if err != nil {
		return nil, err
	}
	number := int(a.config.Port)
	if number == 0 {
		if number, err = configuredPort(s); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	s.Server.Listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(number))
	s.Server.URL, s.Server.Admin, s.Server.TLS = "", "", settings.TLS{Mode: "development"}
	s.Server.Drain = 2 * time.Second
	s.Telemetry.Log = "none"
	if s.Database == "" {
		s.Database = settings.DefaultDatabase
	}
	return s, nil
}

// developmentYAML is the backend of an app without a cordon.yaml.
const developmentYAML = "identity: { providers: { development: { type: development } } }\n"

// openLog writes what is decided to a file beside the app, so that the terminal
// stays readable.
func (a *App) openLog(context.Context) error {
	folder, err := localstate.Make(a.config.Dir)
	if err != nil {
		return environment(err)
	}
	name := filepath.Join(folder, "events.jsonl")
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return environment(err)
	}
	a.logFile = file
	a.log = event.NewLog(file, event.LogOptions{OnError: func(err error) {
		if err != nil {
			a.notify(Notice{Kind: EventsLost, Text: err.Error()})
		}
	}})
	return nil
}

func (a *App) closeLog() {
	if a.log == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = a.log.Close(ctx) // what is not written by now is lost
	_ = a.logFile.Close()
}

func (a *App) notify(n Notice) {
	if a.config.Notify == nil {
		return
	}
	a.notifying.Lock()
	defer a.notifying.Unlock()
	a.config.Notify(n)
}

// openGateway opens the gateway with the console, and makes what stands before the
// backend: that needs the addresses of both.
func (a *App) openGateway(ctx context.Context) error {
	a.seen = watch.Look(a.folder.Rules)
	loaded, err := a.loadGateway()
	if err != nil {
		return err
	}
	metrics := event.NewMetrics()
	metrics.WatchLog(a.log)
	a.events = &upEvents{app: a.folder, notify: a.notify, sinks: []event.Sink{a.ring, metrics, a.log}}
	if a.config.Events != nil {
		a.events.sinks = append(a.events.sinks, a.config.Events)
	}
	admin, err := a.console()
	if err != nil {
		return err
	}
	a.recorder = event.NewRecorder(a.events)
	a.gateway, err = gateway.New(gateway.Options{
		Loaded: loaded, Reload: a.loadGateway, Events: a.recorder, Metrics: metrics, Ring: a.ring, Admin: admin,
		AdminToken: localstate.Path(a.config.Dir, "admin-token"),
	})
	if err != nil {
		return err
	}
	a.folder.enforce()
	rules, target := a.folder.policy(), a.target
	if !strings.Contains(a.config.Platform, "@") {
		target = rules.ownVersion(target)
	}
	compiled, err := dialect.Compile(rules.doc, target)
	if err != nil {
		return err
	}
	a.events.begin(a.gateway.Warnings)
	if err := a.gateway.Listen(); err != nil {
		listener := GatewayListener
		var listen *gateway.ListenError
		if errors.As(err, &listen) && listen.Address == loaded.Config.Admin {
			listener = AdminListener
		}
		return environment(portError(err, listener))
	}
	a.front = a.pages()
	a.summary = a.summarize(compiled)
	return ctx.Err()
}

// loadGateway makes what the gateway takes: the app's rules with what development
// needs besides, and only that much of loopback.
func (a *App) loadGateway() (config.Loaded, error) {
	number, err := strconv.ParseUint(a.site.URL.Port(), 10, 16)
	if err != nil {
		return config.Loaded{}, err
	}
	rules, err := a.folder.load()
	if err != nil {
		return config.Loaded{}, err
	}
	private := slices.Clone(a.config.Private)
	for _, host := range []string{"localhost", standInHost} {
		private = append(private,
			config.Private{Host: host, Range: loopback4, Port: uint16(number)},
			config.Private{Host: host, Range: loopback6, Port: uint16(number)})
	}
	c := config.Config{
		Listen:   net.JoinHostPort("127.0.0.1", strconv.Itoa(int(a.config.GatewayPort))),
		Admin:    net.JoinHostPort("127.0.0.1", strconv.Itoa(int(a.config.AdminPort))),
		Log:      "none",
		Timeouts: config.Timeouts{Drain: 2 * time.Second},
		Apps: []config.App{{Name: a.folder.Name, Config: a.folder.Rules,
			Platform: a.config.Platform, Private: private}},
	}
	options := c.Apps[0].Options()
	options.Ships = func(doc *configxml.Document) (*configxml.Document, error) {
		return shipsWith(doc, rules.doc), nil
	}
	options.Own = rules.ownVersion
	list, err := enforced.Compile(a.folder.Rules, rules.doc.Bytes(), options)
	if err != nil {
		return config.Loaded{}, err
	}
	return config.Loaded{Config: c, Apps: []config.Contents{{List: list}}}, nil
}

// console is the console of the app: all pages.
func (a *App) console() (http.Handler, error) {
	return console.Mount(console.Config{
		Title: a.folder.Name,
		// A change that is made here is in force at once.
		Policy:  &parts.Policy{Path: a.config.Dir, Saved: a.refresh},
		Problem: a.events.problem,
		Traffic: a.ring,
		Tables:  &parts.Tables{Service: a.site.Tables},
		People:  &parts.People{Auth: a.site.Auth},
	})
}

// origins are what is allowed in development besides the app's own rules: the
// pages with the backend, and the stand-in, each with and without TLS.
func (a *App) origins() []string {
	standIn := net.JoinHostPort(standInHost, a.site.URL.Port())
	return []string{a.site.Plain.String(), a.site.URL.String(), "http://" + standIn, "https://" + standIn}
}

// Serve runs everything until the context ends or a part fails: then the gateway
// stops, and after it the backend. It returns nil after an orderly stop.
func (a *App) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	siteCtx, stopSite := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSite()
	var running sync.WaitGroup
	var gatewayErr, siteErr error
	running.Go(func() {
		gatewayErr = a.gateway.Serve(ctx)
		a.stopStandIn()
		stopSite()
	})
	running.Go(func() {
		siteErr = a.site.Serve(siteCtx)
		cancel()
	})
	running.Go(func() { a.watch(ctx) })
	running.Wait()
	a.closeLog()
	return errors.Join(environment(gatewayErr), siteErr)
}
