package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/cordon-sec/cordon/internal/watch"
	"github.com/cordon-sec/cordon/server"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/settings"
)

func newServeCommand() *cobra.Command {
	var config, admin, console string
	var check bool
	cmd := &cobra.Command{
		Use:   "serve --config cordon.yaml",
		Short: "Run the mobile backend: sign-in, tables and services",
		Long: `Serve answers the clients of Azure Mobile Apps and App Service Authentication:
users sign in at /.auth, rows are at /tables, the owner's own services at /api.

It says what it serves and where, runs until it is told to stop (SIGINT,
SIGTERM), and lets the requests that run finish.

The configuration is read again when it changes, and on SIGHUP: all of it is put
into force or nothing, and a broken file leaves the last good one. Listeners,
the certificate's place, the database and the log take a restart.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var files watch.Files
			files.Mark(config) // before it is read: what changes from here on is read again
			s, err := loadSettings(config)
			if err != nil {
				return err
			}
			if check {
				if err := s.CheckSecrets(); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is fine\n", config)
				return err
			}
			return serve(cmd, config, &files, s, admin, console)
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "cordon.yaml", "the configuration")
	cmd.Flags().StringVar(&admin, "admin", "", "address for health, metrics, events and the console (loopback)")
	cmd.Flags().StringVar(&console, "console",
		"", "open the console on the site itself, at /console/, to users for whom this `condition` holds (without "+
			"one: the role admin)")
	cmd.Flags().Lookup("console").NoOptDefVal = adminRole
	cmd.Flags().BoolVar(&check, "check", false, "check the configuration and its secrets, and exit")
	return cmd
}

// serve runs a backend until the command's context ends.
func serve(cmd *cobra.Command, file string, files *watch.Files, s *settings.Settings, admin, condition string) error {
	o := server.Options{Admin: admin, AdminHandler: serveConsole, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr()}
	if condition != "" {
		var err error
		if o.Mounts, err = siteConsole(condition); err != nil {
			return err
		}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // one that comes while it starts must not end it
	defer signal.Stop(hangups)
	backend, err := server.Open(cmd.Context(), s, o)
	if err != nil {
		return settingsError(err)
	}
	if condition != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "Console on %s%s/ for users with %s\n", backend.URL, console.Path, condition)
	}
	for _, line := range backend.Lines() {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	for _, warning := range backend.Warnings() {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+warning)
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	r := reloader{file: file, files: files, backend: backend, errors: cmd.ErrOrStderr()}
	var reloading sync.WaitGroup
	reloading.Go(func() { watch.Every(ctx, reloadEvery, func() { r.changed(ctx) }) })
	reloading.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
				r.reload(ctx)
			}
		}
	})
	err = backend.Serve(ctx)
	cancel()
	reloaded := make(chan struct{})
	go func() { reloading.Wait(); close(reloaded) }()
	watch.Await(reloaded)
	return settingsError(err)
}

// reloadEvery is how often the configuration is looked at.
const reloadEvery = 2 * time.Second

// reloader reads the configuration again and says what came of it. A broken file
// leaves the last good one in force.
type reloader struct {
	file    string
	backend *server.Backend
	errors  io.Writer

	mu    sync.Mutex // one reload at a time
	files *watch.Files
}

// changed reloads if the file has changed.
func (r *reloader) changed(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.files.Changed() {
		r.again(ctx)
	}
}

// reload reloads whether it has changed or not: what it names may have.
func (r *reloader) reload(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.again(ctx)
}

func (r *reloader) again(ctx context.Context) {
	r.files.Mark(r.file)
	warnings, err := r.backend.ReloadFrom(ctx, func() (*settings.Settings, error) { return settings.Load(r.file) })
	if err != nil {
		fmt.Fprintf(r.errors, "cordon: %s is not in force; what was stays: %v\n", r.file, err)
		return
	}
	fmt.Fprintf(r.errors, "cordon: %s was read again: it is in force\n", r.file)
	for _, warning := range warnings {
		fmt.Fprintln(r.errors, "warning: "+warning)
	}
}

// loadSettings reads a cordon.yaml.
func loadSettings(file string) (*settings.Settings, error) {
	s, err := settings.Load(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w\n(name the configuration with --config; \"cordon config schema\" describes it)", err)
	}
	return s, err
}

// settingsError gives a failure of the machine its exit status.
func settingsError(err error) error {
	var failure *server.EnvironmentError
	if errors.As(err, &failure) {
		return environment(err)
	}
	return err
}
