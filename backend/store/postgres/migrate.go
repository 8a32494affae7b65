package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
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

// migrationLock is the advisory lock under which migrations run: "cordon" and
// a number, in ASCII.
const migrationLock = 0x636f72646f6e01

// Migrations lists the migrations of this version. The list is not to be changed.
func Migrations() (schema.Set, error) {
	set, err := migrations()
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return set, nil
}

// Pending says what Migrate would do, without changing anything.
func Pending(ctx context.Context, o Options, contracts bool) (schema.Plan, error) {
	set, err := Migrations()
	if err != nil {
		return schema.Plan{}, err
	}
	return pendingURL(ctx, o, set, contracts)
}

func pendingURL(ctx context.Context, o Options, set schema.Set, contracts bool) (schema.Plan, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return schema.Plan{}, err
	}
	defer s.pool.Close()
	var found state
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		found, err = look(ctx, tx, set, contracts)
		return err
	})
	return found.plan, wrap(err)
}

// Migrate applies the migrations that the database lacks and returns what it did.
// Contracts are among them if contracts is set: then no version that uses what
// they take away may run on the database again.
func Migrate(ctx context.Context, o Options, contracts bool) (schema.Plan, error) {
	set, err := Migrations()
	if err != nil {
		return schema.Plan{}, err
	}
	return migrateURL(ctx, o, set, contracts)
}

func migrateURL(ctx context.Context, o Options, set schema.Set, contracts bool) (schema.Plan, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return schema.Plan{}, err
	}
	defer s.pool.Close()
	plan, err := migrate(ctx, s.pool, set, contracts, s.now())
	return plan, wrap(err)
}

func wrap(err error) error {
	if err != nil {
		err = fmt.Errorf("postgres: %w", err)
	}
	return err
}

// migrate applies what is missing in one transaction, which DDL in PostgreSQL
// allows, and returns what it did.
func migrate(ctx context.Context, pool *pgxpool.Pool, set schema.Set, contracts bool, now time.Time) (
	schema.Plan, error) {
	var s state
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if err := lockSchema(ctx, tx); err != nil {
			return err
		}
		var err error
		if s, err = look(ctx, tx, set, contracts); err != nil {
			return err
		}
		return s.carryOut(ctx, tx, now)
	})
	if err != nil {
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

func look(ctx context.Context, tx pgx.Tx, set schema.Set, contracts bool) (state, error) {
	var s state
	err := s.read(ctx, tx)
	if err == nil {
		s.plan, err = set.Plan(s.recorded, contracts)
	}
	return s, err
}

// read reads the migrations that the database has.
func (s *state) read(ctx context.Context, tx pgx.Tx) error {
	err := tx.QueryRow(ctx, `SELECT to_regclass('cordon_migrations') IS NOT NULL, EXISTS (SELECT 1 FROM pg_attribute
		WHERE attrelid=to_regclass('cordon_migrations') AND attname='kind' AND NOT attisdropped)`).
		Scan(&s.table, &s.kinds)
	if err != nil || !s.table {
		return err
	}
	kind := "''" // the table is from before kinds were recorded
	if s.kinds {
		kind = "coalesce(kind,'')"
	}
	rows, err := tx.Query(ctx, "SELECT name, "+kind+` FROM cordon_migrations ORDER BY name COLLATE "C"`)
	if err != nil {
		return err
	}
	s.recorded, err = pgx.CollectRows(rows, pgx.RowToStructByPos[schema.Recorded])
	return err
}

func (s state) carryOut(ctx context.Context, tx pgx.Tx, now time.Time) error {
	var err error
	switch {
	case !s.table:
		_, err = tx.Exec(ctx,
			"CREATE TABLE cordon_migrations (name text PRIMARY KEY, applied int8 NOT NULL, kind text)")
	case !s.kinds:
		_, err = tx.Exec(ctx, "ALTER TABLE cordon_migrations ADD COLUMN kind text")
	}
	if err != nil {
		return err
	}
	for _, m := range s.plan.Unmarked {
		_, err := tx.Exec(ctx, "UPDATE cordon_migrations SET kind=$1 WHERE name=$2", string(m.Kind), m.Name)
		if err != nil {
			return err
		}
	}
	for _, m := range s.plan.Apply {
		_, err := tx.Conn().PgConn().Exec(ctx, m.SQL).ReadAll()
		if err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO cordon_migrations(name,applied,kind) VALUES($1,$2,$3)",
				m.Name, now.UnixMilli(), string(m.Kind))
		}
		if err != nil {
			return fmt.Errorf("migration %s: %w", m.Name, err)
		}
	}
	return nil
}
