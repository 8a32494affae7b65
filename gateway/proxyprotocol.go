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
	"sync"
	"time"

	hostname "github.com/cordon-sec/cordon/host"
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
	port, err := hostname.ParsePort(fields[4])
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

// proxiedConn is a connection from a listed source. Its header is read when
// somebody first asks who is there or what was sent: net/http does so in the
// connection's own goroutine, so that a slow one holds up nobody.
type proxiedConn struct {
	*net.TCPConn
	timeout time.Duration
	refused func(from netip.AddrPort, err error) // nil: nobody asks

	once   sync.Once
	remote net.Addr
	err    error
}

// header reads the header once. Without a good one the connection is closed.
func (c *proxiedConn) header() error {
	c.once.Do(func() {
		c.remote = c.TCPConn.RemoteAddr()
		source, err := c.readHeader()
		if err != nil {
			c.err = err
			if c.refused != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				c.refused(addrPort(c.remote), err) // not a balancer's look whether somebody is there
			}
			c.TCPConn.Close()
			return
		}
		if source.IsValid() {
			c.remote = net.TCPAddrFromAddrPort(source)
		}
	})
	return c.err
}

func (c *proxiedConn) readHeader() (netip.AddrPort, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.timeout)); err != nil {
		return netip.AddrPort{}, err
	}
	source, err := readProxyHeader(c.TCPConn)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return source, c.SetReadDeadline(time.Time{})
}

// RemoteAddr returns the source that the header named, or else the sender of the
// header.
func (c *proxiedConn) RemoteAddr() net.Addr {
	_ = c.header() // Read tells
	return c.remote
}

// Read returns what follows the header.
func (c *proxiedConn) Read(p []byte) (int, error) {
	if err := c.header(); err != nil {
		return 0, err
	}
	return c.TCPConn.Read(p)
}

// WriteTo writes what follows the header.
func (c *proxiedConn) WriteTo(w io.Writer) (int64, error) {
	if err := c.header(); err != nil {
		return 0, err
	}
	return c.TCPConn.WriteTo(w)
}

// proxyListener demands a PROXY protocol header of connections from listed
// sources, and of no others.
type proxyListener struct {
	net.Listener
	from    []netip.Prefix
	timeout time.Duration
	refused func(from netip.AddrPort, err error)
}

func newProxyListener(l net.Listener, from []netip.Prefix, timeout time.Duration,
	refused func(from netip.AddrPort, err error),
) net.Listener {
	if len(from) == 0 {
		return l
	}
	return &proxyListener{Listener: l, from: from, timeout: timeout, refused: refused}
}

// Accept returns the next connection, before its header has been read. An error is
// the listener's own, told once each time it happens.
func (p *proxyListener) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok && p.listed(c.RemoteAddr()) {
		return &proxiedConn{TCPConn: tcp, timeout: p.timeout, refused: p.refused}, nil
	}
	return c, nil
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
