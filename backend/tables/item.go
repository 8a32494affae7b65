package tables

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// columnValue turns a value of a body into a value of a column. Numbers become
// text in a text column and numeric text a number in a number column, as the
// original's database does; everything else that does not fit is refused.
func columnValue(p property, c ColumnDef) (odata.Value, error) {
	v := p.value
	if p.nested {
		return v,
			badRequest(fmt.Sprintf("The value of '%s' is an object or an array, which a column cannot hold", p.name))
	}
	if v.IsNull() {
		return v, nil
	}
	ok := false
	switch c.Type {
	case odata.String:
		if ok = v.Type != odata.Boolean; ok {
			v = odata.StringOf(v.Plain())
		}
	case odata.Number:
		switch v.Type {
		case odata.Number:
			ok = true
		case odata.Integer:
			v, ok = odata.NumberOf(float64(v.Num)), true
		case odata.String:
			f, err := strconv.ParseFloat(v.Text, 64)
			v, ok = odata.NumberOf(f), err == nil && f-f == 0
		}
	case odata.Boolean:
		if v.Type == odata.Integer && (v.Num == 0 || v.Num == 1) {
			v = odata.BooleanOf(v.Num == 1)
		}
		ok = v.Type == odata.Boolean
	case odata.Date:
		if v.Type == odata.String {
			var ms int64
			ms, ok = odata.ParseDate(v.Text)
			v = odata.DateOf(ms)
		}
	}
	if !ok {
		return v, badRequest(fmt.Sprintf("The value of '%s' is not a %s", p.name, c.Type))
	}
	return v, nil
}

// newColumn is the column that a property of a dynamic schema makes.
func newColumn(p property) (ColumnDef, error) {
	if !odata.ValidName(p.name) {
		return ColumnDef{},
			badRequest(fmt.Sprintf("'%.64s' is not a valid identifier. Identifiers must be under 128 characters in "+
				"length, start with a letter or underscore, and can contain only alpha-numeric and underscore "+
				"characters.", p.name))
	}
	if p.nested {
		return ColumnDef{},
			badRequest(fmt.Sprintf("The value of '%s' is an object or an array, which a column cannot hold", p.name))
	}
	typ := p.value.Type
	if typ == odata.Integer {
		typ = odata.Number
	}
	return ColumnDef{Name: p.name, Type: typ}, nil
}

// item is a body that was read: its id, its version and the other properties.
type item struct {
	id      odata.Value
	hasID   bool
	version string // "" when there is none
	props   []property
	body    []byte // as it came, for the answer to a duplicate
}

// reserved are the properties that no 2.0 body may have (azure-mobile-apps
// 4.0.2, checkReservedProperties.js).
func reserved(name string) bool {
	return strings.EqualFold(name, "createdAt") || strings.EqualFold(name, "updatedAt") ||
		strings.EqualFold(name, "deleted")
}

// readItem reads the request's body as a row.
func (q *request) readItem(s *Shape) (item, error) {
	var it item
	err := q.body(func(body []byte) error {
		props, err := parseObject(body)
		if err != nil {
			return badRequest(err.Error())
		}
		it.body = body
		return q.sort(s, &it, props)
	})
	return it, err
}

// sort tells id, version and the reserved properties from the rest.
func (q *request) sort(s *Shape, it *item, props []property) error {
	it.props = make([]property, 0, len(props))
	for _, p := range props {
		switch {
		case reserved(p.name) && !q.v3:
			return badRequest(fmt.Sprintf("Cannot update item with property '%s' as it is reserved", p.name))
		case strings.EqualFold(p.name, "id"):
			if p.value.IsNull() && !p.nested {
				continue
			}
			id, err := q.bodyID(s, p)
			if err != nil {
				return err
			}
			it.id, it.hasID = id, !id.IsNull()
		case strings.EqualFold(p.name, "version"):
			it.version = p.value.Plain()
			if it.version == "" && !p.value.IsNull() {
				it.version = "-" // no version: nothing matches
			}
		default:
			it.props = append(it.props, p)
		}
	}
	return nil
}

// bodyID is the id of a body. An empty one, and 0 where ids count up, is none.
func (q *request) bodyID(s *Shape, p property) (odata.Value, error) {
	bad := badRequest("The id is not valid")
	v := p.value
	if p.nested || v.Type == odata.Boolean {
		return v, bad
	}
	text := v.Plain()
	if text == "" {
		return odata.Value{}, nil
	}
	if s.Columns[colID].Type == odata.Integer {
		n, ok := odata.IntegerID(text)
		if !ok || n.Num < 0 {
			return v, bad
		}
		if n.Num == 0 {
			return odata.Value{}, nil
		}
		return n, nil
	}
	if !validID(text) {
		return v, bad
	}
	return odata.StringOf(text), nil
}

// guid returns a random GUID (version 4) in lower case.
func guid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	out := make([]byte, 0, 36)
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, hexDigits[c>>4], hexDigits[c&15])
	}
	return string(out)
}
