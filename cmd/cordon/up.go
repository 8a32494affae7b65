package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/settings"
	"github.com/spf13/cobra"
)

// upFlags are the flags of cordon up.
type upFlags struct {
	port, gatewayPort, adminPort int
	platform                     string
	private                      []string
	yes                          bool
}

func newUpCommand() *cobra.Command {
	var f upFlags
	cmd := &cobra.Command{
		Use:   "up [DIR]",
		Short: "Run an app with everything around it, on this machine",
		Long: `Up starts, for the app in DIR (the current folder by default), all that Cordon
has, on loopback:

  the app       www/ over TLS, each page with the Content-Security-Policy that
                config.xml asks for
  the backend   sign-in, tables and services of cordon.yaml, at the same
                address; SQLite beside the app
  the gateway   a proxy that lets through what config.xml lists, nothing else
  the console   the policy, the traffic, the tables and the people

Without a cordon.yaml the backend has no tables, and a sign-in for development.
The first line printed is the app's address. Ctrl-C stops everything in order.

The page's own address and that of a stand-in with a picture, a WebSocket and a
service to try are allowed besides what config.xml lists: on a device the pages
are part of the app. Nothing of that is written to config.xml.`,
		Example: `  cordon up examples/todo
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
	flags.StringVarP(&f.platform, "platform", "p", "", `target whose reading the gateway enforces (default "cordon", the strict reading)`)
	flags.StringArrayVar(&f.private, "private", nil, "let HOST resolve into RANGE, as in *.corp.example=10.0.0.0/8; may be repeated")
	flags.BoolVarP(&f.yes, "yes", "y", false, "make a config.xml and a page without asking if DIR has none")
	return cmd
}

// upStack is all that cordon up runs.
type upStack struct {
	flags   *upFlags
	dir     string
	app     *appFolder
	site    *settings.Backend
	gateway *gateway.Gateway
	ring    *event.Ring
	log     *event.Log
	logFile *os.File
	// standIn ends what the stand-in keeps open.
	standIn     context.Context
	stopStandIn context.CancelFunc
}

func runUp(cmd *cobra.Command, f *upFlags, dir string) error {
	if err := offerInit(cmd, dir, f.yes); err != nil {
		return err
	}
	stack, err := openUp(cmd, f, dir)
	if err != nil {
		return err
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
func openUp(cmd *cobra.Command, f *upFlags, dir string) (*upStack, error) {
	app, err := openAppFolder(dir)
	if err != nil {
		return nil, err
	}
	u := &upStack{flags: f, dir: dir, app: app, ring: event.NewRing(100_000)}
	u.standIn, u.stopStandIn = context.WithCancel(context.WithoutCancel(cmd.Context()))
	s, err := u.settings()
	if err != nil {
		return nil, err
	}
	u.site, err = settings.Open(cmd.Context(), s, settings.Options{Stdout: io.Discard, Stderr: cmd.ErrOrStderr()})
	if err != nil {
		u.stopStandIn()
		return nil, settingsError(portHolder(err, "--port"))
	}
	if err := u.openLog(cmd.ErrOrStderr()); err != nil {
		u.abandon(cmd.Context())
		return nil, environment(err)
	}
	if err := u.openGateway(cmd.Context()); err != nil {
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
				return nil, fmt.Errorf("%s: server.listen: %q is no port", file, text)
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
	ended, cancel := context.WithCancel(context.WithoutCancel(ctx))
	cancel()
	u.stopStandIn()
	_ = u.site.Serve(ended) // an ended context makes it close at once
	u.closeLog()
}

func (u *upStack) openGateway(ctx context.Context) error {
	config, err := u.gatewayConfig()
	if err != nil {
		return err
	}
	admin, err := u.console()
	if err != nil {
		return err
	}
	metrics := event.NewMetrics()
	metrics.WatchLog(u.log)
	u.gateway, err = gateway.New(gateway.Options{
		Config: config, Reload: u.gatewayConfig, Watch: []string{filepath.Join(u.dir, filepath.FromSlash(u.app.config))},
		Events: event.NewRecorder(u.ring, metrics, u.log), Metrics: metrics, Ring: u.ring, Admin: admin,
	})
	if err != nil {
		return err
	}
	if err := u.gateway.Listen(); err != nil {
		flag := "--gateway-port"
		var listen *gateway.ListenError
		if errors.As(err, &listen) && listen.Address == config.Admin {
			flag = "--admin-port"
		}
		return environment(portHolder(err, flag))
	}
	u.site.Handler = u.pages(u.site.Handler)
	return ctx.Err()
}

// gatewayConfig is the gateway's configuration: the app's config.xml with what
// development needs besides, and only that much of loopback.
func (u *upStack) gatewayConfig() (gateway.Config, error) {
	_, text, err := net.SplitHostPort(u.site.Addr().String())
	if err != nil {
		return gateway.Config{}, err
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return gateway.Config{}, err
	}
	config, err := u.app.writeDevelopment(u.origins())
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
		Apps:     []gateway.AppConfig{{Name: u.app.name, Config: config, Platform: u.flags.platform, Private: private}},
	}, nil
}

// origins are what is allowed in development besides config.xml: the pages with
// the backend, and the stand-in.
func (u *upStack) origins() []string {
	origin := u.site.URL.String()
	return []string{origin, "https://" + net.JoinHostPort(standInHost, u.site.URL.Port())}
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

// pages serves the app in front of the backend: what the backend does not own
// is a file of www/.
func (u *upStack) pages(backend http.Handler) http.Handler {
	standIn := newStandIn(u.standIn)
	pages := &appPages{app: u.app, origins: u.origins()}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		switch {
		case host == standInHost:
			standIn.ServeHTTP(w, r)
		case !auth.LoopbackHost(strings.Trim(host, "[]")):
			// A name that a stranger points here, to sign in as somebody.
			http.Error(w, "Only loopback names are answered here: "+u.site.URL.String(), http.StatusMisdirectedRequest)
		case ownedByBackend(r.URL.Path, u.site.Auth.Path()):
			backend.ServeHTTP(w, r)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

// missingApp reports whether a folder has no config.xml.
func missingApp(dir string) bool {
	var missing *project.NotFoundError
	_, err := project.FindConfig(os.DirFS(dir))
	return errors.As(err, &missing)
}
