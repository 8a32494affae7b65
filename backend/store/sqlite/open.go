package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/store/schema"
	"github.com/cordon-sec/cordon/backend/tables"
)

// Options say where the database is and how it is kept.
type Options struct {
	// Path is the file; it is created when missing, its folder is not.
	Path string
	// Durability is "full" (default): a write that was acknowledged survives
	// the loss of power, each group of writes waits for one fsync; or
	// "normal": it survives the end of the process, and after a loss of power
	// the last moments may be missing, but nothing is torn.
	Durability string
	// Readers is how many connections read, default two for each processor,
	// at least four.
	Readers int
	// Now is the clock, default time.Now.
	Now func() time.Time
	// Notice, if not nil, is told by Open what an operator should know of the
	// database's schema, a sentence each, such as that a newer version has added
	// to it.
	Notice func(text string)
}

// ParseDSN reads the address that cordon.yaml has: "sqlite:PATH", optionally
// with ?durability=full or normal.
func ParseDSN(dsn string) (Options, error) {
	rest, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok {
		return Options{}, errors.New(`sqlite: the address must begin with "sqlite:"`) // it may hold a password
	}
	path, query, _ := strings.Cut(rest, "?")
	path = strings.TrimPrefix(path, "//")
	o := Options{Path: path}
	values, err := url.ParseQuery(query)
	if err != nil || path == "" {
		return o, errors.New("sqlite: the address must be sqlite:PATH[?durability=full|normal]")
	}
	for key, v := range values {
		if key != "durability" {
			return o, fmt.Errorf("sqlite: unknown option %q, there is only durability", key)
		}
		o.Durability = v[0]
	}
	return o, o.check()
}

func (o Options) check() error {
	switch o.Durability {
	case "", "full", "normal":
		return nil
	}
	return fmt.Errorf("sqlite: durability must be full or normal, not %q", o.Durability)
}

// complete sets the defaults and looks for what cannot work.
func (o *Options) complete() error {
	if err := o.check(); err != nil {
		return err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Readers <= 0 {
		o.Readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	if info, err := os.Stat(filepath.Dir(o.Path)); err != nil || !info.IsDir() {
		return fmt.Errorf("sqlite: the folder of %s does not exist", o.Path)
	}
	return nil
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	options Options
	newer   []string
	readers chan *conn
	writer  *writer
	closed  sync.Once
}

var (
	_ tables.Store = (*Store)(nil)
	_ auth.Store   = (*Store)(nil)
)

// Open opens the database, creating it if there is none, and applies the
// migrations that it lacks; contracts only to a new database (see [Migrate]). A
// database that a newer version has changed is opened if it only added to it;
// otherwise the error is [schema.ErrNewer].
func Open(ctx context.Context, o Options) (*Store, error) {
	set, err := Migrations()
	if err != nil {
		return nil, err
	}
	return open(ctx, o, set)
}

func open(ctx context.Context, o Options, set schema.Set) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	c, plan, err := begin(ctx, o, set, false)
	if err != nil {
		return nil, err
	}
	s := &Store{options: o, newer: plan.Newer, readers: make(chan *conn, o.Readers), writer: newWriter(c, o)}
	// One reader is made at once to find mistakes, the others when they are
	// needed: a quiet server stays small.
	for range o.Readers {
		s.readers <- nil
	}
	first, err := s.reader(ctx)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	s.release(first)
	if o.Notice != nil {
		for _, text := range plan.Notices() {
			o.Notice(text)
		}
	}
	return s, nil
}

// Close waits for the writes that are queued and closes the file.
func (s *Store) Close() error {
	var err error
	s.closed.Do(func() {
		err = s.writer.close()
		for range s.options.Readers {
			if c := <-s.readers; c != nil {
				if e := c.close(); err == nil {
					err = e
				}
			}
		}
	})
	return err
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.read(ctx, func(c *conn) error {
		return c.query(ctx, "SELECT 1", nil, func([]driver.Value) error { return nil })
	})
}

// reader takes a reading connection out of the pool.
func (s *Store) reader(ctx context.Context) (*conn, error) {
	select {
	case c := <-s.readers:
		if c != nil {
			return c, nil
		}
		c, err := connect(s.options, true)
		if err != nil {
			s.readers <- nil
		}
		return c, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Readers is how many queries are answered at once.
func (s *Store) Readers() int { return cap(s.readers) }

func (s *Store) release(c *conn) { s.readers <- c }

// read runs f on a reading connection.
func (s *Store) read(ctx context.Context, f func(*conn) error) error {
	c, err := s.reader(ctx)
	if err != nil {
		return err
	}
	defer s.release(c)
	return f(c)
}
