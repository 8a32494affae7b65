package postgres_test

import (
	"os"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/storetest"
	"github.com/cordon-sec/cordon/backend/store/storetest/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// database is a store whose peers open the same database, as other processes
// do.
type database struct {
	*postgres.Store
	url string
}

func (d database) Peer(tb testing.TB) storetest.Store { return connect(tb, d.url) }

func connect(tb testing.TB, url string) storetest.Store {
	tb.Helper()
	s, err := postgres.Open(tb.Context(), postgres.Options{URL: url})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return database{s, url}
}

func open(tb testing.TB) storetest.Store { return connect(tb, pgtest.URL(tb)) }

func TestStore(t *testing.T) {
	pgtest.URL(t) // skips here, once, when there is no PostgreSQL
	storetest.Run(t, open)
}
