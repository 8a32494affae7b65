package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/tables"
)

// Error is one thing that is wrong with a configuration.
type Error struct {
	// File is the file's name, Line and Column where in it, from 1; 0 where the
	// place is unknown.
	File         string
	Line, Column int
	// Key is the path of keys.
	Key string
	// Msg is what is wrong.
	Msg string
	// Excerpt shows the line with a caret below it; "" without a place.
	Excerpt string
}

// Error returns the place, the key, the message and the excerpt.
func (e *Error) Error() string {
	place := e.File
	if e.Line > 0 {
		place += fmt.Sprintf(":%d:%d", e.Line, e.Column)
	}
	text := place + ": "
	if e.Key != "" {
		text += e.Key + " "
	}
	text += e.Msg
	if e.Excerpt != "" {
		text += "\n" + e.Excerpt
	}
	return text
}

// Errors is everything that is wrong with a configuration.
type Errors []*Error

// Error lists the errors, one below the other.
func (e Errors) Error() string {
	var lines []string
	for _, one := range e {
		lines = append(lines, one.Error())
	}
	return strings.Join(lines, "\n")
}

// Parse decodes a configuration strictly, without checking what it says. The
// name stands in errors, which are *Error.
func Parse(name string, data []byte) (s *Settings, err error) {
	// The library panics on some inputs that are not YAML, such as a tag where a
	// list belongs: those are errors like any other.
	defer func() {
		if recover() != nil {
			s, err = nil, &Error{File: name, Msg: "is not YAML that can be read; look for a tag, an anchor or an " +
				"alias (!, & or *) without a fitting value"}
		}
	}()
	s = &Settings{}
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	err = decoder.Decode(s)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, decodeError(name, data, err)
	}
	if err == nil {
		var second any
		if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
			return nil, &Error{File: name, Msg: "must be one document: a second one begins here"}
		}
	}
	if wrong := misreadNumber(data, reflect.TypeFor[Settings]()); wrong != nil {
		return nil, &Error{File: name, Line: wrong.at.Line, Column: wrong.at.Column, Msg: wrong.msg,
			Excerpt: excerpt(data, wrong.at.Line, wrong.at.Column)}
	}
	s.file, s.source = name, data
	return s, nil
}

// decodeError gives an error of the decoder our form.
func decodeError(name string, data []byte, err error) error {
	var located yaml.Error
	if errors.As(err, &located) && located.GetToken() != nil {
		position := located.GetToken().Position
		return &Error{File: name, Line: position.Line, Column: position.Column, Msg: plain(located.GetMessage()),
			Excerpt: excerpt(data, position.Line, position.Column)}
	}
	e := &Error{File: name, Msg: plain(strings.TrimSpace(err.Error()))}
	if _, value, ok := strings.Cut(e.Msg, `"`); ok { // some errors have the value and no place
		value, _, _ = strings.Cut(value, `"`)
		e.Line, e.Column = findValue(data, value)
		e.Excerpt = excerpt(data, e.Line, e.Column)
	}
	return e
}

// mismatch is the decoder's sentence about a value of another type, with that of
// the field.
var mismatch = regexp.MustCompile(`^cannot unmarshal .+ into Go (?:struct field \S+|value) of type (\S+)$`)

// plain says what a value must be, where the decoder speaks of Go's types.
func plain(msg string) string {
	if strings.HasPrefix(msg, "netip.ParsePrefix(") {
		return "must be a range, as in 10.0.0.0/8; 10.1.2.3/32 is one address: " + msg
	}
	switch _, wanted, _ := strings.Cut(msg, " was used where "); wanted {
	case "sequence is expected":
		return "must be a list"
	case "mapping is expected":
		return "must be a mapping"
	}
	found := mismatch.FindStringSubmatch(msg)
	if found == nil {
		return msg
	}
	switch t := found[1]; {
	case t == "time.Duration":
		return "must be a time with its unit, as in 30s or 5m"
	case t == "bool":
		return "must be true or false"
	case strings.HasPrefix(t, "int"), strings.HasPrefix(t, "uint"):
		return "must be a whole number"
	case strings.HasPrefix(t, "float"):
		return "must be a number"
	case strings.HasPrefix(t, "[]"):
		return "must be a list"
	case t == "string", slices.Contains(texts(), t):
		return "must be text"
	case strings.HasPrefix(t, "map["), strings.Contains(t, "."):
		return "must be a mapping"
	}
	return msg
}

// texts returns the names of the types of Settings that are text under a name of
// their own.
var texts = sync.OnceValue(func() (names []string) {
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		if seen[t] {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.String:
			names = append(names, t.String())
		case reflect.Pointer, reflect.Slice:
			walk(t.Elem())
		case reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			for i := range t.NumField() {
				walk(t.Field(i).Type)
			}
		}
	}
	walk(reflect.TypeFor[Settings]())
	return names
})

// findValue returns where a value first stands in a file, 0 if nowhere.
func findValue(data []byte, value string) (line, column int) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil || len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return 0, 0
	}
	for _, node := range ast.Filter(ast.StringType, file.Docs[0].Body) {
		if token := node.GetToken(); token != nil && token.Value == value {
			return token.Position.Line, token.Position.Column
		}
	}
	return 0, 0
}

// at makes an error about a path of keys, placed at the nearest key that is in
// the file.
func (s *Settings) at(msg string, path ...string) *Error {
	e := &Error{File: s.file, Key: strings.Join(path, "."), Msg: msg}
	if len(s.source) == 0 {
		return e
	}
	file, err := parser.ParseBytes(s.source, 0)
	if err != nil || len(file.Docs) == 0 {
		return e
	}
	if node := find(file.Docs[0].Body, path); node != nil && node.GetToken() != nil {
		position := node.GetToken().Position
		e.Line, e.Column = position.Line, position.Column
		e.Excerpt = excerpt(s.source, e.Line, e.Column)
	}
	return e
}

// find returns the node of the longest part of a path that is there: of a key
// the key itself, of an element of a list the element.
func find(node ast.Node, path []string) ast.Node {
	var found ast.Node
	for _, key := range path {
		var next ast.Node
		switch n := node.(type) {
		case *ast.MappingNode:
			for _, value := range n.Values {
				if value.Key.GetToken().Value == key {
					found, next = value.Key, value.Value
				}
			}
		case *ast.MappingValueNode:
			if n.Key.GetToken().Value == key {
				found, next = n.Key, n.Value
			}
		case *ast.SequenceNode:
			if i, err := strconv.Atoi(key); err == nil && i < len(n.Values) {
				found, next = n.Values[i], n.Values[i]
			}
		}
		if next == nil {
			return found
		}
		node = next
	}
	return found
}

// tableProblem takes an error of the tables apart.
func tableProblem(err error) (msg string, path []string) {
	var problem *tables.ConfigError
	if !errors.As(err, &problem) {
		return err.Error(), []string{"tables"}
	}
	path = []string{"tables", problem.Table}
	if problem.Key != "" {
		path = append(path, strings.Split(problem.Key, ".")...)
	}
	return problem.Msg, path
}

// checkRules compiles the conditions of the tables.
func (s *Settings) checkRules(add func(string, ...string)) {
	for name, t := range s.Tables {
		for key, source := range map[string]string{"": t.Rule, "read": t.Read.Rule, "insert": t.Insert.Rule,
			"update": t.Update.Rule, "delete": t.Delete.Rule, "undelete": t.Undelete.Rule} {
			if source == "" {
				continue
			}
			path := []string{"tables", name}
			if key != "" {
				path = append(path, key)
			}
			if _, err := identity.CompileCondition(source); err != nil {
				add(err.Error(), append(path, "rule")...)
			}
		}
	}
}
