package server

import (
	"context"
	"fmt"
	"maps"
	"net/url"

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
	store, err := openDatabase(ctx, dsn, func(text string) { b.notices = append(b.notices, text) })
	if err != nil {
		return err
	}
	b.Store = store
	b.fixed.add(func(context.Context) error { return store.Close() })
	return nil
}

// openDatabase opens what an address names that ResolveDatabase returned.
func openDatabase(ctx context.Context, dsn string, notice func(string)) (Store, error) {
	if settings.IsPostgres(dsn) {
		store, err := postgres.Open(ctx, postgres.Options{URL: dsn, Notice: notice})
		return store, environment(err)
	}
	o, err := sqlite.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	o.Notice = notice
	store, err := sqlite.Open(ctx, o)
	return store, environment(err)
}

// OpenStore opens the database that the settings name, for commands that work on
// it without serving.
func OpenStore(ctx context.Context, s *settings.Settings) (Store, error) {
	dsn, err := s.ResolveDatabase()
	if err != nil {
		return nil, err
	}
	return openDatabase(ctx, dsn, nil)
}

// DatabaseName names the database for people, without a password.
func DatabaseName(s *settings.Settings) string {
	dsn, err := s.ResolveDatabase()
	if err != nil {
		return s.Database
	}
	if settings.IsPostgres(dsn) {
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
	if o, err := sqlite.ParseDSN(dsn); err == nil {
		return "sqlite:" + o.Path
	}
	return "sqlite"
}
