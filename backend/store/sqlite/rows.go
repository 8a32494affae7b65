package sqlite

import (
	"context"
	"database/sql/driver"
	"math"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// value is what the driver returned as a value of a column's type.
func value(v driver.Value, t odata.Type) odata.Value {
	switch v := v.(type) {
	case int64:
		if t == odata.Number {
			return odata.NumberOf(float64(v))
		}
		return odata.Value{Type: t, Num: v}
	case float64:
		return odata.Value{Type: odata.Number, Num: int64(math.Float64bits(v))}
	case string:
		return odata.Value{Type: odata.String, Text: v}
	}
	return odata.Value{}
}

// Query implements tables.Store.
func (s *Store) Query(ctx context.Context, q tables.Query, yield func([]odata.Value) error) error {
	if q.Top == 0 {
		return nil
	}
	row := make([]odata.Value, len(q.Columns))
	types := make([]odata.Type, len(q.Columns))
	for i, p := range q.Columns {
		types[i] = q.Shape.Columns[p].Type
	}
	query := dialect.Query(q)
	return s.read(ctx, func(c *conn) error {
		return translate(c.ask(ctx, query, func(values []driver.Value) error {
			for i, v := range values {
				row[i] = value(v, types[i])
			}
			return yield(row)
		}))
	})
}

// Count implements tables.Store.
func (s *Store) Count(ctx context.Context, q tables.Query) (n int64, err error) {
	err = s.read(ctx, func(c *conn) error {
		return translate(c.ask(ctx, dialect.Count(q), func(row []driver.Value) error {
			n, _ = row[0].(int64)
			return nil
		}))
	})
	return n, err
}

// Read implements tables.Store.
func (s *Store) Read(ctx context.Context, shape *tables.Shape, id odata.Value, where odata.Expr) (row []odata.Value,
	err error) {
	c, err := s.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer s.release(c)
	// A single row is found at once; a context that can end would cost a
	// goroutine.
	return c.find(context.Background(), shape, id, where)
}

// find reads one row by its id.
func (c *conn) find(ctx context.Context, shape *tables.Shape, id odata.Value, where odata.Expr) (row []odata.Value,
	err error) {
	err = c.ask(ctx, dialect.Find(shape, id, where), func(values []driver.Value) error {
		row = whole(shape, values)
		return nil
	})
	if err != nil {
		return nil, translate(err)
	}
	if row == nil {
		return nil, tables.ErrNotFound
	}
	return row, nil
}

// whole is a row of all columns.
func whole(shape *tables.Shape, values []driver.Value) []odata.Value {
	row := make([]odata.Value, len(values))
	for i, v := range values {
		row[i] = value(v, shape.Columns[i].Type)
	}
	return row
}

// Expire implements tables.Store.
func (s *Store) Expire(ctx context.Context, shape *tables.Shape, before int64) (n int64, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		if err := w.erase(shape.Table); err != nil {
			return err
		}
		r, err := w.c.perform(dialect.Expire(shape, before))
		if err == nil {
			n, err = r.RowsAffected()
		}
		return err
	})
	return n, err
}
