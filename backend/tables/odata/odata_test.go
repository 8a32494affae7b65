package odata_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

var parser = odata.Parser{Column: func(name string) (odata.Column, bool) {
	t, ok := map[string]odata.Type{"id": odata.String, "s": odata.String, "n": odata.Number, "b": odata.Boolean,
		"d": odata.Date, "i": odata.Integer, "version": odata.Version, "updatedAt": odata.Date,
		"fold": odata.String}[name]
	return odata.Column{Name: name, Of: t, IgnoreCase: name == "fold"}, ok
}}

// TestMistakes checks what a client is told, in the words of the original where
// it has some, with the place.
func TestMistakes(t *testing.T) {
	for src, want := range map[string]string{
		"":                               "Expression expected (at index 0)",
		"n eq":                           "Expression expected (at index 4)",
		"n eq 1 x":                       "Syntax error (at index 7)",
		"(n eq 1":                        "')' or operator expected (at index 7)",
		"s eq 'x":                        "Unterminated string literal (at index 7)",
		"n eq 1.":                        "Digit expected (at index 7)",
		"n eq 1e":                        "Digit expected (at index 7)",
		"n eq 12abc":                     "Syntax error (at index 7)",
		"d eq datetime'2016'":            "Invalid 'datetime' type creation expression (at index 13)",
		"d eq datetimeoffset'x'":         "Invalid 'datetimeoffset' type creation expression (at index 19)",
		"d eq time'PT1S'":                "Invalid 'time' type creation expression (at index 9)",
		"s eq guid'1'":                   "Invalid 'guid' type creation expression (at index 9)",
		"length(s, s) eq 1":              "Function 'length' requires 1 parameter. (at index 0)",
		"substring(s) eq 's'":            "Function 'substring' requires 2 or 3 parameters. (at index 0)",
		"nope(s)":                        "Unknown function 'nope' (at index 0)",
		"contains(s,'x')":                "Unknown function 'contains' (at index 0)",
		"year(s) eq 1":                   "Function 'year' takes a date, not a string (at index 0)",
		"s":                              "A condition is expected, not a string (at index 0)",
		"b and n":                        "A condition is expected, not a number (at index 6)",
		"s add 1 eq 2":                   "A number is expected, not a string (at index 2)",
		"s gt b":                         "A string cannot be compared with a boolean (at index 2)",
		"n eq 'x'":                       "A number cannot be compared with a string (at index 2)",
		"s/x eq 1":                       "Columns have no members (at index 1)",
		"x eq 1":                         "The column 'x' does not exist",
		"s eq \"x\"":                     "Syntax error (at index 5)",
		"replace(s,s,'x') eq 'y'":        "The second and third parameter to 'replace' must be constants (at index 0)",
		"n eq 1e999":                     "Invalid real literal '1e999' (at index 5)",
		strings.Repeat("(", 300) + "b":   "The query is nested too deeply (at index 256)",
		strings.Repeat("b or ", 4001):    "The query has too many parts (at index 19997)",
		strings.Repeat(" ", 70000) + "b": "The query is too long (at index 0)",
	} {
		_, err := parser.Filter(src)
		if err == nil || err.Error() != want {
			t.Errorf("%.60q: %v, want %s", src, err, want)
		}
	}
}

func TestOrderAndSelect(t *testing.T) {
	orders, err := parser.Order("n desc,length(s) ASC, d")
	if err != nil || len(orders) != 3 || !orders[0].Desc || orders[1].Desc || orders[1].By.Type() != odata.Integer {
		t.Errorf("orders: %+v, %v", orders, err)
	}
	names, err := parser.Select(" s ,n,s")
	if err != nil || strings.Join(names, " ") != "s n" {
		t.Errorf("names: %v, %v", names, err)
	}
	var unknown *odata.UnknownColumnError
	if _, err := parser.Select("s,other"); !errors.As(err, &unknown) || unknown.Name != "other" {
		t.Errorf("an unknown column: %v", err)
	}
	if orders, err = parser.Order("s" + strings.Repeat(",n", 63)); err != nil || len(orders) != 64 {
		t.Errorf("64 terms: %d, %v", len(orders), err)
	}
	for _, bad := range []string{"", "s,", "s down", "s,,n", "desc", "s" + strings.Repeat(",n", 64)} {
		if _, err := parser.Order(bad); err == nil {
			t.Errorf("the order %q was read", bad)
		}
	}
	for _, bad := range []string{"", "s,", "a b", "s;n", "1a"} {
		if _, err := parser.Select(bad); err == nil {
			t.Errorf("the selection %q was read", bad)
		}
	}
}

func TestValues(t *testing.T) {
	for f, want := range map[float64]string{0: "0", -4: "-4", 0.1: "0.1", 1e21: "1e+21", 1e-7: "1e-7",
		123456789012345680000: "123456789012345680000", 5e-324: "5e-324", 1e-10: "1e-10"} {
		if got := odata.NumberOf(f).Plain(); got != want {
			t.Errorf("%v is written %s", f, got)
		}
	}
	for in, want := range map[string]string{
		"2016-09-01T10:11:12.1314151Z": "2016-09-01T10:11:12.131Z",
		"2016-09-01T12:11:12+02:00":    "2016-09-01T10:11:12.000Z",
		"1969-12-31T23:59:59.999Z":     "1969-12-31T23:59:59.999Z", "2016-09-01": "2016-09-01T00:00:00.000Z",
		"0001-01-01T00:00:00Z": "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z": "9999-12-31T23:59:59.999Z",
		"2000-02-29T00:00:00Z": "2000-02-29T00:00:00.000Z",
	} {
		ms, ok := odata.ParseDate(in)
		if got := odata.DateOf(ms).Plain(); !ok || got != want {
			t.Errorf("%s is read as %s, %v", in, got, ok)
		}
	}
	for _, bad := range []string{"", "2016", "2016-02-30", "2016-13-01T00:00:00Z", "yesterday", "0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59-01:00", "2016-09-01T10:11:12Zx"} {
		if ms, ok := odata.ParseDate(bad); ok {
			t.Errorf("%q is read as %d", bad, ms)
		}
	}
	if n, ok := odata.ParseVersion(odata.FormatVersion(2001)); !ok || n != 2001 ||
		odata.FormatVersion(2001) != "AAAAAAAAB9E=" {
		t.Errorf("version: %d %v", n, ok)
	}
}

// FuzzFilter looks for texts that break the parser, in both protocols. What is
// read is a condition.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"n eq 1", "(s eq 'it''s') and not b", "substringof('x',s) eq true",
		"d gt datetime'2016-01-01T00:00:00.000Z'", "-n lt -3.5e2 or i eq 3L",
		"d eq cast('2016-01-01T00:00:00Z',Edm.DateTimeOffset)", "id in ('a','b')", "date(d) eq 2016-01-01",
		"replace(s,'a','b') eq 'c'", "version eq 'AAAAAAAAB9E='", "null eq null",
		"01234567-89ab-cdef-0123-456789abcdef eq id", "time(d) eq 10:11"} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, src string, v4 bool) {
		p := parser
		p.V4 = v4
		e, err := p.Filter(src)
		if err == nil && e.Type() != odata.Boolean {
			t.Errorf("%q is a %s", src, e.Type())
		}
		if _, err := p.Order(src); err == nil && strings.TrimSpace(src) == "" {
			t.Error("nothing is an order")
		}
	})
}
