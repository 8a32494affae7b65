package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// figures are what one turn of a measure found. What a measure does not find is
// zero.
type figures struct {
	CPU       float64 `json:"cpu_us,omitempty"`        // of the proxy, for each operation or MiB
	Rate      float64 `json:"per_second,omitempty"`    // operations or MiB
	P50       float64 `json:"p50_us,omitempty"`        // of one operation
	P99       float64 `json:"p99_us,omitempty"`        // of one operation
	Memory    float64 `json:"kib,omitempty"`           // for each tunnel
	Questions float64 `json:"dns_questions,omitempty"` // for each operation
	Closes    bool    `json:"closes,omitempty"`        // the proxy does not keep the client's connection
}

// measure is one thing that a proxy does.
type measure struct {
	name   string
	direct bool // whether it can be done without a proxy
	once   bool // whether there is only one turn
	shown  []quantity
	run    func(c *client, each time.Duration) (figures, error)
}

// quantity is one of a measure's figures as a row of the table.
type quantity struct {
	unit string
	of   func(figures) float64
	more bool // whether more is better
}

var (
	processor = quantity{"µs CPU", func(f figures) float64 { return f.CPU }, false}
	perMiB    = quantity{"µs CPU per MiB", processor.of, false}
	rate      = quantity{"1/s", func(f figures) float64 { return f.Rate }, true}
	mibRate   = quantity{"MiB/s", rate.of, true}
	median    = quantity{"p50 µs", func(f figures) float64 { return f.P50 }, false}
	slow      = quantity{"p99 µs", func(f figures) float64 { return f.P99 }, false}
	questions = quantity{"DNS questions", func(f figures) float64 { return f.Questions }, false}
	memory    = quantity{"KiB", func(f figures) float64 { return f.Memory }, false}
)

// measures are the rows of the table. Memory comes first: what a process has
// freed and kept would hide what it takes.
var measures = []measure{
	{"idle tunnel", false, true, []quantity{memory}, idle},
	{"denied CONNECT", false, false, []quantity{processor, rate}, deniedConnects},
	{"denied request kept alive", false, false, []quantity{processor, rate}, requests(denied, "403")},
	{"tunnel set-up, 8 at once", true, false, []quantity{processor, rate, questions}, setUps(8)},
	{"tunnel set-up, 1 at once", true, false, []quantity{processor, median, slow}, setUps(1)},
	{"forwarded request", true, false, []quantity{processor, rate}, requests("", "200")},
	{"WebSocket echo", true, false, []quantity{processor, rate}, echoes},
	{"bulk down, 1 tunnel", true, false, []quantity{perMiB, mibRate}, bulk(1, 'D')},
	{"bulk down, 16 tunnels", true, false, []quantity{perMiB, mibRate}, bulk(16, 'D')},
	{"bulk up, 1 tunnel", true, false, []quantity{perMiB, mibRate}, bulk(1, 'U')},
}

// repeat does f again and again, by that many workers at once, for the time.
func (c *client) repeat(each time.Duration, workers int, f func() error) (figures, error) {
	for range 20 { // warm up
		if err := f(); err != nil {
			return figures{}, err
		}
	}
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	cpu, asked, began := c.p.cpu(), c.zone.questions.Load(), time.Now()
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			times, err := clock(began.Add(each), f)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, times...)
			if err != nil {
				failed = err
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	if failed != nil {
		return figures{}, failed
	}
	n := float64(len(all))
	slices.Sort(all)
	return figures{
		CPU:       micros(c.p.cpu()-cpu) / n,
		Rate:      n / took.Seconds(),
		P50:       micros(all[len(all)/2]),
		P99:       micros(all[len(all)*99/100]),
		Questions: float64(c.zone.questions.Load()-asked) / n,
	}, nil
}

// clock does f until the end, at least once, and returns how long each took.
func clock(end time.Time, f func() error) (times []time.Duration, err error) {
	for began := time.Now(); ; {
		if err := f(); err != nil {
			return times, err
		}
		now := time.Now()
		times = append(times, now.Sub(began))
		if now.After(end) {
			return times, nil
		}
		began = now
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

func deniedConnects(c *client, each time.Duration) (figures, error) {
	return c.repeat(each, 1, func() error {
		conn, err := c.dial(denied, "443")
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, connect(denied)); err != nil {
			return err
		}
		_, err = expect(bufio.NewReader(conn), "403")
		return err
	})
}

// requests asks for the host, or for the listed ones in turn.
func requests(host, status string) func(*client, time.Duration) (figures, error) {
	return func(c *client, each time.Duration) (figures, error) {
		e := &exchange{c: c, status: status}
		defer e.close()
		f, err := c.repeat(each, 1, func() error {
			if host != "" {
				return e.ask(host)
			}
			return e.ask(c.next())
		})
		f.Closes = e.opened > 10
		return f, err
	}
}

func setUps(workers int) func(*client, time.Duration) (figures, error) {
	return func(c *client, each time.Duration) (figures, error) {
		return c.repeat(each, workers, func() error {
			conn, err := c.tunnel()
			if conn != nil {
				conn.Close()
			}
			return err
		})
	}
}

// echoes sends messages of the size of a WebSocket's and waits for each to come
// back. In a tunnel they are bytes like any other.
func echoes(c *client, each time.Duration) (figures, error) {
	conns, end, err := c.tunnels(1)
	defer end()
	if err != nil {
		return figures{}, err
	}
	conn := conns[0]
	if _, err := conn.Write([]byte{'E'}); err != nil {
		return figures{}, err
	}
	message := make([]byte, 64)
	return c.repeat(each, 1, func() error {
		if _, err := conn.Write(message); err != nil {
			return err
		}
		_, err := io.ReadFull(conn, message)
		return err
	})
}

// bulk moves bytes through tunnels at once, down or up.
func bulk(tunnels int, direction byte) func(*client, time.Duration) (figures, error) {
	type moved struct {
		n   int64
		err error
	}
	return func(c *client, each time.Duration) (figures, error) {
		conns, end, err := c.tunnels(tunnels)
		defer end()
		if err != nil {
			return figures{}, err
		}
		cpu, began := c.p.cpu(), time.Now()
		done := make(chan moved, tunnels)
		for _, conn := range conns {
			go func() {
				n, err := move(conn, direction, began.Add(each))
				done <- moved{n, err}
			}()
		}
		var total int64
		for range conns {
			m := <-done
			total += m.n
			if m.err != nil {
				err = m.err
			}
		}
		if err == nil && total == 0 {
			err = errors.New("nothing moved")
		}
		if err != nil {
			return figures{}, err
		}
		mib := float64(total) / (1 << 20)
		return figures{CPU: micros(c.p.cpu()-cpu) / mib, Rate: mib / time.Since(began).Seconds()}, nil
	}
}

func move(conn net.Conn, direction byte, end time.Time) (total int64, err error) {
	if _, err := conn.Write([]byte{direction}); err != nil {
		return 0, err
	}
	work := conn.Read
	if direction == 'U' {
		work = conn.Write
	}
	buffer := make([]byte, 1<<20)
	for time.Now().Before(end) {
		n, err := work(buffer)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// idleCount is how many idle tunnels are opened to weigh one.
const idleCount = 1000

// idle weighs tunnels in which nothing happens. Some come and go first, so that
// what the first ones cost a process once is not counted.
func idle(c *client, _ time.Duration) (figures, error) {
	_, end, err := c.tunnels(idleCount / 10)
	end()
	if err != nil {
		return figures{}, err
	}
	time.Sleep(time.Second)
	before := c.p.memory()
	_, end, err = c.tunnels(idleCount)
	defer end()
	if err != nil {
		return figures{}, err
	}
	time.Sleep(2 * time.Second) // garbage and buffers are given back
	return figures{Memory: float64(c.p.memory()-before) / 1024 / idleCount}, nil
}

// measure lets all proxies take turns at each measure.
func (r *report) measure(ctx context.Context, o options, clients []*client) error {
	for i, m := range measures {
		if !o.wants(m) {
			continue
		}
		rounds := o.rounds
		if m.once {
			rounds = 1
		}
		for range rounds {
			for _, c := range clients {
				if c.p == nil && !m.direct || r.errs[i][c.name] != nil {
					continue
				}
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				f, err := m.run(c, o.each)
				r.add(i, c.name, f, err)
			}
		}
	}
	return nil
}
