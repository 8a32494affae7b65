package gateway

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// guarded is an origin that authenticates connections: whoever has proved who he
// is on one is served his page on it from then on, without proof. Each client
// names itself in X-Client, which the origin only takes notes of.
type guarded struct {
	mu       sync.Mutex
	open     int
	requests []string // connection, client, method, credentials
	breaches []string
	next     int
}

func (g *guarded) note(conn int, client string, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, fmt.Sprint(conn, " ", client, " ", r.Method, " ", r.Header.Get("Authorization")))
}

func (g *guarded) count(by int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open += by
	g.next += max(by, 0)
	return g.next
}

func (g *guarded) breach(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.breaches = append(g.breaches, fmt.Sprintf(format, args...))
}

// serve authenticates by what stands behind the scheme of Authorization. /ask
// challenges, /granted says that the connection is authenticated.
func (g *guarded) serve(conn net.Conn, r *bufio.Reader) {
	number := g.count(1)
	defer g.count(-1)
	owner, user := "", "" // to whom the connection belongs, and who is authenticated on it
	for {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(request.Body)
		client := request.Header.Get("X-Client")
		g.note(number, client, request)
		if owner != "" && owner != client {
			g.breach("connection %d of %s has a request of %s", number, owner, client)
		}
		credentials := strings.Join(request.Header["Authorization"], ", ")
		page, extra := user, ""
		switch {
		case bindsConnection(request.Header["Authorization"]):
			owner = client
			if strings.Contains(credentials, "third") {
				user = client
			}
			page = user
		case credentials != "":
			page = client
		}
		if request.URL.Path == "/granted" {
			owner, user, page, extra = client, client, client, "Persistent-Auth: true\r\n"
		}
		if page == "" {
			extra += "WWW-Authenticate: Basic realm=\"a, b\"\r\n"
			if request.URL.Path == "/ask" {
				owner = client
				extra += "WWW-Authenticate: Negotiate, NTLM\r\n"
			}
			fmt.Fprintf(conn, "HTTP/1.1 401 Unauthorized\r\n%sContent-Length: 0\r\n\r\n", extra)
			continue
		}
		page += " " + string(body)
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", extra, len(page), page)
	}
}

func TestAuthenticatedConnectionsAreNotShared(t *testing.T) {
	for _, credentials := range []string{
		"Authorization: NTLM third\r\n", "Authorization: Negotiate third\r\n", "Authorization: nTLM third\r\n",
		"authorization:\tNegotiate\tthird\r\n", "Authorization: Basic x\r\nAuthorization: NTLM third\r\n",
		"Authorization: Basic x, NTLM third\r\n", "Authorization: Digest a=\"b,c\", d = e, NTLM third\r\n",
		"Authorization: Digest a=\"b\", NTLM\tthird\r\n", "Authorization: Kerberos third\r\n",
		"Authorization: third\r\n",
		"Authorization: Ba\u017fic third\r\n",
	} {
		g := &guarded{}
		everyWay(t, g.serve, func(t *testing.T, l *lab) {
			ask := func(c *client, name, fields string) (int, string) {
				c.send(l.head("GET", "/page", "X-Client: "+name+"\r\n"+fields))
				resp, body := c.answer("GET")
				return resp.StatusCode, body
			}
			a, b := l.open(), l.open()
			if status, body := ask(a, "a", credentials); status != 200 || body != "a " {
				t.Fatalf("%q: %d %q", credentials, status, body)
			}
			if status, body := ask(b, "b", ""); status != 401 {
				t.Errorf("BREACH: %q: another client got %d %q", credentials, status, body)
			}
			if status, body := ask(a, "a", ""); status != 200 || body != "a " {
				t.Errorf("%q: the client that is authenticated got %d %q", credentials, status, body)
			}
			a.Close()
			b.Close()
			if l.way == "absolute" {
				l.gateway.kept.closeAll()
			}
			lane.Until(t, "what belonged to the clients is closed", func() bool {
				return g.opened() == 0
			})
		})
		for _, breach := range g.breaches {
			t.Errorf("BREACH: %q: %s", credentials, breach)
		}
	}
}

func (g *guarded) opened() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open
}

// TestThreeLegs has a POST whose authentication takes three requests, which
// have to reach the origin on one connection, in their order.
func TestThreeLegs(t *testing.T) {
	g := &guarded{}
	everyWay(t, g.serve, func(t *testing.T, l *lab) {
		g.mu.Lock()
		g.next, g.requests = 0, nil
		g.mu.Unlock()
		c := l.open()
		legs := []struct {
			credentials, body string
			status            int
		}{
			{"", "", 401}, {"NTLM first", "", 401}, {"NTLM third", "hello", 200}, {"", "again", 200},
		}
		for i, leg := range legs {
			fields := "X-Client: a\r\nContent-Length: " + fmt.Sprint(len(leg.body)) + "\r\n"
			if leg.credentials != "" {
				fields += "Authorization: " + leg.credentials + "\r\n"
			}
			c.send(l.head("POST", "/ask", fields) + leg.body)
			resp, body := c.answer("POST")
			if resp.StatusCode != leg.status || leg.status == 200 && body != "a "+leg.body {
				t.Errorf("leg %d: %d %q", i, resp.StatusCode, body)
			}
			if support := resp.Header.Get("Proxy-Support"); i == 0 && l.way == "absolute" &&
				support != "Session-Based-Authentication" {
				t.Errorf("Proxy-Support is %q", support)
			}
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		const want = "1 a POST \n1 a POST NTLM first\n1 a POST NTLM third\n1 a POST "
		if got := strings.Join(g.requests, "\n"); got != want {
			t.Errorf("the origin saw\n%s", got)
		}
	})
}

// TestNoAnswerReachesAnother drives clients that ask in random order, with
// random schemes, over more and fewer connections that are kept, and holds that
// no request comes over a connection that belongs to another client, and that no
// page reaches a client whose it is not.
func TestNoAnswerReachesAnother(t *testing.T) {
	schemes := []string{"", "", "", "Basic x", "Bearer third", "NTLM first", "NTLM third", "Negotiate third",
		"Digest a=\"b\", c=d", "Digest a=\"b\", NTLM third", "AWS4-HMAC-SHA256 a/b, c=d", "New third"}
	for round := range lane.Rounds(6, 40, 400) {
		r := rand.New(rand.NewPCG(uint64(round), 13))
		g := &guarded{}
		// A decrypted tunnel differs in nothing here.
		l := newLab(t, []string{"absolute", "secure", "cleartext"}[round%3], nil, g.serve)
		l.gateway.kept.mu.Lock()
		l.gateway.kept.most = r.IntN(6)
		l.gateway.kept.mu.Unlock()
		var clients sync.WaitGroup
		for i := range 2 + r.IntN(5) {
			own := rand.New(rand.NewPCG(uint64(round), uint64(i)))
			name := fmt.Sprint("client", i)
			clients.Go(func() { g.drive(t, l, own, name, schemes) })
		}
		clients.Wait()
		g.mu.Lock()
		for _, breach := range g.breaches {
			t.Errorf("BREACH: round %d: %s", round, breach)
		}
		g.mu.Unlock()
		l.stop()
	}
}

// drive asks as one client, over one connection after the other.
func (g *guarded) drive(t *testing.T, l *lab, r *rand.Rand, name string, schemes []string) {
	var c *client
	for range 30 {
		if c == nil || r.IntN(6) == 0 {
			if c != nil {
				c.Close()
			}
			c = l.open()
		}
		fields := "X-Client: " + name + "\r\n"
		if scheme := schemes[r.IntN(len(schemes))]; scheme != "" {
			fields += "Authorization: " + scheme + "\r\n"
		}
		path := []string{"/page", "/page", "/ask", "/granted"}[r.IntN(4)]
		method, content := "GET", ""
		if r.IntN(3) == 0 {
			method, content = "POST", "x"
			fields += "Content-Length: 1\r\n"
		}
		if _, err := io.WriteString(c.Conn, l.head(method, path, fields)+content); err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		resp, err := http.ReadResponse(c.reader, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 401 && string(body) != name+" "+content {
			g.breach("%s got %d %q", name, resp.StatusCode, body)
		}
		if resp.Close {
			c.Close()
			c = nil
		}
	}
	c.Close()
}

func TestBindsConnection(t *testing.T) {
	for _, each := range []struct {
		value string
		want  bool
	}{
		{"Basic dXNlcjpwYXNz", false}, {"basic\tx", false}, {"BEARER x", false},
		{" Digest a=b, c=\"d, NTLM e\", f=g", false},
		{"Digest a=\"\\\", NTLM \", b=c", false}, {"Digest a = b , c = d", false}, {"Digest realm=x,, nonce=y", false},
		{"Basic realm=\"x\", Digest realm=\"y\", Bearer", false},
		{"NTLM", true}, {"ntlm x", true}, {"Negotiate", true}, {"Negotiate x==", true}, {"", true}, {",", true},
		{"Basic realm=x, Negotiate", true}, {"Basic realm=x, NTLM TlRM", true}, {"Negotiate, Basic realm=x", true},
		{"Digest a=\"b, NTLM c", true}, {"Basi\u212a x", true}, {"Basic;x", true}, {"Concealed k=a", true},
	} {
		if got := bindsConnection([]string{each.value}); got != each.want {
			t.Errorf("%q: %v", each.value, got)
		}
	}
}

// TestConnectionsAreBoundBehindEveryListener authenticates behind TLS and behind
// a balancer.
func TestConnectionsAreBoundBehindEveryListener(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	certificate, key := writePair(t, root.Leaf(t, testpki.Spec{Name: "proxy.test", Hosts: []string{"proxy.test"}}))
	for _, each := range []struct {
		name   string
		change func(*config.Config)
		open   func(l *lab) *client
	}{
		{"TLS", func(c *config.Config) {
			c.TLS = &config.TLS{Certificate: certificate, Key: key}
		}, func(l *lab) *client {
			return newClient(l.t, tls.Client(l.dial(), &tls.Config{ServerName: "proxy.test", RootCAs: root.Pool()}))
		}},
		{"PROXY protocol", func(c *config.Config) { c.ProxyProtocol = fromLoopback }, func(l *lab) *client {
			c := l.dial()
			c.send("PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n")
			return c
		}},
	} {
		t.Run(each.name, func(t *testing.T) {
			g := &guarded{}
			l := newLab(t, "absolute", each.change, g.serve)
			a, b := each.open(l), each.open(l)
			for _, ask := range []struct {
				c            *client
				name, fields string
				status       int
			}{
				{a, "a", "Authorization: NTLM third\r\n", 200}, {b, "b", "", 401}, {a, "a", "", 200}, {b, "b", "", 401},
			} {
				ask.c.send(l.head("GET", "/page", "X-Client: "+ask.name+"\r\n"+ask.fields))
				if resp, body := ask.c.answer("GET"); resp.StatusCode != ask.status {
					t.Errorf("%s: %d %q, want %d", ask.name, resp.StatusCode, body, ask.status)
				}
			}
			a.Close()
			lane.Until(t, "what belonged to the client is closed", func() bool { return g.opened() == 1 })
		})
	}
}
