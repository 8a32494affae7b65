package rows

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

var comparisons = map[odata.Op]string{
	odata.Eq: "=", odata.Ne: "<>", odata.Gt: ">", odata.Ge: ">=", odata.Lt: "<", odata.Le: "<=",
}

// Form writes a form with its arguments.
func (s *Statement) Form(form string, args ...odata.Expr) {
	for _, a := range args {
		before, rest, _ := strings.Cut(form, "%")
		s.Write(before)
		s.expr(a)
		form = rest
	}
	s.Write(form)
}

// expr writes a tree. What is not one name, parameter or call stands in brackets.
func (s *Statement) expr(e odata.Expr) {
	switch e := e.(type) {
	case odata.Column:
		s.Column(e.Name)
	case odata.Literal:
		s.literal(e)
	case odata.Logic:
		op := " AND "
		if e.Or {
			op = " OR "
		}
		s.balanced(e.Terms, op)
	case odata.Not:
		s.Form("(NOT %)", e.X)
	case odata.Compare:
		s.compare(e)
	case odata.IsNull:
		if e.Not {
			s.Form("(% IS NOT NULL)", e.X)
		} else {
			s.Form("(% IS NULL)", e.X)
		}
	case odata.Arith:
		if s.dialect.Usual == nil || !s.dialect.Usual(s, e) {
			s.Form(s.dialect.Arithmetic[e.Op], e.L, e.R)
		}
	case odata.Call:
		s.function(e)
	default:
		s.Err = fmt.Errorf("%s: a node of type %T is not known", s.dialect.Database, e)
	}
}

func (s *Statement) literal(l odata.Literal) {
	switch {
	case l.Value.IsNull():
		s.Write("NULL").Write(s.dialect.Casts[l.Type()])
	case l.Value.Type == odata.Boolean:
		s.Write(s.dialect.Booleans[l.Value.Num])
	default:
		s.Value(l.Value, l.Value.Type)
	}
}

// balanced writes a chain as a balanced tree: SQLite bounds the depth.
func (s *Statement) balanced(terms []odata.Expr, op string) {
	if len(terms) == 1 {
		s.expr(terms[0])
		return
	}
	s.Write("(")
	s.balanced(terms[:len(terms)/2], op)
	s.Write(op)
	s.balanced(terms[len(terms)/2:], op)
	s.Write(")")
}

func (s *Statement) compare(e odata.Compare) {
	s.Write("(")
	s.expr(e.L)
	if e.L.Type() == odata.String {
		s.Write(s.dialect.ByPoint)
	}
	s.Write(comparisons[e.Op])
	s.expr(e.R)
	s.Write(")")
}

func (s *Statement) function(e odata.Call) {
	form, known := s.dialect.Functions[e.Func]
	switch {
	case !known:
		s.Err = fmt.Errorf("%s: function %d is not known", s.dialect.Database, e.Func)
		return
	case e.Func == odata.StartsWith && s.begins(e.Args[0], e.Args[1]):
		return
	case e.Func == odata.Substring && len(e.Args) == 3:
		form = s.dialect.Part
	}
	s.Form(form, e.Args...)
}

// begins asks for a range where it can, which an index answers, and reports whether it
// has.
func (s *Statement) begins(text, prefix odata.Expr) bool {
	column, isColumn := text.(odata.Column)
	literal, isLiteral := prefix.(odata.Literal)
	if !isColumn || !isLiteral || literal.Value.Type != odata.String {
		return false
	}
	terms := []odata.Expr{odata.Compare{Op: odata.Ge, L: column, R: literal}}
	if after := Successor(literal.Value.Text); after != "" {
		end := odata.Literal{Value: odata.StringOf(after)}
		terms = append(terms, odata.Compare{Op: odata.Lt, L: column, R: end})
	}
	s.balanced(terms, " AND ")
	return true
}
