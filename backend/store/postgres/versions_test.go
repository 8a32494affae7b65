package postgres_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/store/storetest"
	"github.com/cordon-sec/cordon/backend/store/storetest/pgtest"
)

// versioned is a database as several versions see it.
type versioned struct {
	url string
	raw *pgx.Conn
}

func newVersioned(tb testing.TB) storetest.Versions {
	tb.Helper()
	v := versioned{url: pgtest.URL(tb)}
	var err error
	if v.raw, err = pgx.Connect(tb.Context(), v.url); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := v.raw.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return v
}

func (v versioned) options(notice func(string)) postgres.Options {
	return postgres.Options{URL: v.url, Notice: notice}
}

func (v versioned) Open(ctx context.Context, set schema.Set, notice func(string)) (storetest.Store, error) {
	s, err := postgres.OpenWith(ctx, v.options(notice), set)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (v versioned) Migrate(ctx context.Context, set schema.Set, contracts bool) (schema.Plan, error) {
	return postgres.MigrateWith(ctx, v.options(nil), set, contracts)
}

func (v versioned) Pending(ctx context.Context, set schema.Set, contracts bool) (schema.Plan, error) {
	return postgres.PendingWith(ctx, v.options(nil), set, contracts)
}

func (v versioned) Exec(tb testing.TB, text string) {
	tb.Helper()
	if _, err := v.raw.Exec(tb.Context(), text, pgx.QueryExecModeSimpleProtocol); err != nil {
		tb.Fatal(err)
	}
}

func (v versioned) Strings(tb testing.TB, query string) []string {
	tb.Helper()
	rows, err := v.raw.Query(tb.Context(), query, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		tb.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var value *string
		if err := row.Scan(&value); err != nil || value == nil {
			return "NULL", err
		}
		return *value, nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

func (v versioned) Catalogue(tb testing.TB) string {
	tb.Helper()
	return strings.Join(v.Strings(tb, `
		SELECT concat_ws(' ', table_name||'.'||column_name, data_type, is_nullable, column_default)
		FROM information_schema.columns WHERE table_schema=current_schema() AND table_name LIKE 'cordon\_%'
		UNION ALL
		SELECT indexdef FROM pg_indexes
		WHERE schemaname=current_schema() AND tablename LIKE 'cordon\_%' ORDER BY 1`), "\n")
}

func TestVersions(t *testing.T) {
	pgtest.URL(t) // skips here, once, when there is no PostgreSQL
	own, err := postgres.Migrations()
	if err != nil {
		t.Fatal(err)
	}
	storetest.RunVersions(t, own, newVersioned)
}
