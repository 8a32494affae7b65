package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/gateway/source"
	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/policy/enforced"
)

// site is a gateway between real clients and real origins on loopback. The
// origins are reached as names below .test, which resolve to 127.0.0.1.
type site struct {
	t       *testing.T
	gateway *Gateway
	ring    *event.Ring
	addr    string
	root    *testpki.Pair
	config  string // path of config.xml
	from    *source.Source
	plain   *origin
	secure  *origin
	evil    *origin
	stop    func()

	mu    sync.Mutex
	names map[string][]netip.Addr
}

// origin is a web server that remembers what reached it.
type origin struct {
	port   uint16
	server *httptest.Server
	mu     sync.Mutex
	conns  int
	seen   []string // method, host and target of each request
}

func (o *origin) saw() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.seen...)
}

func (o *origin) connections() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.conns
}

func newOrigin(t *testing.T, pair *testpki.Pair) *origin {
	t.Helper()
	o := &origin{}
	o.server = httptest.NewUnstartedServer(http.HandlerFunc(o.serve))
	o.server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			o.mu.Lock()
			o.conns++
			o.mu.Unlock()
		}
	}
	o.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if pair != nil {
		o.server.TLS = &tls.Config{Certificates: []tls.Certificate{pair.TLS()}, NextProtos: []string{"h2", "http/1.1"}}
		o.server.EnableHTTP2 = true
		o.server.StartTLS()
	} else {
		o.server.Start()
	}
	o.port = addrPort(o.server.Listener.Addr()).Port()
	t.Cleanup(o.server.Close)
	return o
}

// serve answers /echo with what it got, and a few paths with special answers.
func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.seen = append(o.seen, r.Method+" "+r.Host+" "+r.RequestURI)
	o.mu.Unlock()
	switch r.URL.Path {
	case "/ws":
		serveEcho(w, r)
	case "/events":
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			http.NewResponseController(w).Flush()
		}
	case "/redirect":
		w.Header().Set("Location", "http://evil.test/")
		w.WriteHeader(http.StatusFound)
	case "/407":
		w.Header().Set("Proxy-Authenticate", "Basic realm=x")
		w.WriteHeader(http.StatusProxyAuthRequired)
	case "/file":
		http.ServeContent(w, r, "file", time.Time{}, bytes.NewReader(bytes.Repeat([]byte("0123456789"), 100000)))
	default:
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Method", r.Method)
		w.Header().Set("X-Host", r.Host)
		w.Header().Set("X-Target", r.RequestURI)
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Proxy-Authenticate", "Basic realm=forged")
		for name, values := range r.Header {
			w.Header()["X-Got-"+name] = values
		}
		w.Write(body)
	}
}

// serveEcho is the smallest WebSocket server: it agrees and echoes bytes.
func serveEcho(w http.ResponseWriter, _ *http.Request) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: x\r\n\r\n")
	io.Copy(conn, rw)
}

// newSite starts origins and a gateway whose only app has the config.xml made
// of rules, in which {plain}, {secure} and {evil} stand for the ports.
func newSite(t *testing.T, rules string, change func(*config.Config)) *site {
	t.Helper()
	s := &site{t: t, names: map[string][]netip.Addr{}, ring: event.NewRing(4096)}
	s.root = testpki.Root(t, testpki.Spec{Name: "Test root"})
	leaf := s.root.Leaf(t, testpki.Spec{Name: "secure.test", Hosts: []string{"secure.test", "other.test", "127.0.0.1"}})
	s.plain, s.secure, s.evil = newOrigin(t, nil), newOrigin(t, leaf), newOrigin(t, nil)
	s.config = filepath.Join(t.TempDir(), "config.xml")
	s.writeRules(rules)
	c := config.Config{
		Listen: "127.0.0.1:0", Log: "none",
		Apps: []config.App{{
			Name: "app", Config: s.config,
			Private: []config.Private{{Host: "*.test", Range: netip.MustParsePrefix("127.0.0.0/8")}},
		}},
		Timeouts: config.Timeouts{
			Hello:   2 * time.Second,
			Connect: 2 * time.Second,
			Lookup:  time.Second,
			Drain:   time.Second,
		},
	}
	if change != nil {
		change(&c)
	}
	s.from = source.New(source.Options{Read: source.Fixed(c)})
	loaded, err := s.from.Load()
	if err != nil {
		t.Fatal(err)
	}
	s.gateway, err = New(Options{
		Loaded: loaded, Reload: s.from.Load, Changed: s.from.Changed, Events: event.NewRecorder(s.ring), Ring: s.ring,
		Roots: s.root.Pool(), Resolver: egress.ResolverFunc(s.lookup), Metrics: event.NewMetrics(),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.start()
	return s
}

// listOf compiles the list of an app whose config.xml holds these rules.
func listOf(t *testing.T, c config.App, rules string) *enforced.List {
	t.Helper()
	data := `<widget xmlns="http://www.w3.org/ns/widgets">` + rules + `</widget>`
	list, err := enforced.Compile(c.Config, []byte(data), c.Options())
	if err != nil {
		t.Fatalf("%s %s: %v", c.Platform, rules, err)
	}
	return list
}

// loadedOf returns a configuration all of whose apps have these rules.
func loadedOf(t *testing.T, c config.Config, rules string) config.Loaded {
	t.Helper()
	l := config.Loaded{Config: c}
	for _, a := range c.Apps {
		l.Apps = append(l.Apps, config.Contents{List: listOf(t, a, rules)})
	}
	return l
}

func (s *site) start() {
	if err := s.gateway.Listen(); err != nil {
		s.t.Fatal(err)
	}
	s.addr = s.gateway.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.gateway.Serve(ctx) }()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				s.t.Errorf("gateway: %v", err)
			}
		})
	}
	s.t.Cleanup(s.stop)
}

func (s *site) writeRules(rules string) {
	s.t.Helper()
	text := "<?xml version='1.0'?>\n<widget id='org.example.app' xmlns='http://www.w3.org/ns/widgets'>\n" +
		s.fill(rules) + "\n</widget>\n"
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// fill puts the origins' ports into a text.
func (s *site) fill(text string) string {
	return strings.NewReplacer(
		"{plain}", strconv.Itoa(int(s.plain.port)),
		"{secure}", strconv.Itoa(int(s.secure.port)),
		"{evil}", strconv.Itoa(int(s.evil.port)),
		"{gateway}", portOf(s.addr),
	).Replace(text)
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

func (s *site) lookup(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
	s.mu.Lock()
	addrs, ok := s.names[host]
	s.mu.Unlock()
	if ok {
		return addrs, 0, nil
	}
	if strings.HasSuffix(host, ".test") {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, time.Minute, nil
	}
	return nil, 0, trouble(ctx, host)
}

func (s *site) name(host string, addrs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range addrs {
		s.names[host] = append(s.names[host], netip.MustParseAddr(a))
	}
}

// client is a raw connection to the gateway.
type client struct {
	net.Conn
	t      *testing.T
	reader *bufio.Reader
}

func (s *site) dial() *client {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	s.t.Cleanup(func() { conn.Close() })
	return newClient(s.t, conn)
}

func newClient(t *testing.T, conn net.Conn) *client {
	return &client{conn, t, bufio.NewReader(conn)}
}

func (c *client) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// answer reads a response with its body.
func (c *client) answer(method string) (*http.Response, string) {
	c.t.Helper()
	resp, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("read response: %v", err)
	}
	if method == "CONNECT" && resp.StatusCode == 200 {
		return resp, ""
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("read body: %v", err)
	}
	return resp, string(body)
}

// closed reports whether the gateway has closed the connection without sending
// more.
func (c *client) closed() bool {
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := c.reader.Read(make([]byte, 1))
	var timeout interface{ Timeout() bool }
	if e, ok := err.(interface{ Timeout() bool }); ok {
		timeout = e
	}
	return n == 0 && err != nil && (timeout == nil || !timeout.Timeout())
}

// connect opens a tunnel and requires the 200.
func (s *site) connect(target string) *client {
	s.t.Helper()
	c := s.dial()
	c.send(s.fill("CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n"))
	resp, body := c.answer("CONNECT")
	if resp.StatusCode != 200 {
		s.t.Fatalf("CONNECT %s: %d %s", s.fill(target), resp.StatusCode, body)
	}
	return c
}

// Read reads what the response reader has read ahead first.
func (c *client) Read(p []byte) (int, error) { return c.reader.Read(p) }

// tls starts TLS inside the connection.
func (c *client) tls(s *site, name string) *tls.Conn {
	return tls.Client(c, &tls.Config{ServerName: name, RootCAs: s.root.Pool(), NextProtos: []string{"http/1.1"}})
}

// get sends a request in absolute form over a new connection.
func (s *site) get(url string, fields ...string) (*http.Response, string) {
	s.t.Helper()
	c := s.dial()
	c.send(s.fill("GET " + url + " HTTP/1.1\r\nHost: ignored.test\r\n" + strings.Join(append(fields, ""), "\r\n") +
		"\r\n"))
	return c.answer("GET")
}

// lastDecision waits for the decision about the latest request.
func (s *site) decisions() []event.Event {
	var list []event.Event
	for _, e := range s.ring.Latest() {
		if e.Type == event.Decision {
			list = append(list, e)
		}
	}
	return list
}

const usualRules = `<access origin="http://plain.test:{plain}"/>
<access origin="https://secure.test:{secure}"/>
<access origin="http://folder.test:{plain}/app"/>`

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

// status is what a GET is answered with: the status, and the reason of a refusal.
func status(url string, fields ...string) func(*site) string {
	return func(s *site) string {
		resp, body := s.get(url, fields...)
		return statusOf(resp, body)
	}
}

func statusOf(resp *http.Response, body string) string {
	text := strconv.Itoa(resp.StatusCode)
	if _, after, ok := strings.Cut(body, `"reason":"`); ok {
		reason, _, _ := strings.Cut(after, `"`)
		text += " " + reason
	}
	return text
}

const plainURL, secureURL = "http://plain.test:{plain}/", "https://secure.test:{secure}/"
