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

// fraction returns the place of something else where a whole number belongs, nil
// for none. The decoder would cut a fraction off: of 0.5 it made 0, which stands
// for the default.
func fraction(data []byte, t reflect.Type) *token.Position {
	file, err := parser.ParseBytes(data, 0)
	if err != nil || len(file.Docs) == 0 {
		return nil // the decoder has its own words for it
	}
	return fractionIn(file.Docs[0].Body, t)
}

// unmarshaler is a type that reads itself.
type unmarshaler interface{ UnmarshalYAML(func(any) error) error }

func fractionIn(node ast.Node, t reflect.Type) *token.Position {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[unmarshaler]()) {
		return nil // it has its own forms
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := node.(type) {
	case *ast.FloatNode, *ast.StringNode, *ast.InfinityNode, *ast.NanNode: // 1e5 is text to the parser
		named := t == reflect.TypeFor[time.Duration]() ||
			reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
		if !named && t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 {
			return n.GetToken().Position
		}
	case *ast.MappingNode:
		for _, value := range n.Values {
			if at := fractionIn(value, t); at != nil {
				return at
			}
		}
	case *ast.MappingValueNode:
		if inner := valueType(t, n.Key.GetToken().Value); inner != nil {
			return fractionIn(n.Value, inner)
		}
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice {
			return nil
		}
		for _, value := range n.Values {
			if at := fractionIn(value, t.Elem()); at != nil {
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
