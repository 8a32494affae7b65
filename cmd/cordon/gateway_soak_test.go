//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/proctest"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// TestGatewaySoak keeps many connections busy through a running gateway while
// origins reset and stall, clients leave, descriptors run out and names are
// lost: for 20 seconds in make real, for an hour at 2,000 connections in make
// soak. What is outside the faults must succeed to the byte; every request has
// the event that it must have; and nothing is left behind.
func TestGatewaySoak(t *testing.T) {
	lane.Real(t)
	s := newSoak(t)
	length := time.Duration(lane.Rounds(0, 20, 3600)) * time.Second
	s.warmUp()
	idle := s.figures()
	t.Logf("idle: %v", idle)
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var clients sync.WaitGroup
	for i := range lane.Rounds(0, 400, 2000) {
		clients.Go(func() { s.client(ctx, i) })
	}
	go s.names.watch(func() { // ends with the name server, before the test does
		s.late.Add(1)
		s.healed.Store(time.Now().UnixNano())
	})
	early := s.watch(ctx, length)
	clients.Wait()
	s.heal()
	s.settle()
	last := s.figures()
	defer func() {
		if t.Failed() {
			t.Logf("idle: %v; at the end: %v, open: %v", idle, last, s.descriptors())
		}
	}()
	lane.Until(t, "descriptors and goroutines are as before", func() bool {
		last = s.figures()
		return last.descriptors <= idle.descriptors && last.goroutines <= idle.goroutines+2
	})
	t.Logf("at the end: %v; %s", last, s.book.totals())
	if last.memory > early.memory*5/4+8<<20 {
		t.Errorf("memory grew from %d to %d MiB", early.memory>>20, last.memory>>20)
	}
	for _, wrong := range s.book.wrongs() {
		t.Error(wrong)
	}
}

// soak is a gateway under load, with its origins.
type soak struct {
	t       *testing.T
	process *proctest.Process
	pid     int
	proxy   string
	admin   string
	plain   string // ports of the origins
	secure  string
	roots   *tls.Config
	names   *lossyNames
	book    *book

	usual  unix.Rlimit
	faults atomic.Int32 // those in force
	healed atomic.Int64 // when the last one ended, Unix nanoseconds
	late   atomic.Int64 // how often the name server was held up
	serial atomic.Int64
}

func newSoak(t *testing.T) *soak {
	s := &soak{t: t, book: &book{open: map[string]*entry{}}}
	root := testpki.Root(t, testpki.Spec{Name: "Soak root"})
	s.roots = &tls.Config{RootCAs: root.Pool(), ServerName: "secure.test"}
	s.names = serveNames(t)
	s.plain = serveSoakPlain(t)
	s.secure = serveSoakSecure(t, root.Leaf(t, testpki.Spec{Name: "secure.test", Hosts: []string{"secure.test"}}))
	dir := t.TempDir()
	command := filepath.Join(dir, "cordon")
	if out, err := exec.Command("go", "build", "-o", command, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	events := filepath.Join(dir, "events")
	if err := syscall.Mkfifo(events, 0o600); err != nil {
		t.Fatal(err)
	}
	go s.book.read(events)
	config := filepath.Join(dir, "config.xml")
	writeSoakFile(t, config, `<widget id="org.example.soak" xmlns="http://www.w3.org/ns/widgets">
<access origin="http://plain.test:`+s.plain+`"/><access origin="https://secure.test:`+s.secure+`"/></widget>`)
	settings := filepath.Join(dir, "cordon.yaml")
	s.admin = proctest.FreeAddress(t)
	writeSoakFile(t, settings, `gateway:
  listen: 127.0.0.1:0
  admin: `+s.admin+`
  log: `+events+`
  log_burst: -1
  dns: ["`+s.names.address+`"]
  timeouts: { keep_alive: 10s, lookup: 2s, connect: 2s }
  apps:
    - { name: soak, config: `+config+`, private: [{ host: "*.test", range: 127.0.0.0/8 }] }
`)
	cmd := exec.Command(command, "gateway", "--config", settings)
	s.process = proctest.Start(t, cmd)
	s.proxy = s.process.Line(func(line string) string {
		_, after, _ := strings.Cut(line, "cordon: gateway for soak on ")
		address, _, _ := strings.Cut(after, " ")
		return address
	})
	s.process.Listens(s.admin)
	s.pid = cmd.Process.Pid
	if err := unix.Prlimit(s.pid, unix.RLIMIT_NOFILE, nil, &s.usual); err != nil {
		t.Fatal(err)
	}
	return s
}

func writeSoakFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// warmUp does everything once, so that what is made once is there.
func (s *soak) warmUp() {
	for i := range soakKinds {
		s.once(s.t.Context(), nil, i)
	}
	s.settle()
}

// settle waits until the gateway is idle.
func (s *soak) settle() {
	s.t.Helper()
	settled := false
	defer func() {
		if !settled {
			s.t.Logf("tunnels %d, requests %d, kept %d; without their events: %s", s.gauge("cordon_gateway_tunnels"),
				s.gauge("cordon_gateway_requests"), s.gauge("cordon_gateway_upstream_idle"), s.book.missing())
		}
	}()
	lane.Until(s.t, "every event has come, and nothing is open", func() bool {
		return s.book.settled() && s.gauge("cordon_gateway_tunnels") == 0 &&
			s.gauge("cordon_gateway_requests") == 0 && s.gauge("cordon_gateway_upstream_idle") == 0
	})
	settled = true
}

// watch prints figures and makes faults until the context ends. It returns the
// figures of the first tenth.
func (s *soak) watch(ctx context.Context, length time.Duration) (early soakFigures) {
	print := time.NewTicker(length / 10)
	defer print.Stop()
	faults := time.NewTicker(min(length/3, 20*time.Second))
	defer faults.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			return early
		case <-print.C:
			now := s.figures()
			if early.memory == 0 {
				early = now
			}
			s.t.Logf("%v; %s; the name server was late %d times", now, s.book.totals(), s.late.Load())
		case <-faults.C:
			n++
			s.fault(ctx, n, min(length/20, 3*time.Second))
		}
	}
}

// fault takes descriptors and names away in turn, for a time.
func (s *soak) fault(ctx context.Context, n int, length time.Duration) {
	s.faults.Add(1)
	if n%2 == 1 {
		few := s.usual
		few.Cur = uint64(s.figures().descriptors + 20)
		if err := unix.Prlimit(s.pid, unix.RLIMIT_NOFILE, &few, nil); err != nil {
			s.t.Error(err)
		}
	} else {
		s.loseNames(true)
	}
	over := time.NewTimer(length)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
	s.heal()
	s.healed.Store(time.Now().UnixNano())
	s.faults.Add(-1)
}

func (s *soak) heal() {
	s.loseNames(false)
	if err := unix.Prlimit(s.pid, unix.RLIMIT_NOFILE, &s.usual, nil); err != nil {
		s.t.Error(err)
	}
}

func (s *soak) loseNames(lost bool) {
	if err := s.names.lose(lost); err != nil {
		s.t.Error(err)
	}
}

// recovery is how long after a fault something may still fail.
const recovery = 3 * time.Second

// excused reports whether something that began then may fail now.
func (s *soak) excused(began time.Time) bool {
	return s.faults.Load() > 0 || began.Before(time.Unix(0, s.healed.Load()).Add(recovery))
}

// soakFigures are what the gateway's process holds.
type soakFigures struct {
	descriptors, goroutines int
	memory                  int64 // resident, bytes
}

func (f soakFigures) String() string {
	return fmt.Sprintf("%d descriptors, %d goroutines, %d MiB", f.descriptors, f.goroutines, f.memory>>20)
}

func (s *soak) figures() (f soakFigures) {
	list, err := os.ReadDir("/proc/" + strconv.Itoa(s.pid) + "/fd")
	if err != nil {
		s.t.Error(err)
	}
	f.descriptors = len(list)
	f.goroutines = s.gauge("go_goroutines")
	status, _ := os.ReadFile("/proc/" + strconv.Itoa(s.pid) + "/statm")
	if fields := strings.Fields(string(status)); len(fields) > 1 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		f.memory = pages * int64(os.Getpagesize())
	}
	return f
}

// descriptors lists what the gateway's process has open.
func (s *soak) descriptors() (open []string) {
	names, _ := filepath.Glob("/proc/" + strconv.Itoa(s.pid) + "/fd/*")
	for _, name := range names {
		to, _ := os.Readlink(name)
		open = append(open, to)
	}
	return open
}

// gauge reads a metric, -1 if it cannot be had.
func (s *soak) gauge(name string) int {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + s.admin + "/metrics")
	if err != nil {
		return -1
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			n, _ := strconv.ParseFloat(value, 64)
			return int(n)
		}
	}
	return -1
}
