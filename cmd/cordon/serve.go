package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/cordon-sec/cordon/server"

	"github.com/spf13/cobra"

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
SIGTERM), and lets the requests that run finish.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			return serve(cmd, s, admin, console)
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "cordon.yaml", "the configuration")
	cmd.Flags().StringVar(&admin, "admin", "", "address for health, metrics, events and the console (loopback)")
	cmd.Flags().StringVar(&console, "console", "", "open the console on the site itself, at /console/, to users for whom this `condition` holds (without one: the role admin)")
	cmd.Flags().Lookup("console").NoOptDefVal = adminRole
	cmd.Flags().BoolVar(&check, "check", false, "check the configuration and its secrets, and exit")
	return cmd
}

// serve runs a backend until the command's context ends.
func serve(cmd *cobra.Command, s *settings.Settings, admin, console string) error {
	backend, err := server.Open(cmd.Context(), s, server.Options{Admin: admin, AdminHandler: serveConsole, Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr()})
	if err != nil {
		return settingsError(err)
	}
	if console != "" {
		if err := openConsole(backend, console); err != nil {
			ended, cancel := context.WithCancel(context.WithoutCancel(cmd.Context()))
			cancel()
			return errors.Join(err, backend.Serve(ended)) // an ended context makes it close at once
		}
		fmt.Fprintf(cmd.OutOrStdout(), "Console on %s%s/ for users with %s\n", backend.URL, consolePath, console)
	}
	for _, line := range backend.Lines() {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	for _, warning := range backend.Warnings() {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+warning)
	}
	return settingsError(backend.Serve(cmd.Context()))
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
