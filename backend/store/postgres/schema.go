package postgres

import (
	"context"
	"errors"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// catalog is a transaction, or the pool, as schema wants it.
type catalog struct {
	ctx context.Context
	in  interface {
		querier
		QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
		Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	}
}

// Dialect implements schema.Catalog.
func (catalog) Dialect() *rows.Dialect { return &dialect }

// Texts implements schema.Catalog.
func (c catalog) Texts(q *rows.Statement, yield func([]string) error) error {
	found, err := c.in.Query(c.ctx, q.Text(), q.Args...)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var row []string
		for _, raw := range found.RawValues() {
			row = append(row, string(raw))
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return found.Err()
}

// Exec implements schema.Catalog.
func (c catalog) Exec(s *rows.Statement) error {
	_, err := c.in.Exec(c.ctx, s.Text(), s.Args...)
	return err
}

// Taken implements schema.Catalog.
func (c catalog) Taken(table string) (there bool, err error) {
	err = c.in.QueryRow(c.ctx, "SELECT EXISTS (SELECT 1 FROM pg_class c WHERE lower(relname)=lower($1) AND "+
		"pg_table_is_visible(c.oid))", table).Scan(&there)
	return there, err
}

// Indexed implements schema.Catalog.
func (c catalog) Indexed(names []string) (bool, error) {
	var found int
	err := c.in.QueryRow(c.ctx,
		"SELECT count(*) FROM pg_class c WHERE relkind='i' AND relname=ANY($1) AND pg_table_is_visible(c.oid)",
		names).Scan(&found)
	return found == len(names), err
}

// Refused implements schema.Catalog. What the server says stays as it is: it may help
// to try again.
func (catalog) Refused(wrong *tables.SchemaError) error {
	var taken *tables.DuplicateError
	if errors.As(translate(wrong.Err), &taken) {
		return &tables.SchemaError{Table: wrong.Table, Column: wrong.Column,
			Msg: "the rows have the same value more than once"}
	}
	return wrong.Err
}

// lockSchema lets one process at a time change tables.
func lockSchema(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock))
	return err
}

// alter lets f change tables, one process at a time: all of it happens or nothing. The
// second argument says that it may have happened before.
func (s *Store) alter(ctx context.Context, f func(schema.Catalog, bool) error) error {
	return translate(s.transact(ctx, func(ctx context.Context, tx pgx.Tx, again bool) error {
		if err := lockSchema(ctx, tx); err != nil {
			return err
		}
		return f(catalog{ctx, tx}, again)
	}))
}

// DefineAll implements tables.Store.
func (s *Store) DefineAll(ctx context.Context, all []tables.Definition) ([]tables.Defined, error) {
	look := func(f func(schema.Catalog) error) error { return translate(f(catalog{ctx, s.pool})) }
	return schema.DefineAll(all, look, func(f func(schema.Catalog, bool) error) error {
		return s.alter(ctx, func(db schema.Catalog, again bool) error {
			if err := f(db, again); err != nil {
				return err
			}
			for _, d := range all {
				clock := dialect.Begin("INSERT INTO cordon_clock(name,ms) VALUES(").Texts(d.Name)
				if err := db.Exec(clock.Write(",0) ON CONFLICT DO NOTHING")); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// Extend implements tables.Store.
func (s *Store) Extend(ctx context.Context, shape *tables.Shape, wanted []tables.ColumnDef) (out *tables.Shape,
	err error) {
	err = s.alter(ctx, func(db schema.Catalog, _ bool) (err error) {
		out, err = schema.Extend(db, shape, wanted)
		return err
	})
	return out, err
}

// Refresh implements tables.Store.
func (s *Store) Refresh(ctx context.Context, shape *tables.Shape) (*tables.Shape, error) {
	fresh, err := schema.Refresh(catalog{ctx, s.pool}, shape)
	return fresh, translate(err)
}
