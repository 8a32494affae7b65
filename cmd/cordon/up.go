package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/project/folder"
	"github.com/cordon-sec/cordon/up"
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
without one; beside a config.xml, the pages that server.allowNavigation opens inside
the app pass the gateway too. The pages are www/, the webDir of Capacitor or the
usual output of a build (dist, build); --app-url puts a development server in their
place, live reload included. Without a cordon.yaml the backend has no tables, and a sign-in
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
	flags.IntVar(&f.gatewayPort, "gateway-port", up.DefaultGatewayPort, "port of the gateway")
	flags.IntVar(&f.adminPort, "admin-port", up.DefaultAdminPort, "port of the console")
	flags.StringVar(&f.appURL, "app-url", "",
		"a development server whose pages to put behind the policy, as in http://localhost:5173")
	flags.StringVarP(&f.platform, "platform", "p", "",
		`target whose reading the gateway enforces (default "cordon", the strict reading)`)
	flags.StringArrayVar(&f.private, "private", nil,
		"let HOST resolve into RANGE, as in *.corp.example=10.0.0.0/8; may be repeated")
	flags.BoolVar(&f.install, "install", false,
		"run npm ci --ignore-scripts and the folder's build script first, where needed")
	flags.BoolVarP(&f.yes, "yes", "y", false, "make a config.xml and a page without asking if DIR has none")
	return cmd
}

// config reads the flags before anything is made or run in the app's folder.
func (f *upFlags) config(cmd *cobra.Command, dir string) (up.Config, error) {
	stderr := cmd.ErrOrStderr()
	c := up.Config{Dir: dir, AppURL: f.appURL, Platform: f.platform, Stderr: stderr,
		Notify: func(n up.Notice) { printNotice(stderr, n) }}
	for _, port := range []struct {
		flag   string
		number int
		to     *uint16
	}{
		{"--port", f.port, &c.Port},
		{"--gateway-port", f.gatewayPort, &c.GatewayPort},
		{"--admin-port", f.adminPort, &c.AdminPort},
	} {
		if port.number < 0 || port.number > 65535 {
			return c, fmt.Errorf("%s %d: it must be a port from 0 to 65535", port.flag, port.number)
		}
		*port.to = uint16(port.number)
	}
	var err error
	if c.Private, err = parsePrivate(f.private); err != nil {
		return c, err
	}
	err = c.Check()
	var address *up.AppURLError
	if errors.As(err, &address) {
		return c, fmt.Errorf("--app-url %q: %s", address.URL, address.Why)
	}
	return c, err
}

func runUp(cmd *cobra.Command, f *upFlags, dir string) error {
	config, err := f.config(cmd, dir)
	if err != nil {
		return err
	}
	if err := offerInit(cmd, dir, f.yes); err != nil {
		return err
	}
	if err := offerInstall(cmd, dir, f.install); err != nil {
		return err
	}
	app, err := up.Open(cmd.Context(), config)
	if err != nil {
		return upError(err)
	}
	if !quietly(cmd) {
		printTrust(cmd.ErrOrStderr(), app.TrustSteps(cmd.Context()))
	}
	printSummary(cmd.OutOrStdout(), app.Summary(), dir, quietly(cmd))
	if err := app.Serve(cmd.Context()); err != nil {
		return settingsError(err)
	}
	if !quietly(cmd) {
		fmt.Fprintln(cmd.ErrOrStderr(), "cordon: stopped")
	}
	return nil
}

// upError says which flag mends what is wrong, where one does, and gives a failure of
// the machine its exit status.
func upError(err error) error {
	var taken *up.PortError
	var pages *folder.NoPagesError
	switch {
	case errors.As(err, &taken):
		flag := map[up.Listener]string{up.SiteListener: "--port", up.GatewayListener: "--gateway-port",
			up.AdminListener: "--admin-port"}
		return environment(anotherPort(err, flag[taken.Listener]))
	case errors.As(err, &pages):
		return fmt.Errorf("%w with --app-url http://localhost:5173", err)
	}
	return settingsError(err)
}

// anotherPort says which flag chooses another port than the one that is taken.
func anotherPort(err error, flag string) error {
	return fmt.Errorf("%w; choose another port with %s", err, flag)
}

// printNotice prints what happens while everything runs, a line for each.
func printNotice(w io.Writer, n up.Notice) {
	switch n.Kind {
	case up.RulesInForce:
		fmt.Fprintf(w, "cordon: %s was read again: its rules are in force\n", wording.Printable(n.File))
	case up.RulesRefused:
		fmt.Fprintf(w, "cordon: %s; the last good rules stay in force\n", wording.Printable(n.Text))
	case up.Warned, up.DatabaseNewer:
		fmt.Fprintf(w, "warning: %s\n", wording.Printable(n.Text))
	case up.EventsLost:
		fmt.Fprintf(w, "cordon: events are lost: %s\n", wording.Printable(n.Text))
	}
}

// printTrust prints the one line for each store that does not trust the app's
// authority.
func printTrust(w io.Writer, steps []up.TrustStep) {
	if len(steps) == 0 {
		return
	}
	var lines strings.Builder
	for _, step := range steps {
		fmt.Fprintf(&lines, "  %s   # %s\n", step.Command, step.Who)
	}
	fmt.Fprintf(w, "cordon: http needs no certificate; for https without a warning on this machine:\n%s", &lines)
}
