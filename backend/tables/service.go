package tables

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Options are what a Service needs besides its configuration and its store.
// The zero value works.
type Options struct {
	// Prefix is the path under which the tables are, default "/tables".
	Prefix string
	// URL is the public address of the server; its scheme is used for links on
	// its own host, because a front may terminate TLS.
	URL *url.URL
	// DefaultVersion is the version of the protocol for requests that name none:
	// "2.0.0", "3.0.0", or "" to refuse them.
	DefaultVersion string
	// MaxBody is the largest request body in bytes, default and least 1 MiB.
	MaxBody int64
	// Timeout bounds the work of one request in the database, default 30 s.
	Timeout time.Duration
	// Patience is how long a request waits for memory that others hold until it is
	// answered with 503, default 5 s.
	Patience time.Duration
	// Limits bound queries.
	Limits odata.Limits
	// Now is the clock, default time.Now.
	Now func() time.Time
	// Log receives what the operator should know; default is slog.Default().
	// It never receives query strings or rows.
	Log *slog.Logger
	// ReadFile reads seed files, default os.ReadFile.
	ReadFile func(name string) ([]byte, error)
	// Webhooks sends the webhooks' requests; it is the guarded client of
	// package egress. Without one, configured webhooks are an error.
	Webhooks *http.Client
	// Queue is what sends them, where services follow each other; whoever made it
	// closes it. Nil: the service's own.
	Queue *Webhooks
	// WebhookKey signs the requests of webhooks without a secret of their own.
	WebhookKey []byte
}

// Service serves tables. It is an http.Handler, safe for concurrent use; Close
// ends its goroutines.
type Service struct {
	tables  map[string]*table // by lower-case name
	names   []string          // as configured, sorted
	store   Store
	options Options
	prefix  string
	hooks   *Webhooks
	stop    context.CancelFunc
	expiry  chan struct{}
	version atomic.Int64
	memory  memory
}

// table is one configured table with its present shape.
type table struct {
	name   string
	config Table
	// definition is what the store is to have, and rows the seed until it has it.
	definition Definition
	rows       []byte
	shape      atomic.Pointer[Shape]
	rules      [5][]rule    // by op, the table's own rule first
	seen       atomic.Int64 // when the shape was last compared with the store's, in ms
}

// condition is what a rule is once compiled; *identity.Condition is one.
type condition interface {
	Holds(ctx context.Context, f identity.Facts) (bool, error)
	UsesRow() bool
}

// New checks the configuration, brings the store's tables into its shape, loads
// seeds into tables that are new and starts the background work: Prepare and
// Define.
func New(ctx context.Context, c Config, store Store, o Options) (*Service, error) {
	s, err := Prepare(c, store, o)
	if err != nil {
		return nil, err
	}
	if err := s.Define(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Prepare checks everything that can be checked without the store: the tables,
// their rules, their seeds. The service answers requests once Define has been
// called. A mistake in the configuration is a *ConfigError.
func Prepare(c Config, store Store, o Options) (*Service, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	s := &Service{tables: map[string]*table{}, store: store, options: o.withDefaults(), expiry: make(chan struct{})}
	s.memory = newMemory(s.options.MaxBody, readersOf(store))
	s.prefix = strings.ToLower(strings.TrimSuffix(s.options.Prefix, "/")) + "/"
	var seed [8]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("reading random bytes: %w", err)
	}
	s.version.Store(int64(binary.BigEndian.Uint64(seed[:]) >> 1))
	for name := range c {
		s.names = append(s.names, name)
	}
	slices.Sort(s.names)
	for _, name := range s.names {
		if err := s.add(name, c[name]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Define brings the store's tables into the configured shape, all of them or
// none, loads seeds into tables that are new, and starts the background work,
// which Close ends. It is called once. The context bounds only Define itself. A
// table that cannot take its shape is a *SchemaError.
func (s *Service) Define(ctx context.Context) error {
	definitions := make([]Definition, len(s.names))
	for i, name := range s.names {
		definitions[i] = s.tables[strings.ToLower(name)].definition
	}
	all, err := s.store.DefineAll(ctx, definitions)
	if err != nil {
		return fmt.Errorf("preparing the tables: %w", err)
	}
	for i, name := range s.names {
		t := s.tables[strings.ToLower(name)]
		t.shape.Store(all[i].Shape)
		if all[i].Created && t.config.Seed != "" {
			if err := s.seed(ctx, t, t.rows); err != nil {
				return err
			}
		}
		t.rows = nil
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	if s.hooks = s.options.Queue; s.hooks == nil {
		s.hooks = NewWebhooks(s.options.Log)
		s.hooks.now = s.options.Now
	}
	go s.expire(background)
	return nil
}

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = "/tables"
	}
	o.MaxBody = max(o.MaxBody, 1<<20)
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Patience <= 0 {
		o.Patience = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.ReadFile == nil {
		o.ReadFile = os.ReadFile
	}
	return o
}

// add checks a table and adds it to the service.
func (s *Service) add(name string, t Table) error {
	key := strings.ToLower(name)
	if other, taken := s.tables[key]; taken {
		return &ConfigError{name, "", "the table " + other.name + " has the same name"}
	}
	if t.Webhook != nil && s.options.Webhooks == nil {
		return &ConfigError{name, "webhook", "this server sends no requests"}
	}
	d, err := t.definition(name)
	if err != nil {
		return err
	}
	added := &table{name: name, config: t, definition: d}
	if err := added.compile(); err != nil {
		return err
	}
	if t.Seed != "" {
		if added.rows, err = s.checkSeed(name, t, d); err != nil {
			return err
		}
	}
	s.tables[key] = added
	return nil
}

// Close ends the background work. Webhooks that wait are sent until ctx is
// done.
func (s *Service) Close(ctx context.Context) error {
	if s.stop == nil {
		return nil // Define has not been called, or has failed
	}
	s.stop()
	<-s.expiry
	if s.options.Queue != nil {
		return nil // whoever made it ends it
	}
	return s.hooks.Close(ctx)
}

// Names lists the tables as they were configured, sorted.
func (s *Service) Names() []string { return slices.Clone(s.names) }

// Describe says in one line who may do what with a table, for start-up.
func (s *Service) Describe(name string) string {
	t := s.tables[strings.ToLower(name)]
	if t == nil {
		return ""
	}
	var parts []string
	same := true
	for op := opRead; op <= opUndelete; op++ {
		if op == opUndelete && !t.config.SoftDelete {
			continue
		}
		parts = append(parts, fmt.Sprintf("%s: %s", op, t.config.access(op)))
		same = same && t.config.access(op) == t.config.access(opRead)
	}
	if same {
		return string(t.config.access(opRead))
	}
	return strings.Join(parts, ", ")
}

// newVersion returns a version that no other write has: the time and a count
// that began at random.
func (s *Service) newVersion(now time.Time) int64 {
	return (now.UnixMilli()&(1<<42-1))<<21 | s.version.Add(1)&(1<<21-1)
}

// purgeEvery is how often rows that have expired are removed for good.
const purgeEvery = 10 * time.Minute

// expire removes what records_expire hides. Rows are kept for another tenth of
// the time, so that a client that is just reading does not lose them.
func (s *Service) expire(ctx context.Context) {
	defer close(s.expiry)
	tick := time.NewTicker(purgeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.Purge(ctx)
		}
	}
}

// Purge removes rows that expired some time ago from all tables, now.
func (s *Service) Purge(ctx context.Context) {
	for _, name := range s.names {
		t := s.tables[strings.ToLower(name)]
		keep := t.config.RecordsExpire
		if keep <= 0 {
			continue
		}
		before := s.options.Now().Add(-keep - keep/10).UnixMilli()
		for {
			n, err := s.store.Expire(ctx, t.shape.Load(), before)
			if err != nil {
				if !errors.Is(err, context.Canceled) {
					s.options.Log.Error("removing expired rows", "table", name, "error", err)
				}
				return
			}
			if n == 0 {
				break
			}
		}
	}
}
