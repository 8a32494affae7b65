package storetest

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/schema"
)

// Each case is a migration and what is said about it: "" for nothing.
func TestPromise(t *testing.T) {
	for text, want := range map[string]string{
		"-- expand\nCREATE TABLE cordon_x (a TEXT PRIMARY KEY NOT NULL, b INTEGER CHECK (b > 0)) WITHOUT " +
			"ROWID;\nCREATE UNIQUE INDEX i ON cordon_x (b);\n": "",
		"-- expand\ncreate index i ON cordon_user " +
			"(mail);": "",
		"-- expand\nALTER TABLE cordon_user ADD COLUMN a text;\nALTER TABLE cordon_user ADD COLUMN b int8 NOT NULL " +
			"DEFAULT (1);": "",
		"-- expand\nCREATE FUNCTION f(x float8) RETURNS float8 LANGUAGE sql\n  AS 'SELECT ''DROP TABLE x; " +
			"''';": "",

		"-- expand\n": "must contain a statement",
		"-- expand\n-- nothing: the other database lacks it\n": "",
		"-- expand\nCREATE INDEX i ON cordon_user (mail)": `"CREATE INDEX I ON CORDON_USER (" must ` +
			`end with a semicolon`,
		"-- expand\nDROP TABLE cordon_x;": `"DROP TABLE CORDON_X" is not a statement ` +
			`that is known to add only`,
		"-- expand\nCREATE INDEX i ON x (a);\ndrop index i;":                           `"DROP INDEX I" is not`,
		"-- expand\nALTER TABLE cordon_user RENAME COLUMN mail TO email;":              "is not a statement",
		"-- expand\nALTER TABLE cordon_user RENAME TO x;":                              "is not a statement",
		"-- expand\nALTER TABLE cordon_user DROP COLUMN mail;":                         "is not a statement",
		"-- expand\nALTER TABLE cordon_user ALTER COLUMN mail TYPE int8;":              "is not a statement",
		"-- expand\nALTER TABLE cordon_user ALTER COLUMN mail SET NOT NULL;":           "is not a statement",
		"-- expand\nUPDATE cordon_user SET mail='';":                                   "is not a statement",
		"-- expand\nDELETE FROM cordon_user;":                                          "is not a statement",
		"-- expand\nCREATE TRIGGER t BEFORE INSERT ON cordon_user BEGIN SELECT 1;END;": "is not a statement",
		"-- expand\nCREATE OR REPLACE FUNCTION f() RETURNS int AS 'SELECT 1';":         "is not a statement",
		"-- expand\nCREATE TABLE IF NOT EXISTS x (a TEXT);":                            "is not a statement",
		"-- expand\nCREATE TABLE x AS SELECT 1;":                                       "is not a statement",
		"-- expand\nCREATE TABLE x (a) AS SELECT max(1);":                              "must be made by its columns",
		"-- expand\nCREATE TABLE x (a TEXT REFERENCES cordon_user (id));": "REFERENCES binds the table " +
			"X to another",
		"-- expand\nCREATE UNIQUE INDEX i ON cordon_user (mail);": "the unique index I refuses " +
			"what the release before may write to CORDON_USER",
		"-- expand\nALTER TABLE cordon_user ADD COLUMN a TEXT NOT NULL;": "the column A must have a " +
			"default or allow NULL",
		"-- expand\nALTER TABLE cordon_user ADD COLUMN a TEXT NOT NULL DEFAULT NULL;": "the column A must have a " +
			"default or allow NULL",
		"-- expand\nALTER TABLE cordon_user ADD COLUMN a TEXT UNIQUE;":          "UNIQUE refuses",
		"-- expand\nALTER TABLE cordon_user ADD COLUMN a TEXT CHECK (a <> '');": "CHECK refuses",
		"-- expand\nALTER TABLE cordon_user ADD COLUMN a TEXT, DROP COLUMN mail;": "one statement must add one " +
			"column, and A is followed by more",
		"-- expand\nALTER TABLE cordon_user ADD COLUMN IF NOT EXISTS a TEXT;":     "without IF NOT EXISTS",
		"-- expand\nALTER TABLE cordon_user ADD CONSTRAINT c CHECK (mail <> '');": "is not a statement",
		"-- expand\nCREATE FUNCTION f() RETURNS int AS $$SELECT 1$$;":             `the databases read '$' differently`,
		"-- expand\nCREATE INDEX i ON x (a) WHERE a = E'\\'';":                    "a text must have no prefix",
		"-- expand\nCREATE INDEX i ON x (a) WHERE a = '\\';":                      "a text must have no backslash",
		"-- expand\nCREATE INDEX i /* x */ ON x (a);":                             "a comment must begin with --",
		"-- expand\nCREATE INDEX i ON x (a) WHERE a = 'x;":                        "must end with '",

		"-- contract: unused since 1.0.0\nALTER TABLE cordon_user DROP COLUMN mail;": "",
		"-- contract: unused since 1.0.0\nCREATE TABLE cordon_x (a TEXT);":           "only adds: it must be an expand",
		"-- contract: unused since 1.0.0\n":                                          "must contain a statement",
	} {
		m, err := schema.Parse("0009_x", text)
		if err != nil {
			t.Fatal(err)
		}
		err = Promise(m)
		if want == "" && err != nil {
			t.Errorf("%s\n got %v", text, err)
		}
		if want != "" &&
			(err == nil || !strings.HasPrefix(err.Error(), "0009_x") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
}

// FuzzPromise: what is taken for an expand has no word that removes, outside of
// texts, names and comments; and every text is taken apart into parts of itself.
func FuzzPromise(f *testing.F) {
	for _, seed := range []string{"CREATE TABLE x (a TEXT);", "ALTER TABLE x ADD COLUMN a TEXT DEFAULT 'it''s';",
		"CREATE INDEX \"a;b\" ON x (a); -- DROP", "DROP TABLE x;", "'", "--", "$$;$$"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		statements, err := split(sql)
		if err != nil {
			return
		}
		length := 0
		for _, s := range statements {
			for _, token := range s {
				length += len(token)
				if token != "'" && !strings.Contains(strings.ToUpper(sql), strings.ToUpper(token)) {
					t.Errorf("%q is not in %q", token, sql)
				}
			}
		}
		if length > len(sql) {
			t.Errorf("%d bytes came out of %q", length, sql)
		}
		if Promise(schema.Migration{Name: "x", Kind: schema.Expand, SQL: sql}) != nil {
			return
		}
		for _, s := range statements {
			word := s.has(0, "DROP", "RENAME", "DELETE", "UPDATE", "TRUNCATE")
			if word != "" && s[0] != "CREATE" && !s.is(0, "ALTER", "TABLE", "?", "ADD") {
				t.Errorf("%q was taken with %s", sql, word)
			}
		}
	})
}
