package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/settings"
)

func newBackupCommand() *cobra.Command {
	var config, from string
	var restore, replace bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Back up a SQLite database while it is in use, or restore it",
		Long: `Backup copies the SQLite database of the configuration into FILE. The server
may go on: the file holds the database as it was at one moment, and appears
only when it is complete.

With --restore FILE becomes the database. The server must not run then. A
database that is there is kept with the suffix .old, and only replaced with
--replace.

PostgreSQL has tools of its own for this: pg_dump and pg_basebackup.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var named []string
			if from != "" {
				named = append(named, from)
			}
			dsn, err := databaseArgument(config, named)
			if err != nil {
				return err
			}
			if settings.IsPostgres(dsn) {
				return errors.New("the database is PostgreSQL: use pg_dump or pg_basebackup")
			}
			o, err := sqlite.ParseDSN(dsn)
			if err != nil {
				return err
			}
			bar := newProgress(cmd.ErrOrStderr())
			show := func(done, total int) { bar.show("%d of %d pages", done, total) }
			if restore {
				err = sqlite.Restore(cmd.Context(), args[0], o, replace, show)
			} else {
				err = sqlite.BackupFile(cmd.Context(), o, args[0], show)
			}
			bar.end()
			if err != nil {
				return environment(err)
			}
			verb, target := "backed up to", args[0]
			if restore {
				verb, target = "restored", o.Path
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", verb, target)
			return err
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "cordon.yaml", "the configuration that names the database")
	cmd.Flags().StringVar(&from, "database", "", "the database, sqlite:PATH, instead of the configuration's")
	cmd.Flags().BoolVar(&restore, "restore", false, "make FILE the database")
	cmd.Flags().BoolVar(&replace, "replace", false, "with --restore: replace a database that is there")
	return cmd
}
