package schema

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"-- expand\nSELECT 1;\n":                          "0001_x (expand)",
		"-- contract: unused since 1.4.0\nSELECT 1;\n":    "0001_x (contract: unused since 1.4.0)",
		"-- contract: unused since 10.0.12\n":             "0001_x (contract: unused since 10.0.12)",
		"":                                                "",
		"-- expand":                                       "",
		"--expand\nSELECT 1;\n":                           "",
		"-- Expand\nSELECT 1;\n":                          "",
		"-- expand \nSELECT 1;\n":                         "",
		"-- expand\r\nSELECT 1;\r\n":                      "",
		"-- expand: adds a table\nSELECT 1;\n":            "",
		"\n-- expand\nSELECT 1;\n":                        "",
		"\ufeff-- expand\nSELECT 1;\n":                    "",
		"CREATE TABLE x (a TEXT);\n":                      "",
		"-- contract\nSELECT 1;\n":                        "",
		"-- contract: unused since 0002\nSELECT 1;\n":     "",
		"-- contract: unused since 1.4.0.\nSELECT 1;\n":   "",
		"-- contract: unused since 1.4\nSELECT 1;\n":      "",
		"-- contract: unused since 01.4.0\nSELECT 1;\n":   "",
		"-- contract: unused since v1.4.0\nSELECT 1;\n":   "",
		"-- contract: unused since 1.4.0-rc\nSELECT 1;\n": "",
	} {
		m, err := Parse("0001_x", text)
		if want == "" {
			if !errors.Is(err, errHeader) || !strings.HasPrefix(err.Error(), "0001_x.sql:1: ") {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err != nil || m.String() != want || m.SQL != text {
			t.Errorf("%q is %s, %v", text, m, err)
		}
	}
}

func TestRead(t *testing.T) {
	const fine = "-- expand\nSELECT 1;\n"
	const numbers = ": numbers begin at 0001, and each is used once"
	for files, want := range map[string]string{
		"0002_b_2.sql 0001_a.sql": "0001_a, 0002_b_2",
		"":                        "",
		"0001_a.sql 0003_c.sql":   "the migration 0003_c must have the number 0002" + numbers,
		"0001_a.sql 0001_b.sql":   "the migration 0001_b must have the number 0002" + numbers,
		"0000_a.sql":              "the migration 0000_a must have the number 0001" + numbers,
		"0001_A.sql":              `"0001_A.sql": a migration's file must be named NNNN_words.sql`,
		"0001_a.sql.orig":         `"0001_a.sql.orig": a migration's file must be named NNNN_words.sql`,
		"more/0001_a.sql":         `"more": a migration's file must be named NNNN_words.sql`,
	} {
		folder := fstest.MapFS{}
		for _, name := range strings.Fields(files) {
			folder[name] = &fstest.MapFile{Data: []byte(fine)}
		}
		set, err := Read(folder)
		var names []string
		for _, m := range set {
			names = append(names, m.Name)
		}
		got := strings.Join(names, ", ")
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", files, got, want)
		}
	}
	_, err := Read(fstest.MapFS{"0001_a.sql": &fstest.MapFile{Data: []byte("SELECT 1;\n")}})
	const unkind = `0001_a.sql:1: ` +
		`the first line must be "-- expand" or "-- contract: unused since 1.2.3", not "SELECT 1;"`
	if err == nil || err.Error() != unkind {
		t.Errorf("without a kind: %v", err)
	}
}

// FuzzParse: a migration that was taken says its kind again in the same words.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"-- expand\nSELECT 1;\n", "-- contract: unused since 1.4.0\n",
		"-- contract: unused since 99999999999999999999.0.0\n", "-- \n", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse("0001_x", text)
		if err != nil {
			if !errors.Is(err, errHeader) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		line := "-- expand\n"
		if m.Kind == Contract {
			line = "-- contract: unused since " + m.Since + "\n"
		}
		if !strings.HasPrefix(text, line) || (m.Kind == Expand) != (m.Since == "") {
			t.Errorf("%q was taken for %s", text, m)
		}
	})
}

// recorded reads "NAME KIND" for each migration, separated by commas; without a
// kind none is recorded.
func recorded(text string) (all []Recorded) {
	for part := range strings.SplitSeq(text, ",") {
		if name, kind, _ := strings.Cut(strings.TrimSpace(part), " "); name != "" {
			all = append(all, Recorded{name, Kind(kind)})
		}
	}
	return all
}

func TestPlan(t *testing.T) {
	a, b := Migration{Name: "0001_a", Kind: Expand}, Migration{Name: "0002_b", Kind: Expand}
	c, d := Migration{Name: "0003_c", Kind: Contract, Since: "1.0.0"}, Migration{Name: "0004_d", Kind: Expand}
	set, waits := Set{a, b, c, d}, []Migration{c}
	behind := Plan{Apply: []Migration{b, d}, Waiting: waits}
	for _, x := range []struct {
		recorded  string
		contracts bool
		want      Plan
		err       error
	}{
		{"", false, Plan{Apply: set}, nil},
		{"", true, Plan{Apply: set}, nil},
		{"0001_a expand, 0002_b expand, 0003_c contract, 0004_d expand", true, Plan{}, nil},
		{"0001_a expand", false, behind, nil},
		{"0001_a expand", true, Plan{Apply: set[1:]}, nil},
		{"0001_a expand, 0004_d expand", false, Plan{Apply: []Migration{b}, Waiting: waits}, nil},
		{"0001_a, 0002_b, 0004_d expand", false, Plan{Waiting: waits, Unmarked: []Migration{a, b}}, nil},
		{"0001_a shrink, 0002_b contract, 0003_c expand, 0004_d expand", false, Plan{}, nil},
		{"0001_a expand, 0006_z expand, 0005_y expand", false,
			Plan{Apply: behind.Apply, Waiting: waits, Newer: []string{"0005_y", "0006_z"}}, nil},
		{"9999_x expand", false, Plan{Apply: []Migration{a, b, d}, Waiting: waits, Newer: []string{"9999_x"}}, nil},
		{"0001_a expand, 0005_y expand", true, Plan{}, ErrContract},
		{"0001_a expand, 0005_y expand, 0006_z contract", false, Plan{}, ErrNewer},
		{"0001_a expand, 0005_y", false, Plan{}, ErrNewer},
		{"0001_a expand, 0005_y EXPAND", false, Plan{}, ErrNewer},
	} {
		got, err := set.Plan(recorded(x.recorded), x.contracts)
		if !errors.Is(err, x.err) {
			t.Errorf("%s: %v", x.recorded, err)
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", x.recorded, diff)
		}
	}
}

func TestWords(t *testing.T) {
	p := Plan{
		Newer:   []string{"0005_y", "0006\x1b"},
		Waiting: []Migration{{Name: "0003_c", Kind: Contract, Since: "1.4.0"}},
	}
	want := []string{
		`the database was written by a newer version: its migrations 0005_y and 0006\x1b only add to the schema, ` +
			"so this version runs on it",
		"the migration 0003_c waits: it takes away what versions before 1.4.0 use; once none of them will run on " +
			"this " +
			"database again, apply it with: cordon migrate-store --contract",
	}
	if diff := cmp.Diff(want, p.Notices()); diff != "" {
		t.Error(diff)
	}
	if got := (Plan{Apply: p.Waiting, Unmarked: p.Waiting}).Notices(); got != nil {
		t.Errorf("%q", got)
	}
	_, err := Set{}.Plan([]Recorded{{"9\x1b", "x"}}, false)
	const refused = `the database was written by a newer version: ` +
		`the kind of its migration 9\x1b, "x", is unknown to this ` +
		"version; run that version, or a newer one, or restore a backup from before"
	if err == nil || err.Error() != refused {
		t.Errorf("an unknown kind: %v", err)
	}
	_, err = Set(p.Waiting).Plan([]Recorded{{"0005_y", Expand}}, true)
	const contract = "a contract must not be applied by this version: the database lacks 0003_c and has 0005_y " +
		"of a newer version; apply it with that version"
	if err == nil || err.Error() != contract {
		t.Errorf("a contract beside a newer version's: %v", err)
	}
}
