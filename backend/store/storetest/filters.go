package storetest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"pgregory.net/rapid"
)

// testFilters compares what a store returns for random filters with what a
// naive evaluator in Go says about every row.
func testFilters(t *testing.T, open Opener) {
	store := open(t)
	c := tables.Config{"item": {Columns: map[string]tables.Column{"s": {Type: "string"}, "n": {Type: "number"},
		"b": {Type: "boolean"}, "d": {Type: "date"}, "i": {Type: "string", IgnoreCase: true}}}}
	shape, _, err := c.Open(t.Context(), store, "item")
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"", "a", "A", "ab", "abc", " b ", "é", "É", "日本",
		"100%", "a_b", "it's", "zz", "\U0001f600x", "Straße"}
	numbers := []float64{0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, 7, 100, 1e9, -1e-3, 1.7e308, -1.7e308, 1e200, 1e-200,
		5e-324, -5e-324, 1e-308}
	dates := []string{"1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00.000Z", "2000-02-29T12:34:56.789Z",
		"2016-06-15T00:00:00.001Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z"}
	var rows [][]odata.Value
	var load []tables.LoadRow
	for i := range 60 {
		values := []odata.Value{odata.StringOf(texts[i%len(texts)]), odata.NumberOf(numbers[i*5%len(numbers)]),
			odata.BooleanOf(i%3 == 0), {}, odata.StringOf(texts[i*7%len(texts)])}
		ms, _ := odata.ParseDate(dates[i%len(dates)])
		values[3] = odata.DateOf(ms)
		if i%11 < 5 {
			values[i%11] = odata.Value{}
		}
		row := make([]odata.Value, len(shape.Columns))
		row[0] = odata.StringOf(fmt.Sprintf("r%02d", i))
		places := []int{}
		for j, name := range []string{"s", "n", "b", "d", "i"} {
			places = append(places, shape.Find(name))
			row[shape.Find(name)] = values[j]
		}
		rows = append(rows, row)
		load = append(load, tables.LoadRow{ID: row[0], Columns: places, Values: values, Version: int64(i + 1)})
	}
	if _, err := store.Load(t.Context(), shape, load, false); err != nil {
		t.Fatal(err)
	}
	parser := odata.Parser{Column: func(name string) (odata.Column, bool) {
		i := shape.Find(name)
		if i < 0 {
			return odata.Column{}, false
		}
		return odata.Column{Name: shape.Columns[i].Name, Of: shape.Columns[i].Type,
			IgnoreCase: shape.Columns[i].IgnoreCase}, true
	}, V4: true}
	check := func(fatal func(string, ...any), text string) {
		filter, err := parser.Filter(text)
		if err != nil {
			fatal("%s: %v", text, err)
		}
		var got, want []string
		err = store.Query(t.Context(), tables.Query{Shape: shape, Columns: []int{0}, Where: filter, Top: -1,
			Order: []odata.Order{{By: odata.Column{Name: "id", Of: odata.String}}}}, func(row []odata.Value) error {
			got = append(got, row[0].Text)
			return nil
		})
		if err != nil {
			fatal("%s: %v", text, err)
		}
		for _, row := range rows {
			if naive(filter, shape, row).Bool() {
				want = append(want, row[0].Text)
			}
		}
		if !slices.Equal(got, want) {
			fatal("%s\n got %v\nwant %v", text, got, want)
		}
	}
	// A negation binds closer than what stands around it.
	for _, text := range []string{"not b eq null", "not b ne null", "not (n gt 0) eq null", "not b ge false",
		"not not b eq true", "not b eq b or not b ne true"} {
		check(t.Fatalf, text)
	}
	rapid.Check(t, func(r *rapid.T) { check(r.Fatalf, randomFilter(r, texts, numbers, dates)) })
}

// randomFilter writes a filter that is correct by its types.
func randomFilter(r *rapid.T, texts []string, numbers []float64, dates []string) string {
	g := generator{r: r, texts: texts, numbers: numbers, dates: dates}
	return g.boolean(4)
}

type generator struct {
	r       *rapid.T
	texts   []string
	numbers []float64
	dates   []string
}

func (g *generator) pick(options ...func() string) string {
	return options[rapid.IntRange(0, len(options)-1).Draw(g.r, "which")]()
}

func (g *generator) op() string {
	return rapid.SampledFrom([]string{"eq", "ne", "gt", "ge", "lt", "le"}).Draw(g.r, "op")
}

func (g *generator) equality() string { return rapid.SampledFrom([]string{"eq", "ne"}).Draw(g.r, "op") }

func lit(s string) func() string { return func() string { return s } }

func (g *generator) boolean(depth int) string {
	leaf := []func() string{
		lit("b"), lit("(s eq null)"), lit("(n ne null)"), lit("(d eq null)"), lit("(b eq true)"), lit("(b ne null)"),
		lit("true"), lit("(n gt null)"),
		func() string { return fmt.Sprintf("(%s %s %s)", g.text(1), g.op(), g.text(1)) },
		func() string { return fmt.Sprintf("(%s %s %s)", g.number(1), g.op(), g.number(1)) },
		func() string { return fmt.Sprintf("(%s %s %s)", g.date(), g.op(), g.date()) }, func() string {
			return fmt.Sprintf("(i %s %s)", rapid.SampledFrom([]string{"eq", "ne"}).Draw(g.r, "op"), g.text(0))
		},
	}
	if depth == 0 {
		return g.pick(leaf...)
	}
	return g.pick(append(leaf,
		func() string { return fmt.Sprintf("(%s and %s)", g.boolean(depth-1), g.boolean(depth-1)) },
		func() string { return fmt.Sprintf("(%s or %s)", g.boolean(depth-1), g.boolean(depth-1)) },
		func() string { return fmt.Sprintf("not (%s)", g.boolean(depth-1)) },
		func() string { return fmt.Sprintf("(not (%s) %s null)", g.boolean(depth-1), g.equality()) },
		func() string { return fmt.Sprintf("(not (%s) %s %s)", g.boolean(depth-1), g.op(), g.boolean(0)) },
		func() string { return fmt.Sprintf("(%s eq %s)", g.boolean(0), g.boolean(0)) },
		func() string { return fmt.Sprintf("startswith(%s,%s)", g.text(2), g.text(1)) },
		func() string { return fmt.Sprintf("endswith(%s,%s)", g.text(2), g.text(1)) },
		func() string { return fmt.Sprintf("substringof(%s,%s)", g.text(1), g.text(2)) },
		func() string { return fmt.Sprintf("(%s %s %s)", g.text(3), g.op(), g.text(2)) },
		func() string { return fmt.Sprintf("(%s %s %s)", g.number(3), g.op(), g.number(2)) },
		func() string { return fmt.Sprintf("(s in (%s,%s))", g.text(0), g.text(0)) },
	)...)
}

func (g *generator) text(depth int) string {
	leaf := []func() string{lit("s"), func() string {
		return "'" + strings.ReplaceAll(rapid.SampledFrom(g.texts).Draw(g.r, "text"), "'", "''") + "'"
	}}
	if depth == 0 {
		return g.pick(leaf...)
	}
	return g.pick(append(leaf,
		func() string { return "tolower(" + g.text(depth-1) + ")" },
		func() string { return "toupper(" + g.text(depth-1) + ")" },
		func() string { return "trim(" + g.text(depth-1) + ")" },
		func() string { return "concat(" + g.text(depth-1) + "," + g.text(depth-1) + ")" },
		func() string { return "replace(s,'a','xy')" },
		func() string { return "substring(" + g.text(depth-1) + "," + g.number(0) + ")" },
		func() string { return "substring(" + g.text(depth-1) + "," + g.number(0) + "," + g.number(0) + ")" },
	)...)
}

func (g *generator) number(depth int) string {
	leaf := []func() string{lit("n"), func() string {
		return string(odata.AppendNumber(nil, rapid.SampledFrom(g.numbers).Draw(g.r, "number")))
	}}
	if depth == 0 {
		return g.pick(leaf...)
	}
	return g.pick(append(leaf,
		func() string {
			op := rapid.SampledFrom([]string{"add", "sub", "mul", "div", "mod"}).Draw(g.r, "arith")
			return fmt.Sprintf("(%s %s %s)", g.number(depth-1), op, g.number(depth-1))
		},
		func() string {
			return rapid.SampledFrom([]string{"floor", "ceiling", "round"}).Draw(g.r, "f") + "(" + g.number(depth-1) +
				")"
		},
		func() string { return "length(" + g.text(depth-1) + ")" },
		func() string { return "indexof(" + g.text(depth-1) + "," + g.text(0) + ")" },
		func() string {
			return rapid.SampledFrom([]string{"year", "month", "day", "hour", "minute", "second", "fractionalseconds",
				"time"}).Draw(g.r, "part") + "(" + g.date() + ")"
		},
		func() string { return "-(" + g.number(depth-1) + ")" },
	)...)
}

func (g *generator) date() string {
	return g.pick(lit("d"), lit("date(d)"), func() string {
		return "datetime'" + rapid.SampledFrom(g.dates).Draw(g.r, "date") + "'"
	})
}

// naive evaluates a tree for one row, with null for what is unknown.
func naive(e odata.Expr, s *tables.Shape, row []odata.Value) odata.Value {
	eval := func(e odata.Expr) odata.Value { return naive(e, s, row) }
	switch e := e.(type) {
	case odata.Column:
		return row[s.Find(e.Name)]
	case odata.Literal:
		return e.Value
	case odata.IsNull:
		return odata.BooleanOf(eval(e.X).IsNull() != e.Not)
	case odata.Not:
		x := eval(e.X)
		if x.IsNull() {
			return x
		}
		return odata.BooleanOf(!x.Bool())
	case odata.Logic:
		result := odata.BooleanOf(!e.Or)
		for _, t := range e.Terms {
			switch x := eval(t); {
			case x.IsNull() && result.Bool() != e.Or:
				result = x
			case !x.IsNull() && x.Bool() == e.Or:
				return x
			}
		}
		return result
	case odata.Compare:
		return naiveCompare(e.Op, eval(e.L), eval(e.R))
	case odata.Arith:
		return naiveArith(e.Op, eval(e.L), eval(e.R))
	case odata.Call:
		var args []odata.Value
		for _, a := range e.Args {
			v := eval(a)
			if v.IsNull() {
				return v
			}
			args = append(args, v)
		}
		return naiveCall(e.Func, args)
	}
	panic(fmt.Sprintf("a node of type %T", e))
}

func naiveCompare(op odata.Op, l, r odata.Value) odata.Value {
	if l.IsNull() || r.IsNull() {
		return odata.Value{}
	}
	n := 0
	switch l.Type {
	case odata.String:
		n = strings.Compare(l.Text, r.Text)
	case odata.Number:
		if l.Float() < r.Float() {
			n = -1
		} else if l.Float() > r.Float() {
			n = 1
		}
	default:
		n = int(math.Copysign(1, float64(l.Num)-float64(r.Num)))
		if l.Num == r.Num {
			n = 0
		}
	}
	return odata.BooleanOf(map[odata.Op]bool{odata.Eq: n == 0, odata.Ne: n != 0, odata.Gt: n > 0, odata.Ge: n >= 0,
		odata.Lt: n < 0, odata.Le: n <= 0}[op])
}

func naiveArith(op odata.Op, l, r odata.Value) odata.Value {
	if l.IsNull() || r.IsNull() {
		return odata.Value{}
	}
	x, y := l.Float(), r.Float()
	if y == 0 && (op == odata.Div || op == odata.Mod) {
		return odata.Value{}
	}
	whole := math.Trunc(x/y) * y
	n := map[odata.Op]float64{odata.Add: x + y, odata.Sub: x - y, odata.Mul: x * y, odata.Div: x / y,
		odata.Mod: x - whole}[op]
	if math.IsNaN(n) {
		return odata.Value{}
	}
	return odata.NumberOf(n)
}

func naiveCall(f odata.Func, a []odata.Value) odata.Value {
	s := []rune(a[0].Text)
	day := a[0].Time()
	switch f {
	case odata.StartsWith:
		return odata.BooleanOf(strings.HasPrefix(a[0].Text, a[1].Text))
	case odata.EndsWith:
		return odata.BooleanOf(strings.HasSuffix(a[0].Text, a[1].Text))
	case odata.Contains:
		return odata.BooleanOf(strings.Contains(a[0].Text, a[1].Text))
	case odata.Concat:
		return odata.StringOf(a[0].Text + a[1].Text)
	case odata.IndexOf:
		i := strings.Index(a[0].Text, a[1].Text)
		if i > 0 {
			i = len([]rune(a[0].Text[:i]))
		}
		return odata.IntegerOf(int64(i))
	case odata.Length:
		return odata.IntegerOf(int64(len(s)))
	case odata.Replace:
		if a[1].Text == "" {
			return a[0]
		}
		return odata.StringOf(strings.ReplaceAll(a[0].Text, a[1].Text, a[2].Text))
	case odata.Substring:
		return naiveSubstring(s, a)
	case odata.ToLower:
		return odata.StringOf(strings.ToLower(a[0].Text))
	case odata.ToUpper:
		return odata.StringOf(strings.ReplaceAll(strings.ToUpperSpecial(unicode.SpecialCase{}, a[0].Text), "ß", "SS"))
	case odata.Trim:
		return odata.StringOf(strings.Trim(a[0].Text, " "))
	case odata.Floor:
		return odata.NumberOf(math.Floor(a[0].Float()))
	case odata.Ceiling:
		return odata.NumberOf(math.Ceil(a[0].Float()))
	case odata.Round:
		return odata.NumberOf(math.Round(a[0].Float()))
	case odata.ToNumber:
		return odata.NumberOf(a[0].Float())
	case odata.FractionalSeconds:
		return odata.NumberOf(float64(day.Nanosecond()/1e6) / 1000)
	case odata.DateOnly:
		return odata.DateOf(time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, time.UTC).UnixMilli())
	case odata.TimeOnly:
		return odata.IntegerOf(int64(day.Hour())*3600000 + int64(day.Minute())*60000 + int64(day.Second())*1000 +
			int64(day.Nanosecond()/1e6))
	}
	part := map[odata.Func]int{odata.Year: day.Year(), odata.Month: int(day.Month()), odata.Day: day.Day(),
		odata.Hour: day.Hour(), odata.Minute: day.Minute(), odata.Second: day.Second()}
	n, ok := part[f]
	if !ok {
		panic(fmt.Sprint("function ", f))
	}
	return odata.IntegerOf(int64(n))
}

func naiveSubstring(s []rune, a []odata.Value) odata.Value {
	from, to := math.Trunc(a[1].Float()), float64(len(s))
	if len(a) > 2 {
		to = from + math.Max(0, math.Trunc(a[2].Float()))
	}
	out := ""
	for i, r := range s {
		if float64(i) >= from && float64(i) < to {
			out += string(r)
		}
	}
	return odata.StringOf(out)
}
