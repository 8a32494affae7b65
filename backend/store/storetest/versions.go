package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
)

// Versions is one database as versions of Cordon with different migrations see
// it. It is empty at first.
type Versions interface {
	// Open opens the database with the migrations of a version; notice is told
	// what opening has found.
	Open(ctx context.Context, set schema.Set, notice func(string)) (Store, error)
	// Migrate and Pending are the database's functions of these names.
	Migrate(ctx context.Context, set schema.Set, contracts bool) (schema.Plan, error)
	Pending(ctx context.Context, set schema.Set, contracts bool) (schema.Plan, error)
	// Exec runs SQL beside all versions.
	Exec(tb testing.TB, text string)
	// Strings returns the first column of a query's rows, "NULL" for NULL.
	Strings(tb testing.TB, query string) []string
	// Catalogue lists the columns and indexes of Cordon's own tables, one a line.
	Catalogue(tb testing.TB) string
}

// RunVersions checks that a database keeps the rule of migrations: expands are run
// on with, contracts wait, and everything else is refused. The function makes a
// new, empty database; own are the migrations of this version.
func RunVersions(t *testing.T, own schema.Set, fresh func(testing.TB) Versions) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, *line)
	}{
		{"the release before", testReleaseBefore}, {"open while it grows", testGrows}, {"refused", testRefused},
		{"before kinds", testBeforeKinds}, {"contracts wait", testContractsWait}, {"branches", testBranches},
		{"all or nothing", testAllOrNothing}, {"at once", testAtOnce}, {"a dry run", testDryRun},
		{"any order", testAnyOrder}, {"an ended context", testEndedMigration},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, &line{fresh(t), own, fresh}) })
	}
}

// line is a database with the versions of a line of releases.
type line struct {
	Versions
	own   schema.Set
	fresh func(testing.TB) Versions
}

// with is this version's migrations and more, numbered on.
func (l *line) with(t testing.TB, more ...string) schema.Set {
	t.Helper()
	set := append(schema.Set(nil), l.own...)
	for i, text := range more {
		m, err := schema.Parse(fmt.Sprintf("%04d_more%d", len(l.own)+i+1, i+1), text)
		if err != nil {
			t.Fatal(err)
		}
		set = append(set, m)
	}
	return set
}

// The migrations of releases to come, as either database reads them.
const (
	adds = "-- expand\nCREATE TABLE cordon_more (id TEXT PRIMARY KEY NOT NULL, n INTEGER);\n" +
		"ALTER TABLE cordon_user ADD COLUMN more TEXT DEFAULT 'x';\n"
	drops = "-- contract: unused since 1.0.0\nALTER TABLE cordon_user DROP COLUMN more;\n"
	again = "-- expand\nCREATE TABLE cordon_again (id TEXT PRIMARY KEY NOT NULL);\n"
	wrong = "-- expand\nCREATE TABLE cordon_wrong (id TEXT PRIMARY KEY NOT NULL);\n" +
		"CREATE TABLE cordon_more (id TEXT PRIMARY KEY NOT NULL);\n"
)

// opened opens the database and closes it at the end.
func (l *line) opened(t testing.TB, set schema.Set) (Store, []string) {
	t.Helper()
	var notices []string
	s, err := l.Open(t.Context(), set, func(text string) { notices = append(notices, text) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, notices
}

// use writes and reads with all that a store is for.
func use(t testing.TB, s Store, name string) {
	t.Helper()
	a := &app{t: t, store: s, clock: time.Now()}
	a.s = service(t, s, tables.Config{"item": {Columns: columns, Access: "anonymous"}}, tables.Options{})
	a.want(201, "POST", "/tables/item", `{"id":"`+name+`","text":"é","n":1.5}`)
	if row := a.want(200, "GET", "/tables/item/"+name, "").row(t); row["text"] != "é" || row["n"] != 1.5 {
		t.Errorf("the row is %v", row)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	u := auth.User{ID: "sid:" + name, Provider: "p", Name: "n", Created: now, Seen: now}
	wantErr(t, "putting a user", s.PutUser(t.Context(), u), nil)
	got, err := s.User(t.Context(), u.ID)
	wantErr(t, "reading a user", err, nil)
	same(t, "the user", got, u)
	x := auth.Session{ID: name, User: u.ID, Created: now, Expires: now.Add(time.Hour)}
	wantErr(t, "putting a session", s.CreateSession(t.Context(), x), nil)
	all, err := s.Sessions(t.Context(), u.ID)
	wantErr(t, "reading sessions", err, nil)
	x.Version = 1
	same(t, "the sessions", all, []auth.Session{x})
}

func names(list []schema.Migration) (out []string) {
	for _, m := range list {
		out = append(out, m.Name)
	}
	return out
}

// The release before runs on the schema of the next, and says so.
func testReleaseBefore(t *testing.T, l *line) {
	next, notices := l.opened(t, l.with(t, adds))
	same(t, "the next release's notices", notices, []string(nil))
	use(t, next, "next")
	before, notices := l.opened(t, l.own)
	name := l.with(t, adds)[len(l.own)].Name
	same(t, "the notices", notices, []string{"the database was written by a newer version: its migration " + name +
		" only adds to the schema, so this version runs on it"})
	use(t, before, "before")
	use(t, next, "again")
	same(t, "its user", l.Strings(t, "SELECT more FROM cordon_user WHERE id='sid:before'"), []string{"x"})
	same(t, "the kinds", l.Strings(t, "SELECT DISTINCT kind FROM cordon_migrations"), []string{"expand"})
	plan, err := l.Migrate(t.Context(), l.own, true)
	wantErr(t, "migrating with the release before", err, nil)
	same(t, "its plan", plan, schema.Plan{Newer: []string{name}})
}

// A store that is open goes on while a newer version grows the schema.
func testGrows(t *testing.T, l *line) {
	before, _ := l.opened(t, l.own)
	use(t, before, "one")
	next, _ := l.opened(t, l.with(t, adds))
	use(t, before, "two")
	use(t, next, "three")
}

// What a newer version may have taken away is refused, by its name, with the
// remedy, and nothing is changed.
func testRefused(t *testing.T, l *line) {
	const remedy = "; run that version, or a newer one, or restore a backup from before"
	s, _ := l.opened(t, l.own)
	use(t, s, "one")
	for kind, want := range map[string]string{
		"'contract'": "its migration 9999_x is a contract, which takes away what this version may still use",
		"NULL":       "no kind is recorded for its migration 9999_x, which may take away what this version uses",
		"'shrink'":   `the kind of its migration 9999_x, "shrink", is unknown to this version`,
		"'Expand'":   `the kind of its migration 9999_x, "Expand", is unknown to this version`,
	} {
		l.Exec(t, "INSERT INTO cordon_migrations(name,applied,kind) VALUES('9998_fine',1,'expand')")
		l.Exec(t, "INSERT INTO cordon_migrations(name,applied,kind) VALUES('9999_x',1,"+kind+")")
		before := l.Catalogue(t)
		want = "the database was written by a newer version: " + want + remedy
		_, openErr := l.Open(t.Context(), l.with(t, again), nil)
		_, migrateErr := l.Migrate(t.Context(), l.with(t, again), false)
		_, pendingErr := l.Pending(t.Context(), l.own, false)
		for what, err := range map[string]error{"opening": openErr, "migrating": migrateErr, "a dry run": pendingErr} {
			if !errors.Is(err, schema.ErrNewer) || !strings.HasSuffix(err.Error(), ": "+want) {
				t.Errorf("%s, kind %s:\n got %v\nwant %s", what, kind, err, want)
			}
		}
		same(t, "the catalogue", l.Catalogue(t), before)
		l.Exec(t, "DELETE FROM cordon_migrations WHERE name LIKE '999%'")
	}
	use(t, s, "two")
}

// A database from before kinds were recorded gets them; until then it is read as
// it is, and what an old version still writes without a kind is completed.
func testBeforeKinds(t *testing.T, l *line) {
	s, _ := l.opened(t, l.own)
	use(t, s, "one")
	l.Exec(t, "ALTER TABLE cordon_migrations DROP COLUMN kind")
	plan, err := l.Pending(t.Context(), l.own, false)
	wantErr(t, "a dry run", err, nil)
	same(t, "the plan", plan, schema.Plan{Unmarked: l.own})
	l.Exec(t, "INSERT INTO cordon_migrations(name,applied) VALUES('9999_x',1)")
	_, err = l.Open(t.Context(), l.own, nil)
	if !errors.Is(err, schema.ErrNewer) || !strings.Contains(err.Error(), "9999_x") {
		t.Errorf("an unknown migration without a kind: %v", err)
	}
	l.Exec(t, "DELETE FROM cordon_migrations WHERE name='9999_x'")
	for range 2 {
		again, notices := l.opened(t, l.own)
		same(t, "the notices", notices, []string(nil))
		kinds := l.Strings(t, "SELECT name FROM cordon_migrations WHERE kind='expand' ORDER BY name")
		same(t, "the kinds", kinds, names(l.own))
		use(t, again, fmt.Sprint("two", len(l.Strings(t, "SELECT id FROM cordon_user"))))
		l.Exec(t, "UPDATE cordon_migrations SET kind=NULL WHERE name LIKE '0001%'")
	}
}

// A contract waits until it is wanted, and is not applied by a version that does
// not know all migrations. A new database has it at once.
func testContractsWait(t *testing.T, l *line) {
	set := l.with(t, adds, drops, again)
	last := len(l.own)
	s, _ := l.opened(t, set[:last+1])
	use(t, s, "one")
	plan, err := l.Pending(t.Context(), set, false)
	wantErr(t, "a dry run", err, nil)
	same(t, "the plan", plan, schema.Plan{Apply: set[last+2:], Waiting: set[last+1 : last+2]})
	next, notices := l.opened(t, set)
	same(
		t,
		"the notices",
		notices,
		[]string{"the migration " + set[last+1].Name + " waits: it takes away what versions " +
			"before 1.0.0 use; once none of them will run on this database again, apply it with: cordon " +
			"migrate-store --contract"},
	)
	use(t, next, "two")
	same(t, "the column", len(l.Strings(t, "SELECT more FROM cordon_user")), 2)
	_, err = l.Migrate(t.Context(), set[:last+2], true)
	if !errors.Is(err, schema.ErrContract) || !strings.Contains(err.Error(), set[last+2].Name) {
		t.Errorf("a contract beside an unknown migration: %v", err)
	}
	plan, err = l.Migrate(t.Context(), set, true)
	wantErr(t, "migrating", err, nil)
	same(t, "the plan", plan, schema.Plan{Apply: set[last+1 : last+2]})
	use(t, next, "three")
	if _, err := l.Open(t.Context(), set[:last+1], nil); !errors.Is(err, schema.ErrNewer) {
		t.Errorf("the version before the contract: %v", err)
	}
	other := l.fresh(t)
	plan, err = other.Migrate(t.Context(), set, false)
	wantErr(t, "a new database", err, nil)
	same(t, "its plan", plan, schema.Plan{Apply: set})
	same(t, "its catalogue", other.Catalogue(t), l.Catalogue(t))
}

// Two versions from two branches: each applies what it has beside what it does
// not know.
func testBranches(t *testing.T, l *line) {
	one, two := l.with(t, adds), l.with(t, again)
	one[len(l.own)].Name += "_one"
	s, _ := l.opened(t, one)
	plan, err := l.Migrate(t.Context(), two, false)
	wantErr(t, "the other branch", err, nil)
	same(t, "the plan", plan, schema.Plan{Apply: two[len(l.own):], Newer: names(one[len(l.own):])})
	other, notices := l.opened(t, two)
	same(t, "the notices", len(notices), 1)
	use(t, s, "one")
	use(t, other, "two")
	clash := l.with(t, wrong)
	clash[len(l.own)].Name += "_clash"
	before := l.Catalogue(t)
	_, err = l.Open(t.Context(), clash, nil)
	if err == nil || !strings.Contains(err.Error(), "migration "+clash[len(l.own)].Name+": ") {
		t.Errorf("a migration that clashes: %v", err)
	}
	same(t, "the catalogue", l.Catalogue(t), before)
}

// A migration that fails takes those before it along.
func testAllOrNothing(t *testing.T, l *line) {
	_, err := l.Migrate(t.Context(), l.with(t, adds, wrong), false)
	if err == nil || !strings.Contains(err.Error(), "_more2") {
		t.Errorf("a wrong migration: %v", err)
	}
	same(t, "the catalogue", l.Catalogue(t), "")
	s, _ := l.opened(t, l.own)
	use(t, s, "one")
}

// Several processes start at once, on an empty database and on an older one:
// each migration is applied once, and all of them serve.
func testAtOnce(t *testing.T, l *line) {
	for i, set := range []schema.Set{l.own, l.with(t, adds, again)} {
		stores := make([]Store, 6)
		applied := make([]int, len(stores))
		var group sync.WaitGroup
		for j := range stores {
			group.Go(func() {
				var err error
				if j%2 == 0 {
					plan, err := l.Migrate(t.Context(), set, false)
					wantErr(t, "migrating", err, nil)
					applied[j] = len(plan.Apply)
				}
				stores[j], err = l.Open(t.Context(), set, nil)
				wantErr(t, "opening", err, nil)
			})
		}
		group.Wait()
		for j, s := range stores {
			if s == nil {
				t.Fatal("a process does not serve")
			}
			use(t, s, fmt.Sprintf("n%d-%d", i, j))
			wantErr(t, "closing", s.Close(), nil)
		}
		same(t, "the migrations", l.Strings(t, "SELECT name FROM cordon_migrations ORDER BY name"), names(set))
	}
}

// A dry run changes nothing.
func testDryRun(t *testing.T, l *line) {
	set := l.with(t, adds, drops)
	for _, contracts := range []bool{false, true} {
		plan, err := l.Pending(t.Context(), set, contracts)
		wantErr(t, "an empty database", err, nil)
		same(t, "its plan", plan, schema.Plan{Apply: set})
		same(t, "its catalogue", l.Catalogue(t), "")
	}
	l.opened(t, l.own)
	before := l.Catalogue(t)
	plan, err := l.Pending(t.Context(), set, true)
	wantErr(t, "an older database", err, nil)
	same(t, "its plan", plan, schema.Plan{Apply: set[len(l.own):]})
	same(t, "its catalogue", l.Catalogue(t), before)
}

// Contracts may be applied after all expands: the schema is the same. So no
// expand may need what a contract before it did.
func testAnyOrder(t *testing.T, l *line) {
	for _, set := range []schema.Set{l.own, l.with(t, adds, drops, again)} {
		late, straight := l.fresh(t), l.fresh(t)
		for _, contracts := range []bool{false, true} {
			if _, err := late.Migrate(t.Context(), set[:1], false); err != nil {
				t.Fatal(err)
			}
			if _, err := late.Migrate(t.Context(), set, contracts); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := straight.Migrate(t.Context(), set, true); err != nil {
			t.Fatal(err)
		}
		same(t, "the catalogue", late.Catalogue(t), straight.Catalogue(t))
	}
}

// A context that has ended migrates nothing.
func testEndedMigration(t *testing.T, l *line) {
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := l.Migrate(ended, l.own, false); !errors.Is(err, context.Canceled) {
		t.Errorf("migrating: %v", err)
	}
	same(t, "the catalogue", l.Catalogue(t), "")
}
