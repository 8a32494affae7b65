package tables

import (
	"context"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Inspect looks at rows as the operator does: past permissions and users,
// deleted and expired ones included. It is for consoles, never for clients.
type Inspect struct{ service *Service }

// Inspect returns the operator's way to the rows.
func (s *Service) Inspect() Inspect { return Inspect{s} }

// Permission says who may use one operation of a table.
type Permission struct {
	Operation string
	Access    Access
}

// Table returns a table's present shape and who may do what with it. ok is false
// if there is no such table.
func (i Inspect) Table(name string) (shape *Shape, access []Permission, ok bool) {
	t := i.service.tables[strings.ToLower(name)]
	if t == nil {
		return nil, nil, false
	}
	for op := opRead; op <= opUndelete; op++ {
		if op == opUndelete && !t.config.SoftDelete {
			continue
		}
		access = append(access, Permission{op.String(), t.config.access(op)})
	}
	return t.shape.Load(), access, true
}

// Rows calls yield for up to limit rows whose id comes after the one given, in
// the order of ids, all columns of the shape. The row belongs to the store.
func (i Inspect) Rows(ctx context.Context, shape *Shape, after string, limit int,
	yield func(row []odata.Value) error) error {
	q := Query{Shape: shape, Columns: shape.All(), Order: []odata.Order{{By: shape.expr(colID)}}, Top: int64(limit)}
	if after != "" {
		id, err := i.id(shape, after)
		if err != nil {
			return err
		}
		q.Where = odata.Compare{Op: odata.Gt, L: shape.expr(colID), R: odata.Literal{Value: id}}
	}
	ctx, cancel := context.WithTimeout(ctx, i.service.options.Timeout)
	defer cancel()
	return i.service.store.Query(ctx, q, yield)
}

// id reads an id as the table has them.
func (i Inspect) id(shape *Shape, text string) (odata.Value, error) {
	if shape.Columns[colID].Type != odata.Integer {
		return odata.StringOf(text), nil
	}
	n, ok := odata.IntegerID(text)
	if !ok {
		return odata.Value{}, ErrNotFound
	}
	return n, nil
}

// Set changes one column of a row that has the given version, "" for any. What
// it refuses is as Store.Write says.
func (i Inspect) Set(ctx context.Context, shape *Shape, id, version, column string, value odata.Value) error {
	at := shape.Find(column)
	if at < shape.System() {
		return &QueryError{"the column " + column + " is not one to edit"}
	}
	return i.write(ctx, Write{Op: OpMerge, Shape: shape, Columns: []int{at}, Values: []odata.Value{value}}, id, version)
}

// Delete removes a row that has the given version, or marks it where the table
// does so.
func (i Inspect) Delete(ctx context.Context, shape *Shape, id, version string) error {
	op := OpRemove
	if shape.SoftDelete {
		op = OpMark
	}
	return i.write(ctx, Write{Op: op, Shape: shape}, id, version)
}

func (i Inspect) write(ctx context.Context, w Write, id, version string) error {
	var err error
	if w.ID, err = i.id(w.Shape, id); err != nil {
		return err
	}
	if version != "" {
		n, ok := odata.ParseVersion(version)
		if !ok {
			return &QueryError{"the version must be the one that was read"}
		}
		w.Match = []int64{n}
	}
	w.Version = i.service.newVersion(i.service.options.Now())
	ctx, cancel := context.WithTimeout(ctx, i.service.options.Timeout)
	defer cancel()
	_, err = i.service.store.Write(ctx, w)
	return err
}
