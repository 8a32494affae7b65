package sqlite

import (
	"context"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/cordon-sec/cordon/backend/store/schema"
)

//go:embed migrations
var files embed.FS

// migrations reads the embedded files, once.
var migrations = schema.Embedded(files, "sqlite")

// Migrations lists the migrations of this version. The list is not to be changed.
func Migrations() (schema.Set, error) { return migrations() }

// Pending says what Migrate would do, without changing anything. A file that does
// not exist lacks all migrations.
func Pending(ctx context.Context, o Options, contracts bool) (schema.Plan, error) {
	set, err := Migrations()
	if err != nil {
		return schema.Plan{}, err
	}
	return pendingFile(ctx, o, set, contracts)
}

func pendingFile(ctx context.Context, o Options, set schema.Set, contracts bool) (schema.Plan, error) {
	if _, err := os.Stat(o.Path); errors.Is(err, fs.ErrNotExist) {
		return set.Plan(nil, contracts)
	}
	c, err := connect(o, true)
	if err != nil {
		return schema.Plan{}, err
	}
	defer c.close()
	s, err := set.Look(ctx, recording{c}, contracts)
	return s.Plan, wrap(err)
}

// Migrate applies the migrations that the database lacks, creating it if there is
// none, and returns what it did. Contracts are among them if contracts is set:
// then no version that uses what they take away may run on the database again.
func Migrate(ctx context.Context, o Options, contracts bool) (schema.Plan, error) {
	set, err := Migrations()
	if err != nil {
		return schema.Plan{}, err
	}
	return migrateFile(ctx, o, set, contracts)
}

func migrateFile(ctx context.Context, o Options, set schema.Set, contracts bool) (schema.Plan, error) {
	if err := o.complete(); err != nil {
		return schema.Plan{}, err
	}
	c, plan, err := begin(ctx, o, set, contracts)
	if err != nil {
		return schema.Plan{}, err
	}
	return plan, c.close()
}

// begin opens the connection that writes and brings the schema up to date.
func begin(ctx context.Context, o Options, set schema.Set, contracts bool) (*conn, schema.Plan, error) {
	c, err := connect(o, false)
	if err != nil {
		return nil, schema.Plan{}, err
	}
	plan, err := migrate(ctx, c, set, contracts, o.Now())
	if err != nil {
		_ = c.close()
		return nil, schema.Plan{}, wrap(err)
	}
	return c, plan, nil
}

func wrap(err error) error {
	if err != nil {
		err = fmt.Errorf("sqlite: %w", err)
	}
	return err
}

// migrate applies what is missing, all in one transaction, and returns what it
// did.
func migrate(ctx context.Context, c *conn, set schema.Set, contracts bool, now time.Time) (schema.Plan, error) {
	s, err := set.Look(ctx, recording{c}, contracts)
	if err != nil || s.Done() {
		return s.Plan, err
	}
	if err := c.runContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return schema.Plan{}, err
	}
	// Two processes may start at once: the second one waits, and looks again.
	if s, err = set.Look(ctx, recording{c}, contracts); err == nil {
		err = s.CarryOut(ctx, recording{c}, words, now)
	}
	if err == nil {
		err = c.run("COMMIT")
	}
	if err != nil {
		_ = c.run("ROLLBACK") // the error that led here tells what matters
		return schema.Plan{}, err
	}
	return s.Plan, nil
}

var words = schema.Words{
	Create: "CREATE TABLE cordon_migrations (name TEXT PRIMARY KEY NOT NULL, applied INTEGER NOT NULL, kind TEXT)",
	Mark:   "UPDATE cordon_migrations SET kind=? WHERE name=?",
	Record: "INSERT INTO cordon_migrations(name,applied,kind) VALUES(?,?,?)",
}

// recording is a connection on which migrations are looked at or applied.
type recording struct{ c *conn }

// Exec is part of schema.Database.
func (r recording) Exec(_ context.Context, text string, args ...any) error {
	_, err := r.c.exec(text, named(args))
	return err
}

// Script is part of schema.Database.
func (r recording) Script(ctx context.Context, text string) error { return r.c.runContext(ctx, text) }

// Found is part of schema.Database.
func (r recording) Found(ctx context.Context) (f schema.Found, err error) {
	const info = "SELECT name FROM pragma_table_info('cordon_migrations')"
	err = r.c.query(ctx, info, nil, func(row []driver.Value) error {
		f.Table = true
		f.Kinds = f.Kinds || asText(row[0]) == "kind"
		return nil
	})
	if err != nil || !f.Table {
		return f, err
	}
	kind := "NULL" // the table is from before kinds were recorded
	if f.Kinds {
		kind = "kind"
	}
	text := "SELECT name, " + kind + " FROM cordon_migrations ORDER BY name"
	err = r.c.query(ctx, text, nil, func(row []driver.Value) error {
		f.Recorded = append(f.Recorded, schema.Recorded{Name: asText(row[0]), Kind: schema.Kind(asText(row[1]))})
		return nil
	})
	return f, err
}
