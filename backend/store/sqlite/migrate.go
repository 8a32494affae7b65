package sqlite

import (
	"context"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/store/schema"
)

//go:embed migrations
var files embed.FS

// migrations reads the embedded files, once.
var migrations = sync.OnceValues(func() (schema.Set, error) {
	folder, err := fs.Sub(files, "migrations")
	if err != nil {
		return nil, err
	}
	return schema.Read(folder)
})

// Migrations lists the migrations of this version. The list is not to be changed.
func Migrations() (schema.Set, error) {
	set, err := migrations()
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return set, nil
}

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
	s, err := look(ctx, c, set, contracts)
	return s.plan, wrap(err)
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
	s, err := look(ctx, c, set, contracts)
	if err != nil || s.done() {
		return s.plan, err
	}
	if err := c.runContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return schema.Plan{}, err
	}
	// Two processes may start at once: the second one waits, and looks again.
	if s, err = look(ctx, c, set, contracts); err == nil {
		err = s.carryOut(ctx, c, now)
	}
	if err == nil {
		err = c.run("COMMIT")
	}
	if err != nil {
		_ = c.run("ROLLBACK") // the error that led here tells what matters
		return schema.Plan{}, err
	}
	return s.plan, nil
}

// state is what a database has, and what is to be done.
type state struct {
	table, kinds bool // there is cordon_migrations, and it has the column kind
	recorded     []schema.Recorded
	plan         schema.Plan
}

func (s state) done() bool { return s.kinds && len(s.plan.Apply) == 0 && len(s.plan.Unmarked) == 0 }

func look(ctx context.Context, c *conn, set schema.Set, contracts bool) (state, error) {
	var s state
	err := s.read(ctx, c)
	if err == nil {
		s.plan, err = set.Plan(s.recorded, contracts)
	}
	return s, err
}

// read reads the migrations that the database has.
func (s *state) read(ctx context.Context, c *conn) error {
	err := c.query(ctx, "SELECT name FROM pragma_table_info('cordon_migrations')", nil, func(row []driver.Value) error {
		s.table = true
		s.kinds = s.kinds || asText(row[0]) == "kind"
		return nil
	})
	if err != nil || !s.table {
		return err
	}
	kind := "NULL" // the table is from before kinds were recorded
	if s.kinds {
		kind = "kind"
	}
	text := "SELECT name, " + kind + " FROM cordon_migrations ORDER BY name"
	return c.query(ctx, text, nil, func(row []driver.Value) error {
		s.recorded = append(s.recorded, schema.Recorded{Name: asText(row[0]), Kind: schema.Kind(asText(row[1]))})
		return nil
	})
}

func (s state) carryOut(ctx context.Context, c *conn, now time.Time) error {
	var err error
	switch {
	case !s.table:
		err = c.run(`CREATE TABLE cordon_migrations
			(name TEXT PRIMARY KEY NOT NULL, applied INTEGER NOT NULL, kind TEXT)`)
	case !s.kinds:
		err = c.run("ALTER TABLE cordon_migrations ADD COLUMN kind TEXT")
	}
	if err != nil {
		return err
	}
	for _, m := range s.plan.Unmarked {
		_, err := c.exec("UPDATE cordon_migrations SET kind=? WHERE name=?", named2(string(m.Kind), m.Name))
		if err != nil {
			return err
		}
	}
	for _, m := range s.plan.Apply {
		err := c.runContext(ctx, m.SQL)
		if err == nil {
			_, err = c.exec("INSERT INTO cordon_migrations(name,applied,kind) VALUES(?,?,?)",
				named([]driver.Value{m.Name, now.UnixMilli(), string(m.Kind)}))
		}
		if err != nil {
			return fmt.Errorf("migration %s: %w", m.Name, err)
		}
	}
	return nil
}
