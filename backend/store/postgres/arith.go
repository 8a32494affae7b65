package postgres

import (
	"math"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// arithmetic are functions that have a result for every pair of numbers: an error
// would tell of rows that the caller may not read.
var arithmetic = map[odata.Op]string{
	odata.Add: "cordon_add(", odata.Sub: "cordon_sub(", odata.Mul: "cordon_mul(", odata.Div: "cordon_div(",
	odata.Mod: "cordon_modulo(",
}

// The numbers of which the server's own operators, which are forty times as fast,
// make no error: sums of what is no larger than the first, products and quotients of
// what lies between the others.
const (
	usualSum   = "1e307"
	usualRange = " BETWEEN 1e-150 AND 1e150"
)

// arith computes with the server's operators where the numbers are usual. Only what is
// short is written twice for that.
func (c *compiler) arith(e odata.Arith) {
	_, left := e.L.(odata.Literal)
	_, right := e.R.(odata.Literal)
	if !isShort(e.L) || !isShort(e.R) || left && right {
		c.call(arithmetic[e.Op], ")", e.L, e.R)
		return
	}
	c.write("CASE WHEN ")
	sum := e.Op == odata.Add || e.Op == odata.Sub
	divides := e.Op == odata.Div || e.Op == odata.Mod
	c.usual(e.L, sum, true)
	c.write(" AND ")
	c.usual(e.R, sum, !divides)
	c.write(" THEN ")
	c.native(e)
	c.write(" ELSE ")
	c.call(arithmetic[e.Op], ")", e.L, e.R)
	c.write(" END")
}

// isShort reports whether a number is a column, or a constant that is usual.
func isShort(e odata.Expr) bool {
	switch e := e.(type) {
	case odata.Column:
		return true
	case odata.Literal:
		n := math.Abs(e.Value.Float())
		return e.Value.Type == odata.Number && n >= 1e-150 && n <= 1e150
	case odata.Call:
		return e.Func == odata.ToNumber && isShort(e.Args[0])
	}
	return false
}

// usual is the condition that a number is one.
func (c *compiler) usual(e odata.Expr, sum, zero bool) {
	if _, constant := e.(odata.Literal); constant {
		c.write("TRUE")
		return
	}
	if sum {
		c.call("abs(", ")<="+usualSum, e)
		return
	}
	c.write("(")
	if zero {
		c.call("", "=0 OR ", e)
	}
	c.call("abs(", ")"+usualRange+")", e)
}

// native is the server's own expression.
func (c *compiler) native(e odata.Arith) {
	switch e.Op {
	case odata.Mod:
		c.call("(", "", e.L)
		c.call("-trunc(", "", e.L)
		c.call("/", ")", e.R)
		c.call("*", ")", e.R)
		return
	}
	operator := map[odata.Op]string{odata.Add: "+", odata.Sub: "-", odata.Mul: "*", odata.Div: "/"}[e.Op]
	c.call("(", operator, e.L)
	c.call("", ")", e.R)
}
