package settings

import (
	"encoding"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// notWhole returns the place of something else where a whole number belongs, nil
// for none. The decoder would cut a fraction off: of 0.5 it made 0, which stands
// for the default.
func notWhole(data []byte, t reflect.Type) *token.Position {
	file, err := parser.ParseBytes(data, 0)
	if err != nil || len(file.Docs) == 0 {
		return nil // the decoder has its own words for it
	}
	w := wholeWalk{anchors: map[string]ast.Node{}}
	return w.in(file.Docs[0].Body, t)
}

// unmarshaler is a type that reads itself.
type unmarshaler interface{ UnmarshalYAML(func(any) error) error }

// wholeWalk looks through a document, with the values that have an anchor so far.
type wholeWalk struct{ anchors map[string]ast.Node }

func (w wholeWalk) in(node ast.Node, t reflect.Type) *token.Position {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
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
	if reflect.PointerTo(t).Implements(reflect.TypeFor[unmarshaler]()) {
		return nil // it has its own forms
	}
	switch n := node.(type) {
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode,
		*ast.StringNode, *ast.LiteralNode: // 1e5 is text to the parser
		named := t == reflect.TypeFor[time.Duration]() ||
			reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
		if !named && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 {
			return n.GetToken().Position
		}
	case *ast.MappingNode:
		for _, value := range n.Values {
			if at := w.in(value, t); at != nil {
				return at
			}
		}
	case *ast.MappingValueNode:
		if n.Key.IsMergeKey() {
			return w.in(n.Value, t)
		}
		if inner := valueType(t, n.Key.GetToken().Value); inner != nil {
			return w.in(n.Value, inner)
		}
	case *ast.SequenceNode:
		if t.Kind() == reflect.Slice {
			t = t.Elem()
		} else if t.Kind() != reflect.Struct && t.Kind() != reflect.Map {
			return nil // but a list of mappings may be merged
		}
		for _, value := range n.Values {
			if at := w.in(value, t); at != nil {
				return at
			}
		}
	}
	return nil
}

// valueType returns the type of what stands under a key, nil if there is none.
func valueType(t reflect.Type, key string) reflect.Type {
	switch t.Kind() {
	case reflect.Map:
		return t.Elem()
	case reflect.Struct:
		for i := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); name == key && name != "-" {
				return t.Field(i).Type
			}
		}
	}
	return nil
}
