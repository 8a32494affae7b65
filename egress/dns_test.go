package egress

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer is a DNS server on loopback, over UDP and TCP.
type nameServer struct {
	addr netip.AddrPort
	// reply makes the answer; nil means that there is none.
	reply func(q dnsmessage.Question, id uint16, tcp bool) [][]byte
	// raw, if not nil, makes it of the whole query instead.
	raw   func(query []byte) []byte
	mu    sync.Mutex
	asked []string
}

func serveNames(t testing.TB, reply func(q dnsmessage.Question, id uint16, tcp bool) [][]byte) *nameServer {
	t.Helper()
	udp, tcp := listenBoth(t)
	s := &nameServer{addr: udp.LocalAddr().(*net.UDPAddr).AddrPort(), reply: reply}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, m := range s.answer(buf[:n], false) {
				_, _ = udp.WriteTo(m, from)
			}
		}
	})
	wg.Go(func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			s.serveTCP(conn)
		}
	})
	t.Cleanup(func() { _ = udp.Close(); _ = tcp.Close(); wg.Wait() })
	return s
}

// listenBoth finds a port that is free for UDP and TCP.
func listenBoth(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	var last error
	for range 20 {
		udp, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp
		}
		_ = udp.Close()
		last = err
	}
	t.Fatal(last)
	return nil, nil
}

func (s *nameServer) serveTCP(conn net.Conn) {
	defer conn.Close()
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return
	}
	query := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return
	}
	for _, m := range s.answer(query, true) {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
	}
}

func (s *nameServer) answer(query []byte, tcp bool) [][]byte {
	s.mu.Lock()
	raw := s.raw
	s.mu.Unlock()
	if raw != nil {
		return [][]byte{raw(query)}
	}
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	s.mu.Lock()
	s.asked = append(s.asked, q.Name.String())
	s.mu.Unlock()
	return s.reply(q, h.ID, tcp)
}

func (s *nameServer) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// count returns how many queries were answered.
func (s *nameServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// message builds a reply with records of the question's type and aliases.
func message(q dnsmessage.Question, id uint16, rcode dnsmessage.RCode, truncated bool,
	records ...dnsmessage.Resource) []byte {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, Response: true, RCode: rcode, Truncated: truncated},
		Questions: []dnsmessage.Question{q},
		Answers:   records,
	}
	packed, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return packed
}

func record(name, value string, ttl uint32) dnsmessage.Resource {
	h := dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: ttl}
	addr, err := netip.ParseAddr(value)
	switch {
	case err != nil:
		return dnsmessage.Resource{Header: h, Body: &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(value)}}
	case addr.Is4():
		return dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: addr.As4()}}
	}
	return dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}
}

// zone answers as a small recursive server would.
func zone(q dnsmessage.Question, id uint16, tcp bool) [][]byte {
	four, name := q.Type == dnsmessage.TypeA, q.Name.String()
	ok := func(records ...dnsmessage.Resource) [][]byte {
		return [][]byte{message(q, id, dnsmessage.RCodeSuccess, false, records...)}
	}
	switch {
	case name == "both.example." && four:
		return ok(record(name, "192.0.2.1", 30), record(name, "192.0.2.2", 20))
	case name == "both.example.":
		return ok(record(name, "2001:db8::1", 300))
	case name == "alias.example." && four:
		return ok(record("C.example.", "192.0.2.9", 300), record("alias.example.", "b.example.", 7),
			record("b.EXAMPLE.", "c.example.", 300))
	case name == "loop.example.":
		return ok(record(name, "loop2.example.", 1), record("loop2.example.", name, 1))
	case name == "stray.example." && four:
		// Records of names that were not asked for are poison, not answers.
		return ok(record("victim.example.", "192.0.2.66", 300), record(name, "192.0.2.3", 300))
	case name == "big.example." && four && !tcp:
		return [][]byte{message(q, id, dnsmessage.RCodeSuccess, true)}
	case name == "big.example." && four:
		var many []dnsmessage.Resource
		for i := range 400 { // 6,400 bytes: more than the stub takes over UDP
			many = append(many, record(name, netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}).String(), 60))
		}
		return ok(many...)
	case name == "half.example." && four:
		return ok(record(name, "192.0.2.4", 60))
	case name == "half.example.":
		return [][]byte{message(q, id, dnsmessage.RCodeServerFailure, false)}
	case name == "silent6.example." && four:
		return ok(record(name, "192.0.2.5", 60))
	case name == "silent6.example.", name == "silent.example.":
		return nil
	case name == "forged.example." && four:
		// Wrong id, wrong question, not a response, garbage; then the answer.
		other := q
		other.Name = dnsmessage.MustNewName("other.example.")
		return [][]byte{
			message(q, id+1, 0, false, record(name, "192.0.2.66", 60)),
			message(other, id, 0, false, record(name, "192.0.2.66", 60)),
			{1, 2, 3}, message(q, id, 0, false, record(name, "192.0.2.6", 60)),
		}
	case name == "nx6.example." && four:
		return ok(record(name, "192.0.2.8", 60))
	case name == "nx6.example.":
		return [][]byte{message(q, id, dnsmessage.RCodeNameError, false)}
	case name == "broken.example.":
		return [][]byte{message(q, id, dnsmessage.RCodeServerFailure, false)}
	case strings.HasPrefix(name, "none."):
		return [][]byte{message(q, id, dnsmessage.RCodeNameError, false)}
	}
	return ok()
}

func TestStubResolver(t *testing.T) {
	server := serveNames(t, zone)
	r, err := NewResolver(server.addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host string
		want []string
		ttl  time.Duration
		err  string
	}{
		{"both.example", []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}, 20 * time.Second, ""},
		{"alias.example", []string{"192.0.2.9"}, 7 * time.Second, ""},
		{"loop.example", nil, 0, "without an end"},
		{"stray.example", []string{"192.0.2.3"}, 60 * time.Second, ""},
		{"half.example", []string{"192.0.2.4"}, 60 * time.Second, ""},
		{"silent6.example", []string{"192.0.2.5"}, 60 * time.Second, ""},
		{"forged.example", []string{"192.0.2.6"}, 60 * time.Second, ""},
		{"nx6.example", []string{"192.0.2.8"}, 60 * time.Second, ""},
		{"broken.example", nil, 0, "ServerFailure"},
		{"none.example", nil, 0, "no such host"},
		{"empty.example", nil, 0, "no such host"},
		{strings.Repeat("a.", 130) + "a", nil, 0, "no such host"},
	} {
		addrs, ttl, err := r.LookupAddrs(t.Context(), c.host)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) || len(addrs) > 0 {
				t.Errorf("%.20s: %v, %v, want an error with %q", c.host, addrs, err, c.err)
			}
			continue
		}
		got := make([]string, len(addrs))
		for i, a := range addrs {
			got[i] = a.String()
		}
		slices.Sort(got)
		if err != nil || !slices.Equal(got, c.want) || ttl != c.ttl {
			t.Errorf("%s: %v for %v, %v; want %v for %v", c.host, got, ttl, err, c.want, c.ttl)
		}
	}
	if addrs, _, err := r.LookupAddrs(t.Context(), "big.example"); err != nil || len(addrs) != 400 {
		t.Errorf("over TCP: %d addresses, %v, want 400", len(addrs), err)
	}
	for _, name := range server.names() {
		if !strings.HasSuffix(name, ".example.") {
			t.Errorf("the server was asked for %q: a search list was applied", name)
		}
	}
}

func TestStubTriesTheNextServer(t *testing.T) {
	dead := serveNames(t, func(dnsmessage.Question, uint16, bool) [][]byte { return nil })
	refusing := serveNames(t, func(q dnsmessage.Question, id uint16, _ bool) [][]byte {
		return [][]byte{message(q, id, dnsmessage.RCodeRefused, false)}
	})
	good := serveNames(t, zone)
	s := &stub{servers: []netip.AddrPort{dead.addr, refusing.addr, good.addr}, timeout: 50 * time.Millisecond}
	addrs, _, err := s.LookupAddrs(t.Context(), "both.example")
	if err != nil || len(addrs) == 0 {
		t.Errorf("got %v, %v", addrs, err)
	}
	s.servers = s.servers[:1]
	d := testDialer(t, Config{Resolver: s})
	_, err = d.Resolve(t.Context(), Destination{Host: "both.example", Port: 443})
	if e := asError(t, err); !e.Timeout() || e.Reason != ResolverFailed {
		t.Errorf("a silent server: %v, want a time-out", err)
	}
}

// TestOneLostDatagram: a query that is lost is asked again within the time of a
// single try, so that a lookup bounded by it survives.
func TestOneLostDatagram(t *testing.T) {
	var asked atomic.Int32
	server := serveNames(t, func(q dnsmessage.Question, id uint16, tcp bool) [][]byte {
		if asked.Add(1) <= 2 { // one of each family
			return nil
		}
		return zone(q, id, tcp)
	})
	s := &stub{servers: []netip.AddrPort{server.addr}, timeout: tryTimeout}
	ctx, cancel := context.WithTimeout(t.Context(), tryTimeout)
	defer cancel()
	if addrs, _, err := s.LookupAddrs(ctx, "both.example"); err != nil || len(addrs) != 3 {
		t.Errorf("got %v, %v", addrs, err)
	}
}

// TestServerWithoutEDNS asks a server that knows the DNS of 1987 only.
func TestServerWithoutEDNS(t *testing.T) {
	old := serveNames(t, nil)
	old.mu.Lock()
	old.raw = func(query []byte) []byte {
		var m dnsmessage.Message
		if err := m.Unpack(query); err != nil {
			return nil
		}
		q := m.Questions[0]
		if len(m.Additionals) > 0 {
			m = dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true,
				RCode: dnsmessage.RCodeFormatError}}
			packed, _ := m.Pack()
			return packed
		}
		return zone(q, m.ID, false)[0]
	}
	old.mu.Unlock()
	r, err := NewResolver(old.addr)
	if err != nil {
		t.Fatal(err)
	}
	if addrs, _, err := r.LookupAddrs(t.Context(), "both.example"); err != nil || len(addrs) != 3 {
		t.Errorf("%v, %v", addrs, err)
	}
}

func TestParseServer(t *testing.T) {
	for s, want := range map[string]string{
		"127.0.0.1": "127.0.0.1:53", "127.0.0.1:5353": "127.0.0.1:5353", "::1": "[::1]:53", "[::1]": "[::1]:53",
		"[::1]:54": "[::1]:54",
	} {
		if got, err := ParseServer(s); err != nil || got.String() != want {
			t.Errorf("ParseServer(%q) = %v, %v, want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"", "dns.example", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:99999"} {
		if got, err := ParseServer(s); err == nil {
			t.Errorf("ParseServer(%q) = %v, want an error", s, got)
		}
	}
	if _, err := NewResolver(); err == nil {
		t.Error("NewResolver takes no servers")
	}
}

func TestSystemResolver(t *testing.T) {
	server := serveNames(t, zone)
	dir := t.TempDir()
	hosts := filepath.Join(dir, "hosts")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(hosts, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("127.0.0.1 localhost # me\n# 192.0.2.1 commented.example\n192.0.2.77\tWWW.Example.  alias\n" +
		"2001:db8::7 www.example\nnonsense www.example\n")
	s := &system{hosts: file{path: hosts}, conf: file{path: filepath.Join(dir, "none")}}
	for host, want := range map[string][]string{
		"www.example":    {"192.0.2.77", "2001:db8::7"},
		"alias":          {"192.0.2.77"},
		"localhost":      {"127.0.0.1"},
		"deep.localhost": {"::1", "127.0.0.1"},
	} {
		addrs, ttl, err := s.LookupAddrs(t.Context(), host)
		if err != nil || !slices.Equal(addrs, parseAddrs(want...)) || ttl != fileTTL {
			t.Errorf("%s: %v for %v, %v", host, addrs, ttl, err)
		}
	}
	write("192.0.2.78 www.example\n")
	s.hosts.checked = time.Now().Add(-2 * recheck)
	if addrs, _, err := s.LookupAddrs(t.Context(), "www.example"); err != nil ||
		!slices.Equal(addrs, parseAddrs("192.0.2.78")) {
		t.Errorf("after a change: %v, %v", addrs, err)
	}
	// Another file of the same size and time, as tools leave that keep times.
	info, err := os.Stat(hosts)
	if err != nil {
		t.Fatal(err)
	}
	hosts += ".next"
	write("192.0.2.79 www.example\n")
	err = errors.Join(os.Chtimes(hosts, info.ModTime(), info.ModTime()), os.Rename(hosts, s.hosts.path))
	if err != nil {
		t.Fatal(err)
	}
	s.hosts.checked = time.Now().Add(-2 * recheck)
	if addrs, _, err := s.LookupAddrs(t.Context(), "www.example"); err != nil ||
		!slices.Equal(addrs, parseAddrs("192.0.2.79")) {
		t.Errorf("after a replacement: %v, %v", addrs, err)
	}
	conf := parseResolvConf([]byte("# nameserver 192.0.2.1\nsearch example.org\nnameserver 127.0.0.53\n" +
		"nameserver fe80::1%eth0\noptions ndots:5 timeout:1 use-vc\n"))
	if len(conf.servers) != 2 || conf.servers[0].String() != "127.0.0.53:53" || conf.timeout != time.Second ||
		!conf.tcpOnly {
		t.Errorf("resolv.conf: %+v", conf)
	}
	if conf := parseResolvConf(nil); len(conf.servers) != 2 || conf.servers[0].String() != "127.0.0.1:53" {
		t.Errorf("empty resolv.conf: %+v", conf)
	}
	over := &stub{servers: []netip.AddrPort{server.addr}, timeout: time.Second, tcpOnly: true}
	if addrs, _, err := over.LookupAddrs(t.Context(), "both.example"); err != nil || len(addrs) != 3 {
		t.Errorf("over TCP only: %v, %v", addrs, err)
	}
}

func FuzzReadReply(f *testing.F) {
	q := dnsmessage.Question{Name: dnsmessage.MustNewName("alias.example."), Type: dnsmessage.TypeA,
		Class: dnsmessage.ClassINET}
	f.Add(zone(q, 7, false)[0])
	q.Name = dnsmessage.MustNewName("loop.example.")
	f.Add(zone(q, 7, true)[0])
	f.Fuzz(func(t *testing.T, data []byte) {
		if !belongs(data, 7, q) {
			return
		}
		a, truncated := read(data, q)
		if truncated && len(a.addrs) > 0 {
			t.Fatal("a truncated answer was used")
		}
		if a.err != nil && len(a.addrs) > 0 {
			t.Fatalf("addresses %v with error %v", a.addrs, a.err)
		}
		for _, addr := range a.addrs {
			if !addr.Is4() {
				t.Fatalf("%s answers a question for IPv4", addr)
			}
		}
		if errors.Is(a.err, ErrNoSuchHost) && a.ttl != 0 {
			t.Fatal("no such host, with a time to live")
		}
	})
}
