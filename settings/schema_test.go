package settings

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/golden"
	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// documented are the packages whose structs cordon.yaml is made of.
var documented = []string{"../backend/auth", "../backend/services", "../backend/tables", "../gateway/config", "."}

// fieldComments reads the comments of all fields that have a yaml tag.
func fieldComments(t *testing.T) map[string]string {
	all := map[string]string{}
	for _, dir := range documented {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				if spec, ok := n.(*ast.TypeSpec); ok {
					if s, ok := spec.Type.(*ast.StructType); ok {
						addComments(all, parsed.Name.Name+"."+spec.Name.Name, s)
					}
				}
				return true
			})
		}
	}
	return all
}

func addComments(all map[string]string, typ string, s *ast.StructType) {
	keys := map[string]string{}
	for _, field := range s.Fields.List {
		for _, name := range field.Names {
			if field.Tag != nil {
				keys[name.Name], _, _ = strings.Cut(reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("yaml"),
					",")
			}
		}
	}
	group := ""
	for _, field := range s.Fields.List {
		if field.Tag == nil || !strings.Contains(field.Tag.Value, "yaml:") {
			continue
		}
		text := strings.Join(strings.Fields(field.Doc.Text()), " ")
		if text == "" {
			text = group // a comment for several fields
		}
		group = text
		for _, name := range field.Names {
			all[typ+"."+name.Name] = forUsers(text, name.Name, keys)
		}
	}
}

// forUsers turns a comment on a field into a description of a key: "Admin is the
// address" into "The address", and the names of other fields into their keys.
func forUsers(text, field string, keys map[string]string) string {
	if rest, ok := strings.CutPrefix(text, field+" "); ok {
		for _, verb := range []string{"is ", "are "} {
			rest = strings.TrimPrefix(rest, verb)
		}
		text = strings.ToUpper(rest[:1]) + rest[1:]
	}
	words := strings.Split(text, " ")
	for i, word := range words {
		bare := strings.Trim(word, ".,:;()")
		sentence := i == 0 || strings.HasSuffix(words[i-1], ".")
		if key := keys[bare]; key != "" && key != "-" && !sentence && len(bare) > 3 && bare != strings.ToUpper(bare) {
			words[i] = strings.Replace(word, bare, "`"+key+"`", 1)
		}
	}
	return strings.Join(words, " ")
}

// TestDescriptions compares descriptions.json with the source.
func TestDescriptions(t *testing.T) {
	want, err := json.MarshalIndent(fieldComments(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "descriptions.json", append(want, '\n'))
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("cordon.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("cordon.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func validate(t *testing.T, s *jsonschema.Schema, text []byte) error {
	t.Helper()
	converted, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(converted))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(value)
}

// TestSchemaAndDecoderAgree feeds both the same files.
func TestSchemaAndDecoderAgree(t *testing.T) {
	s := compileSchema(t)
	for _, text := range []string{issueExample,
		"server: {tls: {cert: a, key: b}}", "server: {tls: off}", "identity: {unauthenticated: 401}",
		"identity: {unauthenticated: \"403\"}",
		"tables: {a: {columns: {b: {type: string, default: x, unique: true}}, indexes: [b, [b, b]]}}",
		"gateway: {apps: [{name: a, config: config.xml, private: [{host: h, range: 10.0.0.0/8}]}]}",
	} {
		if err := validate(t, s, []byte(text)); err != nil {
			t.Errorf("the schema refuses %s: %v", text, err)
		}
		if _, err := Parse("cordon.yaml", []byte(text)); err != nil {
			t.Errorf("the decoder refuses %s: %v", text, err)
		}
	}
	for _, text := range []string{"servr: {}", "server: {lisen: x}", "server: {listen: [1]}",
		"identity: {providers: {a: {client: x}}}", "identity: {lifetime: soon}", "identity: {rate_limit: many}",
		"tables: {a: {columns: {b: {typ: string}}}}", "tables: {a: {page: 3}}", "services: {a: {upstrem: x}}",
		"server: {tls: {cert: a, kee: b}}", "gateway: {apps: [{nam: a}]}", "database: {a: b}",
		"egress: {allow: {a: b}}", "tables: {a: {webhook: {uri: x}}}"} {
		if validate(t, s, []byte(text)) == nil {
			t.Errorf("the schema takes %s", text)
		}
		if _, err := Parse("cordon.yaml", []byte(text)); err == nil {
			t.Errorf("the decoder takes %s", text)
		}
	}
}

// TestSchemaDescribesEverything finds keys without a description.
func TestSchemaDescribesEverything(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		node, ok := v.(map[string]any)
		if !ok {
			return
		}
		for key, value := range node {
			if key == "properties" {
				for name, property := range value.(map[string]any) {
					if p := property.(map[string]any); p["description"] == nil {
						t.Errorf("%s.%s has no description", path, name)
					}
				}
			}
			walk(path+"/"+key, value)
		}
	}
	walk("", root)
}

// TestExamples checks every cordon.yaml of the repository, schema and decoder.
func TestExamples(t *testing.T) {
	s := compileSchema(t)
	found := 0
	for _, dir := range []string{"../examples", "../docs", "../bench"} {
		err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Base(path) != "cordon.yaml" {
				return err
			}
			found++
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := validate(t, s, text); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if _, err := Load(path); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	t.Logf("%d examples", found)
}

// TestSchemaKnowsEveryType fails when a new kind of field has no spelling in the
// schema.
func TestSchemaKnowsEveryType(t *testing.T) {
	g := &generator{definitions: schema{}}
	seen := map[reflect.Type]bool{}
	var walk func(path string, t reflect.Type)
	walk = func(path string, typ reflect.Type) {
		if seen[typ] {
			return
		}
		seen[typ] = true
		if typ.Kind() != reflect.Interface && len(g.of(typ)) == 0 {
			t.Errorf("%s: the schema has no spelling for %s", path, typ)
		}
		switch typ.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(path, typ.Elem())
		case reflect.Struct:
			for field := range typ.Fields() {
				if tag := field.Tag.Get("yaml"); tag != "" && tag != "-" {
					walk(path+"."+field.Name, field.Type)
				}
			}
		}
	}
	walk("Settings", reflect.TypeFor[Settings]())
}
