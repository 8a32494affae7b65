package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/backend/store/copystore"
	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/internal/secret"
)

func newMigrateStoreCommand() *cobra.Command {
	var config string
	var dry bool
	cmd := &cobra.Command{
		Use:   "migrate-store [DATABASE]",
		Short: "Bring a database to the newest schema",
		Long: `Migrate-store applies the schema changes that a database lacks. They only go
forward. "cordon serve" does the same when it starts; the command is for those
who want to do it, or to see it, before.

DATABASE is sqlite:PATH or postgres://…; without it the configuration's is taken.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dsn, err := databaseArgument(config, args)
			if err != nil {
				return err
			}
			missing, err := pendingMigrations(cmd.Context(), dsn)
			if err != nil {
				return environment(err)
			}
			if len(missing) == 0 {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "nothing to do")
				return err
			}
			if !dry {
				s, err := openDatabase(cmd.Context(), dsn)
				if err != nil {
					return err
				}
				if err := s.Close(); err != nil {
					return environment(err)
				}
			}
			word := map[bool]string{true: "would apply", false: "applied"}[dry]
			for _, name := range missing {
				fmt.Fprintf(cmd.OutOrStdout(), "%s %s\n", word, name)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&config, "config", "c", "cordon.yaml", "the configuration that names the database")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would be done")
	return cmd
}

// database is a store as the commands here need it.
type database interface {
	copystore.Store
	Close() error
}

// databaseArgument is the database that a command line names, or that of the
// configuration. A relative path in the configuration begins at its folder.
func databaseArgument(config string, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	s, err := loadSettings(config)
	if err != nil {
		return "", err
	}
	dsn := s.Database
	if dsn == "" {
		dsn = "sqlite:./cordon.db"
	}
	if !strings.HasPrefix(dsn, "sqlite:") && !isPostgres(dsn) {
		value, err := s.Secrets().Resolve(secret.Reference(dsn))
		if err != nil {
			return "", fmt.Errorf("database: %w", err)
		}
		dsn = value.Text()
	}
	if o, err := sqlite.ParseDSN(dsn); err == nil && !filepath.IsAbs(o.Path) {
		_, options, _ := strings.Cut(dsn, "?")
		dsn = "sqlite:" + s.Path(o.Path)
		if options != "" {
			dsn += "?" + options
		}
	}
	return dsn, nil
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

func pendingMigrations(ctx context.Context, dsn string) ([]string, error) {
	if isPostgres(dsn) {
		return postgres.Pending(ctx, postgres.Options{URL: dsn})
	}
	o, err := sqlite.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	return sqlite.Pending(ctx, o)
}

// openDatabase opens a database and applies the migrations that it lacks.
func openDatabase(ctx context.Context, dsn string) (database, error) {
	if isPostgres(dsn) {
		s, err := postgres.Open(ctx, postgres.Options{URL: dsn})
		if err != nil {
			return nil, environment(err)
		}
		return s, nil
	}
	o, err := sqlite.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	s, err := sqlite.Open(ctx, o)
	if err != nil {
		return nil, environment(err)
	}
	return s, nil
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
