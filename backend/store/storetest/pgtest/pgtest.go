// Package pgtest runs a PostgreSQL server for tests: Debian's or any other
// installation, in a temporary folder, as an unprivileged user, on a socket.
//
// A test package calls Main from its TestMain and URL from its tests. When no
// installation is found the tests are skipped and say why; with
// CORDON_REQUIRE_ALL set they fail. CORDON_TEST_POSTGRES names a server
// that runs already and whose user may create databases.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cordon-sec/cordon/internal/lane"
)

// startTimeout is how long the server may take to answer.
const startTimeout = 30 * time.Second

var (
	once    sync.Once
	shared  *Server
	failure error
	count   atomic.Int64
)

// ErrMissing says that there is no PostgreSQL on this machine.
var ErrMissing = errors.New("there is no initdb: install PostgreSQL (Debian: postgresql), or name a server in " +
	"CORDON_TEST_POSTGRES")

// Main runs the tests and stops the server that they may have started. Its
// result is for os.Exit.
func Main(m interface{ Run() int }) int {
	code := m.Run()
	if shared != nil {
		shared.Stop()
	}
	return code
}

// URL returns the address of a new, empty database. The test is skipped when
// there is no PostgreSQL.
func URL(tb testing.TB) string {
	tb.Helper()
	once.Do(func() { shared, failure = Start(false) })
	if errors.Is(failure, ErrMissing) {
		lane.Missing(tb, failure.Error())
	}
	if failure != nil {
		tb.Fatal(failure)
	}
	address, err := shared.Create()
	if err != nil {
		tb.Fatal(err)
	}
	return address
}

// Server is a running PostgreSQL.
type Server struct {
	dir     string
	url     *url.URL
	process *exec.Cmd
	done    chan struct{}
	log     bytes.Buffer
}

// Start makes a cluster and starts it. With durable set every commit reaches
// the disk, as in production; without, tests are faster.
func Start(durable bool) (*Server, error) {
	if address := os.Getenv("CORDON_TEST_POSTGRES"); address != "" {
		u, err := url.Parse(address)
		if err != nil {
			return nil, errors.New("CORDON_TEST_POSTGRES must be a URL")
		}
		return &Server{url: u}, nil
	}
	bin, err := installation()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "cordon-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, done: make(chan struct{})}
	if err := s.start(bin, durable); err != nil {
		s.Stop() // and with it the writer of the log
		return nil, fmt.Errorf("starting PostgreSQL: %w\n%s", err, s.log.String())
	}
	return s, nil
}

// installation finds the newest server's programs.
func installation() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", ErrMissing
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged is whom the server runs as: it refuses to be root.
func unprivileged() (uid, gid uint32, name string, err error) {
	if os.Getuid() != 0 {
		u, err := user.Current()
		if err != nil {
			return 0, 0, "", err
		}
		return 0, 0, u.Username, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		id, _ := strconv.ParseUint(u.Uid, 10, 32)
		group, _ := strconv.ParseUint(u.Gid, 10, 32)
		return uint32(id), uint32(group), name, nil
	}
	return 0, 0, "", errors.New("there is neither a user postgres nor nobody")
}

func (s *Server) start(bin string, durable bool) error {
	uid, gid, name, err := unprivileged()
	if err != nil {
		return err
	}
	if os.Getuid() == 0 {
		if err := os.Chown(s.dir, int(uid), int(gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(s.dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "cordon", "--auth=trust", "--encoding=UTF8",
		"--locale=C", "--no-sync")
	runAs(initdb, uid, gid)
	initdb.Dir = s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		s.log.Write(out)
		return fmt.Errorf("initdb as %s: %w", name, err)
	}
	args := []string{"-D", data, "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=200", "-c",
		"shared_buffers=64MB"}
	if !durable {
		args = append(args, "-c", "fsync=off")
	}
	s.process = exec.Command(filepath.Join(bin, "postgres"), args...)
	s.process.Dir = s.dir
	s.process.Stderr = &s.log
	runAs(s.process, uid, gid)
	s.url = &url.URL{Scheme: "postgres", User: url.User("cordon"), Path: "/postgres",
		RawQuery: url.Values{"host": {s.dir}, "sslmode": {"disable"}}.Encode()}
	if err := s.launch(); err != nil {
		return err
	}
	return s.wait()
}

// launch starts the process on a thread that lives as long as it does: the
// server is told to end with the thread that started it, so that a test that
// is killed leaves nothing behind.
func (s *Server) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer close(s.done)
		err := s.process.Start()
		started <- err
		if err == nil {
			_ = s.process.Wait() // its end is all that matters
		}
	}()
	return <-started
}

func (s *Server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		c, err := pgx.Connect(ctx, s.url.String())
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-s.done:
			return errors.New("the server ended")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Address is where the server is, for a user who may create databases.
func (s *Server) Address() string { return s.url.String() }

// Create makes a new database and returns its address.
func (s *Server) Create() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	c, err := pgx.Connect(ctx, s.url.String())
	if err != nil {
		return "", err
	}
	defer c.Close(ctx)
	name := fmt.Sprintf("cordon_test_%d_%d", os.Getpid(), count.Add(1))
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		return "", err
	}
	u := *s.url
	u.Path = "/" + name
	return u.String(), nil
}

// Stop ends the server and removes its files. A server that ran before is left
// alone.
func (s *Server) Stop() {
	if s.process != nil && s.process.Process != nil {
		_ = s.process.Process.Signal(os.Interrupt) // a fast shutdown
		select {
		case <-s.done:
		case <-time.After(10 * time.Second):
			_ = s.process.Process.Kill()
			<-s.done
		}
	}
	if s.dir != "" && strings.Contains(s.dir, "cordon-postgres-") {
		_ = os.RemoveAll(s.dir)
	}
}
