package schema

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Kind says what a migration does to those who know the schema before it.
type Kind string

// The kinds, as they are written in a file and recorded in a database.
const (
	// Expand only adds: the release before runs on the schema that it leaves.
	Expand Kind = "expand"
	// Contract takes away what releases before [Migration.Since] still use.
	Contract Kind = "contract"
)

// Migration is one step of a database's schema.
type Migration struct {
	// Name is the file's name without its ending: the number and some words.
	Name string
	// Kind is what the first line says.
	Kind Kind
	// Since is the first release that does without what a contract takes away,
	// as in "1.4.0". An expand has none.
	Since string
	// SQL is the whole file.
	SQL string
}

// String shows the migration for people: its name and its kind.
func (m Migration) String() string {
	if m.Kind == Contract {
		return fmt.Sprintf("%s (contract: unused since %s)", m.Name, m.Since)
	}
	return fmt.Sprintf("%s (%s)", m.Name, m.Kind)
}

// Set is the migrations of one database, in the order in which they are applied.
type Set []Migration

// number is one part of a release's version.
const number = `(?:0|[1-9][0-9]*)`

var (
	fileName      = regexp.MustCompile(`^[0-9]{4}(_[a-z0-9]+)+\.sql$`)
	contractSince = regexp.MustCompile(`^-- contract: unused since (` + number + `\.` + number + `\.` + number + `)$`)
)

// Read reads the migrations of a folder. Every file in it must be one, and each
// must say its kind; the numbers must begin at 0001 and leave none out.
func Read(folder fs.FS) (Set, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	var set Set
	for _, entry := range entries {
		name := entry.Name()
		if !fileName.MatchString(name) {
			return nil, fmt.Errorf("%q: a migration's file must be named NNNN_words.sql", name)
		}
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("reading the migrations: %w", err)
		}
		m, err := Parse(strings.TrimSuffix(path.Base(name), ".sql"), string(text))
		if err != nil {
			return nil, err
		}
		set = append(set, m)
	}
	slices.SortFunc(set, func(a, b Migration) int { return cmp.Compare(a.Name, b.Name) })
	for i, m := range set {
		if number := fmt.Sprintf("%04d", i+1); !strings.HasPrefix(m.Name, number) {
			return nil, fmt.Errorf(
				"the migration %s must have the number %s: numbers begin at 0001, and each is used once",
				m.Name,
				number,
			)
		}
	}
	return set, nil
}

// errHeader is the same for every first line that cannot be read.
var errHeader = errors.New(`the first line must be "-- expand" or "-- contract: unused since 1.2.3"`)

// Parse reads the text of one migration: its kind is the first line.
func Parse(name, text string) (Migration, error) {
	line, _, ok := strings.Cut(text, "\n")
	if !ok {
		return Migration{}, fmt.Errorf("%s.sql:1: %w, and SQL must follow it", name, errHeader)
	}
	m := Migration{Name: name, Kind: Expand, SQL: text}
	if line == "-- expand" {
		return m, nil
	}
	since := contractSince.FindStringSubmatch(line)
	if since == nil {
		return Migration{}, fmt.Errorf("%s.sql:1: %w, not %q", name, errHeader, line)
	}
	m.Kind, m.Since = Contract, since[1]
	return m, nil
}
