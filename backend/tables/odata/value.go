package odata

import (
	"math"
	"strconv"
	"time"
)

// Type is the type of a column, a literal or an expression.
type Type uint8

// The types. Null is the type of a value that is absent and of the literal
// null before it meets another operand.
const (
	Null Type = iota
	Boolean
	Integer // 64 bits: integer ids, lengths, parts of dates
	Number  // IEEE double
	String
	Date    // milliseconds since 1970, UTC
	Version // a row's version: an opaque 64-bit number, base64 on the wire
)

// String is the type's name in messages.
func (t Type) String() string {
	switch t {
	case Boolean:
		return "boolean"
	case Integer:
		return "integer"
	case Number:
		return "number"
	case String:
		return "string"
	case Date:
		return "date"
	case Version:
		return "version"
	}
	return "null"
}

func (t Type) numeric() bool { return t == Integer || t == Number }

// Value is one value of a row or a literal. The zero Value is null.
type Value struct {
	// Num is the boolean (0 or 1), the integer, the bits of the double, the
	// date's milliseconds or the version.
	Num int64
	// Text is the string.
	Text string
	// Type says which of the two counts; Null for a null.
	Type Type
}

// BooleanOf returns a boolean value.
func BooleanOf(b bool) Value {
	v := Value{Type: Boolean}
	if b {
		v.Num = 1
	}
	return v
}

// IntegerOf returns an integer value.
func IntegerOf(i int64) Value { return Value{Type: Integer, Num: i} }

// NumberOf returns a double.
func NumberOf(f float64) Value { return Value{Type: Number, Num: int64(math.Float64bits(f))} }

// StringOf returns a string value.
func StringOf(s string) Value { return Value{Type: String, Text: s} }

// DateOf returns a date of the given milliseconds since 1970, UTC.
func DateOf(ms int64) Value { return Value{Type: Date, Num: ms} }

// VersionOf returns a row version.
func VersionOf(n int64) Value { return Value{Type: Version, Num: n} }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.Type == Null }

// Bool is the boolean of v, false for every other type.
func (v Value) Bool() bool { return v.Type == Boolean && v.Num != 0 }

// Float is the number of v as a double, 0 for what is no number.
func (v Value) Float() float64 {
	switch v.Type {
	case Number:
		return math.Float64frombits(uint64(v.Num))
	case Integer:
		return float64(v.Num)
	}
	return 0
}

// Time is the date of v, the zero time for what is no date.
func (v Value) Time() time.Time {
	if v.Type != Date {
		return time.Time{}
	}
	return time.UnixMilli(v.Num).UTC()
}

// IntegerID reads a whole number in the one spelling that Plain has for it: 7, and
// neither 07 nor +7. So the text of an id names its row as the number does.
func IntegerID(s string) (Value, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s {
		return Value{}, false
	}
	return IntegerOf(n), true
}

// Plain is v as plain text, without quotes: a number in its shortest form, a
// date as ISO-8601, "" for null. It is how a constant becomes text.
func (v Value) Plain() string {
	switch v.Type {
	case Boolean:
		return strconv.FormatBool(v.Num != 0)
	case Integer:
		return strconv.FormatInt(v.Num, 10)
	case Number:
		return string(AppendNumber(nil, v.Float()))
	case String:
		return v.Text
	case Date:
		return string(AppendDate(nil, v.Num))
	case Version:
		return FormatVersion(v.Num)
	}
	return ""
}

// AppendNumber appends f as JavaScript writes it: shortest digits, exponent
// only below 1e-6 and from 1e21 on, zero without a sign.
func AppendNumber(b []byte, f float64) []byte {
	if f == 0 {
		return append(b, '0')
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.AppendInt(b, int64(f), 10)
	}
	format := byte('f')
	if abs := math.Abs(f); abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	start := len(b)
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if n := len(b); format == 'e' && n-start >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1] // e-09 becomes e-9
		b = b[:n-1]
	}
	return b
}
