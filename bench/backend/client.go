package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// process is a contender in a process of its own.
type process struct {
	kind    string
	api     api
	address string
	command *exec.Cmd
}

func start(kind, database string, o options) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &process{kind: kind, api: zumo{}}
	if kind == "pocketbase" {
		s.api = records{}
	}
	s.command = exec.Command(self, "-serve", kind, "-database", database, "-durability", o.durability)
	s.command.Stderr = os.Stderr
	out, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			s.stop()
			return nil, fmt.Errorf("the process ended: %w", err)
		}
		// PocketBase writes about itself there too.
		if address, ok := strings.CutPrefix(line, "listening on "); ok {
			s.address = strings.TrimSpace(address)
			go io.Copy(io.Discard, lines) // ends with the process
			return s, nil
		}
	}
}

func (s *process) stop() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait() // it was killed; that is its end
}

// connection is one connection to a contender, without the pool and the
// goroutines of net/http's client: the client's work is not what is measured, and
// it takes time from the same processors.
type connection struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte
}

// answerTime bounds one request.
const answerTime = 30 * time.Second

func (s *process) connect() (*connection, error) {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	return &connection{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// request is one request on its way to a contender.
type request struct{ method, target, body string }

// answer is what came back; its body is valid until the next request.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request and reads the answer.
func (c *connection) do(r request) (answer, error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return answer{}, err
	}
	c.out = append(c.out[:0], r.method...)
	c.out = append(append(c.out, ' '), r.target...)
	c.out = append(c.out, " HTTP/1.1\r\nHost: localhost\r\nZUMO-API-VERSION: 2.0.0\r\nAccept: application/json\r\n"...)
	if r.body != "" {
		c.out = append(c.out, "Content-Type: application/json\r\nContent-Length: "...)
		c.out = append(strconv.AppendInt(c.out, int64(len(r.body)), 10), "\r\n"...)
	}
	c.out = append(append(c.out, "\r\n"...), r.body...)
	if _, err := c.conn.Write(c.out); err != nil {
		return answer{}, err
	}
	got, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	c.body, err = appendAll(c.body[:0], got.Body)
	return answer{got.StatusCode, got.Header, c.body}, err
}

// appendAll is io.ReadAll into a buffer that is kept.
func appendAll(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// want does a request whose status must be the given one.
func (c *connection) want(status int, r request) (answer, error) {
	got, err := c.do(r)
	if err == nil && got.status != status {
		err = fmt.Errorf("%s %s: %d %s", r.method, r.target, got.status, got.body)
	}
	return got, err
}

// fill inserts the rows, those that match one filter one after another: where
// nothing else is asked for, the order of a result is that of its rows' insertion.
func (s *process) fill() error {
	return s.crowd(filters, func(c *connection, client, n int) (bool, error) {
		i := client + n*filters
		if i >= rows {
			return false, nil
		}
		_, err := c.want(s.api.created(), s.api.insert(i, true))
		return true, err
	})
}

// crowd has each of a number of clients call do, the nth time with n from 0 on,
// until it says that it is done.
func (s *process) crowd(clients int, do func(c *connection, client, n int) (more bool, err error)) error {
	var group sync.WaitGroup
	failures := make([]error, clients)
	for client := range clients {
		group.Go(func() {
			c, err := s.connect()
			if err != nil {
				failures[client] = err
				return
			}
			defer c.conn.Close()
			more := true
			for n := 0; more && err == nil; n++ {
				more, err = do(c, client, n)
			}
			failures[client] = err
		})
	}
	group.Wait()
	return errors.Join(failures...)
}

// measure sends requests for a while.
func (s *process) measure(name string, o options, profile string) (cost, error) {
	finish, err := s.profile(profile, o.span)
	if err != nil {
		return cost{}, err
	}
	before, err := s.used()
	if err != nil {
		return cost{}, err
	}
	var count atomic.Int64
	began := time.Now()
	err = s.crowd(o.clients, func(c *connection, client, n int) (bool, error) {
		if time.Since(began) >= o.span {
			return false, nil
		}
		if err := s.one(c, name, n*o.clients+client); err != nil {
			return false, err
		}
		count.Add(1)
		return true, nil
	})
	took := time.Since(began)
	if err != nil {
		return cost{}, err
	}
	after, err := s.used()
	if err != nil {
		return cost{}, err
	}
	n := float64(count.Load())
	return cost{cpu: float64(after-before) / n, time: float64(took.Microseconds()) * float64(o.clients) / n}, finish()
}

// one sends one request of a kind.
func (s *process) one(c *connection, name string, n int) error {
	var err error
	switch name {
	case "read":
		_, err = c.want(http.StatusOK, s.api.read(rowID(n*7919%rows)))
	case "query":
		_, err = c.want(http.StatusOK, s.api.query(n%filters))
	case "insert":
		_, err = c.want(s.api.created(), s.api.insert(n, false))
	}
	return err
}

// used is the processor time of the server so far, in microseconds.
func (s *process) used() (int64, error) {
	c, err := s.connect()
	if err != nil {
		return 0, err
	}
	defer c.conn.Close()
	got, err := c.want(http.StatusOK, request{method: "GET", target: "/used"})
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(got.body), 10, 64)
}

// profile has the server profile itself into a file, "" for none; the function
// that it returns waits for that.
func (s *process) profile(file string, span time.Duration) (func() error, error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	c, err := s.connect()
	if err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() {
		defer c.conn.Close()
		target := fmt.Sprintf("/profile?seconds=%d", max(1, int(span.Seconds())))
		got, err := c.want(http.StatusOK, request{method: "GET", target: target})
		if err == nil {
			err = os.WriteFile(file, got.body, 0o600)
		}
		done <- err
	}()
	return func() error { return <-done }, nil
}
