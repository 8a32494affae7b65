package odata

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// signature is what a function takes and returns. Numeric arguments of type
// Integer accept any number and are cut to an integer by the stores.
type signature struct {
	args   []Type
	least  int // arguments that must be there; 0 means all of them
	result Type
}

var functions = [...]signature{
	StartsWith:        {args: []Type{String, String}, result: Boolean},
	EndsWith:          {args: []Type{String, String}, result: Boolean},
	Contains:          {args: []Type{String, String}, result: Boolean},
	Concat:            {args: []Type{String, String}, result: String},
	IndexOf:           {args: []Type{String, String}, result: Integer},
	Length:            {args: []Type{String}, result: Integer},
	Replace:           {args: []Type{String, String, String}, result: String},
	Substring:         {args: []Type{String, Number, Number}, least: 2, result: String},
	ToLower:           {args: []Type{String}, result: String},
	ToUpper:           {args: []Type{String}, result: String},
	Trim:              {args: []Type{String}, result: String},
	Year:              {args: []Type{Date}, result: Integer},
	Month:             {args: []Type{Date}, result: Integer},
	Day:               {args: []Type{Date}, result: Integer},
	Hour:              {args: []Type{Date}, result: Integer},
	Minute:            {args: []Type{Date}, result: Integer},
	Second:            {args: []Type{Date}, result: Integer},
	FractionalSeconds: {args: []Type{Date}, result: Number},
	DateOnly:          {args: []Type{Date}, result: Date},
	TimeOnly:          {args: []Type{Date}, result: Integer},
	Floor:             {args: []Type{Number}, result: Number},
	Ceiling:           {args: []Type{Number}, result: Number},
	Round:             {args: []Type{Number}, result: Number},
	ToNumber:          {args: []Type{Integer}, result: Number},
	Digits:            {args: []Type{String, Integer, Integer}, result: Integer},
}

// The names in each protocol. 3.0 also takes the names of 2.0.
var namesV3 = map[string]Func{
	"startswith": StartsWith, "endswith": EndsWith, "substringof": Contains,
	"concat": Concat, "indexof": IndexOf, "length": Length, "replace": Replace,
	"substring": Substring, "tolower": ToLower, "toupper": ToUpper, "trim": Trim,
	"year": Year, "month": Month, "day": Day, "hour": Hour, "minute": Minute,
	"second": Second, "floor": Floor, "ceiling": Ceiling, "round": Round,
}

var namesV4 = map[string]Func{
	"contains": Contains, "fractionalseconds": FractionalSeconds, "date": DateOnly, "time": TimeOnly,
}

// call reads the arguments of the function named by t and checks them.
func (p *parse) call(t token) (Expr, error) {
	f, known := namesV3[t.text]
	if !known && p.V4 {
		f, known = namesV4[t.text]
	}
	if f == Replace {
		if p.inReplace {
			return nil, &SyntaxError{"Calls to 'replace' cannot be nested", t.at}
		}
		p.inReplace = true
		defer func() { p.inReplace = false }()
	}
	if p.V4 && t.text == "cast" {
		return p.cast()
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if !known {
		if p.V4 {
			if e, ok := p.constant(t.text, len(args)); ok {
				return e, nil
			}
		}
		return nil, &SyntaxError{fmt.Sprintf("Unknown function '%s'", clip(t.text)), t.at}
	}
	if t.text == "substringof" && len(args) == 2 {
		args[0], args[1] = args[1], args[0]
	}
	return p.apply(f, t, args)
}

func (p *parse) apply(f Func, t token, args []Expr) (Expr, error) {
	sig := functions[f]
	least := sig.least
	if least == 0 {
		least = len(sig.args)
	}
	if len(args) < least || len(args) > len(sig.args) {
		want := fmt.Sprint(least)
		if least < len(sig.args) {
			want += " or " + fmt.Sprint(len(sig.args))
		}
		noun := "parameters"
		if want == "1" {
			noun = "parameter"
		}
		return nil, &SyntaxError{fmt.Sprintf("Function '%s' requires %s %s.", t.text, want, noun), t.at}
	}
	if f == Replace {
		if err := checkReplace(args, t.at); err != nil {
			return nil, err
		}
	}
	if e, ok := ofText(f, args[0]); ok && p.V4 {
		return e, nil
	}
	for i, a := range args {
		c, ok := argument(a, sig.args[i])
		if !ok {
			return nil, &SyntaxError{fmt.Sprintf("Function '%s' takes a %s, not a %s", t.text, sig.args[i], a.Type()),
				t.at}
		}
		args[i] = c
	}
	switch f {
	case StartsWith, EndsWith, Contains, IndexOf:
		args[0], args[1] = foldCase(args[0], args[1])
	}
	return Call{Func: f, Args: args}, nil
}

// textParts are where a text has the parts of a date or of a time of day: the first
// place and the number of digits.
var textParts = map[Func][2]int64{Year: {0, 4}, Month: {5, 2}, Day: {8, 2}, Hour: {0, 2}, Minute: {3, 2},
	Second: {6, 2}}

// ofText is a function of dates over a column of text. Clients of 3.0 keep dates
// without time, and times without date, as text: 2022-06-30, 07:14:00.
func ofText(f Func, x Expr) (Expr, bool) {
	if _, constant := x.(Literal); constant || x.Type() != String {
		return nil, false
	}
	if f == DateOnly || f == TimeOnly {
		return x, true
	}
	part, ok := textParts[f]
	at, n := Literal{Value: IntegerOf(part[0])}, Literal{Value: IntegerOf(part[1])}
	return Call{Func: Digits, Args: []Expr{x, at, n}}, ok
}

// argument converts a to the wanted type: null becomes a null of that type,
// constants are converted, integers become numbers.
func argument(a Expr, want Type) (Expr, bool) {
	if isNullLiteral(a) {
		return Literal{As: want}, true
	}
	if a.Type() == want {
		return a, true
	}
	if l, ok := a.(Literal); ok {
		return convert(l.Value, want)
	}
	if want == Number && a.Type() == Integer {
		return toNumber(a), true
	}
	return a, false
}

// checkReplace keeps replace from growing text without bound: what to find and
// what to put there are constants, the latter of at most 100 characters
// (azure-odata-sql 0.1.0, parseOData.js).
func checkReplace(args []Expr, at int) error {
	for _, a := range args[1:] {
		if _, ok := a.(Literal); !ok {
			return &SyntaxError{"The second and third parameter to 'replace' must be constants", at}
		}
	}
	if utf8.RuneCountInString(args[2].(Literal).Value.Plain()) > 100 {
		return &SyntaxError{"The third parameter to 'replace' must be a string constant less than 100 in length.", at}
	}
	return nil
}

// constant is a function of OData v4 without arguments from the table.
func (p *parse) constant(name string, args int) (Expr, bool) {
	switch {
	case name == "now" && args == 0:
		return Literal{Value: DateOf(p.Now)}, true
	case name == "mindatetime" && args == 0:
		return Literal{Value: DateOf(minDate)}, true
	case name == "maxdatetime" && args == 0:
		return Literal{Value: DateOf(maxDate)}, true
	case name == "totaloffsetminutes" && args == 1:
		return Literal{Value: IntegerOf(0)}, true
	}
	return nil, false
}

var edmTypes = map[string]Type{
	"Edm.DateTimeOffset": Date, "Edm.Date": Date, "Edm.TimeOfDay": Integer, "Edm.String": String, "Edm.Guid": String,
	"Edm.Boolean": Boolean, "Edm.Double": Number, "Edm.Single": Number, "Edm.Decimal": Number,
	"Edm.Int64": Number, "Edm.Int32": Number, "Edm.Int16": Number, "Edm.Byte": Number, "Edm.SByte": Number,
}

// cast reads cast(value,Edm.Type), which .NET clients write around dates.
func (p *parse) cast() (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(); err != nil {
		return nil, err
	}
	at := p.tok.at
	// Clients write the date with or without quotes.
	value, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != comma {
		return nil, p.fail("',' expected")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	to, ok := edmTypes[p.tok.text]
	if p.tok.kind != name || !ok {
		return nil, p.fail("Unknown type '%s'", clip(p.tok.text))
	}
	name := p.tok.text
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind != shut {
		return nil, p.fail("')' expected")
	}
	out, ok := castTo(name, to, value)
	if !ok {
		return nil, &SyntaxError{fmt.Sprintf("A %s cannot be cast to a %s", value.Type(), to), at}
	}
	return out, p.advance()
}

// castTo is a value as one of a type of Edm.
func castTo(name string, to Type, value Expr) (Expr, bool) {
	lit, constant := value.(Literal)
	isText := value.Type() == String
	switch {
	case isNullLiteral(value):
		return Literal{As: to}, true
	case name == "Edm.TimeOfDay" && constant && isText:
		return clockLiteral(lit.Value.Text)
	case name == "Edm.TimeOfDay" && lit.Value.Type == Integer && lit.calendar != "":
		return lit, true
	case name == "Edm.TimeOfDay" && value.Type() == Date:
		return Call{Func: TimeOnly, Args: []Expr{value}}, true
	case name == "Edm.TimeOfDay":
		return value, isText // a column of text
	case name == "Edm.Date" && isText && !constant:
		return value, true
	case name == "Edm.Guid" && constant && isText && isGUID(lit.Value.Text):
		return guidLiteral(lit.Value.Text), true
	case to == Date && constant && isText:
		// A plus that was not encoded arrives as a blank.
		value = Literal{Value: StringOf(strings.Replace(lit.Value.Text, " ", "+", 1))}
	}
	out, ok := argument(value, to)
	if ok && name == "Edm.Date" {
		if day, constant := out.(Literal); constant {
			return dayLiteral(day.Value), true
		}
		return Call{Func: DateOnly, Args: []Expr{out}}, true
	}
	return out, ok
}
