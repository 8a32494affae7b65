package sqlite

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// compiler writes a tree as SQL. Names are quoted and values are arguments, so
// nothing that a client sends becomes part of a statement.
type compiler struct {
	sql  strings.Builder
	args []driver.NamedValue
	err  error
}

func (c *compiler) write(parts ...string) {
	for _, p := range parts {
		c.sql.WriteString(p)
	}
}

// name writes a quoted name.
func (c *compiler) name(name string) {
	if strings.IndexByte(name, '"') >= 0 {
		name = strings.ReplaceAll(name, `"`, `""`)
	}
	c.write(`"`, name, `"`)
}

func (c *compiler) bind(v any) {
	c.args = append(c.args, driver.NamedValue{Ordinal: len(c.args) + 1, Value: v})
	c.sql.WriteByte('?')
}

// argument is a value as the driver takes it.
func argument(v odata.Value) any {
	switch v.Type {
	case odata.String:
		return v.Text
	case odata.Number:
		return v.Float()
	case odata.Null:
		return nil
	}
	return v.Num
}

var comparisons = map[odata.Op]string{
	odata.Eq: "=", odata.Ne: "<>", odata.Gt: ">", odata.Ge: ">=", odata.Lt: "<", odata.Le: "<=",
	odata.Add: "+", odata.Sub: "-", odata.Mul: "*", odata.Div: "/",
}

func (c *compiler) expr(e odata.Expr) {
	switch e := e.(type) {
	case odata.Column:
		c.name(e.Name)
	case odata.Literal:
		c.literal(e)
	case odata.Logic:
		op := " AND "
		if e.Or {
			op = " OR "
		}
		c.balanced(e.Terms, op)
	case odata.Not:
		c.write("NOT (")
		c.expr(e.X)
		c.write(")")
	case odata.Compare:
		c.infix(e.L, comparisons[e.Op], e.R)
	case odata.IsNull:
		c.write("(")
		c.expr(e.X)
		if e.Not {
			c.write(" IS NOT NULL)")
		} else {
			c.write(" IS NULL)")
		}
	case odata.Arith:
		if e.Op == odata.Mod {
			c.call("cordon_mod(", e.L, e.R)
			return
		}
		c.infix(e.L, comparisons[e.Op], e.R)
	case odata.Call:
		c.function(e)
	default:
		c.err = fmt.Errorf("sqlite: a node of type %T is not known", e)
	}
}

func (c *compiler) literal(l odata.Literal) {
	switch {
	case l.Value.IsNull():
		c.write("NULL")
	case l.Value.Type == odata.Boolean:
		c.write([]string{"0", "1"}[l.Value.Num])
	default:
		c.bind(argument(l.Value))
	}
}

// balanced writes a chain as a balanced tree: SQLite bounds the depth.
func (c *compiler) balanced(terms []odata.Expr, op string) {
	if len(terms) == 1 {
		c.expr(terms[0])
		return
	}
	c.write("(")
	c.balanced(terms[:len(terms)/2], op)
	c.write(op)
	c.balanced(terms[len(terms)/2:], op)
	c.write(")")
}

func (c *compiler) infix(l odata.Expr, op string, r odata.Expr) {
	c.write("(")
	c.expr(l)
	c.write(op)
	c.expr(r)
	c.write(")")
}

func (c *compiler) call(name string, args ...odata.Expr) {
	c.write(name)
	for i, a := range args {
		if i > 0 {
			c.write(",")
		}
		c.expr(a)
	}
	c.write(")")
}

// plain are the functions that are a function of SQLite's too, or one of ours.
var plain = map[odata.Func]string{
	odata.Concat: "cordon_concat(", odata.EndsWith: "cordon_endswith(", odata.Length: "length(",
	odata.Replace:   "cordon_replace(",
	odata.Substring: "cordon_substring(", odata.ToLower: "cordon_lower(", odata.ToUpper: "cordon_upper(",
	odata.Trim: "trim(", odata.Year: "cordon_date('year',", odata.Month: "cordon_date('month',",
	odata.Day: "cordon_date('day',", odata.Hour: "cordon_date('hour',", odata.Minute: "cordon_date('minute',",
	odata.Second: "cordon_date('second',", odata.FractionalSeconds: "cordon_date('fraction',",
	odata.DateOnly: "cordon_date('date',", odata.TimeOnly: "cordon_date('time',", odata.Floor: "floor(",
	odata.Ceiling: "ceil(", odata.Round: "cordon_round(", odata.Digits: "cordon_digits(",
}

func (c *compiler) function(e odata.Call) {
	switch e.Func {
	case odata.StartsWith:
		c.startsWith(e.Args[0], e.Args[1])
	case odata.Contains:
		c.call("(instr(", e.Args...)
		c.write(">0)")
	case odata.IndexOf:
		c.call("(instr(", e.Args...)
		c.write("-1)")
	case odata.ToNumber:
		c.write("CAST(")
		c.expr(e.Args[0])
		c.write(" AS REAL)")
	default:
		name, ok := plain[e.Func]
		if !ok {
			c.err = fmt.Errorf("sqlite: function %d is not known", e.Func)
		}
		c.call(name, e.Args...)
	}
}

// startsWith asks for a range where it can, which an index answers.
func (c *compiler) startsWith(s, prefix odata.Expr) {
	column, isColumn := s.(odata.Column)
	literal, isLiteral := prefix.(odata.Literal)
	if !isColumn || !isLiteral || literal.Value.Type != odata.String {
		c.call("cordon_startswith(", s, prefix)
		return
	}
	name := quote(column.Name)
	c.write("(", name, ">=")
	c.bind(literal.Value.Text)
	if after := rows.Successor(literal.Value.Text); after != "" {
		c.write(" AND ", name, "<")
		c.bind(after)
	}
	c.write(")")
}

// where writes a condition; it stands after " WHERE " unless it is nil.
func (c *compiler) where(e odata.Expr) {
	if e != nil {
		c.write(" WHERE ")
		c.expr(e)
	}
}

// term writes one expression to order by. SQLite reads "false AND x" as 0 before
// it looks at the order, and then as the place of a column; it leaves a CASE
// alone.
func (c *compiler) term(e odata.Expr, isColumn bool) {
	if isColumn || e.Type() != odata.Boolean {
		c.expr(e)
		return
	}
	c.write("CASE WHEN 1 THEN ")
	c.expr(e)
	c.write(" END")
}

// inserted is the order in which rows were inserted. A column of the table may have
// one of the names that SQLite has for it.
func inserted(s *tables.Shape) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if s.Find(name) < 0 {
			return name
		}
	}
	return `"createdAt","id"`
}

func (c *compiler) order(s *tables.Shape, orders []odata.Order) {
	if len(orders) == 0 {
		c.write(" ORDER BY ", inserted(s))
		return
	}
	c.write(" ORDER BY ")
	for _, o := range orders {
		if _, constant := o.By.(odata.Literal); constant {
			continue // it orders nothing, and SQL would take 1 for a column
		}
		column, isColumn := o.By.(odata.Column)
		c.term(o.By, isColumn)
		if o.By.Type() == odata.String && !(isColumn && column.Name == "id") {
			c.write(" COLLATE ", collation)
		}
		if o.Desc {
			c.write(" DESC")
		}
		if isColumn && column.Name == "id" {
			return // nothing is left to decide
		}
		c.write(",")
	}
	c.write(`"id"`)
}
