package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/store/storetest"
)

// file is a database as several versions see it.
type file struct {
	path string
	raw  *sql.DB
}

func newFile(tb testing.TB) storetest.Versions {
	tb.Helper()
	f := file{path: filepath.Join(tb.TempDir(), "x.db")}
	var err error
	if f.raw, err = sql.Open("sqlite", "file:"+f.path+"?_pragma=busy_timeout(10000)"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := f.raw.Close(); err != nil {
			tb.Error(err)
		}
	})
	return f
}

func (f file) options(notice func(string)) sqlite.Options {
	return sqlite.Options{Path: f.path, Durability: "normal", Notice: notice}
}

func (f file) Open(ctx context.Context, set schema.Set, notice func(string)) (storetest.Store, error) {
	s, err := sqlite.OpenWith(ctx, f.options(notice), set)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (f file) Migrate(ctx context.Context, set schema.Set, contracts bool) (schema.Plan, error) {
	return sqlite.MigrateWith(ctx, f.options(nil), set, contracts)
}

func (f file) Pending(ctx context.Context, set schema.Set, contracts bool) (schema.Plan, error) {
	return sqlite.PendingWith(ctx, f.options(nil), set, contracts)
}

func (f file) Exec(tb testing.TB, text string) {
	tb.Helper()
	if _, err := f.raw.ExecContext(tb.Context(), text); err != nil {
		tb.Fatal(err)
	}
}

func (f file) Strings(tb testing.TB, query string) (all []string) {
	tb.Helper()
	rows, err := f.raw.QueryContext(tb.Context(), query)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var value sql.NullString
		if err := rows.Scan(&value); err != nil {
			tb.Fatal(err)
		}
		if !value.Valid {
			value.String = "NULL"
		}
		all = append(all, value.String)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

func (f file) Catalogue(tb testing.TB) string {
	tb.Helper()
	return strings.Join(f.Strings(tb, `
		SELECT m.name||'.'||c.name||' '||c.type||' '||c."notnull"||' '||ifnull(c.dflt_value,'')
		FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type='table' AND m.name LIKE 'cordon~_%' ESCAPE '~'
		UNION ALL
		SELECT 'index '||sql FROM sqlite_master
		WHERE type='index' AND tbl_name LIKE 'cordon~_%' ESCAPE '~' AND sql NOT NULL ORDER BY 1`), "\n")
}

func TestVersions(t *testing.T) {
	own, err := sqlite.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	storetest.RunVersions(t, own, newFile)
}
