package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options say where the database is.
type Options struct {
	// URL is a connection URL, postgres://user@host/database, with several
	// hosts if there are standbys. Its password is never logged.
	URL string
	// MaxConns is the size of the pool, default 16, or pool_max_conns of the
	// URL.
	MaxConns int
	// Now is the clock of what is no row (migrations, for instance); rows are
	// stamped by the database's clock. Default time.Now.
	Now func() time.Time
	// Notice, if not nil, is told by Open what an operator should know of the
	// database's schema, a sentence each, such as that a newer version has added
	// to it.
	Notice func(text string)
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	pool    *pgxpool.Pool
	newer   []string
	now     func() time.Time
	mu      sync.Mutex
	writers map[string]*writer
	closed  bool
}

var (
	_ tables.Store = (*Store)(nil)
	_ auth.Store   = (*Store)(nil)
)

func configure(o Options) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		// The error quotes the URL without its password, but an address is
		// nobody's business either.
		return nil, errors.New("postgres: the database's URL cannot be read")
	}
	if o.MaxConns > 0 {
		config.MaxConns = int32(o.MaxConns)
	} else if config.MaxConns < 16 && !hasPoolSize(o.URL) {
		config.MaxConns = 16
	}
	if len(config.ConnConfig.Fallbacks) > 0 && config.ConnConfig.ValidateConnect == nil {
		// With several hosts, the one that takes writes is the one.
		config.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 10 * time.Second
	}
	config.ConnConfig.StatementCacheCapacity = 200
	config.ConnConfig.RuntimeParams["application_name"] = "cordon"
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	return config, nil
}

func hasPoolSize(url string) bool {
	c, err := pgx.ParseConfig(url)
	return err == nil && c.RuntimeParams["pool_max_conns"] != ""
}

// Readers is how many queries are answered at once.
func (s *Store) Readers() int { return int(s.pool.Config().MaxConns) }

// Open connects to the database and applies the migrations that it lacks;
// contracts only to a new database (see [Migrate]). A database that a newer
// version has changed is opened if it only added to it; otherwise the error is
// [schema.ErrNewer].
func Open(ctx context.Context, o Options) (*Store, error) {
	set, err := Migrations()
	if err != nil {
		return nil, err
	}
	return open(ctx, o, set)
}

func open(ctx context.Context, o Options, set schema.Set) (*Store, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	plan, err := migrate(ctx, s.pool, set, false, s.now())
	if err != nil {
		s.pool.Close()
		return nil, wrap(err)
	}
	s.newer = plan.Newer
	if o.Notice != nil {
		for _, text := range plan.Notices() {
			o.Notice(text)
		}
	}
	return s, nil
}

// connect connects to the database and looks for what the store cannot do
// without.
func connect(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	config, err := configure(o)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("postgres: connecting: %w", err)
	}
	s := &Store{pool: pool, now: o.Now, writers: map[string]*writer{}}
	if err := s.check(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// check looks for what the store cannot do without.
func (s *Store) check(ctx context.Context) error {
	var version int
	var icu bool
	var encoding string
	err := s.pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, EXISTS (SELECT 1 FROM pg_collation WHERE collname='und-x-icu'),
		current_setting('server_encoding')`).Scan(&version, &icu, &encoding)
	switch {
	case err != nil:
		return fmt.Errorf("postgres: connecting: %w", err)
	case version < 140000:
		return fmt.Errorf("postgres: the server is version %d, 14 is the oldest that works", version/10000)
	case !icu:
		return errors.New("postgres: the server was built without ICU, which ordering by text needs")
	case encoding != "UTF8":
		return fmt.Errorf("postgres: the database's encoding is %s, UTF8 is needed", encoding)
	}
	return nil
}

// Close waits for the writes that are queued and closes all connections.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	writers := s.writers
	s.writers = nil
	s.mu.Unlock()
	for _, w := range writers {
		w.close()
	}
	s.pool.Close()
	return nil
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pool.Ping(ctx) }
