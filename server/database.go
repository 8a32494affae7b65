package server

import (
	"context"
	"maps"
	"net/url"
	"strings"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/settings"
)

// Store is a database as the backend's parts need it.
type Store interface {
	auth.Store
	tables.Store
	// Close ends it.
	Close() error
}

// openStore opens the database.
func (b *Backend) openStore(ctx context.Context) error {
	dsn, err := b.Settings.ResolveDatabase()
	if err != nil {
		return err
	}
	store, err := openStore(ctx, b.Settings, dsn, func(text string) { b.notices = append(b.notices, text) })
	if err != nil {
		return environment(err)
	}
	b.Store = store
	b.fixed.add(func(context.Context) error { return store.Close() })
	return nil
}

func openStore(ctx context.Context, s *settings.Settings, dsn string, notice func(string)) (Store, error) {
	if isPostgres(dsn) {
		return postgres.Open(ctx, postgres.Options{URL: dsn, Notice: notice})
	}
	if dsn == "" {
		dsn = "sqlite:./cordon.db"
	}
	o, err := sqlite.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	o.Path, o.Notice = s.Path(o.Path), notice
	return sqlite.Open(ctx, o)
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// OpenStore opens the database that the settings name, for commands that work on
// it without serving.
func OpenStore(ctx context.Context, s *settings.Settings) (Store, error) {
	dsn, err := s.ResolveDatabase()
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, s, dsn, nil)
	return store, environment(err)
}

// DatabaseName names the database for people, without a password.
func DatabaseName(s *settings.Settings) string {
	dsn, err := s.ResolveDatabase()
	if err != nil {
		return s.Database
	}
	if isPostgres(dsn) {
		u, err := url.Parse(dsn)
		if err != nil {
			return "postgres"
		}
		// A socket is a parameter; a password may be one too.
		query := u.Query()
		maps.DeleteFunc(query, func(name string, _ []string) bool { return name != "host" && name != "port" })
		u.RawQuery = query.Encode()
		return u.Redacted()
	}
	if dsn == "" {
		dsn = "sqlite:./cordon.db"
	}
	if o, err := sqlite.ParseDSN(dsn); err == nil {
		return "sqlite:" + s.Path(o.Path)
	}
	return "sqlite"
}
