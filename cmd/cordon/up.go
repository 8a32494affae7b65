package main

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
	"strconv"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/console/parts"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/port"
	"github.com/cordon-sec/cordon/internal/watch"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/server"
	"github.com/cordon-sec/cordon/settings"
	"github.com/spf13/cobra"
)

// upFlags are the flags of cordon up.
type upFlags struct {
	port, gatewayPort, adminPort int
	platform, appURL             string
	private                      []string
	yes, install                 bool
}

func newUpCommand() *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up [DIR]",
		Short: "Run an app with everything around it, on this machine",
		Long: `Up starts, for the app in DIR (the current folder by default), all that Cordon
has, on loopback:

  the app       its pages, each with the Content-Security-Policy that its list of
                hosts asks for: at http://localhost for this machine's browser, and
                with TLS at the same port for devices
  the backend   sign-in, tables and services of cordon.yaml, at the same
                address; SQLite beside the app
  the gateway   a proxy that lets through what the app lists, nothing else
  the console   the policy, the traffic, the tables and the people

The list is config.xml, or server.allowNavigation in a Capacitor or Ionic project
without one. The pages are www/, the webDir of Capacitor or the usual output of a
build (dist, build); --app-url puts a development server in their place, live
reload included. Without a cordon.yaml the backend has no tables, and a sign-in
for development.

Where DIR has a lock file of npm and its packages are missing, up says what it
would run (npm ci --ignore-scripts, then the folder's own build script) and asks:
a build script is code of whoever wrote the folder. --install runs it.

The first line printed is the app's address. Ctrl-C stops everything in order.

The page's own address and that of a stand-in with a picture, a WebSocket and a
service to try are allowed besides what the app lists: on a device the pages
are part of the app. Nothing of that is written to the app's own files.`,
		Example: `  cordon up --install examples/todo
  cordon up --app-url http://localhost:5173 my-vite-app
  cordon up --port 9443 --gateway-port 3129 --admin-port 9091 my-app
  cordon up --private "*.corp.example=10.0.0.0/8" my-app`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return runUp(cmd, &f, dir)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.port, "port", 0, "port of the app and the backend (default: that of cordon.yaml, or 8443)")
	flags.IntVar(&f.gatewayPort, "gateway-port", 3128, "port of the gateway")
	flags.IntVar(&f.adminPort, "admin-port", 9090, "port of the console")
	flags.StringVar(&f.appURL, "app-url", "", "a development server whose pages to put behind the policy, as in http://localhost:5173")
	flags.StringVarP(&f.platform, "platform", "p", "", `target whose reading the gateway enforces (default "cordon", the strict reading)`)
	flags.StringArrayVar(&f.private, "private", nil, "let HOST resolve into RANGE, as in *.corp.example=10.0.0.0/8; may be repeated")
	flags.BoolVar(&f.install, "install", false, "run npm ci --ignore-scripts and the folder's build script first, where needed")
	flags.BoolVarP(&f.yes, "yes", "y", false, "make a config.xml and a page without asking if DIR has none")
	return cmd
}

// upStack is all that cordon up runs.
type upStack struct {
	flags  *upFlags
	dir    string
	app    *appFolder
	appURL *url.URL // of the development server, nil without one
	site   *server.Backend
	// backend answers what is the backend's own, and front everything.
	backend, front http.Handler
	gateway        *gateway.Gateway
	ring           *event.Ring
	log            *event.Log
	logFile        *os.File
	events         *upEvents
	// compiled are the rules at the start, as the gateway's platform reads them.
	compiled *policy.Policy
	// seen is the file of the rules as it was read last.
	reloading sync.Mutex
	seen      watch.Stamp
	missing   time.Time // since when it is not there, zero if it is
	// standIn ends what the stand-in keeps open.
	standIn     context.Context
	stopStandIn context.CancelFunc
}

// check reads the flags before anything is made or run in the app's folder.
func (f *upFlags) check() (appURL *url.URL, err error) {
	for _, port := range []struct {
		flag   string
		number int
	}{{"--port", f.port}, {"--gateway-port", f.gatewayPort}, {"--admin-port", f.adminPort}} {
		if port.number < 0 || port.number > 65535 {
			return nil, fmt.Errorf("%s %d: it must be a port from 0 to 65535", port.flag, port.number)
		}
	}
	if f.platform != "" {
		if _, err := dialect.ParseTarget(f.platform); err != nil {
			return nil, err
		}
	}
	if _, err := parsePrivate(f.private); err != nil {
		return nil, err
	}
	if f.appURL == "" {
		return nil, nil
	}
	return parseAppURL(f.appURL)
}

func runUp(cmd *cobra.Command, f *upFlags, dir string) error {
	appURL, err := f.check()
	if err != nil {
		return err
	}
	if err := offerInit(cmd, dir, f.yes); err != nil {
		return err
	}
	if err := offerInstall(cmd, dir, f.install); err != nil {
		return err
	}
	stack, err := openUp(cmd, f, dir, appURL)
	if err != nil {
		return err
	}
	if !quietly(cmd) {
		trustLines(cmd.Context(), cmd.ErrOrStderr(), stack.authority(), trustStores())
	}
	stack.summary(cmd.OutOrStdout(), quietly(cmd))
	if err := stack.serve(cmd.Context()); err != nil {
		return settingsError(err)
	}
	if !quietly(cmd) {
		fmt.Fprintln(cmd.ErrOrStderr(), "cordon: stopped")
	}
	return nil
}

// openUp opens every part and listens; nothing is accepted yet.
func openUp(cmd *cobra.Command, f *upFlags, dir string, appURL *url.URL) (*upStack, error) {
	u := &upStack{flags: f, dir: dir, appURL: appURL, ring: event.NewRing(100_000)}
	var err error
	if u.app, err = openAppFolder(dir, u.appURL != nil); err != nil {
		return nil, err
	}
	s, err := u.settings()
	if err != nil {
		return nil, err
	}
	u.site, err = server.Open(cmd.Context(), s, server.Options{
		Cleartext: true, Site: u.inFront, Stdout: io.Discard, Stderr: cmd.ErrOrStderr()})
	if err != nil {
		return nil, settingsError(portHolder(err, "--port"))
	}
	u.standIn, u.stopStandIn = context.WithCancel(context.WithoutCancel(cmd.Context()))
	u.app.origins = u.origins()
	if err := u.openLog(cmd.ErrOrStderr()); err != nil {
		u.abandon(cmd.Context())
		return nil, environment(err)
	}
	if err := u.openGateway(cmd); err != nil {
		u.abandon(cmd.Context())
		return nil, err
	}
	return u, nil
}

// settings are those of the app's cordon.yaml, or the defaults of development,
// moved to loopback.
func (u *upStack) settings() (*settings.Settings, error) {
	file := filepath.Join(u.dir, "cordon.yaml")
	s, err := settings.Load(file)
	if errors.Is(err, os.ErrNotExist) {
		s, err = settings.Parse(file, []byte(developmentYAML))
	}
	if err != nil {
		return nil, err
	}
	port := u.flags.port
	if port == 0 {
		port = 8443
		if _, text, err := net.SplitHostPort(s.Server.Listen); err == nil {
			if port, err = strconv.Atoi(text); err != nil {
				return nil, fmt.Errorf("%s: server.listen: %q must be a port", file, text)
			}
		}
	}
	s.Server.Listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s.Server.URL, s.Server.Admin, s.Server.TLS = "", "", settings.TLS{Mode: "development"}
	s.Server.Drain = 2 * time.Second
	s.Telemetry.Log = "none"
	if s.Database == "" {
		s.Database = "sqlite:./cordon.db"
	}
	return s, nil
}

// developmentYAML is the backend of an app without a cordon.yaml.
const developmentYAML = "identity: { providers: { development: { type: development } } }\n"

// openLog writes what is decided to a file beside the app, so that the terminal
// stays readable.
func (u *upStack) openLog(stderr io.Writer) error {
	name := filepath.Join(u.dir, ".cordon", "events.jsonl")
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	u.logFile = file
	u.log = event.NewLog(file, event.LogOptions{OnError: func(err error) {
		if err != nil {
			fmt.Fprintf(stderr, "cordon: events are lost: %v\n", err)
		}
	}})
	return nil
}

func (u *upStack) closeLog() {
	if u.log == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = u.log.Close(ctx) // what is not written by now is lost
	_ = u.logFile.Close()
}

// abandon closes what was opened when a later part failed to.
func (u *upStack) abandon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	u.stopStandIn()
	_ = u.site.Close(ctx) // the error that led here is the one to tell
	u.closeLog()
}

func (u *upStack) openGateway(cmd *cobra.Command) error {
	u.seen = watch.Look(u.app.Rules)
	config, err := u.gatewayConfig()
	if err != nil {
		return err
	}
	metrics := event.NewMetrics()
	metrics.WatchLog(u.log)
	u.events = &upEvents{app: u.app, terminal: cmd.ErrOrStderr(), quiet: quietly(cmd), sinks: []event.Sink{u.ring, metrics, u.log}}
	admin, err := u.console()
	if err != nil {
		return err
	}
	recorder := event.NewRecorder(u.events)
	u.gateway, err = gateway.New(gateway.Options{
		Config: config, Reload: u.gatewayConfig, Events: recorder, Metrics: metrics, Ring: u.ring, Admin: admin,
	})
	if err != nil {
		return err
	}
	u.app.enforce()
	target, err := dialect.ParseTarget(orElse(u.flags.platform, dialect.Strict))
	if err != nil {
		return err
	}
	if u.compiled, err = dialect.Compile(u.app.policy().doc, target); err != nil {
		return err
	}
	u.events.digest = u.app.policy().digest
	u.events.warnings = u.gateway.Warnings
	u.events.warned = u.events.fresh()
	if err := u.gateway.Listen(); err != nil {
		flag := "--gateway-port"
		var listen *gateway.ListenError
		if errors.As(err, &listen) && listen.Address == config.Admin {
			flag = "--admin-port"
		}
		return environment(portHolder(err, flag))
	}
	u.front = u.pages(&pageReports{app: u.app, events: recorder})
	return cmd.Context().Err()
}

// gatewayConfig is the gateway's configuration: the app's rules with what
// development needs besides, and only that much of loopback.
func (u *upStack) gatewayConfig() (gateway.Config, error) {
	port, err := strconv.ParseUint(u.site.URL.Port(), 10, 16)
	if err != nil {
		return gateway.Config{}, err
	}
	rules, err := u.app.load()
	if err != nil {
		return gateway.Config{}, err
	}
	private, err := parsePrivate(u.flags.private)
	if err != nil {
		return gateway.Config{}, err
	}
	for _, host := range []string{"localhost", standInHost} {
		private = append(private,
			gateway.PrivateConfig{Host: host, Range: loopback4, Port: uint16(port)},
			gateway.PrivateConfig{Host: host, Range: loopback6, Port: uint16(port)})
	}
	return gateway.Config{
		Listen:   net.JoinHostPort("127.0.0.1", strconv.Itoa(u.flags.gatewayPort)),
		Admin:    net.JoinHostPort("127.0.0.1", strconv.Itoa(u.flags.adminPort)),
		Log:      "none",
		Timeouts: gateway.Timeouts{Drain: 2 * time.Second},
		Apps: []gateway.AppConfig{{Name: u.app.Name, Config: u.app.Rules, Data: rules.doc.Bytes(),
			Platform: u.flags.platform, Private: private}},
	}, nil
}

// origins are what is allowed in development besides the app's own rules: the
// pages with the backend, and the stand-in, each with and without TLS.
func (u *upStack) origins() []string {
	standIn := net.JoinHostPort(standInHost, u.site.URL.Port())
	return []string{u.site.Plain.String(), u.site.URL.String(), "http://" + standIn, "https://" + standIn}
}

// serve runs everything until the context ends or a part fails: then the
// gateway stops, and after it the backend.
func (u *upStack) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	siteCtx, stopSite := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSite()
	var running sync.WaitGroup
	var gatewayErr, siteErr error
	running.Go(func() {
		gatewayErr = u.gateway.Serve(ctx)
		u.stopStandIn()
		stopSite()
	})
	running.Go(func() {
		siteErr = u.site.Serve(siteCtx)
		cancel()
	})
	running.Go(func() { u.watch(ctx) })
	running.Wait()
	u.closeLog()
	return errors.Join(environmentIf(gatewayErr), siteErr)
}

func environmentIf(err error) error {
	if err == nil {
		return nil
	}
	return environment(err)
}

// inFront puts the app before the backend: front is made when the gateway has its
// address, and before anything is served.
func (u *upStack) inFront(b *server.Backend) (http.Handler, error) {
	u.backend = b.Handler
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { u.front.ServeHTTP(w, r) }), nil
}

// pages serves the app in front of the backend: what the backend does not own
// is a file of the app, or the development server's.
func (u *upStack) pages(reports http.Handler) http.Handler {
	standIn := newStandIn(u.standIn)
	var pages http.Handler = &appPages{app: u.app}
	if u.appURL != nil {
		pages = newDevServer(u.app, u.appURL)
	}
	console := http.RedirectHandler("http://"+u.gateway.AdminAddr().String()+console.Path+"/", http.StatusFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		switch {
		case host == standInHost:
			standIn.ServeHTTP(w, r)
		case !hostname.IsLoopback(r.Host):
			// A name that a stranger points here, to sign in as somebody.
			http.Error(w, "Only loopback names are answered here: "+u.site.Plain.String(), http.StatusMisdirectedRequest)
		case r.URL.Path == reportsPath:
			reports.ServeHTTP(w, r)
		case r.URL.Path == consoleLink:
			console.ServeHTTP(w, r)
		case ownedByBackend(r.URL.Path, u.site.Auth.Path()):
			u.backend.ServeHTTP(w, r)
		default:
			u.refresh()
			pages.ServeHTTP(w, r)
		}
	})
}

// console is the console of cordon up: all pages.
func (u *upStack) console() (http.Handler, error) {
	return console.Mount(console.Config{
		Title: u.app.Name,
		// A change that is made here is in force at once.
		Policy:  &parts.Policy{Path: u.dir, Saved: u.refresh},
		Problem: u.events.problem,
		Traffic: u.ring,
		Tables:  &parts.Tables{Service: u.site.Tables},
		People:  &parts.People{Auth: u.site.Auth},
	})
}

// portHolder adds to an error about a port that is taken who has it, and the flag
// that chooses another port.
func portHolder(err error, flag string) error {
	var taken *port.TakenError
	if err = port.Explain(err); errors.As(err, &taken) {
		return fmt.Errorf("%w; choose another port with %s", err, flag)
	}
	return err
}
