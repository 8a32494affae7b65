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
	case clock:
		for _, layout := range []string{"15:04:05.999999999", "15:04"} {
			if d, err := time.Parse(layout, t.text); err == nil {
				return IntegerOf(int64(d.Sub(d.Truncate(24*time.Hour)) / time.Millisecond)), nil
			}
		}
		return Value{}, &SyntaxError{"Invalid time literal '" + clip(t.text) + "'", t.at}
	}
	return Value{}, p.fail("Syntax error")
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
