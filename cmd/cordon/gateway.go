package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/gateway/source"
	"github.com/cordon-sec/cordon/internal/configfile"
	"github.com/cordon-sec/cordon/internal/watch"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/spf13/cobra"
)

// gatewayFlags are the flags of cordon gateway.
type gatewayFlags struct {
	config   string
	platform string
	listen   string
	admin    string
	strict   bool
	private  []string
}

func newGatewayCommand() *cobra.Command {
	var f gatewayFlags
	cmd := &cobra.Command{
		Use:   "gateway --config FILE",
		Short: "Enforce the policy on the wire, as a forward proxy",
		Long: `Gateway is a forward proxy that lets an app reach what its config.xml names and
nothing else: also media, WebSockets and plugins, which the list inside the app
does not see.

FILE is a config.xml (one app: whoever connects to the listener is the app) or a
cordon.yaml with several apps. It is read again when it changes, and on SIGHUP;
a broken new file leaves the old one in force.

Private and special addresses are refused even for listed names. --private
HOST=RANGE lets one host resolve into one range; a cordon.yaml has
gateway.apps[].private for it.`,
		Example: `  cordon gateway --config config.xml
  cordon gateway --config config.xml --platform android@15 --listen 127.0.0.1:8080
  cordon gateway --config cordon.yaml --admin 127.0.0.1:9090`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runGateway(cmd, &f) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.listen, "listen", "",
		`address of the proxy, or "systemd" (default `+config.DefaultListen+`)`)
	cmd.AddCommand(newGatewayTestCommand(), newGatewayTunnelsCommand())
	return cmd
}

// add adds the flags that say which policy is meant.
func (f *gatewayFlags) add(cmd *cobra.Command) {
	f.addAdmin(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.platform, "platform", "p", "",
		`target whose reading is enforced (default "cordon", the strict reading)`)
	flags.BoolVar(&f.strict, "strict", false, "refuse to start if a line of the config.xml does not fit the syntax")
	flags.StringArrayVar(&f.private, "private", nil,
		"let HOST resolve into RANGE, as in *.corp.example=10.0.0.0/8; may be repeated")
}

// addAdmin adds the flags that say which gateway is meant.
func (f *gatewayFlags) addAdmin(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.config, "config", "", "the config.xml or cordon.yaml (required)")
	cmd.Flags().StringVar(&f.admin, "admin", "",
		"loopback address for health, metrics, events and the console (default none)")
	_ = cmd.MarkFlagRequired("config") // the flag exists
}

// runGateway runs the gateway until the command's context ends.
func runGateway(cmd *cobra.Command, f *gatewayFlags) error {
	if err := config.CheckListen(f.listen); err != nil {
		return fmt.Errorf("--listen %w", err)
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP) // one that comes while it starts must not end it
	defer signal.Stop(hangup)
	from := f.source()
	loaded, err := from.Load()
	if err != nil {
		return err
	}
	stderr := cmd.ErrOrStderr()
	ring, metrics := event.NewRing(2000), event.NewMetrics()
	log, closeLog, err := openLog(cmd, loaded.Config)
	if err != nil {
		return environment(err)
	}
	defer closeLog()
	sinks := []event.Sink{ring, metrics}
	if log != nil {
		metrics.WatchLog(log)
		sinks = append(sinks, log)
	}
	admin, err := gatewayConsole(loaded.Config, ring)
	if err != nil {
		return err
	}
	g, err := gateway.New(gateway.Options{
		Admin: admin, AdminToken: adminToken(f.config), Loaded: loaded, Reload: from.Load, Changed: from.Changed,
		Events: event.NewRecorder(sinks...), Metrics: metrics, Ring: ring,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", f.config, err)
	}
	for _, w := range g.Warnings() {
		fmt.Fprintf(stderr, "cordon: warning: %s\n", w)
	}
	if err := g.Listen(); err != nil {
		var listen *gateway.ListenError
		if errors.As(err, &listen) && errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%w (another gateway? choose another address with --listen)", err)
		}
		return environment(err)
	}
	announce(stderr, g, loaded.Config)
	stop := reloadOnHangup(cmd.Context(), hangup, stderr, g)
	defer stop()
	if err := g.Serve(cmd.Context()); err != nil {
		return environment(err)
	}
	fmt.Fprintln(stderr, "cordon: gateway stopped")
	return nil
}

func announce(w io.Writer, g *gateway.Gateway, c config.Config) {
	for _, app := range c.WithDefaults().Apps {
		address := g.Addr()
		if app.Listen != "" {
			address = g.AppAddr(app.Name)
		}
		fmt.Fprintf(w, "cordon: gateway for %s on %s (%s as %s, %s)\n", app.Name, address, app.Config, app.Platform,
			app.Mode)
	}
	if admin := g.AdminAddr(); admin != nil {
		fmt.Fprintf(w, "cordon: admin on http://%s\n", admin)
	}
}

// reloadOnHangup reloads on SIGHUP until the returned function is called.
func reloadOnHangup(ctx context.Context, hangup <-chan os.Signal, w io.Writer, g *gateway.Gateway) (stop func()) {
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				if err := g.Reload(); err != nil {
					fmt.Fprintf(w, "cordon: the old policy stays in force: %v\n", err)
				} else {
					fmt.Fprintln(w, "cordon: reloaded")
				}
			}
		}
	}()
	return func() {
		cancel()
		watch.Await(done)
	}
}

// openLog starts the log that the configuration names.
func openLog(cmd *cobra.Command, c config.Config) (log *event.Log, end func(), err error) {
	var to io.Writer
	var file *os.File
	switch c.Log {
	case "none":
		return nil, func() {}, nil
	case "stdout":
		to = cmd.OutOrStdout()
	case "stderr", "":
		to = cmd.ErrOrStderr()
	default:
		if file, err = os.OpenFile(c.Log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640); err != nil {
			return nil, nil, fmt.Errorf("gateway.log %w", wording.FileError(c.Log, err))
		}
		to = file
	}
	stderr := cmd.ErrOrStderr()
	log = event.NewLog(to, event.LogOptions{Burst: c.LogBurst, OnError: func(err error) {
		if err != nil {
			fmt.Fprintf(stderr, "cordon: events are lost, the gateway goes on: %v\n", err)
		} else {
			fmt.Fprintln(stderr, "cordon: events are logged again")
		}
	}})
	return log, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = log.Close(ctx) // a log that hangs is left behind
		if file != nil {
			_ = file.Close()
		}
	}, nil
}

// read reads the configuration: of a config.xml it makes one of a single app.
func (f *gatewayFlags) read() (config.Config, error) {
	if err := configfile.CheckRegular(f.config); err != nil {
		return config.Config{}, fmt.Errorf("--config %w", err)
	}
	data, err := readNamedConfig(f.config)
	if err != nil {
		return config.Config{}, err
	}
	var c config.Config
	if isXML(data) {
		c = config.Config{Apps: []config.App{{Name: appName(f.config), Config: f.config}}}
	} else if c, err = readGatewaySettings(f.config, data); err != nil {
		return config.Config{}, err
	}
	if f.listen != "" {
		c.Listen = f.listen
	}
	if f.admin != "" {
		c.Admin = f.admin
	}
	private, err := parsePrivate(f.private)
	if err != nil {
		return config.Config{}, err
	}
	for i := range c.Apps {
		app := &c.Apps[i]
		if f.platform != "" {
			app.Platform = f.platform
		}
		app.Strict = app.Strict || f.strict
		app.Private = append(app.Private, private...)
	}
	return c, nil
}

// source is where the configuration and what it names come from.
func (f *gatewayFlags) source() *source.Source {
	return source.New(source.Options{Name: f.config, Read: f.read, Files: []string{f.config}})
}

// maxConfig bounds the file behind --config.
const maxConfig = 64 << 20

// readNamedConfig reads the file behind --config.
func readNamedConfig(path string) ([]byte, error) {
	data, err := configfile.Read(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("--config %w; it must name the app's config.xml or a cordon.yaml "+
			"(cordon init makes one)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("--config %w", err)
	}
	return data, nil
}

// isXML tells a config.xml from a cordon.yaml by its first character.
func isXML(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	return bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("<"))
}

// appName names the app of a config.xml by its folder.
func appName(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "app"
	}
	if name := filepath.Base(filepath.Dir(abs)); name != "" && name != string(filepath.Separator) && name != "." {
		return name
	}
	return "app"
}

func parsePrivate(list []string) ([]config.Private, error) {
	var all []config.Private
	for _, text := range list {
		host, addresses, ok := strings.Cut(text, "=")
		if !ok || host == "" {
			return nil, fmt.Errorf("--private %q: write HOST=RANGE, as in *.corp.example=10.0.0.0/8", text)
		}
		prefix, err := netip.ParsePrefix(addresses)
		if err != nil {
			addr, addrErr := netip.ParseAddr(addresses)
			if addrErr != nil {
				return nil, fmt.Errorf("--private %q: %q is neither an address nor a range", text, addresses)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		all = append(all, config.Private{Host: host, Range: prefix})
	}
	return all, nil
}
