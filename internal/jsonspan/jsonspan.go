// Package jsonspan reads JSON into values that know their bytes, so that a place
// in a file can be named, and edits it so that every other byte stays.
package jsonspan

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Value is a JSON value with the bytes that it stands in, Start to End
// (exclusive). The zero Value is one that is not there.
type Value struct {
	Start, End int
	// Kind is '{' for an object, '[' for an array, 's' for a scalar, and 0 for a
	// value that is not there.
	Kind byte
	// Scalar is a string, float64, bool or nil.
	Scalar any
	// Members are those of an object, in order; a name may occur twice.
	Members []Member
	// Items are those of an array.
	Items []Value
}

// Member is one member of an object; Start is where its key begins.
type Member struct {
	Key   string
	Start int
	Value Value
}

// maxDepth bounds how deep arrays and objects nest.
const maxDepth = 64

// Parse reads one JSON document and nothing after it.
func Parse(data []byte) (Value, error) {
	if !json.Valid(data) {
		return Value{}, syntaxError(data)
	}
	p := &parser{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	return p.read(0)
}

// syntaxError is what encoding/json has to say of a document that is not valid.
func syntaxError(data []byte) error {
	var all json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	return errors.New("not valid JSON")
}

// Offset is the byte at which an error of Parse stands.
func Offset(data []byte, err error) int {
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) && syntax.Offset > 0 {
		return int(syntax.Offset) - 1
	}
	return len(data)
}

type parser struct {
	data    []byte
	decoder *json.Decoder
}

// next reads a token with the offsets that enclose it.
func (p *parser) next() (token json.Token, start, end int, err error) {
	before := int(p.decoder.InputOffset())
	token, err = p.decoder.Token()
	end = int(p.decoder.InputOffset())
	for start = before; start < end && bytes.IndexByte([]byte(" \t\r\n,:"), p.data[start]) >= 0; start++ {
	}
	return token, start, end, err
}

func (p *parser) read(depth int) (Value, error) {
	token, start, end, err := p.next()
	if err != nil {
		return Value{}, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return Value{Start: start, End: end, Scalar: token, Kind: 's'}, nil
	}
	if depth > maxDepth {
		return Value{}, errors.New("the JSON nests too deep")
	}
	v := Value{Start: start, Kind: byte(delim)}
	for p.decoder.More() {
		if delim == '[' {
			item, err := p.read(depth + 1)
			if err != nil {
				return Value{}, err
			}
			v.Items = append(v.Items, item)
			continue
		}
		key, at, _, err := p.next()
		if err != nil {
			return Value{}, err
		}
		value, err := p.read(depth + 1)
		if err != nil {
			return Value{}, err
		}
		name, _ := key.(string)
		v.Members = append(v.Members, Member{Key: name, Start: at, Value: value})
	}
	_, _, v.End, err = p.next()
	return v, err
}

// At returns the value below the keys, or one that is not there. Of two members
// of one name the last one counts, as for encoding/json and JavaScript.
func (v Value) At(keys ...string) Value {
	for _, key := range keys {
		found := Value{}
		for _, m := range v.Members {
			if m.Key == key {
				found = m.Value
			}
		}
		v = found
	}
	return v
}

// Text returns the value of a string.
func (v Value) Text() (string, bool) {
	s, ok := v.Scalar.(string)
	return s, ok
}

// IsTrue reports whether the value is true.
func (v Value) IsTrue() bool {
	b, ok := v.Scalar.(bool)
	return ok && b
}

// IsNull reports whether the value is null or not there.
func (v Value) IsNull() bool { return v.Kind == 0 || v.Kind == 's' && v.Scalar == nil }

// Set sets object.key in a document to a value that is JSON, and leaves every
// other byte. What is not there is added in front.
func Set(data []byte, object, key, value string) ([]byte, error) {
	root, err := Parse(data)
	if err != nil {
		return nil, err
	}
	inner := root.At(object)
	switch {
	case root.Kind != '{':
		return nil, errors.New("the document must be an object")
	case inner.Kind == 0:
		return root.insert(data, object, "{"+quote(key)+": "+value+"}"), nil
	case inner.Kind != '{':
		return nil, errors.New(object + " must be an object")
	}
	if old := inner.At(key); old.Kind != 0 {
		return splice(data, old.Start, old.End, value), nil
	}
	return inner.insert(data, key, value), nil
}

// insert adds a member in front of the others.
func (v Value) insert(data []byte, key, value string) []byte {
	member := quote(key) + ": " + value
	if len(v.Members) > 0 {
		member += ", "
	}
	return splice(data, v.Start+1, v.Start+1, member)
}

func splice(data []byte, start, end int, text string) []byte {
	made := make([]byte, 0, len(data)+len(text))
	made = append(made, data[:start]...)
	made = append(made, text...)
	return append(made, data[end:]...)
}

func quote(s string) string {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always encodes
		return `""`
	}
	return string(quoted)
}
