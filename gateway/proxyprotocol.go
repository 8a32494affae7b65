package gateway

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"
)

// errProxyHeader is what every refused PROXY protocol header is.
var errProxyHeader = errors.New("malformed PROXY protocol header")

var proxySignature = []byte("\r\n\r\n\x00\r\nQUIT\n")

// readProxyHeader reads a PROXY protocol header, version 1 or 2, and not one
// byte more. It returns an invalid address for a connection that the balancer
// opened by itself (UNKNOWN, LOCAL).
func readProxyHeader(r io.Reader) (netip.AddrPort, error) {
	head := make([]byte, 16, 256)
	if _, err := io.ReadFull(r, head[:12]); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errProxyHeader, err)
	}
	if bytes.Equal(head[:12], proxySignature) {
		return readProxyV2(r, head)
	}
	if !bytes.HasPrefix(head, []byte("PROXY ")) {
		return netip.AddrPort{}, errProxyHeader
	}
	return readProxyV1(r, head[:12])
}

// readProxyV1 reads byte by byte up to the end of the line: what follows
// belongs to HTTP.
func readProxyV1(r io.Reader, line []byte) (netip.AddrPort, error) {
	one := make([]byte, 1)
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		if len(line) >= 107 || bytes.IndexByte(line, '\n') >= 0 {
			return netip.AddrPort{}, errProxyHeader
		}
		if _, err := io.ReadFull(r, one); err != nil {
			return netip.AddrPort{}, fmt.Errorf("%w: %w", errProxyHeader, err)
		}
		line = append(line, one[0])
	}
	fields := strings.Split(string(line[:len(line)-2]), " ")
	if fields[1] == "UNKNOWN" {
		return netip.AddrPort{}, nil
	}
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return netip.AddrPort{}, errProxyHeader
	}
	source, err := netip.ParseAddr(fields[2])
	if err != nil || source.Is4() != (fields[1] == "TCP4") || source.Zone() != "" {
		return netip.AddrPort{}, errProxyHeader
	}
	port, err := parsePort(fields[4])
	if err != nil {
		return netip.AddrPort{}, errProxyHeader
	}
	return netip.AddrPortFrom(source.Unmap(), port), nil
}

func readProxyV2(r io.Reader, head []byte) (netip.AddrPort, error) {
	if _, err := io.ReadFull(r, head[12:16]); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errProxyHeader, err)
	}
	command, family := head[12], head[13]
	length := int(binary.BigEndian.Uint16(head[14:16]))
	if command>>4 != 2 || command&15 > 1 || length > 2048 {
		return netip.AddrPort{}, errProxyHeader
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		return netip.AddrPort{}, fmt.Errorf("%w: %w", errProxyHeader, err)
	}
	if command&15 == 0 {
		return netip.AddrPort{}, nil
	}
	switch {
	case family == 0x11 && length >= 12:
		a := netip.AddrFrom4([4]byte(body[:4]))
		return netip.AddrPortFrom(a, binary.BigEndian.Uint16(body[8:10])), nil
	case family == 0x21 && length >= 36:
		a := netip.AddrFrom16([16]byte(body[:16]))
		return netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(body[32:34])), nil
	}
	return netip.AddrPort{}, errProxyHeader
}

// proxiedConn is a connection whose header named another source.
type proxiedConn struct {
	*net.TCPConn
	remote net.Addr
}

// RemoteAddr returns the source that the header named.
func (c *proxiedConn) RemoteAddr() net.Addr { return c.remote }

// proxyListener reads the PROXY protocol header of connections from listed
// sources, each in a goroutine of its own so that a slow one holds up nobody.
type proxyListener struct {
	net.Listener
	from    []netip.Prefix
	timeout time.Duration
	ready   chan net.Conn
	failed  chan error
	done    chan struct{}
}

func newProxyListener(l net.Listener, from []netip.Prefix, timeout time.Duration) net.Listener {
	if len(from) == 0 {
		return l
	}
	p := &proxyListener{
		Listener: l, from: from, timeout: timeout,
		ready: make(chan net.Conn), failed: make(chan error, 1), done: make(chan struct{}),
	}
	go p.accept()
	return p
}

// Accept returns the next connection whose header has been read.
func (p *proxyListener) Accept() (net.Conn, error) {
	select {
	case c := <-p.ready:
		return c, nil
	case err := <-p.failed:
		p.failed <- err
		return nil, err
	}
}

// Close ends the listener and what waits for a header.
func (p *proxyListener) Close() error {
	err := p.Listener.Close()
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	return err
}

func (p *proxyListener) accept() {
	for {
		c, err := p.Listener.Accept()
		if err != nil {
			p.failed <- err
			return
		}
		go p.read(c)
	}
}

func (p *proxyListener) read(c net.Conn) {
	tcp, ok := c.(*net.TCPConn)
	if ok && p.listed(c.RemoteAddr()) {
		_ = c.SetReadDeadline(time.Now().Add(p.timeout))
		source, err := readProxyHeader(c)
		if err != nil {
			c.Close()
			return
		}
		_ = c.SetReadDeadline(time.Time{})
		if source.IsValid() {
			c = &proxiedConn{TCPConn: tcp, remote: net.TCPAddrFromAddrPort(source)}
		}
	}
	select {
	case p.ready <- c:
	case <-p.done:
		c.Close()
	}
}

func (p *proxyListener) listed(a net.Addr) bool {
	source := addrPort(a).Addr()
	for _, prefix := range p.from {
		if prefix.Contains(source) {
			return true
		}
	}
	return false
}

// addrPort returns the address of a TCP endpoint, IPv4 as IPv4.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := tcp.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
