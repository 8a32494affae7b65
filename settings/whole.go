package settings

import (
	"encoding"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// misread is a value that the decoder would take for another than is written.
type misread struct {
	at  *token.Position
	msg string
}

// misreadNumber returns the first of two kinds of number, nil for none. Of a
// fraction where a whole number belongs the decoder would cut the fraction off. And
// zero stands for the default where there is one: whoever writes it means another.
func misreadNumber(data []byte, t reflect.Type) *misread {
	file, err := parser.ParseBytes(data, 0)
	if err != nil || len(file.Docs) == 0 {
		return nil // the decoder has its own words for it
	}
	w := wholeWalk{anchors: map[string]ast.Node{}}
	return w.in(file.Docs[0].Body, field{Type: t})
}

// field is the type of a value, and its default if zero stands for that.
type field struct {
	reflect.Type
	byDefault string
}

// unmarshaler is a type that reads itself.
type unmarshaler interface{ UnmarshalYAML(func(any) error) error }

// wholeWalk looks through a document, with the values that have an anchor so far.
type wholeWalk struct{ anchors map[string]ast.Node }

func (w wholeWalk) in(node ast.Node, t field) *misread {
	for t.Kind() == reflect.Pointer {
		t = field{Type: t.Elem()}
	}
	switch n := node.(type) {
	case *ast.AnchorNode:
		w.anchors[n.Name.GetToken().Value] = n.Value
		return w.in(n.Value, t)
	case *ast.AliasNode: // the value is judged again: it may stand for something else there
		name := n.Value.GetToken().Value
		value, ok := w.anchors[name]
		if !ok {
			return nil
		}
		delete(w.anchors, name) // else a value that stands for itself would have no end
		defer func() { w.anchors[name] = value }()
		return w.in(value, t)
	case *ast.TagNode:
		return w.in(n.Value, t)
	}
	if reflect.PointerTo(t.Type).Implements(reflect.TypeFor[unmarshaler]()) {
		return nil // it has its own forms
	}
	if scalar, ok := node.(ast.ScalarNode); ok && t.byDefault != "" && isZero(scalar.GetToken().Value) {
		return &misread{scalar.GetToken().Position, "must be more than 0; without it, it is " + t.byDefault}
	}
	switch n := node.(type) {
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode,
		*ast.StringNode, *ast.LiteralNode: // 1e5 is text to the parser
		named := t.Type == reflect.TypeFor[time.Duration]() ||
			reflect.PointerTo(t.Type).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
		if !named && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 {
			return &misread{n.GetToken().Position, "must be a whole number"}
		}
	case *ast.MappingNode:
		for _, value := range n.Values {
			if wrong := w.in(value, t); wrong != nil {
				return wrong
			}
		}
	case *ast.MappingValueNode:
		if n.Key.IsMergeKey() {
			return w.in(n.Value, t)
		}
		if inner, ok := valueType(t.Type, n.Key.GetToken().Value); ok {
			return w.in(n.Value, inner)
		}
	case *ast.SequenceNode:
		if t.Kind() == reflect.Slice {
			t = field{Type: t.Elem()}
		} else if t.Kind() != reflect.Struct && t.Kind() != reflect.Map {
			return nil // but a list of mappings may be merged
		}
		for _, value := range n.Values {
			if wrong := w.in(value, t); wrong != nil {
				return wrong
			}
		}
	}
	return nil
}

// isZero reports whether a number, or a time with its unit, is none.
func isZero(text string) bool {
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		return n == 0
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil { // in hexadecimal, for instance
		return n == 0
	}
	d, err := time.ParseDuration(text)
	return err == nil && d == 0
}

// valueType returns the type of what stands under a key, false if there is none.
func valueType(t reflect.Type, key string) (field, bool) {
	switch t.Kind() {
	case reflect.Map:
		return field{Type: t.Elem()}, true
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != key || name == "-" {
				continue
			}
			of := field{Type: f.Type}
			if f.Type.Kind() >= reflect.Int && f.Type.Kind() <= reflect.Float64 {
				of.byDefault = f.Tag.Get("default")
			}
			return of, true
		}
	}
	return field{}, false
}
