package rows

import (
	"slices"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Dialect is what a [Statement] is written with: all in which the databases' SQL
// differs. A form is text in which arguments take the places of the signs %, in order.
type Dialect struct {
	// Database is the database's name, for errors.
	Database string
	// Numbered says that parameters are $1, $2 and so on; otherwise each is a ?.
	Numbered bool
	// Casts stand behind parameters and nulls, by their type.
	Casts [odata.Version + 1]string
	// Argument is a value as the driver takes it.
	Argument func(odata.Value) any
	// Stored is the name that the database has for a column; nil if that is its own.
	Stored func(name string) string

	// Types are those of columns, and Counting what follows that of ids that count up.
	Types    [odata.Version + 1]string
	Counting string
	// Booleans are false and true.
	Booleans [2]string

	// ByPoint stands behind a text that is compared, so that code points count.
	ByPoint string
	// ByUnicode stands behind a text that is ordered by.
	ByUnicode string
	// ByTruth is the form of a condition that is ordered by.
	ByTruth string
	// Nulls stand behind what is ordered by, if it may be null: ascending, then
	// descending. Nulls are first, as in SQL Server.
	Nulls [2]string
	// Inserted is the order in which rows were inserted, as far as the database knows it.
	Inserted func(*tables.Shape) string
	// Literal says that the number of a LIMIT is text: the database plans by it, so with
	// a parameter it would plan anew for each run.
	Literal bool
	// Unlimited is the LIMIT of a result that only an OFFSET cuts.
	Unlimited string

	// Functions are the forms of functions, and Part that of Substring with a length.
	Functions map[odata.Func]string
	Part      string
	// Arithmetic are the forms of what is computed.
	Arithmetic map[odata.Op]string
	// Usual, if set, may write a computation in another way, and reports whether it has.
	Usual func(*Statement, odata.Arith) bool
}

// Begin returns a statement that begins with the text.
func (d *Dialect) Begin(text string) *Statement {
	s := &Statement{dialect: d}
	s.text.Grow(256)
	s.Write(text)
	return s
}

// From returns a statement that begins with the text and the name of a table.
func (d *Dialect) From(text string, s *tables.Shape) *Statement { return d.Begin(text).Table(s.Table) }

// Column is the quoted name of a column.
func (d *Dialect) Column(name string) string { return Quote(d.stored(name)) }

func (d *Dialect) stored(name string) string {
	if d.Stored == nil {
		return name
	}
	return d.Stored(name)
}

// Query is the statement of a query.
func (d *Dialect) Query(q tables.Query) *Statement {
	s := d.rows(q.Shape, q.Columns)
	s.where(q.Where)
	s.order(q.Shape, q.Order)
	s.limit(q.Top, q.Skip)
	return s
}

// rows begins a statement that reads rows.
func (d *Dialect) rows(shape *tables.Shape, places []int) *Statement {
	return d.Begin("SELECT ").Columns(shape, places).Write(" FROM ").Table(shape.Table)
}

// Count is the statement that counts the rows of a query.
func (d *Dialect) Count(q tables.Query) *Statement {
	s := d.From("SELECT count(*) FROM ", q.Shape)
	s.where(q.Where)
	return s
}

// Find is the statement that reads one row, if the condition holds for it.
func (d *Dialect) Find(shape *tables.Shape, id odata.Value, where odata.Expr) *Statement {
	s := d.rows(shape, shape.All())
	s.is(shape, id)
	if where != nil {
		s.Write(" AND ")
		s.expr(where)
	}
	return s
}

// Removed is the statement that reads the rows which a removal without ids is about,
// and one more than it may remove.
func (d *Dialect) Removed(r tables.Removal) *Statement {
	s := d.rows(r.Shape, r.Shape.All())
	s.where(r.Where)
	s.limit(int64(r.Limit)+1, 0)
	return s
}

// Insert is the statement that writes a new row: the columns of the system, and those
// that are set.
func (d *Dialect) Insert(shape *tables.Shape, row []odata.Value, set []int) *Statement {
	places := Inserted(shape, set)
	s := d.From("INSERT INTO ", shape).Write(" (").Columns(shape, places).Write(") VALUES (")
	for i, p := range places {
		s.comma(i).Value(row[p], shape.Columns[p].Type)
	}
	return s.Write(")")
}

// Put is Insert for a row that comes from elsewhere. Where its id is taken nothing is
// written, or it takes the place of the row that has it: then columns that it does not
// set become NULL.
func (d *Dialect) Put(shape *tables.Shape, row []odata.Value, set []int, replace bool) *Statement {
	s := d.Insert(shape, row, set)
	if !replace {
		return s.Write(` ON CONFLICT("id") DO NOTHING`)
	}
	s.Write(` ON CONFLICT("id") DO UPDATE SET `)
	for i, p := range shape.All()[1:] {
		s.comma(i).Column(shape.Columns[p].Name)
		if p < shape.System() || slices.Contains(set, p) {
			s.Write("=excluded.").Column(shape.Columns[p].Name)
		} else {
			s.Write("=NULL")
		}
	}
	return s
}

// Update is the statement that sets the columns at some places to those of the row.
func (d *Dialect) Update(shape *tables.Shape, row []odata.Value, places []int) *Statement {
	s := d.From("UPDATE ", shape).Write(" SET ")
	for i, p := range places {
		s.comma(i).Column(shape.Columns[p].Name).Write("=").Value(row[p], shape.Columns[p].Type)
	}
	return s.is(shape, row[ID])
}

// Delete is the statement that removes a row.
func (d *Dialect) Delete(shape *tables.Shape, id odata.Value) *Statement {
	return d.From("DELETE FROM ", shape).is(shape, id)
}

// Expire is the statement that removes a thousand rows that were created at a time, in
// milliseconds, or before.
func (d *Dialect) Expire(shape *tables.Shape, before int64) *Statement {
	return d.From("DELETE FROM ", shape).Write(` WHERE "id" IN (SELECT "id" FROM `).Table(shape.Table).
		Write(` WHERE "createdAt"<=`).Value(odata.DateOf(before), odata.Date).Write(" LIMIT 1000)")
}
