package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/store/schema"
)

// Promise reports what in a migration breaks the promise of its kind. An expand
// consists of statements that leave everything in place that the release before
// reads, writes and relies on; what is not known to do so is refused. A contract
// is free, but one that only adds must be an expand. An expand that does nothing says
// why.
func Promise(m schema.Migration) error {
	statements, err := split(m.SQL)
	if err != nil {
		return fmt.Errorf("%s: %w", m.Name, err)
	}
	if len(statements) == 0 && m.Kind == schema.Expand && strings.Contains(m.SQL, "\n-- nothing: ") {
		return nil // it says why: the other database needs one
	}
	if len(statements) == 0 {
		return fmt.Errorf("%s must contain a statement", m.Name)
	}
	made := map[string]bool{}
	for _, s := range statements {
		if err = s.expands(made); err != nil {
			break
		}
	}
	switch {
	case m.Kind == schema.Contract && err == nil:
		return fmt.Errorf("%s only adds: it must be an expand", m.Name)
	case m.Kind == schema.Expand && err != nil:
		return fmt.Errorf("%s: an expand must only add: %w", m.Name, err)
	}
	return nil
}

// statement is the words and marks of one SQL statement. Words are in capitals,
// except those in quotes; a text is "'".
type statement []string

// is reports whether the statement goes on like this at a place, where "?" is any
// word.
func (s statement) is(at int, words ...string) bool {
	if at+len(words) > len(s) {
		return false
	}
	for i, w := range words {
		if w != "?" && w != s[at+i] || w == "?" && !isName(s[at+i]) {
			return false
		}
	}
	return true
}

// isName reports whether a token can be a name: a word, quoted or not.
func isName(token string) bool { return token != "" && (token[0] == '"' || isLetter(token[0])) }

// has returns the first of the words that the statement has from a place on, or
// "".
func (s statement) has(at int, words ...string) string {
	for _, token := range s[at:] {
		if slices.Contains(words, token) {
			return token
		}
	}
	return ""
}

// outside is what stands outside of all brackets.
func (s statement) outside() (out statement) {
	depth := 0
	for _, token := range s {
		switch token {
		case "(":
			depth++
		case ")":
			depth--
		default:
			if depth == 0 {
				out = append(out, token)
			}
		}
	}
	return out
}

// expands reports what else than adding the statement does. Tables that it makes
// are added to made: nobody relies on them yet.
func (s statement) expands(made map[string]bool) error {
	switch {
	case s.is(0, "CREATE", "TABLE", "?", "("):
		if word := s.has(0, "REFERENCES", "FOREIGN", "INHERITS", "LIKE"); word != "" {
			return fmt.Errorf("%s binds the table %s to another", word, s[2])
		}
		if slices.Contains(s.outside(), "AS") {
			return fmt.Errorf("the table %s must be made by its columns", s[2])
		}
		made[s[2]] = true
		return nil
	case s.is(0, "CREATE", "INDEX", "?", "ON", "?"):
		return nil
	case s.is(0, "CREATE", "UNIQUE", "INDEX", "?", "ON", "?"):
		if !made[s[5]] {
			return fmt.Errorf("the unique index %s refuses what the release before may write to %s", s[3], s[5])
		}
		return nil
	case s.is(0, "CREATE", "FUNCTION", "?", "("):
		return nil
	case s.is(0, "ALTER", "TABLE", "?", "ADD", "COLUMN", "?", "?"):
		return s.addsColumn()
	}
	return fmt.Errorf("%q is not a statement that is known to add only", strings.Join(s[:min(len(s), 6)], " "))
}

// addsColumn looks at ALTER TABLE t ADD COLUMN c type …: the release before inserts
// rows without the column.
func (s statement) addsColumn() error {
	const column, rest = 5, 7
	if s[column] == "IF" {
		return errors.New("a column must be added without IF NOT EXISTS: each migration is applied once")
	}
	if slices.Contains(s.outside(), ",") {
		return fmt.Errorf("one statement must add one column, and %s is followed by more", s[column])
	}
	if word := s.has(rest, "UNIQUE", "PRIMARY", "CHECK", "REFERENCES", "CONSTRAINT", "GENERATED", "AS"); word != "" {
		return fmt.Errorf("%s refuses what the release before may write to the column %s", word, s[column])
	}
	def := slices.Index(s[rest:], "DEFAULT")
	for i := rest; i+1 < len(s); i++ {
		if s.is(i, "NOT", "NULL") && (def < 0 || s.is(rest+def, "DEFAULT", "NULL")) {
			return fmt.Errorf("the column %s must have a default or allow NULL: the release before does not write it",
				s[column])
		}
	}
	return nil
}

// split takes SQL apart into statements. What the databases read differently, such
// as a backslash in a text, is an error.
func split(sql string) ([]statement, error) {
	var all []statement
	var s statement
	for sql != "" {
		token, rest, err := next(sql)
		if err != nil {
			return nil, err
		}
		sql = rest
		switch {
		case token == ";" && len(s) > 0:
			all, s = append(all, s), nil
		case token != "" && token != ";":
			s = append(s, token)
		}
	}
	if len(s) > 0 {
		return nil, fmt.Errorf("%q must end with a semicolon", strings.Join(s[:min(len(s), 6)], " "))
	}
	return all, nil
}

func isLetter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isWord(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' }

// next takes one token off, "" for a blank or a comment.
func next(sql string) (token, rest string, err error) {
	switch c := sql[0]; {
	case strings.HasPrefix(sql, "--"):
		_, rest, _ = strings.Cut(sql, "\n")
		return "", rest, nil
	case strings.HasPrefix(sql, "/*"):
		return "", "", errors.New("a comment must begin with --")
	case c == ' ' || c == '\n' || c == '\t':
		return "", sql[1:], nil
	case c == '\'' || c == '"':
		return quoted(sql)
	case isLetter(c):
		n := 1
		for n < len(sql) && isWord(sql[n]) {
			n++
		}
		if n < len(sql) && (sql[n] == '\'' || sql[n] == '$') || strings.HasPrefix(sql[n:], "&'") {
			return "", "", fmt.Errorf("%.20q: a text must have no prefix", sql)
		}
		return strings.ToUpper(sql[:n]), sql[n:], nil
	case c == '$' || c == '`' || c == '[' || c == '\\' || c < ' ' || c > '~':
		return "", "", fmt.Errorf("the databases read %q differently", c)
	}
	return sql[:1], sql[1:], nil
}

// quoted takes a text or a quoted name off. A name keeps its quotes and counts as
// itself; a text is "'".
func quoted(sql string) (token, rest string, err error) {
	mark := sql[:1]
	for i := 1; i < len(sql); i++ {
		switch {
		case sql[i] == '\\':
			return "", "", errors.New("a text must have no backslash")
		case sql[i] == mark[0] && i+1 < len(sql) && sql[i+1] == mark[0]:
			i++
		case sql[i] == mark[0]:
			if mark == "'" {
				return mark, sql[i+1:], nil
			}
			return sql[:i+1], sql[i+1:], nil
		}
	}
	return "", "", fmt.Errorf("%.20q must end with %s", sql, mark)
}
