package transfer

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Change says how a value was changed to fit.
type Change string

// The changes. None loses anything that a column could hold.
const (
	// Unchanged is the zero value.
	Unchanged Change = ""
	// Cut is a date finer than the milliseconds that clients see.
	Cut Change = "a fraction finer than milliseconds is cut"
	// AsUTC is a date without an offset.
	AsUTC Change = "a date without an offset is read as UTC"
	// Ungrouped is a number with separators between thousands.
	Ungrouped Change = "separators between thousands are left out"
	// Lowered is a GUID in capitals or braces.
	Lowered Change = "a GUID is written in lower case, without braces"
	// NullWord is the word that stands for null.
	NullWord Change = "the word for null is read as null"
)

// The reasons for which a value is refused.
var (
	errNested = errors.New("it is an object or an array, which a column cannot hold")
	errNUL    = errors.New("it has the character U+0000, which no column can hold; if bcp wrote the file in its " +
		"native format (-n, as in a BACPAC), write it with bcp -w")
	errRounded  = errors.New("a number column would round it: it holds 15 to 17 digits; make the column a string")
	errNullWord = errors.New(`it may be the word for null or a text: say --null NULL if it means null, --null '\N' ` +
		`if not, or write texts in quotes`)
	errBackslash = errors.New(`it may begin with one backslash or with two: say --null '\N' if the file is as cordon ` +
		`tables export writes it, and otherwise which word is null, such as --null NULL`)
)

// quote is how much of a value a message shows.
func quote(text string) string { return strconv.QuoteToGraphic(clip(text, 60)) }

func clip(text string, size int) string {
	if len(text) <= size {
		return text
	}
	for size > 0 && text[size]&0xc0 == 0x80 {
		size--
	}
	return text[:size] + "…"
}

// notA says that a value is not one of the column's type.
func notA(column tables.ColumnDef, text, remedy string) error {
	if remedy != "" {
		remedy = "; " + remedy
	}
	return fmt.Errorf("The value of '%s' is not a %s: %s%s", //lint:ignore ST1005 as clients are told
		column.Name, column.Type, quote(text), remedy)
}

// dialect is how CSV says null and writes a backslash.
type dialect struct {
	// word is the word for null, where one was named.
	word  string
	named bool
	csv   bool
}

// ownWord is the word for null of cordon tables export.
const ownWord = `\N`

// text reads a cell by the rules for null and backslashes. Own says that the row is
// certainly one that cordon tables export wrote.
func (d dialect) text(c cell, isText, own bool) (cell, Change, error) {
	if !d.csv || c.kind == null || c.kind == nested {
		return c, Unchanged, nil
	}
	switch {
	case c.text == "" && (!isText || d.named && d.word == "" && c.kind == bare):
		return cell{"", null}, Unchanged, nil
	case c.kind == bare && d.named && c.text == d.word:
		return cell{"", null}, NullWord, nil
	case !isText && c.kind == bare && c.text == "NULL":
		return cell{"", null}, NullWord, nil
	case d.named && d.word != ownWord:
		return c, Unchanged, nil
	case c.text == ownWord:
		return cell{"", null}, Unchanged, nil
	case c.text == "NULL" && c.kind == bare && !d.named && !own:
		return c, Unchanged, errNullWord
	case strings.HasPrefix(c.text, `\\`):
		if !d.named && !own && c.text != `\`+ownWord {
			return c, Unchanged, errBackslash
		}
		return cell{c.text[1:], c.kind}, Unchanged, nil
	}
	return c, Unchanged, nil
}

// value reads a cell, which is not null, as a value of a column.
func value(c cell, column tables.ColumnDef) (odata.Value, Change, error) {
	if c.kind == nested {
		return odata.Value{}, Unchanged, errNested
	}
	if column.Type == odata.String {
		v, err := text(c, column)
		return v, Unchanged, err
	}
	trimmed := strings.Trim(c.text, " ")
	switch column.Type {
	case odata.Number:
		if c.kind == boolean {
			break
		}
		f, change, err := parseNumber(trimmed)
		if errors.Is(err, errNumber) {
			return odata.Value{}, change, notA(column, c.text, remedyOf(err))
		}
		if err != nil {
			err = fmt.Errorf("The value %s of '%s' cannot be kept: %w", //lint:ignore ST1005 as clients are told
				quote(c.text), column.Name, err)
		}
		return odata.NumberOf(f), change, err
	case odata.Boolean:
		if b, ok := parseBool(trimmed); ok {
			return odata.BooleanOf(b), Unchanged, nil
		}
	case odata.Date:
		if c.kind == number || c.kind == boolean {
			break
		}
		ms, change, err := parseDate(trimmed)
		if err != nil {
			return odata.Value{}, change, notA(column, c.text, err.Error())
		}
		return odata.DateOf(ms), change, nil
	}
	return odata.Value{}, Unchanged, notA(column, c.text, "")
}

func text(c cell, column tables.ColumnDef) (odata.Value, error) {
	if c.kind == boolean {
		return odata.Value{}, notA(column, c.text, "")
	}
	if strings.IndexByte(c.text, 0) >= 0 {
		return odata.Value{}, fmt.Errorf("The value of '%s': %w", column.Name, errNUL) //lint:ignore ST1005 ditto
	}
	return odata.StringOf(c.text), nil
}

// parseBool reads a bit: 0 and 1, or the words in any case.
func parseBool(s string) (b, ok bool) {
	switch {
	case s == "1", strings.EqualFold(s, "true"):
		return true, true
	case s == "0", strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

var errNumber = errors.New("not a number")

// numberError is errNumber with a remedy.
type numberError struct{ remedy string }

func (e *numberError) Error() string        { return e.remedy }
func (e *numberError) Is(target error) bool { return target == errNumber }
func remedyOf(err error) string {
	var e *numberError
	if errors.As(err, &e) {
		return e.remedy
	}
	return ""
}

// parseNumber reads a number as SQL Server writes it: int, decimal, money, float.
// One that a double would not show again as it is written is refused.
func parseNumber(s string) (f float64, change Change, err error) {
	plain := s
	if strings.Contains(s, ",") {
		if plain, err = ungroup(s); err != nil {
			return 0, Unchanged, err
		}
		change = Ungrouped
	}
	digits, whole, ok := scanNumber(plain)
	if !ok {
		return 0, Unchanged, errNumber
	}
	f, err = strconv.ParseFloat(plain, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, change, errors.New("it is out of range")
	}
	if f == 0 && digits != "" || !exact(f, digits, whole) {
		return 0, change, errRounded
	}
	return f, change, nil
}

// ungroup takes out the commas of 1,234,567.80. Without the point it could as well
// be a decimal comma.
func ungroup(s string) (string, error) {
	whole, fraction, point := strings.Cut(strings.TrimLeft(s, "+-"), ".")
	groups := strings.Split(whole, ",")
	ok := point && fraction != "" && !strings.Contains(fraction, ",") && len(groups[0]) >= 1 && len(groups[0]) <= 3
	for _, g := range groups[1:] {
		ok = ok && len(g) == 3
	}
	if !ok {
		return "", &numberError{
			"a number must have a point before its fraction, and no other separator; commas between " +
				"thousands are read where the number has a point, as in 1,234.50",
		}
	}
	return strings.ReplaceAll(s, ",", ""), nil
}

// scanNumber takes a decimal number apart: its digits without leading and trailing
// zeros, and whether it has neither a fraction nor an exponent.
func scanNumber(s string) (digits string, whole, ok bool) {
	var b strings.Builder
	whole = true
	i, seen := 0, 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for ; i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' && whole); i++ {
		if s[i] == '.' {
			whole = false
			continue
		}
		seen++
		b.WriteByte(s[i])
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') && seen > 0 {
		whole = false
		if i++; i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		at := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		if at == i {
			return "", false, false
		}
	}
	return strings.Trim(b.String(), "0"), whole, seen > 0 && i == len(s)
}

// exact reports whether a double stands for what was written: an integer must be
// the same, anything else have the same digits.
func exact(f float64, digits string, whole bool) bool {
	if len(digits) <= 15 {
		return true
	}
	if whole {
		if plain := strings.TrimLeft(string(odata.AppendNumber(nil, f)), "-"); strings.Trim(plain, "0") == digits {
			return true // as clients are shown it, and exports have it
		}
		return strings.Trim(strings.TrimLeft(strconv.FormatFloat(f, 'f', 0, 64), "-"), "0") == digits
	}
	shown, _, _ := strings.Cut(strconv.FormatFloat(f, 'e', len(digits)-1, 64), "e")
	return strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(shown), "0") == digits
}
