package project

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// switched is a value that a condition chooses, such as an environment or a flavour.
type switched struct {
	path   string
	line   int
	values []string // as JSON
}

// choice reads "condition ? one : other" without deciding the condition: what opens
// more of the two is written, and both are listed. It is false, with nothing read,
// for any other expression.
func (p *literalParser) choice(path string) bool {
	here := p.place
	question, colon, end, ok := p.conditional()
	if !ok {
		p.place = here
		return false
	}
	one, okOne := p.branch(path, question, colon)
	other, okOther := p.branch(path, colon, end)
	if !okOne || !okOther {
		p.place = here
		return false
	}
	p.place = end
	p.switches = append(p.switches, switched{path, here.line, []string{string(one), string(other)}})
	p.emit(string(wider(path, one, other)), here.line, here.column)
	return true
}

// conditional finds the parts of a conditional expression: the places of its question
// mark and colon, and its end.
func (p *literalParser) conditional() (question, colon, end place, ok bool) {
	open := 0
	p.skip(func(c byte, depth int) bool {
		if depth != 0 {
			return depth < 0
		}
		switch next := byte(0); c {
		case '?':
			if p.at+1 < len(p.data) {
				next = p.data[p.at+1]
			}
			if next == '?' || next == '.' || p.at > 0 && p.data[p.at-1] == '?' {
				return false
			}
			if open++; open == 1 {
				question = p.place
			}
		case ':':
			if open--; open == 0 && colon.line == 0 {
				colon = p.place
			}
		}
		return strings.IndexByte(",;}])", c) >= 0
	})
	return question, colon, p.place, question.line > 0 && colon.line > 0 && open == 0
}

// branch reads the value between two places as a configuration of its own.
func (p *literalParser) branch(path string, from, to place) ([]byte, bool) {
	data := append(bytes.Clone(p.data[:to.at]), ';')
	q := &literalParser{data: data, place: from, depth: p.depth, constants: p.constants, names: map[string]bool{},
		known: map[int]bool{}}
	q.step() // over the question mark or the colon
	if err := q.value(path); err != nil || len(q.left) > 0 || q.at < to.at {
		return nil, false
	}
	p.switches = append(p.switches, q.switches...)
	var made bytes.Buffer
	if json.Compact(&made, q.out.Bytes()) != nil {
		return nil, false
	}
	return made.Bytes(), true
}

// wider returns the union of two values: of lists and objects all that is in either;
// of flags the one that is on; of texts the one that is there, and http before https.
func wider(path string, one, other []byte) []byte {
	var a, b any
	if json.Unmarshal(one, &a) != nil || json.Unmarshal(other, &b) != nil {
		return one
	}
	made, err := json.Marshal(union(path, a, b))
	if err != nil {
		return one
	}
	return made
}

func union(path string, a, b any) any {
	switch x := a.(type) {
	case nil:
		return b
	case bool:
		if y, ok := b.(bool); ok {
			// What limits is judged as switched off, what opens as switched on.
			if strings.HasSuffix(path, "limitsNavigationsToAppBoundDomains") {
				return x && y
			}
			return x || y
		}
	case string:
		if y, ok := b.(string); ok && (x == "" || strings.HasPrefix(y, "http:") || y == "http") {
			return y
		}
	case []any:
		if y, ok := b.([]any); ok {
			return append(x, y...)
		}
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			for key, value := range y {
				if mine, has := x[key]; has {
					value = union(join(path, key), mine, value)
				}
				x[key] = value
			}
		}
	}
	return a
}

// said describes a value that is chosen, for people.
func (s *switched) said() string {
	values := make([]string, len(s.values))
	for i, v := range s.values {
		if values[i] = v; len(v) > 80 {
			values[i] = v[:77] + "..."
		}
	}
	return fmt.Sprintf("%s is %s, as a condition says; what opens more is judged", s.path, strings.Join(values, " or "))
}
