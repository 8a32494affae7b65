package egress

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// tryTimeout bounds one query to one server, so that a dead first server
	// leaves time for the second.
	tryTimeout = 2 * time.Second
	// tries is how often each server is asked.
	tries = 2
	// familyGrace is how long an answer for one address family waits for the
	// other's. RFC 8305 section 3 uses 50 ms and goes on without; here what
	// comes later is not used at all, so a little more patience pays.
	familyGrace = 250 * time.Millisecond
	// maxAliases is the longest chain of CNAME records that is followed.
	maxAliases = 16
	// payload is the size of UDP answer that is asked for (DNS flag day 2020).
	payload = 1232
)

// stub asks recursive name servers. Unlike the standard library's resolver it
// tells for how long an answer holds.
type stub struct {
	servers []netip.AddrPort
	timeout time.Duration
	tcpOnly bool
}

// NewResolver returns a resolver that asks the given recursive name servers,
// in this order, over UDP and where the answer is too long over TCP. It reads
// no file and applies no search list. Both address families are asked beside
// each other. It returns an error if no server is given.
func NewResolver(servers ...netip.AddrPort) (Resolver, error) {
	if len(servers) == 0 {
		return nil, errors.New("egress: no name server given")
	}
	for _, s := range servers {
		if !s.IsValid() || s.Port() == 0 {
			return nil, fmt.Errorf("egress: name server %q: not an address with a port", s)
		}
	}
	return &stub{servers: servers, timeout: tryTimeout}, nil
}

// ParseServer reads the address of a name server, with or without a port; the
// port is 53 if there is none.
func ParseServer(s string) (netip.AddrPort, error) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return netip.AddrPortFrom(addr, 53), nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil || ap.Port() == 0 {
		return netip.AddrPort{}, fmt.Errorf("name server %q: want an address such as 127.0.0.1:53", s)
	}
	return ap, nil
}

// answered is what one family's query gave.
type answered struct {
	addrs []netip.Addr
	ttl   time.Duration
	err   error
}

// LookupAddrs implements Resolver.
func (s *stub) LookupAddrs(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
	name, err := dnsmessage.NewName(host + ".")
	if err != nil {
		return nil, 0, ErrNoSuchHost
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan answered, 2)
	for _, family := range []dnsmessage.Type{dnsmessage.TypeAAAA, dnsmessage.TypeA} {
		go func() {
			results <- s.ask(ctx, dnsmessage.Question{Name: name, Type: family, Class: dnsmessage.ClassINET})
		}()
	}
	first := <-results
	var late <-chan time.Time
	if len(first.addrs) > 0 {
		grace := time.NewTimer(familyGrace)
		defer grace.Stop()
		late = grace.C
	}
	select {
	case second := <-results:
		return merge(first, second)
	case <-late:
		return first.addrs, first.ttl, nil
	}
}

// merge joins the answers of both families. One family's failure does not take
// the other's addresses away; neither does its "no such name", which some
// servers say of AAAA where there is an A.
func merge(a, b answered) ([]netip.Addr, time.Duration, error) {
	addrs := append(a.addrs[:len(a.addrs):len(a.addrs)], b.addrs...)
	switch {
	case len(addrs) > 0:
		ttl := MaxTTL
		for _, r := range []answered{a, b} {
			if len(r.addrs) > 0 {
				ttl = min(ttl, r.ttl)
			}
		}
		return addrs, ttl, nil
	case errors.Is(a.err, ErrNoSuchHost), errors.Is(b.err, ErrNoSuchHost):
		return nil, 0, ErrNoSuchHost
	case a.err != nil:
		return nil, 0, a.err
	case b.err != nil:
		return nil, 0, b.err
	}
	return nil, 0, ErrNoSuchHost
}

// ask puts one question to the servers until one gives a usable answer.
func (s *stub) ask(ctx context.Context, q dnsmessage.Question) answered {
	var last error
	for round := range tries {
		// One lost datagram is the usual reason for silence: the first round is short.
		patience := s.timeout
		if round == 0 {
			patience /= 2
		}
		for _, server := range s.servers {
			a := s.askOne(ctx, server, q, patience)
			if a.err == nil || errors.Is(a.err, ErrNoSuchHost) {
				return a
			}
			last = fmt.Errorf("name server %s: %w", server, a.err)
			if ctx.Err() != nil {
				return answered{err: last}
			}
		}
	}
	return answered{err: last}
}

func (s *stub) askOne(ctx context.Context, server netip.AddrPort, q dnsmessage.Question,
	patience time.Duration) answered {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	network, edns := "udp", true
	if s.tcpOnly {
		network = "tcp"
	}
	for {
		reply, err := exchange(ctx, network, edns, server, q)
		if err != nil {
			return answered{err: err}
		}
		a, truncated := read(reply, q)
		switch {
		case edns && errors.Is(a.err, errNotUnderstood):
			// A server older than EDNS (RFC 6891 section 7).
			edns = false
		case !truncated:
			return a
		case network == "tcp":
			return answered{err: errors.New("a truncated answer over TCP")}
		default:
			network = "tcp"
		}
	}
}

// errNotUnderstood is a server's answer that it cannot read the question.
var errNotUnderstood = errors.New("the server does not understand the question")

// exchange sends one query over a socket of its own, so that the source port is
// a new one each time, and returns the reply that belongs to it.
func exchange(ctx context.Context, network string, edns bool, server netip.AddrPort, q dnsmessage.Question) ([]byte,
	error) {
	id, query, err := newQuery(q, edns)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, server.String())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	reply, err := roundTrip(conn, network, id, query, q)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return reply, err
}

func roundTrip(conn net.Conn, network string, id uint16, query []byte, q dnsmessage.Question) ([]byte, error) {
	if network == "tcp" {
		query = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	}
	if _, err := conn.Write(query); err != nil {
		return nil, err
	}
	if network == "tcp" {
		return readTCP(conn, id, q)
	}
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		// Anything else that arrives is a stray or a forgery: wait on.
		if belongs(buf[:n], id, q) {
			return buf[:n], nil
		}
	}
}

func readTCP(conn net.Conn, id uint16, q dnsmessage.Question) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return nil, err
	}
	if !belongs(buf, id, q) {
		return nil, errors.New("an answer to another question")
	}
	return buf, nil
}

func newQuery(q dnsmessage.Question, edns bool) (id uint16, query []byte, err error) {
	var random [2]byte
	if _, err := rand.Read(random[:]); err != nil {
		return 0, nil, err
	}
	id = binary.BigEndian.Uint16(random[:])
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{q},
	}
	if edns {
		var h dnsmessage.ResourceHeader
		if err := h.SetEDNS0(payload, dnsmessage.RCodeSuccess, false); err != nil {
			return 0, nil, err
		}
		m.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
	}
	query, err = m.Pack()
	return id, query, err
}

// belongs reports whether a message answers the question that was asked.
func belongs(message []byte, id uint16, q dnsmessage.Question) bool {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil || h.ID != id || !h.Response {
		return false
	}
	asked, err := p.Question()
	if err != nil {
		// Servers that do not know EDNS may answer without the question.
		return errors.Is(err, dnsmessage.ErrSectionDone) && h.RCode == dnsmessage.RCodeFormatError
	}
	return asked.Type == q.Type && asked.Class == q.Class && strings.EqualFold(asked.Name.String(), q.Name.String())
}

// read takes the addresses out of a reply that belongs to q.
func read(message []byte, q dnsmessage.Question) (a answered, truncated bool) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil {
		return answered{err: err}, false
	}
	switch {
	case h.Truncated:
		return answered{}, true
	case h.RCode == dnsmessage.RCodeNameError:
		return answered{err: ErrNoSuchHost}, false
	case h.RCode == dnsmessage.RCodeFormatError, h.RCode == dnsmessage.RCodeNotImplemented:
		return answered{err: errNotUnderstood}, false
	case h.RCode != dnsmessage.RCodeSuccess:
		return answered{err: fmt.Errorf("the server answers %s", strings.TrimPrefix(h.RCode.String(), "RCode"))}, false
	}
	records, err := readRecords(&p, q.Type)
	if err != nil {
		return answered{err: err}, false
	}
	return records.follow(lower(q.Name.String())), false
}

// records are the answers of a reply by owner name.
type records struct {
	aliases map[string]alias
	addrs   map[string]answered
}

type alias struct {
	to  string
	ttl uint32
}

func readRecords(p *dnsmessage.Parser, family dnsmessage.Type) (records, error) {
	r := records{aliases: map[string]alias{}, addrs: map[string]answered{}}
	if err := p.SkipAllQuestions(); err != nil {
		return r, err
	}
	for {
		h, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		owner := lower(h.Name.String())
		var addr netip.Addr
		switch {
		case h.Class != dnsmessage.ClassINET:
			err = p.SkipAnswer()
		case h.Type == dnsmessage.TypeCNAME:
			var c dnsmessage.CNAMEResource
			c, err = p.CNAMEResource()
			r.aliases[owner] = alias{lower(c.CNAME.String()), h.TTL}
		case h.Type == family && family == dnsmessage.TypeA:
			var a dnsmessage.AResource
			a, err = p.AResource()
			addr = netip.AddrFrom4(a.A)
		case h.Type == family && family == dnsmessage.TypeAAAA:
			var a dnsmessage.AAAAResource
			a, err = p.AAAAResource()
			addr = netip.AddrFrom16(a.AAAA)
		default:
			err = p.SkipAnswer()
		}
		if err != nil {
			return r, err
		}
		if addr.IsValid() {
			r.add(owner, addr, h.TTL)
		}
	}
}

func (r records) add(owner string, addr netip.Addr, ttl uint32) {
	at, known := r.addrs[owner]
	at.addrs = append(at.addrs, addr)
	if holds := seconds(ttl); !known || holds < at.ttl {
		at.ttl = holds
	}
	r.addrs[owner] = at
}

// follow goes from the name that was asked for along its aliases. An answer
// without addresses is no error here: the other family may have some.
func (r records) follow(name string) answered {
	holds := MaxTTL
	for range maxAliases {
		if found, ok := r.addrs[name]; ok {
			found.ttl = min(found.ttl, holds)
			return found
		}
		next, ok := r.aliases[name]
		if !ok {
			return answered{}
		}
		name, holds = next.to, min(holds, seconds(next.ttl))
	}
	return answered{err: errors.New("a chain of aliases without an end")}
}

// seconds reads a TTL; RFC 2181 section 8 takes one with the top bit as zero.
func seconds(ttl uint32) time.Duration {
	if ttl > 1<<31-1 {
		return 0
	}
	return time.Duration(ttl) * time.Second
}
