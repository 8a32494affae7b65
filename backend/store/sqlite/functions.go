package sqlite

import (
	"bytes"
	"database/sql/driver"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"modernc.org/sqlite"
)

// collation is the name of the Unicode order (CLDR root) for $orderby.
const collation = "CORDON_UNICODE"

var collators = sync.Pool{New: func() any { return collate.New(language.Und) }}

// compareUnicode orders text as people expect; text that collation takes for
// equal is ordered by its bytes.
func compareUnicode(a, b string) int {
	if a == b {
		return 0
	}
	c := collators.Get().(*collate.Collator)
	n := c.CompareString(a, b)
	collators.Put(c)
	if n == 0 {
		n = bytes.Compare([]byte(a), []byte(b))
	}
	return n
}

var lowers = sync.Pool{New: func() any { c := cases.Lower(language.Und); return &c }}
var uppers = sync.Pool{New: func() any { c := cases.Upper(language.Und); return &c }}

func mapCase(pool *sync.Pool, s string, ascii func(string) string) string {
	for i := range len(s) {
		if s[i] >= 0x80 {
			c := pool.Get().(*cases.Caser)
			defer pool.Put(c)
			return c.String(s)
		}
	}
	return ascii(s)
}

// registerFunctions adds what SQLite lacks for the query language. Each is null
// if an argument is.
func registerFunctions() error {
	if err := sqlite.RegisterCollationUtf8(collation, compareUnicode); err != nil {
		return err
	}
	text := func(f func(string) any) func([]driver.Value) any {
		return func(args []driver.Value) any {
			s, ok := args[0].(string)
			if !ok {
				return nil
			}
			return f(s)
		}
	}
	all := map[string]struct {
		args int
		f    func([]driver.Value) any
	}{
		"cordon_lower":      {1, text(func(s string) any { return mapCase(&lowers, s, strings.ToLower) })},
		"cordon_upper":      {1, text(func(s string) any { return mapCase(&uppers, s, strings.ToUpper) })},
		"cordon_startswith": {2, func(a []driver.Value) any { return strings.HasPrefix(a[0].(string), a[1].(string)) }},
		"cordon_endswith":   {2, func(a []driver.Value) any { return strings.HasSuffix(a[0].(string), a[1].(string)) }},
		"cordon_substring":  {-1, substring},
		"cordon_concat":     {2, func(a []driver.Value) any { return made(a[0].(string), a[1].(string)) }},
		"cordon_replace":    {3, replace},
		"cordon_round": {1,
			func(a []driver.Value) any { x := real(a[0]); return math.Copysign(math.Floor(math.Abs(x)+0.5), x) }},
		"cordon_mod":    {2, modulo},
		"cordon_digits": {3, digits},
		"cordon_date":   {2, datePart},
	}
	for name, def := range all {
		err := sqlite.RegisterDeterministicScalarFunction(name, int32(def.args),
			func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
				for _, a := range args {
					if a == nil {
						return nil, nil
					}
				}
				out := def.f(args)
				if b, ok := out.(bool); ok {
					return boolNumber(b), nil
				}
				return out, nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// digits is the number that stands in a text at a place: so many digits, or fewer at
// its end.
func digits(a []driver.Value) any {
	s, _ := a[0].(string)
	start, n := int(a[1].(int64)), int(a[2].(int64))
	runes := []rune(s)
	if len(runes) <= start {
		return nil
	}
	part := string(runes[start:min(len(runes), start+n)])
	if strings.Trim(part, "0123456789") != "" {
		return nil
	}
	number, err := strconv.ParseInt(part, 10, 64)
	if err != nil {
		return nil
	}
	return number
}

func boolNumber(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func real(v driver.Value) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return math.NaN()
}

// modulo is x - trunc(x/y)*y, in steps that are each rounded, so that every
// store gets the same number.
func modulo(a []driver.Value) any {
	x, y := real(a[0]), real(a[1])
	if y == 0 {
		return nil
	}
	product := float64(math.Trunc(x/y) * y)
	return float64(x - product)
}

// maxMade is the longest text, in bytes, that a query makes of others; a longer one
// is null. So no row can make a query fail, or the machine's memory run out.
const maxMade = 1 << 20

func made(a, b string) any {
	if len(a)+len(b) > maxMade {
		return nil
	}
	return a + b
}

// replace is the text with one part of it replaced by another.
func replace(a []driver.Value) any {
	s, old, fresh := a[0].(string), a[1].(string), a[2].(string)
	if old == "" {
		return s
	}
	if len(s)+strings.Count(s, old)*(len(fresh)-len(old)) > maxMade {
		return nil
	}
	return strings.ReplaceAll(s, old, fresh)
}

// substring counts characters from 0; what lies outside of the text is not
// there.
func substring(a []driver.Value) any {
	s := []rune(a[0].(string))
	from := clamp(real(a[1]), len(s))
	to := len(s)
	if len(a) > 2 {
		to = clamp(math.Trunc(real(a[1]))+math.Max(math.Trunc(real(a[2])), 0), len(s))
	}
	if to <= from {
		return ""
	}
	return string(s[from:to])
}

func clamp(x float64, limit int) int {
	switch x = math.Trunc(x); {
	case x >= float64(limit):
		return limit
	case x > 0:
		return int(x)
	}
	return 0
}

// datePart is a part of a date in milliseconds, in UTC.
func datePart(a []driver.Value) any {
	ms, ok := a[1].(int64)
	if !ok {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	switch a[0].(string) {
	case "year":
		return int64(t.Year())
	case "month":
		return int64(t.Month())
	case "day":
		return int64(t.Day())
	case "hour":
		return int64(t.Hour())
	case "minute":
		return int64(t.Minute())
	case "second":
		return int64(t.Second())
	case "fraction":
		return float64(t.Nanosecond()/1e6) / 1000
	case "date":
		return ms - dayTime(ms)
	case "time":
		return dayTime(ms)
	}
	return nil
}

func dayTime(ms int64) int64 {
	const day = 86400000
	return (ms%day + day) % day
}
