package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is the advisory lock under which migrations run: "cordon" and
// a number, in ASCII.
const migrationLock = 0x636f72646f6e01

// Pending lists the migrations that the database lacks, without changing
// anything.
func Pending(ctx context.Context, o Options) ([]string, error) {
	config, err := configure(o)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: connecting: %w", err)
	}
	defer pool.Close()
	return migrate(ctx, pool, true, time.Now())
}

// migrate applies what is missing in one transaction, which DDL in PostgreSQL
// allows, and returns the names. Migrations only go forward; a database that
// knows one that we do not know was written by a newer Cordon and is refused.
func migrate(ctx context.Context, pool *pgxpool.Pool, dry bool, now time.Time) ([]string, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var missing []string
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return err
		}
		applied, err := appliedMigrations(ctx, tx, files)
		if err != nil {
			return err
		}
		for _, f := range files {
			name := strings.TrimSuffix(path.Base(f), ".sql")
			if applied[name] {
				continue
			}
			missing = append(missing, name)
			if dry {
				continue
			}
			if err := apply(ctx, tx, f, name, now); err != nil {
				return fmt.Errorf("postgres: migration %s: %w", name, err)
			}
		}
		return nil
	})
	return missing, err
}

func appliedMigrations(ctx context.Context, tx pgx.Tx, known []string) (map[string]bool, error) {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT to_regclass('cordon_migrations') IS NOT NULL").Scan(&exists); err != nil ||
		!exists {
		return nil, err
	}
	rows, err := tx.Query(ctx, "SELECT name FROM cordon_migrations")
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	applied := map[string]bool{}
	for _, n := range names {
		if !slices.Contains(known, "migrations/"+n+".sql") {
			return nil, fmt.Errorf("postgres: the database was written by a newer version (it has migration %s)", n)
		}
		applied[n] = true
	}
	return applied, err
}

func apply(ctx context.Context, tx pgx.Tx, file, name string, now time.Time) error {
	text, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS cordon_migrations (name text PRIMARY KEY, applied int8 NOT NULL)")
	if err == nil {
		_, err = tx.Conn().PgConn().Exec(ctx, string(text)).ReadAll()
	}
	if err == nil {
		_, err = tx.Exec(ctx, "INSERT INTO cordon_migrations(name,applied) VALUES($1,$2)", name, now.UnixMilli())
	}
	return err
}
