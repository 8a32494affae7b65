package event

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// LogOptions are the settings of a Log. The zero value means the defaults.
type LogOptions struct {
	// Queue is how many events wait for the writer before events are dropped:
	// 8192 by default.
	Queue int
	// Burst is how many decisions of one verdict are written each second before
	// sampling starts: 1000 by default, negative for no sampling.
	Burst int
	// Every says which of the decisions above the burst are written: each
	// hundredth by default.
	Every int
	// OnError is told once when the writer starts to fail and once when it
	// works again (nil). It may be nil itself.
	OnError func(error)
}

func (o *LogOptions) defaults() {
	if o.Queue <= 0 {
		o.Queue = 8192
	}
	if o.Burst == 0 {
		o.Burst = 1000
	}
	if o.Every <= 0 {
		o.Every = 100
	}
}

// Log writes events as JSON lines, from a goroutine of its own behind a bounded
// queue. A writer that blocks or fails costs events, never a request: what does
// not fit is dropped and counted, and the next line that is written says how
// many are missing.
type Log struct {
	options LogOptions
	queue   chan Event
	logger  *slog.Logger
	out     *lines
	sampler sampler
	dropped atomic.Int64
	failed  atomic.Int64
	skipped atomic.Int64
	// What the lines written so far have said of missing and skipped ones; only
	// the writing goroutine uses them.
	toldMissing, toldSkipped int64

	close   sync.Once
	quit    chan struct{}
	stopped chan struct{}
}

// NewLog starts a log that writes to w. Close ends it.
func NewLog(w io.Writer, options LogOptions) *Log {
	options.defaults()
	l := &Log{
		options: options,
		queue:   make(chan Event, options.Queue),
		out:     newLines(w),
		quit:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
	l.logger = slog.New(slog.NewJSONHandler(l.out, &slog.HandlerOptions{ReplaceAttr: eventTime}))
	l.sampler = sampler{burst: int64(options.Burst), every: int64(options.Every)}
	go l.run()
	return l
}

// eventTime drops the logger's own time and level: an event has its own time.
func eventTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.LevelKey ||
		a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime && a.Value.Time().IsZero()) {
		return slog.Attr{}
	}
	return a
}

// Record queues the event, or drops it if the queue is full.
func (l *Log) Record(e *Event) {
	if !l.sampler.take(e) {
		l.skipped.Add(1)
		return
	}
	select {
	case <-l.quit:
		l.dropped.Add(1)
		return
	default:
	}
	select {
	case l.queue <- *e:
	default:
		l.dropped.Add(1)
	}
}

// Dropped returns how many events the queue had no room for, in all.
func (l *Log) Dropped() int64 { return l.dropped.Load() }

// Failed returns how many events the writer refused, in all.
func (l *Log) Failed() int64 { return l.failed.Load() }

// Sampled returns how many events sampling left out, in all.
func (l *Log) Sampled() int64 { return l.skipped.Load() }

// Close writes what is queued and ends the log. It waits until the context
// ends at the longest; a writer that hangs is left behind.
func (l *Log) Close(ctx context.Context) error {
	l.close.Do(func() { close(l.quit) })
	select {
	case <-l.stopped:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Log) run() {
	defer close(l.stopped)
	var healthy = true
	for {
		select {
		case e := <-l.queue:
			healthy = l.drain(&e, healthy)
			l.gather()
		case <-l.quit:
			for {
				select {
				case e := <-l.queue:
					healthy = l.drain(&e, healthy)
				default:
					return
				}
			}
		}
	}
}

// pause is how long the writer lets events gather: waking it for each one would
// cost more than writing it.
const pause = 5 * time.Millisecond

// gather waits a moment, unless the log is to be closed.
func (l *Log) gather() {
	wait := time.NewTimer(pause)
	defer wait.Stop()
	select {
	case <-l.quit:
	case <-wait.C:
	}
}

// drain writes the event and all that wait behind it in one piece, and tells
// OnError when the writer's health changes.
func (l *Log) drain(e *Event, healthy bool) bool {
	count := int64(1)
	toldMissing, toldSkipped := l.toldMissing, l.toldSkipped
	l.write(e)
	for more := true; more && count < int64(cap(l.queue)); {
		select {
		case next := <-l.queue:
			l.write(&next)
			count++
		default:
			more = false
		}
	}
	written, err := l.out.flush()
	if err != nil {
		l.failed.Add(count - written)
		if written == 0 { // what they said was not read
			l.toldMissing, l.toldSkipped = toldMissing, toldSkipped
		}
	}
	if (err == nil) != healthy && l.options.OnError != nil {
		l.options.OnError(err)
	}
	return err == nil
}

func (l *Log) write(e *Event) {
	var space [28]slog.Attr
	attrs := e.attrs(space[:0])
	if n := l.skipped.Load(); n > l.toldSkipped {
		attrs = append(attrs, slog.Int64("sampled_out", n-l.toldSkipped))
		l.toldSkipped = n
	}
	if n := l.dropped.Load() + l.failed.Load(); n > l.toldMissing {
		attrs = append(attrs, slog.Int64("dropped", n-l.toldMissing))
		l.toldMissing = n
	}
	record := slog.NewRecord(time.Time{}, slog.LevelInfo, string(e.Type), 0)
	record.AddAttrs(attrs...)
	_ = l.logger.Handler().Handle(context.Background(), record) // the writer keeps the error
}

// attrs appends the event's fields that are not zero.
func (e *Event) attrs(to []slog.Attr) []slog.Attr {
	text := func(key, value string) {
		if value != "" {
			to = append(to, slog.String(key, value))
		}
	}
	number := func(key string, value int64) {
		if value != 0 {
			to = append(to, slog.Int64(key, value))
		}
	}
	span := func(key string, d time.Duration) {
		if d != 0 {
			to = append(to, slog.Float64(key, float64(d.Microseconds())/1000))
		}
	}
	to = append(to, slog.Time("at", e.Time))
	text("id", e.ID)
	text("source", e.Source)
	text("app", e.App)
	text("identity", e.Identity)
	if e.Client.IsValid() {
		text("client", e.Client.String())
	}
	text("verdict", string(e.Verdict))
	text("reason", e.Reason)
	text("method", e.Method)
	text("scheme", e.Scheme)
	text("host", e.Host)
	number("port", int64(e.Port))
	text("path", e.Path)
	text("kind", e.Kind)
	text("rule", e.Rule)
	text("place", e.Place)
	text("detail", e.Detail)
	if e.Address.IsValid() {
		text("address", e.Address.String())
	}
	number("status", int64(e.Status))
	number("bytes_up", e.Up)
	number("bytes_down", e.Down)
	span("lookup_ms", e.Lookup)
	span("connect_ms", e.Connect)
	span("total_ms", e.Total)
	return to
}

// lines collects lines and writes them in one piece. A line of which a part was
// written, as to a disk that became full, is ended before the next one begins.
type lines struct {
	to      io.Writer
	buffer  *bufio.Writer
	written int64 // whole lines since the last flush
	within  bool  // the last byte that was written does not end a line
	cut     bool  // and the rest of that line is lost
}

func newLines(to io.Writer) *lines {
	l := &lines{to: to}
	l.buffer = bufio.NewWriterSize(writerFunc(l.write), 32<<10)
	return l
}

// writerFunc is a function that writes.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Write takes a line.
func (l *lines) Write(p []byte) (int, error) { return l.buffer.Write(p) }

func (l *lines) write(p []byte) (int, error) {
	if l.cut {
		if _, err := l.to.Write([]byte("\n")); err != nil {
			return 0, err
		}
		l.cut, l.within = false, false
	}
	n, err := l.to.Write(p)
	if n = min(max(n, 0), len(p)); n > 0 {
		l.written += int64(bytes.Count(p[:n], []byte("\n")))
		l.within = p[n-1] != '\n'
	}
	if n < len(p) && l.within && p[n] == '\n' {
		l.written++ // all of it but its end, which comes before the next one
	}
	return n, err
}

// flush writes the collected lines, and returns how many. After a failure the
// others are lost, and the writer is tried again with the next ones.
func (l *lines) flush() (written int64, err error) {
	if err = l.buffer.Flush(); err != nil {
		l.buffer.Reset(writerFunc(l.write))
		l.cut = l.within
	}
	written, l.written = l.written, 0
	return written, err
}

// sampler lets a burst of each verdict through in each second, and then only
// every n-th. Notices and closings are never sampled by themselves: a closing
// is written if there is room in its own class.
type sampler struct {
	burst, every int64
	classes      [6]struct {
		second atomic.Int64
		count  atomic.Int64
	}
}

func (s *sampler) take(e *Event) bool {
	if s.burst < 0 || e.Type == Notice {
		return true
	}
	class := &s.classes[sampleClass(e)]
	if now := e.Time.Unix(); class.second.Swap(now) != now {
		class.count.Store(0)
	}
	n := class.count.Add(1)
	return n <= s.burst || (n-s.burst)%s.every == 0
}

func sampleClass(e *Event) int {
	if e.Type == Close {
		return 0
	}
	switch e.Verdict {
	case Allowed:
		return 1
	case Blocked:
		return 2
	case Reported:
		return 3
	case Failed:
		return 4
	}
	return 5
}
