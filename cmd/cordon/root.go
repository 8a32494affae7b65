package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit statuses of the command-line contract.
const (
	exitFine        = 0 // nothing to report
	exitFindings    = 1 // findings, a denied URL, a refuted assertion
	exitUsage       = 2 // wrong usage or unreadable input
	exitEnvironment = 3 // port, disk or network failed
)

// exitError carries an exit status up to execute. A nil err prints nothing:
// the command has said everything itself.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// found ends a command with the status for findings, after it has printed
// them.
func found() error { return &exitError{status: exitFindings} }

// environment marks err as a failure of the machine rather than of the input.
func environment(err error) error { return &exitError{status: exitEnvironment, err: err} }

// execute runs one command line and returns its exit status.
func execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitFine
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{status: exitUsage, err: err}
	}
	if exit.err != nil {
		fmt.Fprintf(stderr, "cordon: %s\n", strings.TrimSpace(exit.err.Error()))
	}
	return exit.status
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "cordon",
		Short: "One security policy for a hybrid app, true everywhere",
		Long: `Cordon reads the config.xml of a hybrid app and says where the app may go: on
every platform and version, with the reason and the line. It finds what is
wrong with the list, repairs it, writes it in the platforms' own words, and
enforces it on the wire and at the backend.

Exit status: 0 fine; 1 findings, a denied URL or a refuted assertion;
2 wrong usage or unreadable input; 3 the environment failed.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}

	root.PersistentFlags().BoolP("quiet", "q", false, "print results and errors only: no notes on standard error")
	root.PersistentPreRun = func(cmd *cobra.Command, _ []string) {
		// Where standard error is the log, it is a result.
		if quietly(cmd) && cmd.Name() != "gateway" && cmd.Name() != "serve" {
			root.SetErr(io.Discard)
		}
	}
	root.AddCommand(
		newCACommand(),
		newCheckCommand(),
		newConfigCommand(),
		newDiffCommand(),
		newDoctorCommand(),
		newExplainCommand(),
		newExportCommand(),
		newFixCommand(),
		newGatewayCommand(),
		newInitCommand(),
		newMigrateCommand(),
		newManCommand(),
		newPinCommand(),
		newProveCommand(),
		newRecordCommand(),
		newServeCommand(),
		newUpCommand(),
		newBackupCommand(),
		newCopyStoreCommand(),
		newMigrateStoreCommand(),
		newTablesCommand(),
		newUsersCommand(),
		newVersionCommand(),
	)
	return root
}

// environmentIf is environment for what may have gone well.
func environmentIf(err error) error {
	if err == nil {
		return nil
	}
	return environment(err)
}
