package postgres

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// quote makes a name safe inside a statement.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// column is the quoted name of a column. PostgreSQL cuts names after 63 bytes,
// so longer ones end in a hash here. It has columns of its own in every table: a
// table's column of such a name has a dollar sign behind it, which no name has.
func column(name string) string {
	switch {
	case len(name) > 63:
		h := fnv.New64a()
		_, _ = h.Write([]byte(name)) // never fails
		name = fmt.Sprintf("%s_%016x", name[:46], h.Sum64())
	case ofSystem(name):
		name += "$"
	}
	return quote(name)
}

// ofSystem reports whether every table has a column of this name (PostgreSQL 14 to
// 18, "System Columns").
func ofSystem(name string) bool {
	switch name {
	case "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid":
		return true
	}
	return false
}

// name writes what column returns.
func (c *compiler) name(name string) {
	if len(name) > 63 || ofSystem(name) || strings.IndexByte(name, '"') >= 0 {
		c.write(column(name))
		return
	}
	c.write(`"`, name, `"`)
}

// compiler writes a tree as SQL. Names are quoted and values are arguments, so
// nothing that a client sends becomes part of a statement.
type compiler struct {
	sql  strings.Builder
	args []any
	err  error
}

func (c *compiler) write(parts ...string) {
	for _, p := range parts {
		c.sql.WriteString(p)
	}
}

var sqlTypes = map[odata.Type]string{
	odata.String: "text", odata.Number: "float8", odata.Boolean: "bool", odata.Date: "timestamptz(3)",
	odata.Integer: "int8", odata.Version: "int8",
}

var casts = [...]string{odata.Null: "::text", odata.Boolean: "::bool", odata.Integer: "::int8",
	odata.Number: "::float8", odata.String: "::text", odata.Date: "::timestamptz", odata.Version: "::int8"}

// argument is a value as the driver takes it.
func argument(v odata.Value) any {
	switch v.Type {
	case odata.String:
		return v.Text
	case odata.Number:
		return v.Float()
	case odata.Boolean:
		return v.Num != 0
	case odata.Date:
		return v.Time()
	case odata.Null:
		return nil
	}
	return v.Num
}

// bind writes a placeholder of the given type.
func (c *compiler) bind(v any, t odata.Type) {
	c.args = append(c.args, v)
	c.sql.WriteByte('$')
	c.sql.WriteString(strconv.Itoa(len(c.args)))
	c.sql.WriteString(casts[t])
}

func (c *compiler) value(v odata.Value, t odata.Type) { c.bind(argument(v), t) }

var operators = map[odata.Op]string{
	odata.Eq: "=", odata.Ne: "<>", odata.Gt: ">", odata.Ge: ">=", odata.Lt: "<", odata.Le: "<=",
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
		c.write("(")
		for i, t := range e.Terms {
			if i > 0 {
				c.write(op)
			}
			c.expr(t)
		}
		c.write(")")
	case odata.Not:
		c.write("(NOT ")
		c.expr(e.X)
		c.write(")")
	case odata.Compare:
		c.compare(e)
	case odata.IsNull:
		c.write("(")
		c.expr(e.X)
		if e.Not {
			c.write(" IS NOT NULL)")
		} else {
			c.write(" IS NULL)")
		}
	case odata.Arith:
		c.arith(e)
	case odata.Call:
		c.function(e)
	default:
		c.err = fmt.Errorf("postgres: a node of type %T is not known", e)
	}
}

func (c *compiler) literal(l odata.Literal) {
	switch {
	case l.Value.IsNull():
		c.write("NULL", casts[l.Type()])
	case l.Value.Type == odata.Boolean:
		c.write(strconv.FormatBool(l.Value.Num != 0))
	default:
		c.value(l.Value, l.Value.Type)
	}
}

// compare says for text that code points count, whatever the collation of the
// database is.
func (c *compiler) compare(e odata.Compare) {
	c.write("(")
	c.expr(e.L)
	if e.L.Type() == odata.String {
		c.write(` COLLATE "C"`)
	}
	c.write(operators[e.Op])
	c.expr(e.R)
	c.write(")")
}

func (c *compiler) call(before, after string, args ...odata.Expr) {
	c.write(before)
	for i, a := range args {
		if i > 0 {
			c.write(",")
		}
		c.expr(a)
	}
	c.write(after)
}

// functions are what stands before and after the arguments.
var functions = map[odata.Func][2]string{
	odata.EndsWith:          {"cordon_endswith(", ")"},
	odata.Contains:          {"(strpos(", ")>0)"},
	odata.Concat:            {"cordon_concat(", ")"},
	odata.IndexOf:           {"(strpos(", ")-1)::int8"},
	odata.Length:            {"char_length(", ")::int8"},
	odata.Replace:           {"cordon_replace(", ")"},
	odata.ToLower:           {`(lower(`, ` COLLATE "und-x-icu") COLLATE "C")`},
	odata.ToUpper:           {`(upper(`, ` COLLATE "und-x-icu") COLLATE "C")`},
	odata.Trim:              {"btrim(", ")"},
	odata.Year:              {"extract(year FROM ", " AT TIME ZONE 'UTC')::int8"},
	odata.Month:             {"extract(month FROM ", " AT TIME ZONE 'UTC')::int8"},
	odata.Day:               {"extract(day FROM ", " AT TIME ZONE 'UTC')::int8"},
	odata.Hour:              {"extract(hour FROM ", " AT TIME ZONE 'UTC')::int8"},
	odata.Minute:            {"extract(minute FROM ", " AT TIME ZONE 'UTC')::int8"},
	odata.Second:            {"floor(extract(second FROM ", " AT TIME ZONE 'UTC'))::int8"},
	odata.FractionalSeconds: {"(mod(extract(milliseconds FROM ", " AT TIME ZONE 'UTC'),1000)/1000)::float8"},
	odata.DateOnly:          {"date_trunc('day',", ",'UTC')"},
	odata.TimeOnly:          {"(extract(epoch FROM (", " AT TIME ZONE 'UTC')::time)*1000)::int8"},
	odata.Floor:             {"floor(", ")"},
	odata.Ceiling:           {"ceil(", ")"},
	odata.Round:             {"cordon_round(", ")"},
	odata.ToNumber:          {"(", ")::float8"},
}

func (c *compiler) function(e odata.Call) {
	switch e.Func {
	case odata.StartsWith:
		c.startsWith(e.Args[0], e.Args[1])
	case odata.Substring:
		name := "cordon_substring("
		if len(e.Args) == 3 {
			name = "cordon_part("
		}
		c.call(name, ")", e.Args...)
	case odata.Digits:
		// What is no number is null, and never an error.
		c.write("(substring(substr(")
		c.expr(e.Args[0])
		c.write(",1+(")
		c.expr(e.Args[1])
		c.write(")::int,(")
		c.expr(e.Args[2])
		c.write(")::int) from '^[0-9]+$'))::int8")
	default:
		f, ok := functions[e.Func]
		if !ok {
			c.err = fmt.Errorf("postgres: function %d is not known", e.Func)
		}
		c.call(f[0], f[1], e.Args...)
	}
}

// startsWith asks for a range where it can, which an index answers.
func (c *compiler) startsWith(s, prefix odata.Expr) {
	col, isColumn := s.(odata.Column)
	literal, isLiteral := prefix.(odata.Literal)
	if !isColumn || !isLiteral || literal.Value.Type != odata.String {
		c.call("starts_with(", ")", s, prefix)
		return
	}
	name := column(col.Name) + ` COLLATE "C"`
	c.write("(", name, ">=")
	c.value(literal.Value, odata.String)
	if after := rows.Successor(literal.Value.Text); after != "" {
		c.write(" AND ", name, "<")
		c.bind(after, odata.String)
	}
	c.write(")")
}

func (c *compiler) where(e odata.Expr) {
	if e != nil {
		c.write(" WHERE ")
		c.expr(e)
	}
}

func (c *compiler) columns(s *tables.Shape, places []int) {
	for i, p := range places {
		if i > 0 {
			c.sql.WriteByte(',')
		}
		c.name(s.Columns[p].Name)
	}
}

func (c *compiler) order(orders []odata.Order) {
	c.write(" ORDER BY ")
	for _, o := range orders {
		if _, constant := o.By.(odata.Literal); constant {
			continue // it orders nothing, and the server refuses it
		}
		col, isColumn := o.By.(odata.Column)
		isID := isColumn && col.Name == "id"
		c.expr(o.By)
		if o.By.Type() == odata.String && !isID {
			c.write(` COLLATE "und-x-icu"`)
		}
		if o.Desc {
			c.write(" DESC")
		}
		if isID {
			return // nothing is left to decide
		}
		if !isColumn || col.Name != "updatedAt" && col.Name != "createdAt" {
			// Nulls first, as in SQL Server. What is never null keeps the
			// order of its index.
			c.write([]string{" NULLS FIRST", " NULLS LAST"}[map[bool]int{true: 1}[o.Desc]])
		}
		c.write(",")
	}
	c.write(`"id"`)
}
