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
	for _, c := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"0002_b_2.sql": fine, "0001_a.sql": fine}, "0001_a, 0002_b_2"},
		{map[string]string{}, ""},
		{map[string]string{"0001_a.sql": "SELECT 1;\n"}, `0001_a.sql:1: the first line must be "-- expand" or "-- contract: unused since 1.2.3", not "SELECT 1;"`},
		{map[string]string{"0001_a.sql": fine, "0003_c.sql": fine}, "the migration 0003_c must have the number 0002: numbers begin at 0001, and each is used once"},
		{map[string]string{"0001_a.sql": fine, "0001_b.sql": fine}, "the migration 0001_b must have the number 0002: numbers begin at 0001, and each is used once"},
		{map[string]string{"0000_a.sql": fine}, "the migration 0000_a must have the number 0001: numbers begin at 0001, and each is used once"},
		{map[string]string{"0001_A.sql": fine}, `"0001_A.sql": a migration's file must be named NNNN_words.sql`},
		{map[string]string{"0001_a.sql.orig": fine}, `"0001_a.sql.orig": a migration's file must be named NNNN_words.sql`},
		{map[string]string{"more/0001_a.sql": fine}, `"more": a migration's file must be named NNNN_words.sql`},
	} {
		folder := fstest.MapFS{}
		for name, text := range c.files {
			folder[name] = &fstest.MapFile{Data: []byte(text)}
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
		if got != c.want {
			t.Errorf("%v:\n got %s\nwant %s", c.files, got, c.want)
		}
	}
}

// FuzzParse: a migration that was taken says its kind again in the same words.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"-- expand\nSELECT 1;\n", "-- contract: unused since 1.4.0\n", "-- contract: unused since 99999999999999999999.0.0\n", "-- \n", ""} {
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

func TestPlan(t *testing.T) {
	a, b := Migration{Name: "0001_a", Kind: Expand}, Migration{Name: "0002_b", Kind: Expand}
	c, d := Migration{Name: "0003_c", Kind: Contract, Since: "1.0.0"}, Migration{Name: "0004_d", Kind: Expand}
	set := Set{a, b, c, d}
	has := func(pairs ...string) (all []Recorded) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, Recorded{pairs[i], Kind(pairs[i+1])})
		}
		return all
	}
	for name, x := range map[string]struct {
		recorded  []Recorded
		contracts bool
		want      Plan
		err       error
	}{
		"new":                       {nil, false, Plan{Apply: set}, nil},
		"complete":                  {has("0001_a", "expand", "0002_b", "expand", "0003_c", "contract", "0004_d", "expand"), true, Plan{}, nil},
		"a contract waits":          {has("0001_a", "expand"), false, Plan{Apply: []Migration{b, d}, Waiting: []Migration{c}}, nil},
		"a contract is wanted":      {has("0001_a", "expand"), true, Plan{Apply: []Migration{b, c, d}}, nil},
		"a gap":                     {has("0001_a", "expand", "0004_d", "expand"), false, Plan{Apply: []Migration{b}, Waiting: []Migration{c}}, nil},
		"no kinds":                  {has("0001_a", "", "0002_b", "", "0004_d", "expand"), false, Plan{Waiting: []Migration{c}, Unmarked: []Migration{a, b}}, nil},
		"a known one changed":       {has("0001_a", "shrink", "0002_b", "contract", "0003_c", "expand", "0004_d", "expand"), false, Plan{}, nil},
		"a newer version's":         {has("0001_a", "expand", "0006_z", "expand", "0005_y", "expand"), false, Plan{Apply: []Migration{b, d}, Waiting: []Migration{c}, Newer: []string{"0005_y", "0006_z"}}, nil},
		"a contract beside unknown": {has("0001_a", "expand", "0005_y", "expand"), true, Plan{}, ErrContract},
		"unknown alone":             {has("9999_x", "expand"), false, Plan{Apply: []Migration{a, b, d}, Waiting: []Migration{c}, Newer: []string{"9999_x"}}, nil},
		"a newer contract":          {has("0001_a", "expand", "0005_y", "expand", "0006_z", "contract"), false, Plan{}, ErrNewer},
		"a newer one without kind":  {has("0001_a", "expand", "0005_y", ""), false, Plan{}, ErrNewer},
		"a word":                    {has("0001_a", "expand", "0005_y", "EXPAND"), false, Plan{}, ErrNewer},
	} {
		got, err := set.Plan(x.recorded, x.contracts)
		if !errors.Is(err, x.err) || x.err == nil && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestNotices(t *testing.T) {
	p := Plan{Newer: []string{"0005_y", "0006\x1b"}, Waiting: []Migration{{Name: "0003_c", Kind: Contract, Since: "1.4.0"}}}
	want := []string{
		`the database was written by a newer version: its migrations 0005_y and 0006\x1b only add to the schema, so this version runs on it`,
		"the migration 0003_c waits: it takes away what versions before 1.4.0 use; once none of them will run on this database again, apply it with: cordon migrate-store --contract",
	}
	if diff := cmp.Diff(want, p.Notices()); diff != "" {
		t.Error(diff)
	}
	if got := (Plan{Apply: p.Waiting, Unmarked: p.Waiting}).Notices(); got != nil {
		t.Errorf("%q", got)
	}
	_, err := Set{}.Plan([]Recorded{{"9\x1b", "x"}}, false)
	const refused = `the database was written by a newer version: the kind of its migration 9\x1b, "x", is unknown to this version; run that version, or a newer one, or restore a backup from before`
	if err == nil || err.Error() != refused {
		t.Errorf("%v", err)
	}
}
