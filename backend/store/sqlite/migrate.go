package sqlite

import (
	"context"
	"database/sql/driver"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Pending lists the migrations that the database lacks, without changing
// anything. A file that does not exist lacks them all.
func Pending(ctx context.Context, o Options) ([]string, error) {
	if _, err := os.Stat(o.Path); err != nil {
		return names()
	}
	c, err := connect(o, true)
	if err != nil {
		return nil, err
	}
	defer c.close()
	return migrate(ctx, c, true, time.Now())
}

func names() ([]string, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".sql")
	}
	slices.Sort(files)
	return files, err
}

// migrate applies what is missing, each migration in a transaction of its own,
// and returns the names. Migrations only go forward; a database that knows one
// that we do not know was written by a newer Cordon and is refused.
func migrate(ctx context.Context, c *conn, dry bool, now time.Time) ([]string, error) {
	known, err := names()
	if err != nil {
		return nil, err
	}
	applied, err := appliedMigrations(ctx, c)
	if err != nil {
		return nil, err
	}
	for name := range applied {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("sqlite: the database was written by a newer version (it has migration %s)", name)
		}
	}
	var missing []string
	for _, name := range known {
		if applied[name] {
			continue
		}
		missing = append(missing, name)
		if dry {
			continue
		}
		if err := apply(c, name, now); err != nil {
			return nil, fmt.Errorf("sqlite: migration %s: %w", name, err)
		}
	}
	return missing, nil
}

func appliedMigrations(ctx context.Context, c *conn) (map[string]bool, error) {
	n, err := c.number("SELECT count(*) FROM sqlite_master WHERE name='cordon_migrations'")
	applied := map[string]bool{}
	if err != nil || n == 0 {
		return applied, err
	}
	err = c.query(ctx, "SELECT name FROM cordon_migrations", nil, func(row []driver.Value) error {
		applied[row[0].(string)] = true
		return nil
	})
	return applied, err
}

func apply(c *conn, name string, now time.Time) error {
	text, err := migrations.ReadFile("migrations/" + name + ".sql")
	if err != nil {
		return err
	}
	if err := c.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err = c.run("CREATE TABLE IF NOT EXISTS cordon_migrations (name TEXT PRIMARY KEY NOT NULL, applied INTEGER " +
		"NOT NULL)")
	if err == nil {
		// Two processes may start at once; the second one finds it done.
		var done int64
		if done, err = c.number("SELECT count(*) FROM cordon_migrations WHERE name=?", name); err == nil && done == 0 {
			if err = c.run(string(text)); err == nil {
				_, err = c.exec("INSERT INTO cordon_migrations(name,applied) VALUES(?,?)",
					named2(name, now.UnixMilli()))
			}
		}
	}
	if err != nil {
		_ = c.run("ROLLBACK")
		return err
	}
	return c.run("COMMIT")
}
