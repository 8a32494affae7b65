package transfer

import (
	"context"
	"errors"
	"io"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Check reads all of a file and says what Import would make of it; it changes
// nothing. The store, unless it is nil, is asked which ids are there already; what
// it has of columns that must be unique is not looked at. The error says that the
// file cannot be read to its end; the report holds what was found up to there.
func Check(ctx context.Context, store tables.Store, t tables.Table, s *tables.Shape, r io.Reader,
	o Options) (*Report, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	rows, err := newReader(t, s, o)
	if err != nil {
		return nil, err
	}
	rows.all = true
	in, err := o.open(r)
	if err != nil {
		return rows.report, err
	}
	c := &checker{ctx: ctx, store: store, reader: rows}
	if store == nil {
		rows.report.There = -1
	}
	for err == nil {
		err = c.one(in)
		if rows.report.Rows%1000 == 0 {
			o.Progress(rows.report.Rows)
		}
	}
	if errors.Is(err, io.EOF) {
		err = c.flush()
	}
	o.Progress(rows.report.Rows)
	return rows.report, err
}

type checker struct {
	ctx    context.Context
	store  tables.Store
	reader *reader
	record record
	ids    []odata.Expr
}

// maxIDs is how many ids one query asks for.
const maxIDs = 200

func (c *checker) one(in source) error {
	report := c.reader.report
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if err := in.next(&c.record); err != nil {
		if errors.Is(err, io.EOF) {
			return err
		}
		return atRow(err, report.Rows+1, &c.record)
	}
	report.Rows++
	if c.record.bad == nil {
		if err := c.extend(); err != nil {
			c.refuse(&RowError{report.Rows, c.record.line, "", err})
			return nil
		}
	}
	row, keep, mistakes := c.reader.row(&c.record, report.Rows)
	if len(mistakes) > 0 {
		c.refuse(mistakes...)
		return nil
	}
	if !keep || row.ID.IsNull() || c.store == nil {
		return nil
	}
	c.ids = append(c.ids, odata.Compare{Op: odata.Eq, R: odata.Literal{Value: row.ID},
		L: odata.Column{Name: "id", Of: c.reader.shape.Columns[placeID].Type}})
	if len(c.ids) >= maxIDs {
		return c.flush()
	}
	return nil
}

func (c *checker) refuse(mistakes ...*RowError) {
	report := c.reader.report
	report.Refused++
	room := min(maxMistakes-len(report.Mistakes), len(mistakes))
	report.Mistakes = append(report.Mistakes, mistakes[:room]...)
}

// extend adds the columns that a dynamic schema would make to the shape that is
// looked at.
func (c *checker) extend() error {
	fresh, err := c.reader.fresh(&c.record)
	if err != nil || len(fresh) == 0 {
		return err
	}
	old := c.reader.shape
	shape, err := tables.NewShape(old.Table, append(old.Columns[:len(old.Columns):len(old.Columns)], fresh...),
		old.SoftDelete)
	if err != nil {
		return err
	}
	for _, column := range fresh {
		c.reader.report.New = append(c.reader.report.New, column.Name)
	}
	c.reader.reshape(shape)
	return nil
}

// flush counts the ids that are there. They are asked of the columns that the table
// has: those that a dynamic schema would add are not there.
func (c *checker) flush() error {
	if len(c.ids) == 0 {
		return nil
	}
	n, err := c.store.Count(c.ctx, tables.Query{Shape: c.reader.shape, Where: odata.Logic{Or: true, Terms: c.ids}})
	c.reader.report.There += int(n)
	c.ids = c.ids[:0]
	return err
}
