package schema

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cordon-sec/cordon/internal/wording"
)

// ErrNewer says that a database was changed by a newer version in a way that this
// one must not run on.
var ErrNewer = errors.New("the database was written by a newer version")

// ErrContract says that a contract must not be applied now.
var ErrContract = errors.New("a contract must not be applied")

// Recorded is a migration that a database has.
type Recorded struct {
	// Name is the migration's.
	Name string
	// Kind is the recorded word, "" for none: the database, or the row, is from
	// before kinds were recorded.
	Kind Kind
}

// Plan is what a database's migrations ask for.
type Plan struct {
	// Apply are those to apply, in order.
	Apply []Migration
	// Waiting are contracts that the database lacks and that are not to be
	// applied now.
	Waiting []Migration
	// Unmarked are those that the database has without their kind.
	Unmarked []Migration
	// Newer are the names of a newer version's expands that the database has.
	Newer []string
}

// Plan compares the migrations that a program knows with those that a database
// has. Missing expands are to be applied, in order, also where the database has
// later ones, known or not: none takes away what another adds. Missing contracts
// wait, unless the database is new (it has no migration at all, so nobody uses
// it) or contracts says that they are wanted.
//
// Unknown migrations are a newer version's. If all are recorded as expands the
// program runs on; otherwise the error is [ErrNewer]. Contracts that are wanted
// beside unknown migrations are [ErrContract]: what they take away is for the
// newest version to judge.
func (s Set) Plan(recorded []Recorded, contracts bool) (Plan, error) {
	var p Plan
	has := map[string]Kind{}
	for _, r := range recorded {
		has[r.Name] = r.Kind
		if slices.ContainsFunc(s, func(m Migration) bool { return m.Name == r.Name }) {
			continue
		}
		if err := unknown(r); err != nil {
			return Plan{}, err
		}
		p.Newer = append(p.Newer, r.Name)
	}
	slices.Sort(p.Newer)
	for _, m := range s {
		kind, there := has[m.Name]
		switch {
		case there && kind == "":
			p.Unmarked = append(p.Unmarked, m)
		case there:
		case m.Kind == Expand || contracts || len(recorded) == 0:
			p.Apply = append(p.Apply, m)
		default:
			p.Waiting = append(p.Waiting, m)
		}
	}
	i := slices.IndexFunc(p.Apply, func(m Migration) bool { return m.Kind == Contract })
	if i >= 0 && len(p.Newer) > 0 {
		return Plan{}, fmt.Errorf("%w by this version: the database lacks %s and has %s of a newer version; "+
			"apply it with that version", ErrContract, p.Apply[i].Name, wording.Printable(p.Newer[0]))
	}
	return p, nil
}

// unknown judges a migration that the program does not have by what is recorded.
func unknown(r Recorded) error {
	const remedy = "run that version, or a newer one, or restore a backup from before"
	name := wording.Printable(r.Name)
	switch r.Kind {
	case Expand:
		return nil
	case Contract:
		return fmt.Errorf("%w: its migration %s is a contract, which takes away what this version may still use; %s",
			ErrNewer, name, remedy)
	case "":
		return fmt.Errorf(
			"%w: no kind is recorded for its migration %s, which may take away what this version uses; %s",
			ErrNewer,
			name,
			remedy,
		)
	}
	return fmt.Errorf("%w: the kind of its migration %s, %q, is unknown to this version; %s",
		ErrNewer, name, r.Kind, remedy)
}

// Notices are what an operator should know of a database that is run on: one
// sentence each, without a full stop.
func (p Plan) Notices() []string {
	var out []string
	if len(p.Newer) > 0 {
		names := make([]string, len(p.Newer))
		for i, n := range p.Newer {
			names[i] = wording.Printable(n)
		}
		its, add := wording.Plural(
			len(names),
			"its migration",
			"its migrations",
		), wording.Plural(
			len(names),
			"adds",
			"add",
		)
		out = append(out, fmt.Sprintf("%v: %s %s only %s to the schema, so this version runs on it",
			ErrNewer, its, wording.Join(names), add))
	}
	for _, m := range p.Waiting {
		out = append(
			out,
			fmt.Sprintf("the migration %s waits: it takes away what versions before %s use; once none of "+
				"them will run on this database again, apply it with: cordon migrate-store --contract", m.Name,
				m.Since),
		)
	}
	return out
}
