package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/store/storetest"
)

func open(tb testing.TB) storetest.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(),
		sqlite.Options{Path: filepath.Join(tb.TempDir(), "a b%c.db"), Durability: "normal"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) { storetest.Run(t, open) }
