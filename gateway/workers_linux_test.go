package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
)

// relayed opens a tunnel to an origin of its own and returns both of its ends,
// past the hello.
func relayed(t *testing.T, s *site) (client, origin net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s.secure.port = addrPort(l.Addr()).Port()
	s.writeRules(usualRules)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	c := s.connect("secure.test:{secure}")
	hello := captureHello(t, &tls.Config{ServerName: "secure.test"})
	c.send(string(hello))
	origin, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { origin.Close() })
	if _, err := io.ReadFull(origin, make([]byte, len(hello))); err != nil {
		t.Fatal(err)
	}
	return c.Conn, origin
}

// TestBulkWithoutDescriptors: a tunnel that could be spliced is copied where the
// system has no descriptor left for a pipe.
func TestBulkWithoutDescriptors(t *testing.T) {
	s := newSite(t, usualRules, nil)
	client, origin := relayed(t, s)
	closeIdlePipes()
	waiting := make([]int, 80) // connections that cannot be accepted
	for i := range waiting {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		waiting[i] = fd
	}
	defer noDescriptors(t)()
	to := addrPort(s.gateway.Addr())
	for _, fd := range waiting {
		if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
			t.Fatal(err)
		}
		_, _ = unix.Write(fd, []byte("G"))
	}
	const size = 24 << 20
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		_, _ = origin.Write(make([]byte, size))
		origin.Close()
	})
	if got, err := io.Copy(io.Discard, client); got != size || err != nil {
		t.Errorf("%d bytes of %d have come, %v", got, size, err)
	}
}

// TestOriginThatEndsAtOnce: it is connected to once.
func TestOriginThatEndsAtOnce(t *testing.T) {
	s := newSite(t, usualRules, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.secure.port = addrPort(l.Addr()).Port()
	s.writeRules(usualRules)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	var accepted atomic.Int64
	var accepting sync.WaitGroup
	defer accepting.Wait()
	defer l.Close()
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			c.Close()
		}
	})
	const tunnels = 30
	for range tunnels {
		s.connect("secure.test:{secure}").Close()
	}
	lane.Until(t, "each tunnel has its decision", func() bool { return len(s.decisions()) == tunnels })
	last, err := net.Dial("tcp", l.Addr().String()) // when it is closed, all before it have been accepted
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	_, _ = last.Read(make([]byte, 1))
	if n := accepted.Load() - 1; n != tunnels {
		t.Errorf("%d connections for %d tunnels", n, tunnels)
	}
}

// faulty panics at the decision about one host.
type faulty struct{ told chan string }

func (f faulty) Record(e *event.Event) {
	switch {
	case e.Type == event.Notice:
		f.told <- e.Reason + " " + e.Detail
	case e.Host == "fault.test":
		panic("a fault")
	}
}

// TestFaultEndsOneConnection: a panic on a worker ends the connection that it is
// about, is told, and leaves nothing counted.
func TestFaultEndsOneConnection(t *testing.T) {
	sink := faulty{told: make(chan string, 1)}
	g, err := New(Options{
		Events: event.NewRecorder(sink),
		Loaded: loadedOf(t, config.Config{Listen: "127.0.0.1:0", Log: "none",
			Apps: []config.App{{Name: "a", Config: "config.xml"}}}, `<access origin="https://a.example"/>`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := g.Serve(ctx); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer cancel()
	ask := func(host string) *client {
		conn, err := net.Dial("tcp", g.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		c := newClient(t, conn)
		c.send("CONNECT " + host + ":443 HTTP/1.1\r\nHost: x\r\n\r\n")
		return c
	}
	if c := ask("fault.test"); !c.closed() {
		t.Error("the connection is open")
	}
	if told := <-sink.told; !strings.HasPrefix(told, "panic a fault: ") {
		t.Errorf("the operator is told %q", told)
	}
	if resp, _ := ask("other.test").answer("CONNECT"); resp.StatusCode != 403 {
		t.Errorf("afterwards: %d", resp.StatusCode)
	}
	if n := g.limits.requests.now.Load(); n != 0 {
		t.Errorf("%d requests are counted", n)
	}
}

// TestServeThatCannotBegin closes what was opened.
func TestServeThatCannotBegin(t *testing.T) {
	g, err := New(Options{Loaded: loadedOf(t, config.Config{Log: "none", Apps: []config.App{
		{Name: "a", Config: "config.xml", Listen: "127.0.0.1:0"},
		{Name: "b", Config: "config.xml", Listen: "127.0.0.1:0"},
	}}, "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	second := g.AppAddr("b").String()
	g.listeners[0].accepts.(*front).inner.Close() // as if the system had taken it away
	if err := g.Serve(t.Context()); err == nil {
		t.Error("it is served")
	}
	l, err := net.Listen("tcp", second)
	if err != nil {
		t.Fatalf("the other listener is open: %v", err)
	}
	l.Close()
}

// TestListenerThatIsGone: where a worker will never accept again, the gateway ends
// and says why, instead of trying for ever.
func TestListenerThatIsGone(t *testing.T) {
	c := config.Config{Listen: "127.0.0.1:0", Log: "none", Apps: []config.App{{Name: "app", Config: "config.xml"}}}
	g, err := New(Options{Loaded: loadedOf(t, c, `<access origin="*"/>`), Events: event.NewRecorder(),
		Metrics: event.NewMetrics()})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(t.Context()) }()
	lane.Until(t, "the gateway is ready", g.ready.Load)
	f := g.listeners[0].accepts.(*front)
	a := f.acceptors[0]
	a.worker.Post(func() {
		fd := a.fd
		a.fd = -1
		a.Ready(nil)
		a.fd = fd
	})
	if err := <-ended; !errors.Is(err, unix.EBADF) {
		t.Errorf("%v", err)
	}
}

// TestIdlePipesAreGivenBack: pipes that a burst has left are closed once nobody has
// needed them from one sweep to the next, and the others stay.
func TestIdlePipesAreGivenBack(t *testing.T) {
	closeIdlePipes()
	var taken []*pipe
	for range 5 {
		p, err := takePipe()
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, p)
	}
	for _, p := range taken {
		putPipe(p)
	}
	kept := func() int {
		idlePipes.Lock()
		defer idlePipes.Unlock()
		return len(idlePipes.list)
	}
	sweepIdlePipes() // a first look: they have just come
	if n := kept(); n != 5 {
		t.Errorf("%d are kept at first", n)
	}
	p, err := takePipe()
	if err != nil {
		t.Fatal(err)
	}
	putPipe(p)
	sweepIdlePipes()
	if n := kept(); n != 1 {
		t.Errorf("%d are kept, of which one was needed", n)
	}
	sweepIdlePipes()
	if n := kept(); n != 0 {
		t.Errorf("%d are kept, of which none was needed", n)
	}
}
