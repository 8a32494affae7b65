package settings

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/internal/secret"
)

// descriptions are the comments of the configurations' fields, by
// "package.Type.Field". TestDescriptions keeps the file in step with the source.
//
//go:embed descriptions.json
var descriptions []byte

// schema is a JSON Schema, or a part of one.
type schema = map[string]any

// Schema returns the JSON Schema (2020-12) of cordon.yaml, indented.
func Schema() ([]byte, error) {
	texts := map[string]string{}
	if err := json.Unmarshal(descriptions, &texts); err != nil {
		return nil, fmt.Errorf("reading descriptions: %w", err)
	}
	g := &generator{texts: texts, definitions: schema{}}
	root := g.object(reflect.TypeFor[Settings]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "cordon.yaml"
	root["$defs"] = g.definitions
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return append(out, '\n'), nil
}

// generator makes a schema of Go types.
type generator struct {
	texts       map[string]string
	definitions schema
}

// special are the types that YAML spells in their own ways.
func (g *generator) special(t reflect.Type) (schema, bool) {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return schema{"type": "string", "pattern": `^-?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`}, true
	case reflect.TypeFor[netip.Prefix]():
		return schema{"type": "string"}, true
	case reflect.TypeFor[secret.Reference]():
		return schema{"type": "string", "pattern": "^((text-)?(env|file)):.+"}, true
	case reflect.TypeFor[TLS]():
		return schema{"oneOf": []any{schema{"enum": []any{"development", "off", false}}, g.object(t)}}, true
	case reflect.TypeFor[tables.Column]():
		return schema{"oneOf": []any{schema{"enum": []any{"string", "number", "boolean", "bool", "date", "datetime"}},
			g.object(t)}}, true
	case reflect.TypeFor[tables.Index]():
		return schema{"oneOf": []any{schema{"type": "string"},
			schema{"type": "array", "items": schema{"type": "string"}}}}, true
	case reflect.TypeFor[tables.Access]():
		return schema{"enum": []any{"anonymous", "authenticated", "disabled"}}, true
	}
	return nil, false
}

// of returns the schema of a type. Structs become definitions.
func (g *generator) of(t reflect.Type) schema {
	if s, ok := g.special(t); ok {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(t.Elem())
	case reflect.Struct:
		name := typeName(t)
		if _, known := g.definitions[name]; !known {
			g.definitions[name] = schema{} // ends recursion
			g.definitions[name] = g.object(t)
		}
		return schema{"$ref": "#/$defs/" + name}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": g.of(t.Elem())}
	case reflect.Slice:
		return schema{"type": "array", "items": g.of(t.Elem())}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint16:
		return schema{"type": "integer"}
	case reflect.Float64:
		return schema{"type": "number"}
	}
	return schema{} // anything: the default of a column
}

// object returns the schema of a struct's fields.
func (g *generator) object(t reflect.Type) schema {
	properties := schema{}
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if !field.IsExported() || name == "-" || name == "" {
			continue
		}
		property := g.of(field.Type)
		if values := field.Tag.Get("enum"); values != "" {
			property = schema{"enum": enumOf(values)}
		}
		if text := g.texts[typeName(t)+"."+field.Name]; text != "" {
			property["description"] = text
		}
		if def := field.Tag.Get("default"); def != "" {
			property["default"] = defaultOf(field.Type, def)
		}
		properties[name] = property
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

// enumOf lists the words; those that YAML reads as numbers are both.
func enumOf(words string) []any {
	var all []any
	for word := range strings.SplitSeq(words, ",") {
		all = append(all, word)
		if number, err := strconv.Atoi(word); err == nil {
			all = append(all, number)
		}
	}
	return all
}

func defaultOf(t reflect.Type, text string) any {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var value any
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int64:
		if t != reflect.TypeFor[time.Duration]() && json.Unmarshal([]byte(text), &value) == nil {
			return value
		}
	case reflect.Slice:
		return strings.Split(text, ",")
	}
	return text
}

// typeName is the package and name of a type.
func typeName(t reflect.Type) string {
	path := t.PkgPath()
	return path[strings.LastIndexByte(path, '/')+1:] + "." + t.Name()
}
