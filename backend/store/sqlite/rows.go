package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"strconv"

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

func (c *compiler) columns(s *tables.Shape, places []int) {
	for i, p := range places {
		if i > 0 {
			c.sql.WriteByte(',')
		}
		c.name(s.Columns[p].Name)
	}
}

// Query implements tables.Store.
func (s *Store) Query(ctx context.Context, q tables.Query, yield func([]odata.Value) error) error {
	if q.Top == 0 {
		return nil
	}
	var c compiler
	c.sql.Grow(256)
	c.write("SELECT ")
	c.columns(q.Shape, q.Columns)
	c.write(" FROM ", quote(q.Shape.Table))
	c.where(q.Where)
	c.order(q.Shape, q.Order)
	if q.Top > 0 || q.Skip > 0 {
		c.limit(q.Top, q.Skip)
	}
	if c.err != nil {
		return c.err
	}
	row := make([]odata.Value, len(q.Columns))
	types := make([]odata.Type, len(q.Columns))
	for i, p := range q.Columns {
		types[i] = q.Shape.Columns[p].Type
	}
	return s.read(ctx, func(conn *conn) error {
		return translate(conn.query(ctx, c.sql.String(), c.args, func(values []driver.Value) error {
			for i, v := range values {
				row[i] = value(v, types[i])
			}
			return yield(row)
		}))
	})
}

// limit cuts a result. How many rows there may be is a number and no argument:
// SQLite plans by it, so with an argument it would plan anew for each run.
func (c *compiler) limit(top, skip int64) {
	c.write(" LIMIT ", strconv.FormatInt(top, 10))
	if skip > 0 {
		c.write(" OFFSET ")
		c.bind(skip)
	}
}

// Count implements tables.Store.
func (s *Store) Count(ctx context.Context, q tables.Query) (int64, error) {
	var c compiler
	c.write("SELECT count(*) FROM ", quote(q.Shape.Table))
	c.where(q.Where)
	if c.err != nil {
		return 0, c.err
	}
	var n int64
	err := s.read(ctx, func(conn *conn) error {
		return translate(conn.query(ctx, c.sql.String(), c.args, func(row []driver.Value) error {
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
func (c *conn) find(ctx context.Context, shape *tables.Shape, id odata.Value, where odata.Expr) ([]odata.Value, error) {
	var q compiler
	q.sql.Grow(256)
	q.write("SELECT ")
	q.columns(shape, shape.All())
	q.write(" FROM ", quote(shape.Table), ` WHERE "id"=`)
	q.bind(argument(id))
	if where != nil {
		q.write(" AND ")
		q.expr(where)
	}
	if q.err != nil {
		return nil, q.err
	}
	var out []odata.Value
	err := c.query(ctx, q.sql.String(), q.args, func(values []driver.Value) error {
		out = make([]odata.Value, len(values))
		for i, v := range values {
			out[i] = value(v, shape.Columns[i].Type)
		}
		return nil
	})
	if err != nil {
		return nil, translate(err)
	}
	if out == nil {
		return nil, tables.ErrNotFound
	}
	return out, nil
}

// Expire implements tables.Store.
func (s *Store) Expire(ctx context.Context, shape *tables.Shape, before int64) (n int64, err error) {
	err = s.writer.do(ctx, func(w *writer) error {
		if err := w.erase(shape.Table); err != nil {
			return err
		}
		r, err := w.c.exec(fmt.Sprintf(`DELETE FROM %[1]s WHERE "id" IN (SELECT "id" FROM %[1]s WHERE `+
			`"createdAt"<=? LIMIT 1000)`, quote(shape.Table)),
			named([]driver.Value{before}))
		if err == nil {
			n, err = r.RowsAffected()
		}
		return err
	})
	return n, err
}
