package postgres

import (
	"context"
	"embed"
	"fmt"
	"time"

	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations
var files embed.FS

// migrations reads the embedded files, once.
var migrations = schema.Embedded(files, "postgres")

// migrationLock is the advisory lock under which migrations run: "cordon" and
// a number, in ASCII.
const migrationLock = 0x636f72646f6e01

// Migrations lists the migrations of this version. The list is not to be changed.
func Migrations() (schema.Set, error) { return migrations() }

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
	var found schema.State
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		found, err = set.Look(ctx, recording{tx}, contracts)
		return err
	})
	return found.Plan, wrap(err)
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
	var s schema.State
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if err := lockSchema(ctx, tx); err != nil {
			return err
		}
		var err error
		if s, err = set.Look(ctx, recording{tx}, contracts); err != nil {
			return err
		}
		return s.CarryOut(ctx, recording{tx}, words, now)
	})
	if err != nil {
		return schema.Plan{}, err
	}
	return s.Plan, nil
}

var words = schema.Words{
	Create: "CREATE TABLE cordon_migrations (name text PRIMARY KEY, applied int8 NOT NULL, kind text)",
	Mark:   "UPDATE cordon_migrations SET kind=$1 WHERE name=$2",
	Record: "INSERT INTO cordon_migrations(name,applied,kind) VALUES($1,$2,$3)",
}

// recording is a transaction in which migrations are looked at or applied.
type recording struct{ tx pgx.Tx }

// Exec is part of schema.Database.
func (r recording) Exec(ctx context.Context, text string, args ...any) error {
	_, err := r.tx.Exec(ctx, text, args...)
	return err
}

// Script is part of schema.Database.
func (r recording) Script(ctx context.Context, text string) error {
	_, err := r.tx.Conn().PgConn().Exec(ctx, text).ReadAll()
	return err
}

// Found is part of schema.Database.
func (r recording) Found(ctx context.Context) (f schema.Found, err error) {
	err = r.tx.QueryRow(ctx, `SELECT to_regclass('cordon_migrations') IS NOT NULL, EXISTS (SELECT 1 FROM pg_attribute
		WHERE attrelid=to_regclass('cordon_migrations') AND attname='kind' AND NOT attisdropped)`).
		Scan(&f.Table, &f.Kinds)
	if err != nil || !f.Table {
		return f, err
	}
	kind := "''" // the table is from before kinds were recorded
	if f.Kinds {
		kind = "coalesce(kind,'')"
	}
	rows, err := r.tx.Query(ctx, "SELECT name, "+kind+` FROM cordon_migrations ORDER BY name COLLATE "C"`)
	if err != nil {
		return f, err
	}
	f.Recorded, err = pgx.CollectRows(rows, pgx.RowToStructByPos[schema.Recorded])
	return f, err
}
