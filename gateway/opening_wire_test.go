package gateway

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// retrySite is a site with a raw origin, retry.test, and the way to its gateway:
// over a worker, or over a TLS listener and thus goroutines.
func retrySite(t *testing.T, secure bool) (s *site, origin net.Listener, connect func() net.Conn) {
	t.Helper()
	origin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { origin.Close() })
	target := "raw.test:" + portOf(origin.Addr().String())
	root := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	certificate, key := writePair(t, root.Leaf(t, testpki.Spec{Name: "proxy.test", Hosts: []string{"proxy.test"}}))
	s = newSite(t, `<access origin="https://`+target+`"/>`, func(c *config.Config) {
		if secure {
			c.TLS = &config.TLS{Certificate: certificate, Key: key}
		}
	})
	return s, origin, func() net.Conn {
		t.Helper()
		conn := s.dial().Conn
		if secure {
			conn = tls.Client(conn, &tls.Config{ServerName: "proxy.test", RootCAs: root.Pool()})
		}
		cl := newClient(t, conn)
		cl.send("CONNECT " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")
		if resp, body := cl.answer("CONNECT"); resp.StatusCode != 200 {
			t.Fatalf("CONNECT: %d %s", resp.StatusCode, body)
		}
		return cl
	}
}

func bothWays(t *testing.T, test func(*testing.T, *site, net.Listener, func() net.Conn)) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "worker", true: "goroutines"}[secure], func(t *testing.T) {
			s, origin, connect := retrySite(t, secure)
			test(t, s, origin, connect)
		})
	}
}

// TestRetriedHandshake makes crypto/tls retry: the client's key share is for a
// curve that the origin does not take.
func TestRetriedHandshake(t *testing.T) {
	bothWays(t, func(t *testing.T, s *site, origin net.Listener, connect func() net.Conn) {
		leaf := s.root.Leaf(t, testpki.Spec{Name: "raw.test", Hosts: []string{"raw.test"}}).TLS()
		config := &tls.Config{Certificates: []tls.Certificate{leaf}, CurvePreferences: []tls.CurveID{tls.CurveP384}}
		done := make(chan struct{})
		go func() {
			defer close(done)
			conn, err := origin.Accept()
			if err != nil {
				return
			}
			secure := tls.Server(conn, config)
			io.Copy(secure, secure)
			secure.Close()
		}()
		secure := tls.Client(connect(), &tls.Config{ServerName: "raw.test", RootCAs: s.root.Pool(),
			CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP384}})
		if err := secure.Handshake(); err != nil {
			t.Fatal(err)
		}
		if !secure.ConnectionState().HelloRetryRequest {
			t.Error("nothing was retried")
		}
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // enough for the kernel to move it
		go func() {
			secure.Write(sent)
			secure.CloseWrite()
		}()
		if got, err := io.ReadAll(secure); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d of %d bytes came back, %v", len(got), len(sent), err)
		}
		secure.Close()
		<-done
		lane.Until(t, "the tunnel's end", func() bool { return s.gateway.tunnels.count() == 0 })
		for _, e := range s.ring.Latest() {
			if e.Verdict != event.Allowed || e.Type == event.Close && (e.Up < int64(len(sent)) ||
				e.Detail != byOrigin && e.Detail != byClient && e.Detail != byBoth) {
				t.Errorf("event %+v", e)
			}
		}
	})
}

// TestSecondHelloOnTheWire sends second hellos through a gateway to an origin
// that retries, and checks what reaches it and what is recorded.
func TestSecondHelloOnTheWire(t *testing.T) {
	first := records(message(named), maxRecord)
	bothWays(t, func(t *testing.T, s *site, origin net.Listener, connect func() net.Conn) {
		for _, each := range []struct {
			name    string
			early   []byte // right behind the first hello
			second  []byte // after the retry
			reaches []byte
			passes  bool
		}{
			{"the same name", nil, joined(change, sameHello), joined(change, sameHello), true},
			{"the same name, at once", sameHello, nil, sameHello, true},
			{"another name", nil, otherHello, nil, false},
			{"another name, at once", otherHello, nil, nil, false},
			{"another name behind early data", early, otherHello, early, false},
			{"no name", nil, bareHello, nil, false},
		} {
			reached := make(chan []byte, 1)
			go func() {
				conn, err := origin.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(10 * time.Second))
				io.ReadFull(conn, make([]byte, len(first)))
				conn.Write(retry)
				got, _ := io.ReadAll(conn)
				reached <- got
			}()
			before := len(s.ring.Latest())
			conn := connect()
			conn.Write(joined(first, each.early))
			if _, err := io.ReadFull(conn, make([]byte, len(retry))); err != nil && each.passes {
				t.Errorf("%s: the retry did not come: %v", each.name, err)
			}
			conn.Write(each.second)
			if each.passes {
				conn.(*client).Conn.(interface{ CloseWrite() error }).CloseWrite()
			}
			if got := <-reached; !bytes.Equal(got, each.reaches) {
				t.Errorf("%s: %d bytes reached the origin, want %d", each.name, len(got), len(each.reaches))
			}
			if !conn.(*client).closed() {
				t.Errorf("%s: the tunnel is open", each.name)
			}
			lane.Until(t, "its events", func() bool { return len(s.ring.Latest()) == before+2 })
			if each.passes {
				continue
			}
			began, ended := s.ring.Latest()[before], s.ring.Latest()[before+1]
			if began.Type != event.Decision || began.Verdict != event.Allowed || ended.Type != event.Close ||
				ended.Verdict != event.Blocked || ended.Reason != reasonSecondHello || ended.ID != began.ID ||
				ended.Detail == "" {
				t.Errorf("%s: events %+v, %+v", each.name, began, ended)
			}
		}
	})
}

// TestClientEndsWhileSomethingIsHeld: what is held when the client ends goes
// nowhere, and what the origin says still comes.
func TestClientEndsWhileSomethingIsHeld(t *testing.T) {
	first := records(message(named), maxRecord)
	bothWays(t, func(t *testing.T, s *site, origin net.Listener, connect func() net.Conn) {
		reached := make(chan []byte, 1)
		go func() {
			conn, err := origin.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			got, _ := io.ReadAll(conn)
			conn.Write(joined(answer1, early))
			reached <- got
		}()
		conn := connect()
		conn.Write(joined(first, finished))
		conn.(*client).Conn.(interface{ CloseWrite() error }).CloseWrite()
		if got := <-reached; !bytes.Equal(got, first) {
			t.Errorf("%d bytes reached the origin, want %d", len(got), len(first))
		}
		if got, err := io.ReadAll(conn); err != nil || !bytes.Equal(got, joined(answer1, early)) {
			t.Errorf("%d bytes came back, %v", len(got), err)
		}
	})
}

// rewritten returns a ClientHello with one extension replaced.
func rewritten(hello []byte, kind uint16, body []byte) []byte {
	p := cursor{data: hello[handshakeHeading:]}
	p.take(2 + 32)
	p.vector(1)
	p.vector(2)
	p.vector(1)
	out := bytes.Clone(hello[handshakeHeading : len(hello)-len(p.data)])
	var list []byte
	for rest := (cursor{data: p.vector(2)}); len(rest.data) > 0; {
		k, b := uint16(rest.number(2)), rest.vector(2)
		if k == kind {
			b = body
		}
		list = append(binary.BigEndian.AppendUint16(list, k), vector(2, b)...)
	}
	out = append(out, vector(2, list)...)
	return append([]byte{messageHello}, vector(3, out)...)
}

// TestSecondHelloInspected: where TLS ends at the gateway, its own TLS asks for
// a second hello, and holds it to the first.
func TestSecondHelloInspected(t *testing.T) {
	s, _ := inspectingSite(t, inspectRules, nil)
	flight := captureHello(t, &tls.Config{ServerName: "other.test", CurvePreferences: []tls.CurveID{tls.X25519}})
	whole := flight[recordHeader:]
	first := records(rewritten(whole, 51, []byte{0, 0}), maxRecord) // no key share
	for _, each := range []struct {
		name   string
		second []byte
		want   byte // the type of the record that answers
	}{
		{"the same name", record(recordHandshake, whole...), recordHandshake},
		{"another name", record(recordHandshake, rewritten(whole, extServerName, serverName("evil.test"))...), 21},
	} {
		c := s.connect("other.test:{secure}")
		c.Conn.Write(first)
		for _, want := range []byte{recordHandshake, recordChange, each.want} {
			head := make([]byte, recordHeader)
			if _, err := io.ReadFull(c, head); err != nil || head[0] != want {
				t.Fatalf("%s: %v %v, want a record of type %d", each.name, head, err, want)
			}
			body := make([]byte, binary.BigEndian.Uint16(head[3:]))
			if _, err := io.ReadFull(c, body); err != nil {
				t.Fatal(err)
			}
			if want == recordHandshake && !bytes.Equal(body[helloRandom:retryRandomEnd], retryRandom) {
				break // the answer to the second
			} else if want == recordHandshake {
				c.Conn.Write(each.second)
			}
		}
		c.Close()
	}
}
