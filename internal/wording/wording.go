// Package wording has the few things that every message for people needs.
package wording

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Printable shows a text that came from outside as it is, unless a terminal
// would swallow or obey a part of it (control and format characters, changes of
// direction, broken UTF-8): then all such parts are escapes, as in Go.
func Printable(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return s
	}
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}

// FileError says what was wrong with a file or folder that a person named, without
// the words of a system call, which errors.Is finds behind them. Other errors stay as
// they are.
func FileError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &fileError{path + ": no such file or folder", err}
	case errors.Is(err, fs.ErrPermission):
		return &fileError{path + ": not readable by this user; check its permissions", err}
	}
	return err
}

// fileError is an error of the system in words for people.
type fileError struct {
	words string
	err   error
}

func (e *fileError) Error() string { return e.words }
func (e *fileError) Unwrap() error { return e.err }

// Plural is the word for n things.
func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Count is n with the word for that many things, as in "1 row" and "2 rows".
func Count(n int, one, many string) string { return strconv.Itoa(n) + " " + Plural(n, one, many) }

// Join writes a list as in "a, b and c".
func Join(list []string) string { return joined(list, "and") }

// Or writes a list as in "a, b or c".
func Or(list []string) string { return joined(list, "or") }

func joined(list []string, last string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + last + " " + list[len(list)-1]
}
