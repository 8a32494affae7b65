package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/store/copystore"
	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/tables/transfer"
	"github.com/cordon-sec/cordon/settings"
)

func newMigrateStoreCommand() *cobra.Command {
	var config string
	var dry, contracts bool
	cmd := &cobra.Command{
		Use:   "migrate-store [DATABASE]",
		Short: "Bring a database to the newest schema",
		Long: `Migrate-store applies the schema changes that a database lacks. They only go
forward. "cordon serve" does the same when it starts; the command is for those
who want to do it, or to see it, before.

A change is an expand or a contract. An expand only adds, so that the release
before runs on. A contract takes away what releases before the one that it names
still use: it waits until --contract says that none of them will run on this
database again. A new database gets all of them.

DATABASE is sqlite:PATH or postgres://…; without it the configuration's is taken.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dsn, err := databaseArgument(config, args)
			if err != nil {
				return err
			}
			plan, err := migrateStore(cmd.Context(), dsn, dry, contracts)
			if err != nil {
				return err
			}
			return showPlan(cmd, plan, dry)
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "cordon.yaml", "the configuration that names the database")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	cmd.Flags().BoolVar(&contracts, "contract", false, "apply contracts too: no older version will run here again")
	return cmd
}

// showPlan says what was done to a database, or would be, and what it has that
// the operator should know of.
func showPlan(cmd *cobra.Command, plan schema.Plan, dry bool) error {
	word := map[bool]string{true: "would apply", false: "applied"}[dry]
	for _, m := range plan.Apply {
		fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", word, m)
	}
	for _, m := range plan.Waiting {
		fmt.Fprintf(cmd.OutOrStdout(), "waits %s\n", m)
	}
	for _, text := range plan.Notices() {
		noticeTo(cmd)(text)
	}
	if len(plan.Apply) == 0 {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "nothing to do")
		return err
	}
	return nil
}

// noticeTo tells whoever runs the command what opening a database has found.
func noticeTo(cmd *cobra.Command) func(string) {
	return func(text string) { fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+text) }
}

// database is a store as the commands here need it.
type database interface {
	copystore.Store
	transfer.Store
	Close() error
}

// databaseArgument is the database that a command line names, or that of the
// configuration. A relative path in the configuration begins at its folder.
func databaseArgument(config string, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	_, dsn, err := configuredDatabase(config)
	return dsn, err
}

// migrateStore applies the migrations that a database lacks, or says which.
func migrateStore(ctx context.Context, dsn string, dry, contracts bool) (plan schema.Plan, err error) {
	if settings.IsPostgres(dsn) {
		o := postgres.Options{URL: dsn}
		if dry {
			plan, err = postgres.Pending(ctx, o, contracts)
		} else {
			plan, err = postgres.Migrate(ctx, o, contracts)
		}
		return plan, environmentIf(err)
	}
	o, err := sqlite.ParseDSN(dsn)
	if err != nil {
		return plan, err
	}
	if dry {
		plan, err = sqlite.Pending(ctx, o, contracts)
	} else {
		plan, err = sqlite.Migrate(ctx, o, contracts)
	}
	return plan, environmentIf(err)
}

// openDatabase opens a database and applies the migrations that it lacks.
func openDatabase(cmd *cobra.Command, dsn string) (database, error) {
	if settings.IsPostgres(dsn) {
		s, err := postgres.Open(cmd.Context(), postgres.Options{URL: dsn, Notice: noticeTo(cmd)})
		if err != nil {
			return nil, environment(err)
		}
		return s, nil
	}
	o, err := sqlite.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	o.Notice = noticeTo(cmd)
	s, err := sqlite.Open(cmd.Context(), o)
	if err != nil {
		return nil, environment(err)
	}
	return s, nil
}

// openToLook opens a database for a command that is to change nothing, its schema
// included.
func openToLook(cmd *cobra.Command, dsn string) (database, error) {
	plan, err := migrateStore(cmd.Context(), dsn, true, false)
	if err != nil {
		return nil, err
	}
	if len(plan.Apply) > 0 {
		return nil, environment(fmt.Errorf("the database lacks %s, and a dry run does not apply it: run "+
			"cordon migrate-store first", plan.Apply[0]))
	}
	return openDatabase(cmd, dsn)
}

// errNoDatabase says that there is no file to read from.
var errNoDatabase = errors.New("there is no such database")

// existing makes sure that a SQLite database that is read from is there: opening
// would make an empty one.
func existing(dsn string) error {
	if o, err := sqlite.ParseDSN(dsn); err == nil {
		if _, err := os.Stat(o.Path); err != nil {
			return fmt.Errorf("%w: %s", errNoDatabase, o.Path)
		}
	}
	return nil
}
