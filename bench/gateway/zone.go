package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	domain = "example.org"
	denied = "denied.example.net"
	// origins is how many names are asked for, each with an address of its own.
	origins = 10
)

// originNet are the addresses of the origins. They are public ones, so that no
// proxy treats them as special; in the run's own network they lead nowhere else.
var originNet = &net.IPNet{IP: net.IPv4(11, 0, 0, 0).To4(), Mask: net.CIDRMask(28, 32)}

// zone is the domain of the listed names, and the server that answers for it.
type zone struct {
	names int
	ttl   int // seconds

	questions atomic.Int64 // that were asked so far
}

func (z *zone) name(i int) string { return fmt.Sprintf("host%d.%s", i, domain) }

// asked returns the names that the client asks for, from all over the list.
func (z *zone) asked() []string {
	var names []string
	for k := range min(origins, z.names) {
		names = append(names, z.name(k*z.names/min(origins, z.names)))
	}
	return names
}

// address returns the address of a name with a dot at its end.
func (z *zone) address(name string) (addr [4]byte, ok bool) {
	label, inside := strings.CutSuffix(strings.ToLower(name), "."+domain+".")
	digits, host := strings.CutPrefix(label, "host")
	i, err := strconv.Atoi(digits)
	if !inside || !host || err != nil || i < 0 || i >= z.names {
		return addr, false
	}
	copy(addr[:], originNet.IP)
	addr[3] += 1 + byte(i*origins/z.names)
	return addr, true
}

// serve answers on the port of DNS until the connection is closed.
func (z *zone) serve() (net.PacketConn, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		return nil, err
	}
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if answer, err := z.answer(buffer[:n]); err == nil {
				_, _ = conn.WriteTo(answer, from) // who gets no answer asks again
			}
		}
	}()
	return conn, nil
}

// answer answers one question: A for the zone's names, nothing for their other
// types, NXDOMAIN for other names.
func (z *zone) answer(message []byte) ([]byte, error) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil {
		return nil, err
	}
	q, err := p.Question()
	if err != nil {
		return nil, err
	}
	z.questions.Add(1)
	addr, known := z.address(q.Name.String())
	head := dnsmessage.Header{ID: h.ID, Response: true, Authoritative: true,
		RecursionDesired: h.RecursionDesired, RecursionAvailable: true}
	reply := dnsmessage.Message{Header: head, Questions: []dnsmessage.Question{q}}
	rr := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: uint32(z.ttl)}
	if known && q.Type == dnsmessage.TypeA {
		reply.Answers = []dnsmessage.Resource{{Header: rr, Body: &dnsmessage.AResource{A: addr}}}
		return reply.Pack()
	}
	if !known {
		reply.RCode = dnsmessage.RCodeNameError
	}
	// Who keeps that there is nothing learns here for how long.
	rr.Name = dnsmessage.MustNewName(domain + ".")
	soa := &dnsmessage.SOAResource{NS: rr.Name, MBox: rr.Name, Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400,
		MinTTL: uint32(z.ttl)}
	reply.Authorities = []dnsmessage.Resource{{Header: rr, Body: soa}}
	return reply.Pack()
}

// writeNames writes the list for those that read one name a line.
func writeNames(dir string, z *zone) error {
	var b strings.Builder
	for i := range z.names {
		b.WriteString(z.name(i) + "\n")
	}
	return os.WriteFile(namesPath(dir), []byte(b.String()), 0o644)
}

func namesPath(dir string) string { return filepath.Join(dir, "names") }
