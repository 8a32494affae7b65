package event

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func denial() *Event {
	return &Event{
		ID: "r1", Type: Decision, Source: "gateway", App: "shop", Verdict: Blocked, Reason: "not-listed",
		Method: "GET", Scheme: "http", Host: "evil.example", Port: 80, Path: "/a?token=secret#x",
		Client: netip.MustParseAddrPort("10.0.0.1:5"), Time: time.Unix(1, 0),
	}
}

func closeLog(t *testing.T, l *Log) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := l.Close(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestLogWritesOneLineWithoutTheQuery(t *testing.T) {
	var out bytes.Buffer
	l := NewLog(&out, LogOptions{})
	NewRecorder(l).Record(denial())
	closeLog(t, l)
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	for key, want := range map[string]any{"msg": "decision", "path": "/a", "host": "evil.example", "verdict": "block",
		"reason": "not-listed", "client": "10.0.0.1:5", "port": float64(80), "app": "shop"} {
		if got[key] != want {
			t.Errorf("%s = %v, want %v", key, got[key], want)
		}
	}
	if strings.Contains(out.String(), "secret") {
		t.Errorf("the query was logged: %s", out.String())
	}
}

type blockedWriter struct{ release chan struct{} }

func (b blockedWriter) Write(p []byte) (int, error) { <-b.release; return len(p), nil }

func TestBlockedWriterDropsAndCounts(t *testing.T) {
	b := blockedWriter{make(chan struct{})}
	l := NewLog(b, LogOptions{Queue: 4, Burst: -1})
	for range 1000 {
		l.Record(denial())
	}
	if l.Dropped() < 900 {
		t.Errorf("dropped %d of 1000 events, want most", l.Dropped())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := l.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close on a hanging writer = %v, want deadline exceeded", err)
	}
	close(b.release)
	<-l.stopped
}

type fullDisk struct {
	mu   sync.Mutex
	full bool
	n    int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return 0, errors.New("no space left on device")
	}
	d.n++
	return len(p), nil
}

func TestFullDiskIsToldOnceAndRecovers(t *testing.T) {
	told := make(chan error, 100)
	disk := &fullDisk{full: true}
	l := NewLog(disk, LogOptions{OnError: func(err error) { told <- err }})
	l.Record(denial())
	if err := <-told; err == nil {
		t.Error("first report is nil, want the disk's error")
	}
	disk.mu.Lock()
	disk.full = false
	disk.mu.Unlock()
	l.Record(denial())
	if err := <-told; err != nil {
		t.Errorf("second report = %v, want nil: the disk works again", err)
	}
	closeLog(t, l)
	if disk.n == 0 || l.Failed() != 1 {
		t.Errorf("written %d, failed %d, want at least 1 and exactly 1", disk.n, l.Failed())
	}
}

// roomFor is a disk that takes so many bytes, and more when there is room again.
type roomFor struct {
	bytes.Buffer
	room int
}

func (d *roomFor) Write(p []byte) (int, error) {
	n, _ := d.Buffer.Write(p[:min(len(p), d.room)])
	if d.room -= n; n < len(p) {
		return n, errors.New("no space left")
	}
	return n, nil
}

// TestDiskThatFillsWithinALine: wherever the disk becomes full, what is written
// before and after is whole lines, and they say exactly how many are missing.
func TestDiskThatFillsWithinALine(t *testing.T) {
	var one bytes.Buffer
	l := NewLog(&one, LogOptions{})
	l.Record(denial())
	closeLog(t, l)
	for room := range 2*one.Len() + 1 {
		disk := &roomFor{room: room}
		l := &Log{options: LogOptions{Burst: -1}, queue: make(chan Event, 10), out: newLines(disk)}
		l.logger = slog.New(slog.NewJSONHandler(l.out, &slog.HandlerOptions{ReplaceAttr: eventTime}))
		for range 2 {
			for range 3 { // too many for the room
				l.queue <- *denial()
			}
			first := <-l.queue
			l.drain(&first, true)
		}
		disk.room = 1 << 20
		l.drain(denial(), false)
		whole, missing := 0, 0
		for line := range strings.Lines(disk.String()) {
			var said struct {
				Msg     string
				Dropped int
			}
			if json.Unmarshal([]byte(line), &said) != nil || said.Msg != "decision" {
				continue // the part of a line, which ends there
			}
			whole, missing = whole+1, missing+said.Dropped
		}
		if whole+missing != 7 || int64(missing) != l.Failed() {
			t.Fatalf("room for %d bytes: %d lines, which say that %d are missing; %d failed\n%s", room, whole, missing,
				l.Failed(), disk.String())
		}
	}
}

func TestFloodIsSampled(t *testing.T) {
	var out bytes.Buffer
	l := NewLog(&out, LogOptions{Queue: 10000, Burst: 10, Every: 100})
	for range 1010 {
		l.Record(denial())
	}
	l.Record(&Event{Type: Notice, Time: time.Unix(1, 0), Reason: "reload"})
	closeLog(t, l)
	lines := strings.Count(out.String(), "\n")
	if lines != 10+10+1 {
		t.Errorf("%d lines, want the burst of 10, 10 samples and the notice", lines)
	}
	if !strings.Contains(out.String(), "sampled_out") {
		t.Error("no line says that events were left out")
	}
}

func TestMetrics(t *testing.T) {
	m := NewMetrics()
	e := denial()
	e.Up, e.Down = 3, 4
	m.Record(e)
	m.Record(&Event{Type: Close, Source: "gateway", App: "shop", Up: 7})
	want := `# HELP cordon_decisions_total Requests that were decided, by app, verdict and reason.
# TYPE cordon_decisions_total counter
cordon_decisions_total{app="shop",reason="not-listed",source="gateway",verdict="block"} 1
# HELP cordon_bytes_total Bytes moved for apps, by direction as the app sees it.
# TYPE cordon_bytes_total counter
cordon_bytes_total{app="shop",direction="down",source="gateway"} 4
cordon_bytes_total{app="shop",direction="up",source="gateway"} 10
`
	if err := testutil.GatherAndCompare(m.Registry(), strings.NewReader(want), "cordon_decisions_total",
		"cordon_bytes_total"); err != nil {
		t.Error(err)
	}
}

func TestRingKeepsTheLatest(t *testing.T) {
	r := NewRing(3)
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		r.Record(&Event{ID: id})
	}
	got := ""
	for _, e := range r.Latest() {
		got += e.ID
	}
	if got != "345" {
		t.Errorf("latest = %s, want 345", got)
	}
}

func TestRingStreams(t *testing.T) {
	r := NewRing(3)
	rec := NewRecorder(r)
	rec.Record(denial())
	server := httptest.NewServer(r)
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() map[string]any {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var e map[string]any
				if err := json.Unmarshal([]byte(data), &e); err != nil {
					t.Fatal(err)
				}
				return e
			}
		}
		t.Fatalf("stream ended: %v", lines.Err())
		return nil
	}
	if e := next(); e["id"] != "r1" || e["type"] != "decision" || e["path"] != "/a" {
		t.Errorf("kept event = %v", e)
	}
	rec.Record(&Event{ID: "r2", Type: Close, Total: 1500 * time.Microsecond})
	if e := next(); e["id"] != "r2" || e["total_ms"] != 1.5 {
		t.Errorf("new event = %v", e)
	}
}

func TestNilRecorder(t *testing.T) {
	var r *Recorder
	r.Record(denial())
	if NewRecorder(nil).sinks != nil {
		t.Error("a nil sink was kept")
	}
}

func BenchmarkRecordLogged(b *testing.B) {
	l := NewLog(&bytes.Buffer{}, LogOptions{Burst: -1})
	r := NewRecorder(l, NewMetrics(), NewRing(1000))
	for b.Loop() {
		r.Record(denial())
	}
}
