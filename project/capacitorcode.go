package project

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// computed is a value of a configuration that only running it would tell.
type computed struct {
	path string // the keys that lead to it, with dots between
	line int
}

// codeError says where a configuration is more than an object that is written out.
type codeError struct {
	line int
	why  string
}

func (e *codeError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.why) }

// literalConfig reads a Capacitor configuration that is TypeScript or
// JavaScript without running it: most are one object literal with strings,
// numbers, booleans, lists and objects. The result is JSON whose values stand in
// the lines of the source, so that places in it are places in the source. What
// is computed is left out and listed; nothing is guessed.
func literalConfig(data []byte) (made []byte, left []computed, err error) {
	made, left, _, err = readLiteral(data)
	return made, left, err
}

// readLiteral is literalConfig, and lists the values that a condition chooses.
func readLiteral(data []byte) (made []byte, left []computed, chosen []switched, err error) {
	p := &literalParser{
		data: data, place: place{line: 1, column: 1},
		constants: map[string]constant{}, names: map[string]bool{"module": true, "exports": true},
		known: map[int]bool{},
	}
	object, err := p.find()
	if err != nil {
		return nil, nil, nil, err
	}
	p.place = object
	if err := p.value(""); err != nil {
		return nil, nil, nil, err
	}
	if line, ok := p.changed(); ok {
		p.left = append(p.left, computed{"...", line})
	}
	if len(p.left) > 0 && p.out.Len() == 0 {
		return nil, nil, nil, &codeError{p.left[0].line, "the configuration is computed"}
	}
	return p.out.Bytes(), p.left, p.switches, nil
}

const (
	maxDepth    = 64  // of objects and lists within each other
	maxComputed = 256 // values that are listed one by one
)

// place is a byte of the source, with its line and column.
type place struct{ at, line, column int }

// constant is where the name and the value of a top-level constant begin.
type constant struct {
	name  int
	value place
}

type literalParser struct {
	data []byte
	place
	depth     int
	constants map[string]constant
	// names are what the exported object is known as in the file, and known where
	// they stand to declare and to export it.
	names map[string]bool
	known map[int]bool
	left  []computed
	// switches are the values that a condition chooses.
	switches []switched

	out                bytes.Buffer
	outLine, outColumn int
	quiet              bool // nothing is written while a value is only looked over
}

// find returns where the object that the file exports begins.
func (p *literalParser) find() (place, error) {
	for {
		p.space()
		start := p.at
		switch word := p.word(); {
		case p.at >= len(p.data):
			return place{}, &codeError{p.line, "the file exports no object"}
		case word == "import":
			p.skipImport()
		case word == "const" || word == "let" || word == "var":
			p.constant()
		case word == "export":
			p.space()
			switch next := p.word(); next {
			case "default":
				return p.exported()
			case "const", "let", "var":
				p.constant()
			default:
				p.statement()
			}
		case word == "module" && p.take(".exports"):
			p.space()
			if !p.take("=") {
				return place{}, &codeError{p.line, "module.exports must be assigned once"}
			}
			p.known[start] = true
			return p.exported()
		default:
			if word == "" {
				p.step()
			}
			p.statement()
		}
	}
}

// exported is where the exported object begins: written in place, or by the name
// of a constant.
func (p *literalParser) exported() (place, error) {
	p.space()
	p.typeArguments()
	if p.at < len(p.data) && p.data[p.at] == '{' {
		return p.place, nil
	}
	here := p.place
	name := p.word()
	if constant, ok := p.constants[name]; ok {
		p.names[name] = true
		p.known[here.at], p.known[constant.name] = true, true
		return constant.value, nil
	}
	return place{}, &codeError{here.line, "what is exported must be an object that is written out"}
}

// constant notes where the name and the value of a constant begin, and skips it.
func (p *literalParser) constant() {
	p.space()
	at := p.at
	name := p.word()
	// A type may stand between the name and the value. A pattern has no name: what
	// it makes is not known here.
	p.skip(func(c byte, depth int) bool { return depth <= 0 && (c == '=' || c == ';' || c == '\n') })
	if name == "" || !p.take("=") {
		p.statement()
		return
	}
	p.space()
	p.typeArguments()
	if p.at < len(p.data) && p.data[p.at] == '{' {
		p.constants[name] = constant{at, p.place}
	}
	p.statement()
}

func (p *literalParser) skipImport() {
	for p.at < len(p.data) && p.data[p.at] != '\'' && p.data[p.at] != '"' && p.data[p.at] != ';' {
		p.step()
	}
	if p.at < len(p.data) && p.data[p.at] != ';' {
		_, _ = p.text() // the name of the module
	}
	p.space()
	p.take(";")
}

// statement skips to behind the next semicolon, or to a new line, outside of
// brackets and texts.
func (p *literalParser) statement() {
	p.skip(func(c byte, depth int) bool { return depth <= 0 && (c == ';' || c == '\n') })
	p.step()
}

// skip goes on to the byte at which ends says so, or to the end of the file. It
// is asked for every byte outside of texts and comments, with the number of
// brackets that are open there.
func (p *literalParser) skip(ends func(c byte, depth int) bool) {
	depth := 0
	for p.at < len(p.data) {
		c := p.data[p.at]
		switch {
		case c == '\'' || c == '"' || c == '`':
			_, _ = p.text()
			continue
		case p.comment():
			continue
		case ends(c, depth):
			return
		case c == '{' || c == '[' || c == '(':
			depth++
		case c == '}' || c == ']' || c == ')':
			depth--
		}
		p.step()
	}
}

// value reads one value; path is where it stands.
func (p *literalParser) value(path string) error {
	p.space()
	if p.at >= len(p.data) {
		return &codeError{p.line, "the file ends within the configuration"}
	}
	if p.depth++; p.depth > maxDepth {
		return &codeError{p.line, "the configuration nests too deep"}
	}
	defer func() { p.depth-- }()
	switch c := p.data[p.at]; {
	case c == '{':
		return p.object(path)
	case c == '[':
		return p.list(path)
	case c == '\'' || c == '"' || c == '`':
		return p.scalar(path, func() (string, bool) {
			text, ok := p.text()
			quoted, err := json.Marshal(text)
			return string(quoted), ok && err == nil
		})
	}
	return p.scalar(path, p.plain)
}

// scalar reads a text, number or word, unless more follows it: then the value is
// computed.
func (p *literalParser) scalar(path string, read func() (string, bool)) error {
	here := p.place
	text, ok := read()
	if ok && p.ends() {
		p.emit(text, here.line, here.column)
		return nil
	}
	p.place = here
	if !p.choice(path) {
		p.compute(path)
	}
	return nil
}

// ends reports whether a value is over: by a comma, a bracket, or a type that
// changes nothing.
func (p *literalParser) ends() bool {
	for {
		p.space()
		if p.at >= len(p.data) || strings.IndexByte(",]};", p.data[p.at]) >= 0 {
			return true
		}
		here, word := p.place, p.word()
		if word != "as" && word != "satisfies" {
			p.place = here
			return p.depth == 1 && word != "" // the next statement
		}
		p.space()
		for p.word() != "" || p.take(".") || p.take("[]") || p.typeArguments() {
		}
	}
}

// compute skips an expression and notes that it was not read.
func (p *literalParser) compute(path string) {
	p.leave(path, p.line)
	p.emit("null", p.line, p.column)
	p.skip(func(c byte, depth int) bool { return depth == 0 && strings.IndexByte(",}])", c) >= 0 })
}

// leave lists a value that was not read. Past maxComputed, one entry says that
// anything may be missing.
func (p *literalParser) leave(path string, line int) {
	switch {
	case len(p.left) < maxComputed:
		p.left = append(p.left, computed{path, line})
	case len(p.left) == maxComputed:
		p.left = append(p.left, computed{"...", line})
	}
}

func (p *literalParser) object(path string) error {
	p.emit("{", p.line, p.column)
	p.step()
	for wrote := false; ; {
		p.space()
		if p.at >= len(p.data) {
			return &codeError{p.line, "an object is not closed"}
		}
		if p.data[p.at] == '}' {
			p.emit("}", p.line, p.column)
			p.step()
			return p.over()
		}
		here := p.place
		key, ok := p.key()
		p.space()
		if !ok || !p.take(":") {
			// A spread, a method, a shorthand or a computed key: what it holds is
			// not known, nor which keys before it still count.
			p.place = here
			p.leave(join(path, "..."), p.line)
			p.skipMember()
		} else {
			if wrote {
				p.emit(",", p.outLine, p.outColumn)
			}
			wrote = true
			quoted, err := json.Marshal(key)
			if err != nil {
				return &codeError{here.line, "a key cannot be read"}
			}
			column := here.column
			if p.data[here.at] == quoted[1] {
				column-- // the quote that it has not in the source stands before it
			}
			p.emit(string(quoted)+":", here.line, column)
			if err := p.value(join(path, key)); err != nil {
				return err
			}
		}
		p.space()
		if !p.take(",") && p.at == here.at {
			return &codeError{here.line, "a member of an object is expected here"}
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// skipMember skips a member of an object that is no key with a value.
func (p *literalParser) skipMember() {
	keep := p.left
	p.quiet = true
	p.compute("")
	p.quiet, p.left = false, keep
}

func (p *literalParser) list(path string) error {
	p.emit("[", p.line, p.column)
	p.step()
	for i := 0; ; i++ {
		p.space()
		if p.at >= len(p.data) {
			return &codeError{p.line, "a list is not closed"}
		}
		if p.data[p.at] == ']' {
			p.emit("]", p.line, p.column)
			p.step()
			return p.over()
		}
		if i > 0 {
			p.emit(",", p.outLine, p.outColumn)
		}
		at := p.at
		if err := p.value(fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
		p.space()
		if !p.take(",") && p.at == at {
			return &codeError{p.line, "an entry of a list is expected here"}
		}
	}
}

// over requires that nothing is done to an object or list that was written out.
func (p *literalParser) over() error {
	if line := p.line; !p.ends() {
		return &codeError{line, "something is done to the object, which only running it would tell"}
	}
	return nil
}
