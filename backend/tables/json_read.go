package tables

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// property is one member of a JSON object. Nested says that the value is an
// object or an array, which no column takes; it was read over.
type property struct {
	name   string
	value  odata.Value
	nested bool
}

//lint:ignore ST1005 shown to clients
var errNotObject = errors.New(`The body must be a JSON object, such as {"text":"hello"}`)

// maxNesting is how deep values inside a body may nest.
const maxNesting = 64

// parseObject reads a JSON object strictly (RFC 8259). Blank input is an empty
// object. Of members with one name the last counts. Numbers beyond a double
// are refused.
func parseObject(body []byte) ([]property, error) {
	p := jsonReader{in: body}
	p.space()
	if p.pos == len(body) {
		return nil, nil
	}
	if body[p.pos] != '{' {
		if err := p.skip(0); err != nil {
			return nil, err
		}
		return nil, errNotObject
	}
	props, err := p.object()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.pos != len(body) {
		return nil, p.unexpected()
	}
	return props, nil
}

// parseArray reads a JSON array of objects and gives each to yield.
func parseArray(body []byte, yield func([]property) error) error {
	p := jsonReader{in: body}
	p.space()
	if !p.take('[') {
		return p.unexpected()
	}
	for first := true; ; first = false {
		p.space()
		if first && p.take(']') {
			break
		}
		props, err := p.object()
		if err != nil {
			return err
		}
		if err := yield(props); err != nil {
			return err
		}
		p.space()
		if p.take(']') {
			break
		}
		if !p.take(',') {
			return p.unexpected()
		}
	}
	p.space()
	if p.pos != len(body) {
		return p.unexpected()
	}
	return nil
}

type jsonReader struct {
	in  []byte
	pos int
}

func (p *jsonReader) unexpected() error {
	if p.pos >= len(p.in) {
		return errors.New("Unexpected end of JSON input") //lint:ignore ST1005 shown to clients
	}
	r, _ := utf8.DecodeRune(p.in[p.pos:])
	return fmt.Errorf("Unexpected token %q in JSON at position %d", r, p.pos) //lint:ignore ST1005 shown to clients
}

func (p *jsonReader) space() {
	for p.pos < len(p.in) {
		switch p.in[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

func (p *jsonReader) take(c byte) bool {
	if p.pos < len(p.in) && p.in[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *jsonReader) object() ([]property, error) {
	if !p.take('{') {
		return nil, p.unexpected()
	}
	props := make([]property, 0, 8)
	for first := true; ; first = false {
		p.space()
		if first && p.take('}') {
			return props, nil
		}
		prop, err := p.member()
		if err != nil {
			return nil, err
		}
		props = append(props, prop)
		p.space()
		if p.take('}') {
			return props, nil
		}
		if !p.take(',') {
			return nil, p.unexpected()
		}
	}
}

func (p *jsonReader) member() (property, error) {
	name, err := p.text()
	if err != nil {
		return property{}, err
	}
	p.space()
	if !p.take(':') {
		return property{}, p.unexpected()
	}
	p.space()
	prop := property{name: name}
	if p.pos < len(p.in) && (p.in[p.pos] == '{' || p.in[p.pos] == '[') {
		prop.nested = true
		return prop, p.skip(1)
	}
	prop.value, err = p.scalar()
	return prop, err
}

func (p *jsonReader) scalar() (odata.Value, error) {
	if p.pos >= len(p.in) {
		return odata.Value{}, p.unexpected()
	}
	switch c := p.in[p.pos]; {
	case c == '"':
		s, err := p.text()
		return odata.StringOf(s), err
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	for _, w := range []struct {
		word  string
		value odata.Value
	}{{"null", odata.Value{}}, {"true", odata.BooleanOf(true)}, {"false", odata.BooleanOf(false)}} {
		if strings.HasPrefix(string(p.in[p.pos:min(len(p.in), p.pos+5)]), w.word) {
			p.pos += len(w.word)
			return w.value, nil
		}
	}
	return odata.Value{}, p.unexpected()
}

// number reads a number. Integers of up to 15 digits, which a double holds
// exactly, come as Integer, everything else as Number.
func (p *jsonReader) number() (odata.Value, error) {
	start := p.pos
	p.take('-')
	if !p.take('0') && !p.digits() {
		return odata.Value{}, p.unexpected()
	}
	whole := true
	if p.take('.') {
		whole = false
		if !p.digits() {
			return odata.Value{}, p.unexpected()
		}
	}
	if p.take('e') || p.take('E') {
		whole = false
		if !p.take('+') {
			p.take('-')
		}
		if !p.digits() {
			return odata.Value{}, p.unexpected()
		}
	}
	text := string(p.in[start:p.pos])
	if whole && len(text) <= 15 && text != "-0" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil {
			return odata.IntegerOf(n), nil
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return odata.Value{}, fmt.Errorf("The number %.40s is out of range", text) //lint:ignore ST1005 shown to clients
	}
	return odata.NumberOf(f), nil
}

func (p *jsonReader) digits() bool {
	start := p.pos
	for p.pos < len(p.in) && p.in[p.pos] >= '0' && p.in[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}

// text reads a string literal.
func (p *jsonReader) text() (string, error) {
	if !p.take('"') {
		return "", p.unexpected()
	}
	start := p.pos
	for p.pos < len(p.in) {
		switch c := p.in[p.pos]; {
		case c == '"':
			raw := p.in[start:p.pos]
			p.pos++
			return p.checked(string(raw))
		case c == '\\':
			return p.escaped(start)
		case c < 0x20:
			return "", p.unexpected()
		}
		p.pos++
	}
	return "", p.unexpected()
}

// checked refuses text that no database column can hold.
func (p *jsonReader) checked(s string) (string, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return "", errors.New("A string cannot hold the character U+0000") //lint:ignore ST1005 shown to clients
	}
	if !utf8.ValidString(s) {
		return "", errors.New("The body is not valid UTF-8") //lint:ignore ST1005 shown to clients
	}
	return s, nil
}

// escaped goes on with a string that has escapes, which began at start.
func (p *jsonReader) escaped(start int) (string, error) {
	b := append([]byte(nil), p.in[start:p.pos]...)
	for p.pos < len(p.in) {
		c := p.in[p.pos]
		switch {
		case c == '"':
			p.pos++
			return p.checked(string(b))
		case c < 0x20:
			return "", p.unexpected()
		case c != '\\':
			b = append(b, c)
			p.pos++
			continue
		}
		p.pos++
		if p.pos >= len(p.in) {
			break
		}
		if p.in[p.pos] == 'u' {
			r, err := p.unicode()
			if err != nil {
				return "", err
			}
			b = utf8.AppendRune(b, r)
			continue
		}
		i := strings.IndexByte(`"\/bfnrt`, p.in[p.pos])
		if i < 0 {
			return "", p.unexpected()
		}
		b = append(b, "\"\\/\b\f\n\r\t"[i])
		p.pos++
	}
	return "", p.unexpected()
}

// unicode reads uXXXX, and the second half of a pair. A half that stands alone
// is the replacement character, as in encoding/json.
func (p *jsonReader) unicode() (rune, error) {
	r, err := p.hex4()
	if err != nil || r < 0xd800 || r > 0xdfff {
		return r, err
	}
	if r < 0xdc00 && p.pos+1 < len(p.in) && p.in[p.pos] == '\\' && p.in[p.pos+1] == 'u' {
		back := p.pos
		p.pos++
		low, err := p.hex4()
		if err != nil {
			return 0, err
		}
		if low >= 0xdc00 && low <= 0xdfff {
			return (r-0xd800)<<10 | (low - 0xdc00) + 0x10000, nil
		}
		p.pos = back
	}
	return utf8.RuneError, nil
}

func (p *jsonReader) hex4() (rune, error) {
	p.pos++ // the u
	if p.pos+4 > len(p.in) {
		p.pos = len(p.in)
		return 0, p.unexpected()
	}
	n, err := strconv.ParseUint(string(p.in[p.pos:p.pos+4]), 16, 16)
	if err != nil {
		return 0, p.unexpected()
	}
	p.pos += 4
	return rune(n), nil
}

// skip reads over any value.
func (p *jsonReader) skip(depth int) error {
	if depth > maxNesting {
		return errors.New("The body is nested too deeply") //lint:ignore ST1005 shown to clients
	}
	p.space()
	if p.pos >= len(p.in) {
		return p.unexpected()
	}
	closing := byte('}')
	switch p.in[p.pos] {
	case '[':
		closing = ']'
	case '{':
	default:
		_, err := p.scalar()
		return err
	}
	p.pos++
	for first := true; ; first = false {
		p.space()
		if first && p.take(closing) {
			return nil
		}
		if closing == '}' {
			if _, err := p.text(); err != nil {
				return err
			}
			p.space()
			if !p.take(':') {
				return p.unexpected()
			}
		}
		if err := p.skip(depth + 1); err != nil {
			return err
		}
		p.space()
		if p.take(closing) {
			return nil
		}
		if !p.take(',') {
			return p.unexpected()
		}
	}
}
