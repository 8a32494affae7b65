package rows

import (
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Statement is SQL with the values of its parameters. Names are quoted and values are
// parameters, so nothing that a client sends becomes part of the text.
type Statement struct {
	// Args are the values of the parameters, as the driver takes them.
	Args []any
	// Err says that a condition cannot be written.
	Err error

	dialect *Dialect
	text    strings.Builder
}

// Text is the SQL.
func (s *Statement) Text() string { return s.text.String() }

// Write writes text of the program's own.
func (s *Statement) Write(text string) *Statement {
	s.text.WriteString(text)
	return s
}

// Quote makes a name safe inside a statement.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Quoted are names, with commas between.
func Quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = Quote(n)
	}
	return strings.Join(out, ",")
}

// Table writes the name of a table.
func (s *Statement) Table(name string) *Statement {
	if strings.IndexByte(name, '"') >= 0 {
		return s.Write(Quote(name))
	}
	return s.Write(`"`).Write(name).Write(`"`)
}

// Column writes the database's name of a column.
func (s *Statement) Column(name string) *Statement { return s.Table(s.dialect.stored(name)) }

// Columns writes the names of the columns at some places.
func (s *Statement) Columns(shape *tables.Shape, places []int) *Statement {
	for i, p := range places {
		s.comma(i).Column(shape.Columns[p].Name)
	}
	return s
}

// comma writes one before each part of a list but the first.
func (s *Statement) comma(i int) *Statement {
	if i > 0 {
		s.text.WriteByte(',')
	}
	return s
}

// Value writes a parameter for a value of a type.
func (s *Statement) Value(v odata.Value, t odata.Type) *Statement {
	s.Args = append(s.Args, s.dialect.Argument(v))
	if !s.dialect.Numbered {
		return s.Write("?")
	}
	return s.Write("$").Write(strconv.Itoa(len(s.Args))).Write(s.dialect.Casts[t])
}

// Texts writes parameters for texts, with commas between.
func (s *Statement) Texts(texts ...string) *Statement {
	for i, text := range texts {
		s.comma(i).Value(odata.StringOf(text), odata.String)
	}
	return s
}

// is writes the condition that a row has an id.
func (s *Statement) is(shape *tables.Shape, id odata.Value) *Statement {
	return s.Write(` WHERE "id"=`).Value(id, shape.Columns[ID].Type)
}

func (s *Statement) where(e odata.Expr) {
	if e != nil {
		s.Write(" WHERE ")
		s.expr(e)
	}
}

// order writes the whole order, of which the id is always the last key.
func (s *Statement) order(shape *tables.Shape, orders []odata.Order) {
	s.Write(" ORDER BY ")
	if len(orders) == 0 {
		s.Write(s.dialect.Inserted(shape))
		return
	}
	for _, o := range orders {
		if _, constant := o.By.(odata.Literal); constant {
			continue // it orders nothing, and SQL would take 1 for a column
		}
		column, isColumn := o.By.(odata.Column)
		isID := isColumn && column.Name == "id"
		if isColumn || o.By.Type() != odata.Boolean {
			s.expr(o.By)
		} else {
			s.Form(s.dialect.ByTruth, o.By)
		}
		if o.By.Type() == odata.String && !isID {
			s.Write(s.dialect.ByUnicode)
		}
		nulls := s.dialect.Nulls[0]
		if o.Desc {
			s.Write(" DESC")
			nulls = s.dialect.Nulls[1]
		}
		if isID {
			return // nothing is left to decide
		}
		if !isColumn || column.Name != "updatedAt" && column.Name != "createdAt" {
			s.Write(nulls) // what is never null keeps the order of its index
		}
		s.Write(",")
	}
	s.Write(`"id"`)
}

// limit cuts a result.
func (s *Statement) limit(top, skip int64) {
	switch {
	case top > 0 && s.dialect.Literal:
		s.Write(" LIMIT ").Write(strconv.FormatInt(top, 10))
	case top > 0:
		s.Write(" LIMIT ").Value(odata.IntegerOf(top), odata.Integer)
	case skip > 0:
		s.Write(s.dialect.Unlimited)
	}
	if skip > 0 {
		s.Write(" OFFSET ").Value(odata.IntegerOf(skip), odata.Integer)
	}
}
