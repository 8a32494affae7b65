package gateway

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cordon-sec/cordon/gateway/config"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/lane"
)

// extension is one extension of a hello under construction.
type extension struct {
	kind uint16
	body []byte
}

func vector(lengthBytes int, body []byte) []byte {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(body)))
	return append(n[8-lengthBytes:], body...)
}

// serverName is the extension's body for names.
func serverName(names ...string) []byte {
	var list []byte
	for _, name := range names {
		list = append(append(list, 0), vector(2, []byte(name))...)
	}
	return vector(2, list)
}

// message builds a ClientHello.
func message(extensions ...extension) []byte {
	body := append([]byte{3, 3}, make([]byte, 32)...)
	body = append(body, vector(1, make([]byte, 32))...)
	body = append(body, vector(2, []byte{0x0a, 0x0a, 0x13, 0x01, 0x13, 0x02})...) // with GREASE
	body = append(body, vector(1, []byte{0})...)
	var list []byte
	for _, e := range extensions {
		list = binary.BigEndian.AppendUint16(list, e.kind)
		list = append(list, vector(2, e.body)...)
	}
	body = append(body, vector(2, list)...)
	return append([]byte{messageHello}, vector(3, body)...)
}

// records cuts a message into records of at most n bytes.
func records(message []byte, n int) []byte {
	var received []byte
	for len(message) > 0 {
		piece := message[:min(n, len(message))]
		message = message[len(piece):]
		received = append(append(received, recordHandshake, 3, 1), vector(2, piece)...)
	}
	return received
}

var (
	named     = extension{extServerName, serverName("raw.test")}
	grease    = extension{0x1a1a, nil}
	keyShare  = extension{51, make([]byte, 1300)} // post-quantum shares make a hello this long
	greaseECH = extension{extEncryptedCH, make([]byte, 180)}
)

// helloCase is what a client sends first in a tunnel to raw.test, and what
// becomes of it: "" if it passes.
type helloCase struct {
	name     string
	received []byte
	reason   string
}

func helloCases() []helloCase {
	good := message(named)
	cases := []helloCase{
		{"plain", records(good, maxRecord), ""},
		{"upper case name", records(message(extension{extServerName, serverName("RAW.Test")}), maxRecord), ""},
		{"grease first", records(message(grease, named, extension{0x2a2a, []byte{0}}), maxRecord), ""},
		{"grease ECH", records(message(named, greaseECH), maxRecord), ""},
		{"post-quantum key share", records(message(keyShare, named), maxRecord), ""},
		{"name last", records(message(extension{16, vector(2, vector(1, []byte("h2")))}, keyShare, named), maxRecord),
			""},
		{"early data behind", append(records(good, maxRecord), 23, 3, 3, 0, 3, 1, 2, 3), ""},
		{"large padding", records(message(named, extension{21, make([]byte, 12000)}), maxRecord), ""},

		{"another name", records(message(extension{extServerName, serverName("evil.test")}), maxRecord),
			reasonNameMismatch},
		{"real ECH under a provider's name",
			records(message(extension{extServerName, serverName("cloudflare-ech.test")}, greaseECH), maxRecord),
			reasonNameMismatch},
		{"name below", records(message(extension{extServerName, serverName("a.raw.test")}), maxRecord),
			reasonNameMismatch},
		{"name above", records(message(extension{extServerName, serverName("test")}), maxRecord), reasonNameMismatch},
		{"name as suffix", records(message(extension{extServerName, serverName("xraw.test")}), maxRecord),
			reasonNameMismatch},
		{"no name", records(message(grease), maxRecord), reasonNameMissing},
		{"no extensions", records(append([]byte{messageHello},
			vector(3, append(append([]byte{3, 3}, make([]byte, 32)...), 0, 0, 2, 0x13, 1, 1, 0))...), maxRecord),
			reasonNameMissing},
		{"trailing dot", records(message(extension{extServerName, serverName("raw.test.")}), maxRecord), reasonHello},
		{"empty name", records(message(extension{extServerName, serverName("")}), maxRecord), reasonHello},
		{"empty list of names", records(message(extension{extServerName, vector(2, nil)}), maxRecord), reasonHello},
		{"empty extension", records(message(extension{extServerName, nil}), maxRecord), reasonHello},
		{"two names", records(message(extension{extServerName, serverName("raw.test", "evil.test")}), maxRecord),
			reasonHello},
		{"same name twice", records(message(extension{extServerName, serverName("raw.test", "raw.test")}), maxRecord),
			reasonHello},
		{"two extensions", records(message(named, extension{extServerName, serverName("evil.test")}), maxRecord),
			reasonHello},
		{"two extensions, good one last",
			records(message(extension{extServerName, serverName("evil.test")}, named), maxRecord), reasonHello},
		{"another extension twice", records(message(named, keyShare, keyShare), maxRecord), reasonHello},
		{"grease twice", records(message(named, grease, grease), maxRecord), reasonHello},
		{"unknown type of name",
			records(message(extension{extServerName, vector(2, append([]byte{1}, vector(2, []byte("raw.test"))...))}),
				maxRecord), reasonHello},
		{"zero in the name", records(message(extension{extServerName, serverName("raw.test\x00.evil.test")}),
			maxRecord), reasonHello},
		{"blank in the name", records(message(extension{extServerName, serverName("raw.test ")}), maxRecord),
			reasonHello},
		{"slash in the name", records(message(extension{extServerName, serverName("raw.test/")}), maxRecord),
			reasonHello},
		{"port in the name", records(message(extension{extServerName, serverName("raw.test:443")}), maxRecord),
			reasonHello},
		{"address as name", records(message(extension{extServerName, serverName("127.0.0.1")}), maxRecord),
			reasonHello},
		{"IPv6 as name", records(message(extension{extServerName, serverName("::1")}), maxRecord), reasonHello},
		{"bytes after the list",
			records(message(extension{extServerName, append(serverName("raw.test"), 0)}), maxRecord), reasonHello},
		{"list longer than its extension",
			records(message(extension{extServerName, []byte{0, 200, 0, 0, 8}}), maxRecord), reasonHello},
		{"ServerHello", records(append([]byte{2}, good[1:]...), maxRecord), reasonHello},
		{"message inside is longer than said", records(append(bytes.Clone(good), 0), maxRecord), reasonHello},
		{"two hellos in a record", records(append(bytes.Clone(good), good...), maxRecord), reasonHello},
		{"empty record", []byte{22, 3, 1, 0, 0}, reasonHello},
		{"record too long", append([]byte{22, 3, 1, 0x40, 1}, make([]byte, maxRecord+1)...), reasonHello},
		{"message too long", append([]byte{22, 3, 1, 0, 4}, 1, 0xff, 0xff, 0xff), reasonHello},
		{"alert", []byte{21, 3, 1, 0, 2, 2, 40}, reasonNotTLS},
		{"application data", append([]byte{23, 3, 3}, vector(2, good)...), reasonNotTLS},
		{"SSL 2 hello", []byte{0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10}, reasonNotTLS},
		{"record version 2", append([]byte{22, 2, 0}, vector(2, good)...), reasonNotTLS},
		{"HTTP", []byte("GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n"), reasonNotTLS},
		{"SSH", []byte("SSH-2.0-x\r\n"), reasonNotTLS},
		{"a zero", []byte{0}, reasonNotTLS},
		{"alert between fragments",
			append(append(records(good[:20], maxRecord), 21, 3, 1, 0, 2, 1, 0), records(good[20:], maxRecord)...),
			reasonNotTLS},
	}
	for _, n := range []int{1, 3, 4, 5, 40, 100, len(good) - 1} {
		if reason := ""; len(good)/n < maxHelloRecords {
			cases = append(cases, helloCase{fmt.Sprintf("fragments of %d", n), records(good, n), reason})
		} else {
			cases = append(cases, helloCase{fmt.Sprintf("too many fragments of %d", n), records(good, n), reasonHello})
		}
	}
	for _, name := range []string{"räw.test", "raw.te\u017ft", "ra\uff57.test", "raw\u3002test", "raw%2etest"} {
		hello := message(extension{extServerName, serverName(name)})
		cases = append(cases, helloCase{"another spelling: " + name, records(hello, maxRecord), reasonHello})
	}
	// Every cut of the fixed part must be refused, not guessed at.
	for cut := 5; cut < len(good); cut += 7 {
		short := bytes.Clone(good[:cut])
		copy(short[1:], vector(3, nil))
		short[1], short[2], short[3] = 0, byte((cut-4)>>8), byte(cut-4)
		reason := reasonHello
		if cut == 4+2+32+33+8+2 {
			reason = reasonNameMissing
		}
		cases = append(cases, helloCase{fmt.Sprintf("message cut at %d", cut), records(short, maxRecord), reason})
	}
	return cases
}

func TestReadFlight(t *testing.T) {
	for _, each := range helloCases() {
		hello, _, err := readHello(each.received)
		switch {
		case each.reason == "" && (err != nil || hello.name != "raw.test"):
			t.Errorf("%s: %q, %v", each.name, hello.name, err)
		case each.reason == reasonHello && !errors.Is(err, errHello):
			t.Errorf("%s: %q, %v, want a malformed hello", each.name, hello.name, err)
		case each.reason == reasonNotTLS && !errors.Is(err, errNotTLS):
			t.Errorf("%s: %q, %v, want no TLS", each.name, hello.name, err)
		case each.reason == reasonNameMissing && (err != nil || hello.name != ""):
			t.Errorf("%s: %q, %v, want no name", each.name, hello.name, err)
		}
	}
	for _, protocol := range []*tls.Config{{ServerName: "raw.test"},
		{ServerName: "raw.test", MaxVersion: tls.VersionTLS12},
		{ServerName: "raw.test", NextProtos: []string{"h2", "http/1.1"}}} {
		if hello, _, err := readHello(captureHello(t, protocol)); err != nil || hello.name != "raw.test" {
			t.Errorf("a hello of crypto/tls: %q, %v", hello.name, err)
		}
	}
}

// TestReadHelloInPieces checks that however the first bytes are cut, a beginning is
// incomplete and never something else.
func TestReadHelloInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(8, maxRecord).Draw(t, "record size")
		received := records(message(grease, keyShare, named), size)
		cut := rapid.IntRange(0, len(received)-1).Draw(t, "cut")
		if len(received)/size >= maxHelloRecords {
			t.Skip("too many records")
		}
		if _, _, err := readHello(received[:cut]); !errors.Is(err, errHelloShort) {
			t.Fatalf("the first %d of %d bytes: %v", cut, len(received), err)
		}
		if hello, n, err := readHello(received); err != nil || n != len(received) || hello.name != "raw.test" {
			t.Fatalf("all: %q, %v", hello.name, err)
		}
	})
}

func FuzzReadHello(f *testing.F) {
	for _, each := range helloCases() {
		f.Add(each.received)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		hello, _, err := readHello(data)
		if err != nil && (hello != clientHello{}) {
			t.Fatal("an error with a result")
		}
		if hello.name != "" {
			if n, err := hostname.Parse(hello.name); err != nil || n.String() != hello.name ||
				!bytes.Contains(bytes.ToLower(data), []byte(hello.name[:1])) {
				t.Fatalf("name %q", hello.name)
			}
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"http://a.test/b?c", "https://[::1]:8443/", "ws://1.2.3.4", "http://bücher.test/%41"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, err := parseTarget(s)
		if err != nil {
			return
		}
		again, err := parseTarget(target.authority.url(target.scheme, target.rest))
		if err != nil || again != target {
			t.Fatalf("%q became %+v, and then %+v, %v", s, target, again, err)
		}
	})
}

// TestServerNames sends every case through a gateway, in one segment and byte
// by byte, and checks what reaches the origin.
func TestServerNames(t *testing.T) {
	run := func(t *testing.T, s *site, inspect bool) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		target := "raw.test:" + portOf(l.Addr().String())
		s.writeRules(`<access origin="https://` + target + `"/>`)
		if err := s.gateway.Reload(); err != nil {
			t.Fatal(err)
		}
		reached := make(chan []byte, 1)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				conn.SetReadDeadline(time.Now().Add(3 * time.Second))
				got, _ := io.ReadAll(conn)
				conn.Close()
				reached <- got
			}
		}()
		for _, each := range helloCases() {
			if inspect && each.reason == "" {
				continue // the handshake ends at the gateway; inspect_test.go has it
			}
			for _, step := range []int{len(each.received), 1 + len(each.received)/7} {
				before := len(s.decisions())
				c := s.connect(target)
				for rest := each.received; len(rest) > 0; {
					n := min(step, len(rest))
					c.Conn.Write(rest[:n]) // the gateway may close early
					rest = rest[n:]
					if len(rest) > 0 {
						time.Sleep(time.Millisecond)
					}
				}
				c.Conn.(*net.TCPConn).CloseWrite()
				got := <-reached
				lane.Until(t, "a decision", func() bool { return len(s.decisions()) > before })
				e := s.decisions()[before]
				if each.reason == "" {
					if !bytes.Equal(got, each.received) || e.Reason != "listed" {
						t.Errorf("%s in steps of %d: %d of %d bytes arrived, %s", each.name, step, len(got),
							len(each.received), e.Reason)
					}
				} else if len(got) != 0 {
					t.Errorf("BREACH: %s in steps of %d: %d bytes reached the origin", each.name, step, len(got))
				} else if e.Reason != each.reason {
					t.Errorf("%s in steps of %d: reason %s, want %s", each.name, step, e.Reason, each.reason)
				}
				c.Close()
			}
		}
	}
	t.Run("tunnel", func(t *testing.T) { run(t, newSite(t, usualRules, nil), false) })
	t.Run("inspect", func(t *testing.T) {
		s, _ := inspectingSite(t, usualRules, nil)
		run(t, s, true)
	})
}

func TestSilentTunnelIsClosed(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Timeouts.Hello = 100 * time.Millisecond })
	for _, first := range []string{"", "\x16", string(records(message(named), maxRecord)[:50])} {
		c := s.connect("secure.test:{secure}")
		c.send(first)
		if !c.closed() {
			t.Errorf("after %d bytes the tunnel stays open", len(first))
		}
	}
	for _, e := range s.decisions() {
		if e.Reason != reasonHelloTimeout {
			t.Errorf("reason %s", e.Reason)
		}
	}
}

func TestSlowHeadIsClosed(t *testing.T) {
	s := newSite(t, usualRules, func(c *config.Config) { c.Timeouts.Header = 150 * time.Millisecond })
	c := s.dial()
	for _, piece := range strings.SplitAfter("GET http://plain.test/ HTTP/1.1\r\nX: 1\r\nY: 2\r\nZ: 3\r\nA: 4\r\n",
		"\n") {
		if _, err := io.WriteString(c.Conn, piece); err != nil {
			break
		}
		time.Sleep(60 * time.Millisecond)
	}
	rest, _ := io.ReadAll(c.reader)
	if strings.Contains(string(rest), " 200 ") {
		t.Errorf("a head of 300 ms was served: %q", rest)
	}
	if !c.closed() {
		t.Error("the connection is open")
	}
}
