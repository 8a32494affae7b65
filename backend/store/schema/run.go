package schema

import (
	"context"
	"fmt"
	"io/fs"
	"sync"
	"time"
)

// Embedded reads the migrations of a database out of the folder "migrations" among
// its files, once.
func Embedded(files fs.FS, database string) func() (Set, error) {
	return sync.OnceValues(func() (Set, error) {
		folder, err := fs.Sub(files, "migrations")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", database, err)
		}
		set, err := Read(folder)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", database, err)
		}
		return set, nil
	})
}

// Found is what a database has of migrations.
type Found struct {
	// Table says that there is cordon_migrations, Kinds that it has the column kind.
	Table, Kinds bool
	Recorded     []Recorded
}

// Database is a database whose migrations are looked at or applied.
type Database interface {
	// Found reads cordon_migrations.
	Found(ctx context.Context) (Found, error)
	// Exec runs one statement.
	Exec(ctx context.Context, text string, args ...any) error
	// Script runs the statements of a migration.
	Script(ctx context.Context, text string) error
}

// Words are a database's own for keeping the record of migrations.
type Words struct {
	// Create makes the table cordon_migrations.
	Create string
	// Mark sets the kind of a migration; its arguments are kind and name.
	Mark string
	// Record adds a migration; its arguments are name, time and kind.
	Record string
}

// State is what a database has, and what is to be done.
type State struct {
	Found
	Plan Plan
}

// Done says that nothing is to be done.
func (s State) Done() bool { return s.Kinds && len(s.Plan.Apply) == 0 && len(s.Plan.Unmarked) == 0 }

// Look plans what a database lacks of the set.
func (s Set) Look(ctx context.Context, db Database, contracts bool) (State, error) {
	found, err := db.Found(ctx)
	if err != nil {
		return State{}, err
	}
	plan, err := s.Plan(found.Recorded, contracts)
	return State{found, plan}, err
}

// CarryOut does what is to be done, inside the caller's transaction.
func (s State) CarryOut(ctx context.Context, db Database, words Words, now time.Time) error {
	var err error
	switch {
	case !s.Table:
		err = db.Exec(ctx, words.Create)
	case !s.Kinds:
		err = db.Exec(ctx, "ALTER TABLE cordon_migrations ADD COLUMN kind TEXT")
	}
	if err != nil {
		return err
	}
	for _, m := range s.Plan.Unmarked {
		if err := db.Exec(ctx, words.Mark, string(m.Kind), m.Name); err != nil {
			return err
		}
	}
	for _, m := range s.Plan.Apply {
		err := db.Script(ctx, m.SQL)
		if err == nil {
			err = db.Exec(ctx, words.Record, m.Name, now.UnixMilli(), string(m.Kind))
		}
		if err != nil {
			return fmt.Errorf("migration %s: %w", m.Name, err)
		}
	}
	return nil
}
