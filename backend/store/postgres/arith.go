package postgres

import (
	"math"

	"github.com/cordon-sec/cordon/backend/store/rows"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// arithmetic are functions that have a result for every pair of numbers: an error
// would tell of rows that the caller may not read.
var arithmetic = map[odata.Op]string{
	odata.Add: "cordon_add(%,%)", odata.Sub: "cordon_sub(%,%)", odata.Mul: "cordon_mul(%,%)",
	odata.Div: "cordon_div(%,%)", odata.Mod: "cordon_modulo(%,%)",
}

// native are the server's own operators.
var native = map[odata.Op]string{
	odata.Add: "(%+%)", odata.Sub: "(%-%)", odata.Mul: "(%*%)", odata.Div: "(%/%)",
}

// The numbers of which the server's own operators, which are forty times as fast,
// make no error: sums of what is no larger than the first, products and quotients of
// what lies between the others.
const (
	usualSum   = "abs(%)<=1e307"
	usualRange = "abs(%) BETWEEN 1e-150 AND 1e150"
)

// usual computes with the server's operators where the numbers are usual. Only what is
// short is written twice for that.
func usual(s *rows.Statement, e odata.Arith) bool {
	_, left := e.L.(odata.Literal)
	_, right := e.R.(odata.Literal)
	if !isShort(e.L) || !isShort(e.R) || left && right {
		return false
	}
	sum := e.Op == odata.Add || e.Op == odata.Sub
	divides := e.Op == odata.Div || e.Op == odata.Mod
	s.Write("CASE WHEN ")
	isUsual(s, e.L, sum, true)
	s.Write(" AND ")
	isUsual(s, e.R, sum, !divides)
	s.Write(" THEN ")
	if e.Op == odata.Mod {
		s.Form("(%-trunc(%/%)*%)", e.L, e.L, e.R, e.R)
	} else {
		s.Form(native[e.Op], e.L, e.R)
	}
	s.Write(" ELSE ")
	s.Form(arithmetic[e.Op], e.L, e.R)
	s.Write(" END")
	return true
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

// isUsual writes the condition that a number is one.
func isUsual(s *rows.Statement, e odata.Expr, sum, zero bool) {
	_, constant := e.(odata.Literal)
	switch {
	case constant:
		s.Write("TRUE")
	case sum:
		s.Form(usualSum, e)
	case zero:
		s.Form("(%=0 OR "+usualRange+")", e, e)
	default:
		s.Form("("+usualRange+")", e)
	}
}
