package lint

import (
	"bytes"
	"encoding/json"
)

// node is a JSON value that knows its bytes. The zero node is an absent value.
type node struct {
	start, end int
	value      any // string, float64, bool or nil for scalars
	object     []member
	array      []node
	kind       byte // '{', '[', 's' for scalars, 0 for absent
}

// member is one member of an object; start is where its key begins.
type member struct {
	key   string
	start int
	value node
}

// parseJSON reads a JSON file as far as it is well formed; a malformed file
// gives the absent node. Depth is bounded by the decoder.
func parseJSON(data []byte) node {
	if len(data) == 0 {
		return node{}
	}
	p := &jsonParser{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	n, err := p.read(0)
	if err != nil {
		return node{}
	}
	return n
}

type jsonParser struct {
	data    []byte
	decoder *json.Decoder
}

const maxJSONDepth = 64

// next reads a token with the offsets that enclose it.
func (p *jsonParser) next() (token json.Token, start, end int, err error) {
	before := int(p.decoder.InputOffset())
	token, err = p.decoder.Token()
	end = int(p.decoder.InputOffset())
	for start = before; start < end && bytes.IndexByte([]byte(" \t\r\n,:"), p.data[start]) >= 0; start++ {
	}
	return token, start, end, err
}

func (p *jsonParser) read(depth int) (node, error) {
	token, start, end, err := p.next()
	if err != nil {
		return node{}, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return node{start: start, end: end, value: token, kind: 's'}, nil
	}
	if depth > maxJSONDepth {
		return node{}, &json.SyntaxError{Offset: int64(start)}
	}
	n := node{start: start, kind: byte(delim)}
	for p.decoder.More() {
		if delim == '[' {
			item, err := p.read(depth + 1)
			if err != nil {
				return node{}, err
			}
			n.array = append(n.array, item)
			continue
		}
		key, at, _, err := p.next()
		if err != nil {
			return node{}, err
		}
		value, err := p.read(depth + 1)
		if err != nil {
			return node{}, err
		}
		name, _ := key.(string)
		n.object = append(n.object, member{key: name, start: at, value: value})
	}
	_, _, n.end, err = p.next()
	return n, err
}

// at returns the value below the keys, or the absent node.
func (n node) at(keys ...string) node {
	for _, key := range keys {
		found := node{}
		for _, m := range n.object {
			if m.key == key {
				found = m.value
			}
		}
		n = found
	}
	return n
}

func (n node) members() []member { return n.object }

// text returns the value of a string node.
func (n node) text() (string, bool) {
	s, ok := n.value.(string)
	return s, ok
}

// isTrue reports whether the node is the value true.
func (n node) isTrue() bool {
	b, ok := n.value.(bool)
	return ok && b
}
