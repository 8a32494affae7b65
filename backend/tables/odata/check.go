package odata

import (
	"strconv"
)

// condition turns e into a boolean expression or says that it is none.
func (p *parse) condition(e Expr, at int) (Expr, error) {
	switch e.Type() {
	case Boolean:
		return e, nil
	case Null:
		return Literal{As: Boolean}, nil
	}
	return nil, &SyntaxError{"A condition is expected, not a " + e.Type().String(), at}
}

func isNullLiteral(e Expr) bool {
	l, ok := e.(Literal)
	return ok && l.Value.IsNull()
}

// compare builds "l op r" with both sides of one type.
func (p *parse) compare(op Op, l, r Expr, at int) (Expr, error) {
	if isNullLiteral(l) {
		l, r, op = r, l, mirrored(op)
	}
	if isNullLiteral(r) {
		switch {
		case op != Eq && op != Ne:
			return Literal{As: Boolean}, nil
		case isNullLiteral(l):
			return Literal{Value: BooleanOf(op == Eq)}, nil
		}
		return IsNull{X: l, Not: op == Ne}, nil
	}
	l, r = asCalendar(l, r)
	l, r, ok := unify(l, r)
	if !ok {
		return nil, &SyntaxError{"A " + l.Type().String() + " cannot be compared with a " + r.Type().String(), at}
	}
	l, r = foldCase(l, r)
	return Compare{Op: op, L: l, R: r}, nil
}

func mirrored(op Op) Op {
	switch op {
	case Gt:
		return Lt
	case Ge:
		return Le
	case Lt:
		return Gt
	case Le:
		return Ge
	}
	return op
}

// unify gives both sides one type, converting a literal to the type of the
// other side where that loses nothing.
func unify(l, r Expr) (Expr, Expr, bool) {
	lt, rt := l.Type(), r.Type()
	if lt == rt {
		return l, r, true
	}
	if lit, ok := r.(Literal); ok {
		if c, ok := convert(lit.Value, lt); ok {
			return l, c, true
		}
	}
	if lit, ok := l.(Literal); ok {
		if c, ok := convert(lit.Value, rt); ok {
			return c, r, true
		}
	}
	if lt.numeric() && rt.numeric() {
		return toNumber(l), toNumber(r), true
	}
	return l, r, false
}

// convert turns a constant into another type: numbers into each other, text
// into dates, versions and numbers, constants into text, and 0 and 1 into
// booleans, as SQL Server does by itself.
func convert(v Value, to Type) (Literal, bool) {
	out := Value{}
	switch {
	case v.Type == to:
		out = v
	case to == String && v.Type != Version:
		out = StringOf(v.Plain())
	case to == Number && v.Type == Integer:
		out = NumberOf(float64(v.Num))
	case to == Number && v.Type == String:
		f, err := strconv.ParseFloat(v.Text, 64)
		if err != nil || f-f != 0 {
			return Literal{}, false
		}
		out = NumberOf(f)
	case to == Integer && v.Type == String:
		var ok bool
		if out, ok = IntegerID(v.Text); !ok {
			return Literal{}, false
		}
	case to == Date && v.Type == String:
		ms, ok := ParseDate(v.Text)
		if !ok {
			return Literal{}, false
		}
		out = DateOf(ms)
	case to == Version && v.Type == String:
		// Text that is no version of ours matches no row: every version is
		// positive, so -1 is never there.
		out = VersionOf(-1)
		if n, ok := ParseVersion(v.Text); ok {
			out = VersionOf(n)
		}
	case to == Boolean && v.Type == Integer && (v.Num == 0 || v.Num == 1):
		out = BooleanOf(v.Num == 1)
	default:
		return Literal{}, false
	}
	return Literal{Value: out, As: to}, true
}

// asCalendar turns the comparison of a text with a date or a time of day into one of
// texts, whose order is that of what they say. Clients write times with three
// decimals, with seven, or with none.
func asCalendar(l, r Expr) (Expr, Expr) {
	if lit, ok := l.(Literal); ok && lit.calendar != "" && r.Type() == String {
		r, l = asCalendar(r, l)
		return l, r
	}
	lit, ok := r.(Literal)
	if !ok || lit.calendar == "" || l.Type() != String {
		return l, r
	}
	if lit.Value.Type == Integer {
		padded := Call{Func: Concat, Args: []Expr{l, Literal{Value: StringOf(".000")}}}
		l = Call{Func: Substring, Args: []Expr{padded, Literal{Value: NumberOf(0)},
			Literal{Value: NumberOf(float64(len(lit.calendar)))}}}
	}
	return l, Literal{Value: StringOf(lit.calendar)}
}

// guidLiteral is a GUID, whose digits count in any case.
func guidLiteral(s string) Literal {
	return Literal{Value: StringOf(s), IgnoreCase: true}
}

func toNumber(e Expr) Expr {
	if e.Type() == Number {
		return e
	}
	if l, ok := e.(Literal); ok {
		if c, ok := convert(l.Value, Number); ok {
			return c
		}
	}
	return Call{Func: ToNumber, Args: []Expr{e}}
}

// foldCase lowers both strings when one of them is a column that ignores case, or a
// GUID.
func foldCase(l, r Expr) (Expr, Expr) {
	if !ignoresCase(l) && !ignoresCase(r) {
		return l, r
	}
	return Call{Func: ToLower, Args: []Expr{l}}, Call{Func: ToLower, Args: []Expr{r}}
}

func ignoresCase(e Expr) bool {
	switch e := e.(type) {
	case Column:
		return e.IgnoreCase && e.Of == String
	case Literal:
		return e.IgnoreCase && e.Type() == String
	}
	return false
}

// arith builds "l op r" over numbers.
func (p *parse) arith(op Op, l, r Expr, at int) (Expr, error) {
	for _, e := range []*Expr{&l, &r} {
		switch t := (*e).Type(); {
		case t.numeric():
			*e = toNumber(*e)
		case isNullLiteral(*e):
			*e = Literal{As: Number}
		default:
			return nil, &SyntaxError{"A number is expected, not a " + t.String(), at}
		}
	}
	return Arith{Op: op, L: l, R: r}, nil
}
