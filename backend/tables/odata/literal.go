package odata

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// literal is the value of a token that stands by itself.
func (p *parse) literal(t token) (Value, error) {
	switch t.kind {
	case text, guid:
		if strings.IndexByte(t.text, 0) >= 0 || !validText(t.text) {
			return Value{}, &SyntaxError{"Invalid string literal", t.at}
		}
		return StringOf(t.text), nil
	case integer:
		if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
			return IntegerOf(n), nil
		}
		fallthrough // beyond 64 bits an integer is a number, as in JavaScript
	case real:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil || math.IsInf(f, 0) {
			return Value{}, &SyntaxError{"Invalid real literal '" + clip(t.text) + "'", t.at}
		}
		return NumberOf(f), nil
	case date:
		if ms, ok := ParseDate(t.text); ok {
			return DateOf(ms), nil
		}
		return Value{}, &SyntaxError{"Invalid date literal '" + clip(t.text) + "'", t.at}
	}
	return Value{}, p.fail("Syntax error")
}

// dayLiteral is the day of a date, as the literal of a date without time.
func dayLiteral(v Value) Literal {
	day := floorDiv(v.Num, 86400000) * 86400000
	return Literal{Value: DateOf(day), calendar: string(AppendDate(nil, day)[:10])}
}

// clockLiteral is a time of day: milliseconds since midnight.
func clockLiteral(s string) (Literal, bool) {
	for _, layout := range []string{"15:04:05.999999999", "15:04"} {
		if d, err := time.Parse(layout, s); err == nil {
			ms := int64(d.Sub(d.Truncate(24*time.Hour)) / time.Millisecond)
			return Literal{Value: IntegerOf(ms), calendar: d.Format("15:04:05.000")}, true
		}
	}
	return Literal{}, false
}

// bare is the literal of a token that stands by itself.
func (p *parse) bare(t token) (Literal, error) {
	if t.kind == clock {
		if l, ok := clockLiteral(t.text); ok {
			return l, nil
		}
		return Literal{}, &SyntaxError{"Invalid time literal '" + clip(t.text) + "'", t.at}
	}
	v, err := p.literal(t)
	if err == nil && t.kind == date && len(t.text) == len("1960-01-01") {
		return dayLiteral(v), nil
	}
	return Literal{Value: v, IgnoreCase: t.kind == guid}, err
}

// typedLiteral reads type'text': a type of OData v3 before a string.
func (p *parse) typedLiteral() (Expr, error) {
	t := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	s, at := p.tok.text, p.tok.at
	bad := &SyntaxError{"Invalid '" + t.text + "' type creation expression", at}
	var v Value
	ok := true
	var ms int64
	switch t.text {
	case "datetime":
		ms, ok = strictDate(s)
		v = DateOf(ms)
	case "datetimeoffset":
		// A query string that was not encoded turned the plus into a blank.
		ms, ok = ParseDate(strings.Replace(s, " ", "+", 1))
		v = DateOf(ms)
	case "guid":
		if !isGUID(s) {
			return nil, bad
		}
		return guidLiteral(s), p.advance()
	default:
		return nil, bad
	}
	if !ok {
		return nil, bad
	}
	return Literal{Value: v}, p.advance()
}

func validText(s string) bool { return strings.ToValidUTF8(s, "") == s }

func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "")
	}
	return s
}
