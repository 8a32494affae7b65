//go:build linux

package main

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// soakReset, as a length, makes the secure origin reset.
const soakReset = 1<<32 - 1

// lossyNames is a name server whose answers can be lost. It is a process of its own
// (answerNames), so that it answers in time however busy the test's clients are.
type lossyNames struct {
	address string
	orders  io.Writer
	lines   *bufio.Scanner
}

// serveNames answers 127.0.0.1 for every name, for a second.
func serveNames(t *testing.T) *lossyNames {
	cmd := exec.Command(nameServer)
	orders, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		orders.Close() // which ends it
		if err := cmd.Wait(); err != nil {
			t.Errorf("the name server: %v", err)
		}
	})
	n := &lossyNames{orders: orders, lines: bufio.NewScanner(said)}
	if !n.lines.Scan() {
		t.Fatalf("the name server said nothing: %v", n.lines.Err())
	}
	n.address = n.lines.Text()
	return n
}

// lose makes answers be lost, or come again.
func (n *lossyNames) lose(lost bool) error {
	order := orderAnswer
	if lost {
		order = orderLose
	}
	_, err := fmt.Fprintln(n.orders, order)
	return err
}

// watch calls late when the machine has held the name server up, which is a fault
// like those that are made. It returns when the server ends.
func (n *lossyNames) watch(late func()) {
	for n.lines.Scan() {
		late()
	}
}

// serveSoakPlain is an origin that gives bodies back, breaks off under /reset,
// and says nothing under /stall. It returns its port.
func serveSoakPlain(t *testing.T) string {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/reset/"):
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(make([]byte, 50_000))
			panic(http.ErrAbortHandler)
		case strings.HasPrefix(r.URL.Path, "/stall/"):
			<-r.Context().Done()
		default:
			body, _ := io.ReadAll(r.Body) // what is missing comes back missing
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
			_, _ = w.Write(body)
		}
	}))
	t.Cleanup(origin.Close)
	_, port, _ := net.SplitHostPort(origin.Listener.Addr().String())
	return port
}

// serveSoakSecure is an origin that gives blocks back over TLS. It returns its
// port.
func serveSoakSecure(t *testing.T, leaf *testpki.Pair) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{leaf.TLS()}}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() { echoBlocks(conn.(*net.TCPConn), config) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		served.Wait()
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func echoBlocks(conn *net.TCPConn, config *tls.Config) {
	defer conn.Close()
	secure := tls.Server(conn, config)
	head := make([]byte, 4)
	for {
		if _, err := io.ReadFull(secure, head); err != nil {
			_ = secure.CloseWrite()
			return
		}
		n := binary.BigEndian.Uint32(head)
		if n == soakReset {
			_ = conn.SetLinger(0)
			return
		}
		if _, err := io.CopyN(secure, secure, int64(n)); err != nil {
			return
		}
	}
}

// wanted is the event that a request must have. A count of -1 is any.
type wanted struct {
	verdict  event.Verdict
	reason   string
	closes   bool
	up, down int64
}

// entry is one request of which not everything is known yet.
type entry struct {
	finished, excused bool
	want              wanted
	decision, end     *event.Event
}

// book compares requests with their events.
type book struct {
	mu     sync.Mutex
	open   map[string]*entry
	counts struct{ compared, excused, events int }
	faults []string
	// dropped is how many events the log says it had no room for, when the reader
	// was held up: so many may be missing.
	dropped int
	lost    int // requests whose events have not come, and cannot any more
}

// begin opens a request's page: a tunnel's under its client's address, another's
// under its path.
func (b *book) begin(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if before := b.open[key]; before != nil && !before.excused {
		b.lost++ // the address is used again
	}
	b.open[key] = &entry{}
}

// done says what the events must be.
func (b *book) done(key string, want wanted, excused bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.open[key]
	e.finished, e.want, e.excused = true, want, excused
	if excused {
		b.counts.excused++
	}
	b.compare(key, e)
}

// compare checks a page when all of it is there.
func (b *book) compare(key string, e *entry) {
	if !e.finished || e.excused || e.decision == nil || e.want.closes && e.end == nil {
		return
	}
	delete(b.open, key)
	b.counts.compared++
	last := e.decision
	if e.want.closes {
		last = e.end
	}
	w := e.want
	if e.decision.Verdict != w.verdict || w.reason != "" && e.decision.Reason != w.reason ||
		w.up >= 0 && last.Up != w.up || w.down >= 0 && last.Down != w.down {
		b.note("%s: wanted %+v, the event is %+v", key, w, *last)
	}
}

// read takes the events from a named pipe until it is closed.
func (b *book) read(path string) {
	file, err := os.Open(path)
	if err != nil {
		b.wrong("%v", err)
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		b.drop(lines.Bytes())
		e, err := event.Parse(lines.Bytes())
		if err != nil {
			b.wrong("an event that cannot be read: %v", err)
			continue
		}
		b.take(&e)
	}
}

// drop notes what a line says of events that are missing before it.
func (b *book) drop(line []byte) {
	var missing struct {
		Dropped int `json:"dropped"`
	}
	if json.Unmarshal(line, &missing) == nil {
		b.mu.Lock()
		b.dropped += missing.Dropped
		b.mu.Unlock()
	}
}

func (b *book) take(e *event.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.events++
	if e.Type == event.Notice {
		return
	}
	key := e.Path
	if e.Method == "CONNECT" {
		key = e.Client.String()
	}
	page := b.open[key]
	switch {
	case page == nil:
		b.note("an event that nobody asked for: %+v", *e)
	case e.Type == event.Close:
		page.end = e
	default:
		page.decision = e
	}
	if page != nil {
		b.compare(key, page)
	}
}

// note writes down what is wrong, the first of it.
func (b *book) note(format string, args ...any) {
	if len(b.faults) < 20 {
		b.faults = append(b.faults, fmt.Sprintf(format, args...))
	}
}

func (b *book) wrong(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note(format, args...)
}

func (b *book) wrongs() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.faults
}

// settled reports whether every request that was not excused has its events, but
// for as many as the log has dropped.
func (b *book) settled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	missing := b.lost
	for _, e := range b.open {
		if !e.excused {
			missing++
		}
	}
	return missing <= b.dropped
}

// missing lists requests without their events, the first of them.
func (b *book) missing() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	for key, e := range b.open {
		if !e.excused && len(list) < 10 {
			list = append(list, fmt.Sprintf("%s %+v", key, *e))
		}
	}
	return strings.Join(list, "\n")
}

func (b *book) totals() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("%d requests agree with their events, %d excused by faults, %d events, %d dropped by the log",
		b.counts.compared, b.counts.excused, b.counts.events, b.dropped)
}
