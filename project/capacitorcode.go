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
	p := &literalParser{data: data, line: 1, column: 1, constants: map[string]int{}}
	at, err := p.find()
	if err != nil {
		return nil, nil, err
	}
	p.seek(at)
	if err := p.value(""); err != nil {
		return nil, nil, err
	}
	if len(p.left) > 0 && p.out.Len() == 0 {
		return nil, nil, &codeError{p.left[0].line, "the configuration is computed"}
	}
	return p.out.Bytes(), p.left, nil
}

// maxDepth bounds how deep objects and lists nest.
const maxDepth = 64

type literalParser struct {
	data   []byte
	at     int
	line   int // of the byte at at
	column int
	depth  int
	// constants are where the values of top-level constants begin.
	constants map[string]int
	left      []computed

	out                bytes.Buffer
	outLine, outColumn int
	quiet              bool // nothing is written while a value is only looked over
}

// find returns the offset of the object that the file exports.
func (p *literalParser) find() (int, error) {
	for {
		p.space()
		switch word := p.word(); {
		case p.at >= len(p.data):
			return 0, &codeError{p.line, "the file exports no object"}
		case word == "import":
			p.skipImport()
		case word == "const" || word == "let" || word == "var":
			if err := p.constant(); err != nil {
				return 0, err
			}
		case word == "export":
			p.space()
			switch next := p.word(); next {
			case "default":
				return p.exported()
			case "const", "let", "var":
				if err := p.constant(); err != nil {
					return 0, err
				}
			default:
				p.statement()
			}
		case word == "module" && p.take(".exports"):
			p.space()
			if !p.take("=") {
				return 0, &codeError{p.line, "module.exports must be assigned once"}
			}
			return p.exported()
		default:
			if word == "" {
				p.step()
			}
			p.statement()
		}
	}
}

// exported is the offset of the exported object: written in place, or by the
// name of a constant.
func (p *literalParser) exported() (int, error) {
	p.space()
	if p.at < len(p.data) && p.data[p.at] == '{' {
		return p.at, nil
	}
	line := p.line
	name := p.word()
	if at, ok := p.constants[name]; ok {
		return at, nil
	}
	return 0, &codeError{line, "what is exported must be an object that is written out"}
}

// constant notes where the value of a constant begins, and skips it.
func (p *literalParser) constant() error {
	p.space()
	line := p.line
	name := p.word()
	if name == "" {
		p.statement() // a pattern: its names are not known
		return nil
	}
	// A type may stand between the name and the value.
	for p.at < len(p.data) && p.data[p.at] != '=' && p.data[p.at] != ';' {
		p.step()
	}
	if !p.take("=") {
		return &codeError{line, "the constant " + name + " has no value"}
	}
	p.space()
	if p.at < len(p.data) && p.data[p.at] == '{' {
		p.constants[name] = p.at
	}
	p.statement()
	return nil
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
	at, line, column := p.at, p.line, p.column
	text, ok := read()
	if ok && p.ends() {
		p.emit(text, line, column)
		return nil
	}
	p.seek(at)
	p.compute(path)
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
		at, word := p.at, p.word()
		if word != "as" && word != "satisfies" {
			p.seek(at)
			return p.depth == 1 && word != "" // the next statement
		}
		p.space()
		for p.word() != "" || p.take(".") || p.take("[]") {
		}
	}
}

// compute skips an expression and notes that it was not read.
func (p *literalParser) compute(path string) {
	p.left = append(p.left, computed{path, p.line})
	p.emit("null", p.line, p.column)
	p.skip(func(c byte, depth int) bool { return depth == 0 && strings.IndexByte(",}])", c) >= 0 })
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
		at, line, column := p.at, p.line, p.column
		key, ok := p.key()
		p.space()
		if !ok || !p.take(":") {
			// A spread, a method, a shorthand or a computed key: what it holds is
			// not known, nor which keys before it still count.
			p.seek(at)
			p.left = append(p.left, computed{join(path, "..."), p.line})
			p.skipMember()
		} else {
			if wrote {
				p.emit(",", p.outLine, p.outColumn)
			}
			wrote = true
			quoted, err := json.Marshal(key)
			if err != nil {
				return &codeError{line, "a key cannot be read"}
			}
			p.emit(string(quoted)+":", line, column)
			if err := p.value(join(path, key)); err != nil {
				return err
			}
		}
		p.space()
		if !p.take(",") && p.at == at {
			return &codeError{line, "a member of an object is expected here"}
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
