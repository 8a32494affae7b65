package transfer

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// TestDates reads dates as SQL Server and its tools write them.
func TestDates(t *testing.T) {
	for text, want := range map[string]struct {
		date   string
		change Change
	}{
		"2016-09-01 10:11:12.1310000 +00:00": {"2016-09-01T10:11:12.131Z", Unchanged},
		"2024-02-29 23:00:00.0000000 +02:00": {"2024-02-29T21:00:00.000Z", Unchanged},
		"2016-09-01 00:30:00 -14:00":         {"2016-09-01T14:30:00.000Z", Unchanged},
		"2016-09-01 10:11:12 +05:30":         {"2016-09-01T04:41:12.000Z", Unchanged},
		"2016-09-01T10:11:12.1314151Z":       {"2016-09-01T10:11:12.131Z", Cut},
		"2016-09-01T10:11:12.131Z":           {"2016-09-01T10:11:12.131Z", Unchanged},
		"2016-09-01t10:11:12z":               {"2016-09-01T10:11:12.000Z", Unchanged},
		"2016-09-01T10:11:12.131+00:00":      {"2016-09-01T10:11:12.131Z", Unchanged},
		"2016-09-01 10:11:12.131":            {"2016-09-01T10:11:12.131Z", AsUTC},
		"2016-09-01 10:11:12.1310000":        {"2016-09-01T10:11:12.131Z", AsUTC},
		"2016-09-01 10:11":                   {"2016-09-01T10:11:00.000Z", AsUTC},
		"2016-09-01":                         {"2016-09-01T00:00:00.000Z", AsUTC},
		"0001-01-01 00:00:00.0000000 +00:00": {"0001-01-01T00:00:00.000Z", Unchanged},
		"9999-12-31 23:59:59.9999999 +00:00": {"9999-12-31T23:59:59.999Z", Cut},
		"1969-12-31 23:59:59.9990000 +00:00": {"1969-12-31T23:59:59.999Z", Unchanged},
		"1969-12-31 23:59:59.9999 +00:00":    {"1969-12-31T23:59:59.999Z", Cut},
	} {
		ms, change, err := parseDate(text)
		if err != nil || odata.DateOf(ms).Plain() != want.date || change != want.change {
			t.Errorf("%s is %s, %q, %v", text, odata.DateOf(ms).Plain(), change, err)
		}
	}
	for _, text := range []string{"", "Sep  1 2016 10:11AM", "09/01/2016", "01.09.2016", "2016-9-1", "2016-02-30",
		"2016-09-01 24:00:00", "2016-09-01 10:11:60", "2016-13-01", "0000-01-01", "0001-01-01 00:00:00 +00:01",
		"9999-12-31 23:59:59 -00:01", "2016-09-01 10:11:12 +14:01", "2016-09-01 10:11:12 +0000", "10:11:12.0000000",
		"2016-09-01 10:11:12.", "2016-09-01 10:11:12.1234567891", "2016-09-01 10:11:12 +00:00 x", "2016-09-01T",
		"2016-09-01 10:11:12 UTC", "+2016-09-01", "2016-0९-01", "2016-09-01  10:11:12", "2016-09-01Z1"} {
		if ms, _, err := parseDate(text); err == nil {
			t.Errorf("%q was taken for %s", text, odata.DateOf(ms).Plain())
		}
	}
}

// TestNumbers: a number is the same, or refused.
func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{"12.3400": 12.34, ".5000": .5, "-.05": -.05, "0": 0, "-0.0000": 0,
		"+7": 7, "9007199254740992": 1 << 53, "-9007199254740991": -(1<<53 - 1), "922337203685477.5807": math.NaN(),
		"1.000000000000000e+002": 100, "0.10000000000000001": .1, "1.7976931348623157E+308": math.MaxFloat64,
		"4.9406564584124654e-324": math.SmallestNonzeroFloat64, "1,234.50": 1234.5, "-1,234,567.8000": -1234567.8,
		"123456789012345678000000": math.NaN(), "1e23": 1e23, "100000000000000000000": 1e20} {
		f, _, err := parseNumber(text)
		if math.IsNaN(want) != (err != nil) || err == nil && f != want {
			t.Errorf("%s is %v, %v", text, f, err)
		}
	}
	for _, text := range []string{"9007199254740993", "9223372036854775807", "1.0000000000000001", "1e-400", "1e309",
		"123.4567890123456789012345", "0x10", "1_000", "Inf", "nan", "12,34", "1.234,56", "1,234", "1,23,456.7", "$5",
		"1.2.3", "", "-", ".", "e5", "1e", "1e+", "5 kg", "١", "1,234.5,6"} {
		if f, _, err := parseNumber(text); err == nil {
			t.Errorf("%q was taken for %v", text, f)
		}
	}
}

func TestGUIDs(t *testing.T) {
	const lower = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
	for text, change := range map[string]Change{lower: Unchanged, strings.ToUpper(lower): Lowered,
		"{" + lower + "}": Lowered, "{" + strings.ToUpper(lower) + "}": Lowered} {
		if got, how, err := lowerGUID(text); got != lower || how != change || err != nil {
			t.Errorf("%s is %s, %q, %v", text, got, how, err)
		}
	}
	for _, text := range []string{"", "x", "{" + lower, lower + "0", strings.Replace(lower, "f", "g", 1),
		strings.ReplaceAll(lower, "-", "0"), "({" + lower + "})"} {
		if got, _, err := lowerGUID(text); err == nil {
			t.Errorf("%q was taken for %s", text, got)
		}
	}
}

// TestValues converts cells of every kind into columns of every type: a cell that
// does not fit is refused with its value.
func TestValues(t *testing.T) {
	types := map[string]odata.Type{"s": odata.String, "n": odata.Number, "b": odata.Boolean, "d": odata.Date}
	for _, c := range []struct {
		cell cell
		fits string
	}{
		{cell{"x", bare}, "s"}, {cell{"1", bare}, "snb"}, {cell{" True ", bare}, "sb"}, {cell{"2", quoted}, "sn"},
		{cell{"2016-01-01", quoted}, "sd"}, {cell{"1", number}, "snb"}, {cell{"20160101", number}, "sn"},
		{cell{"true", boolean}, "b"}, {cell{"", nested}, ""}, {cell{"x\x00", quoted}, ""}, {cell{"NULL", quoted}, "s"},
		{cell{"", quoted}, "s"},
	} {
		for name, typ := range types {
			v, _, err := value(c.cell, tables.ColumnDef{Name: name, Type: typ})
			if fits := strings.Contains(c.fits, name); fits != (err == nil) || fits && v.Type != typ {
				t.Errorf("%q (%d) as %s: %v, %v", c.cell.text, c.cell.kind, typ, v, err)
			}
		}
	}
}

// TestDialect: what is null in CSV, and what a backslash means.
func TestDialect(t *testing.T) {
	own, careful := dialect{csv: true, named: true, word: `\N`}, dialect{csv: true}
	ssms, blank := dialect{csv: true, named: true, word: "NULL"}, dialect{csv: true, named: true}
	for _, c := range []struct {
		dialect dialect
		cell    cell
		text    bool
		want    string // "null", "refused" or the text after "="
	}{
		{careful, cell{`\N`, bare}, true, "null"}, {careful, cell{`\\N`, bare}, true, `=\N`},
		{careful, cell{`\\server\share`, bare}, true, "refused"}, {careful, cell{`\x`, bare}, true, `=\x`},
		{careful, cell{"NULL", bare}, true, "refused"}, {careful, cell{"NULL", quoted}, true, "=NULL"},
		{careful, cell{"NULL", bare}, false, "null"}, {careful, cell{"NULL", quoted}, false, "=NULL"},
		{careful, cell{"", bare}, true, "="}, {careful, cell{"", quoted}, false, "null"},
		{careful, cell{"null", bare}, true, "=null"},
		{own, cell{"NULL", bare}, true, "=NULL"}, {own, cell{`\\server\share`, bare}, true, `=\server\share`},
		{own, cell{`\N`, bare}, true, "null"}, {own, cell{`\N`, bare}, false, "null"},
		{ssms, cell{"NULL", bare}, true, "null"}, {ssms, cell{"NULL", quoted}, true, "=NULL"},
		{ssms, cell{`\\server\share`, bare}, true, `=\\server\share`}, {ssms, cell{`\N`, bare}, true, `=\N`},
		{ssms, cell{"", bare}, true, "="}, {ssms, cell{"", bare}, false, "null"},
		{blank, cell{"", bare}, true, "null"}, {blank, cell{"", quoted}, true, "="},
		{blank, cell{"NULL", bare}, true, "=NULL"}, {blank, cell{"NULL", bare}, false, "null"},
		{dialect{}, cell{"NULL", quoted}, true, "=NULL"}, {dialect{}, cell{`\N`, quoted}, true, `=\N`},
	} {
		got, _, err := c.dialect.text(c.cell, c.text, false)
		shown := "=" + got.text
		if err != nil {
			shown = "refused"
		} else if got.kind == null {
			shown = "null"
		}
		if shown != c.want {
			t.Errorf("%+v, %+v, text %t: %s, want %s", c.dialect, c.cell, c.text, shown, c.want)
		}
	}
}

// FuzzDate: what both parsers read is the same date.
func FuzzDate(f *testing.F) {
	f.Add("2016-09-01T10:11:12.131Z")
	f.Add("2016-09-01 10:11:12.1310000 +00:00")
	f.Fuzz(func(t *testing.T, s string) {
		ms, _, err := parseDate(s)
		if err != nil {
			return
		}
		if ms < minDate || ms > maxDate || time.UnixMilli(ms).UTC().Year() < 1 {
			t.Errorf("%q is %d", s, ms)
		}
		if other, ok := odata.ParseDate(s); ok && other != ms {
			t.Errorf("%q is %d here and %d for clients", s, ms, other)
		}
		if again, change, err := parseDate(odata.DateOf(ms).Plain()); again != ms || change != Unchanged || err != nil {
			t.Errorf("%q comes back as %d, %v", s, again, err)
		}
	})
}

// FuzzNumber: a number that is taken shows the digits that it was written with.
func FuzzNumber(f *testing.F) {
	f.Add("12.3400")
	f.Add("9007199254740993")
	f.Add("1,234.50")
	f.Fuzz(func(t *testing.T, s string) {
		n, change, err := parseNumber(s)
		if err != nil {
			return
		}
		if math.IsNaN(n) || math.IsInf(n, 0) {
			t.Errorf("%q is %v", s, n)
		}
		again, _, err := parseNumber(odata.NumberOf(n).Plain())
		if err != nil || again != n {
			t.Errorf("%q is %v, which comes back as %v, %v (%s)", s, n, again, err, change)
		}
	})
}
