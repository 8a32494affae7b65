package gateway

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
)

var established = []byte("HTTP/1.1 200 Connection established\r\n\r\n")

// connecting is a CONNECT whose target the list has let through for TLS, for
// cleartext, or for both.
type connecting struct {
	t           *tunnel
	to          authority
	destination egress.Destination
	id          string
	tls         decision
	cleartext   decision
	hello       int // bytes of what was received that are the ClientHello
	inspect     *inspector
	config      *config.Config
	client      *clientConn // whose tunnel it is; nil where a worker serves
}

// connect answers CONNECT: it decides about the target, connects, and
// checks the first bytes.
func (x *request) connect() {
	c := x.decideConnect()
	if c == nil || !x.enterTunnel() {
		return
	}
	ctx, cancel := x.context()
	defer cancel()
	upstream, result, err := x.g.dial(ctx, c.destination)
	x.dialled(result)
	if err != nil {
		x.leaveTunnel()
		x.refuseDial(err)
		return
	}
	x.establish(c, upstream)
}

// decideConnect decides about the target of a CONNECT. It answers if it returns
// nil.
func (x *request) decideConnect() *connecting {
	to, err := parseAuthority(x.r.RequestURI)
	if err != nil {
		x.refuse(http.StatusBadRequest, reasonBadTarget, err.Error())
		return nil
	}
	x.target("", to, "")
	if !emptyBody(x.r) {
		x.refuse(http.StatusBadRequest, reasonFraming, "CONNECT with a body")
		return nil
	}
	c := &connecting{to: to, id: x.event.ID, config: &x.state.config, client: x.client}
	if c.tls = x.app.decide("https", to, "/", true); !c.tls.ok {
		if wss := x.app.decide("wss", to, "/", true); wss.ok {
			c.tls = wss
		}
	}
	if !c.tls.ok || to.port != 443 {
		if c.cleartext = x.app.decide("http", to, "/", true); !c.cleartext.ok {
			c.cleartext = x.app.decide("ws", to, "/", true)
		}
	}
	best, scheme := c.tls, "https"
	if !c.tls.ok && (c.cleartext.ok || to.port == 80) {
		best, scheme = c.cleartext, "http" // what comes to port 80 is in cleartext, as a rule
	}
	x.decided(best)
	if !best.ok {
		x.refuse(http.StatusForbidden, best.reason, hint(best, scheme, to))
		return nil
	}
	if x.app.config.Inspect {
		c.inspect = x.state.inspector
	}
	c.destination = x.app.destination(to, best.rule)
	return c
}

// dialled notes how the connection to the origin came about.
func (x *request) dialled(result egress.Result) {
	x.event.Address, x.event.Lookup, x.event.Connect = result.Addr, result.Resolve, result.Connect
}

// establish takes the connection over from the HTTP server and answers 200.
func (x *request) establish(c *connecting, upstream *net.TCPConn) {
	conn, rw, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		upstream.Close()
		x.leaveTunnel()
		x.failed(http.StatusInternalServerError, reasonClientGone, err.Error())
		return
	}
	x.event.Status = http.StatusOK
	t := &tunnel{g: x.g, app: x.app, client: rawConn(conn), upstream: upstream, event: x.event, began: x.began}
	c.t = t
	// Bytes that came together with the CONNECT belong to the tunnel.
	received := takeBuffer()
	if n := rw.Reader.Buffered(); n > 0 {
		early, _ := rw.Reader.Peek(n)
		*received = append(*received, early...)
	}
	x.g.tunnels.add(t)
	x.leave() // the request is over: from here on it is a tunnel
	c.begin(received)
}

// rawConn takes the wrappers of a connection off: only raw connections can be
// spliced.
func rawConn(c net.Conn) net.Conn {
	for {
		switch wrapped := c.(type) {
		case *watchedConn:
			c = wrapped.Conn
		case *countingConn:
			if len(wrapped.first) > 0 {
				return c
			}
			c = wrapped.Conn
		case *proxiedConn:
			return wrapped.TCPConn
		default:
			return c
		}
	}
}

// systemConn returns the connection below everything.
func systemConn(c net.Conn) net.Conn {
	for {
		switch wrapped := c.(type) {
		case *watchedConn:
			c = wrapped.Conn
		case *countingConn:
			c = wrapped.Conn
		case *tls.Conn:
			c = wrapped.NetConn()
		case *proxiedConn:
			return wrapped.TCPConn
		default:
			return c
		}
	}
}

func (x *request) enterTunnel() bool {
	if !x.g.limits.tunnels.enter() {
		x.tooMany(reasonTunnels, time.Second)
		return false
	}
	if !x.app.limits.tunnels.enter() {
		x.g.limits.tunnels.leave()
		x.tooMany(reasonTunnels, time.Second)
		return false
	}
	return true
}

func (x *request) leaveTunnel() {
	x.app.limits.tunnels.leave()
	x.g.limits.tunnels.leave()
}

// refuseDial answers for an address that was refused or could not be reached.
func (x *request) refuseDial(err error) {
	if x.cutBy() != "" {
		x.refuseUpstream(err)
		return
	}
	if x.gone() {
		x.abandon(reasonClientGone, "the client left before the origin was connected to")
	}
	if isScarce(err) {
		x.g.lacks(err)
	}
	reason, status := egressReason(err)
	if status == http.StatusForbidden {
		x.refuse(status, reason, err.Error())
		return
	}
	x.w.Header().Set("Connection", "close")
	x.failed(status, reason, err.Error())
}

var closeField = []string{"close"}

// buffers hold the first bytes of tunnels until they are checked.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

func takeBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) {
	if cap(*b) > 32<<10 {
		return
	}
	*b = (*b)[:0]
	buffers.Put(b)
}

// begin answers 200, reads the first bytes, and lets them go on only if they
// are what the target allows. It runs in the goroutine of the request, which
// ends with it.
func (c *connecting) begin(received *[]byte) {
	t := c.t
	_ = t.client.SetReadDeadline(time.Now().Add(c.config.Timeouts.Hello))
	if _, err := t.client.Write(established); err != nil {
		c.drop(event.Failed, reasonClientGone, "")
		putBuffer(received)
		return
	}
	for {
		switch c.judge(*received) {
		case firstAllowed:
			_ = t.client.SetReadDeadline(time.Time{})
			if c.inspect != nil {
				c.inspectTLS(received)
				return
			}
			c.start(received)
			return
		case firstCleartext:
			c.beginCleartext(received)
			return
		case firstRefused:
			putBuffer(received)
			return
		}
		if err := readMore(t.client, received); err != nil {
			c.dropSilent(err)
			putBuffer(received)
			return
		}
	}
}

// first is what the first bytes of a tunnel are.
type first int

const (
	// firstShort: a beginning of a ClientHello, or nothing: more must be read.
	firstShort first = iota
	// firstAllowed: a ClientHello with the server name of the target.
	firstAllowed
	// firstCleartext: no TLS. What it is remains to be seen.
	firstCleartext
	// firstRefused: anything else; the tunnel has been dropped.
	firstRefused
)

// judge looks at the first bytes, as far as they have come.
func (c *connecting) judge(received []byte) first {
	if len(received) == 0 {
		return firstShort
	}
	hello, n, err := readHello(received)
	switch {
	case errors.Is(err, errHelloShort) && len(received) < maxOpening:
		return firstShort
	case errors.Is(err, errHelloShort):
		err = badHello("more than %d bytes", maxOpening)
	case errors.Is(err, errNotTLS):
		return firstCleartext
	}
	if err != nil {
		c.drop(event.Blocked, reasonHello, err.Error())
		return firstRefused
	}
	if reason := c.checkName(hello); reason != "" {
		detail := "the tunnel's server name is " + quoteName(hello.name)
		if !c.tls.ok {
			detail = strings.TrimSpace("TLS in a tunnel to what is allowed in cleartext. " + hint(c.tls, "https", c.to))
		}
		c.drop(event.Blocked, reason, detail)
		return firstRefused
	}
	c.hello = n
	return firstAllowed
}

// open makes the tunnel follow its first records, and returns what of the first
// bytes goes on at once: the hello, and what cannot be another one.
func (c *connecting) open(received []byte) []byte {
	c.t.opening = &opening{check: c.checkName}
	behind, _ := c.t.opening.fromClient(received[c.hello:]) // what is held is bounded by what was received
	return received[:c.hello+len(behind)]
}

func quoteName(s string) string {
	if s == "" {
		return "missing"
	}
	return s
}

// start lets the tunnel move and records the decision.
func (c *connecting) start(received *[]byte) {
	t := c.t
	t.send(c.open(*received), nil)
	putBuffer(received)
	e := t.event
	t.g.events.Record(&e)
	t.relay()
}

// readMore reads what is there behind what was read before.
func readMore(from net.Conn, to *[]byte) error {
	b := *to
	if len(b) == cap(b) {
		b = append(b, 0)[:len(b)]
	}
	n, err := from.Read(b[len(b):cap(b)])
	*to = b[:len(b)+n]
	if n > 0 {
		return nil
	}
	return err
}

// checkName compares the server name with the target of the CONNECT.
func (c *connecting) checkName(hello clientHello) (reason string) {
	switch {
	case !c.tls.ok:
		return c.tls.reason
	case c.to.addr.IsValid() && hello.name != "":
		return reasonNameUnexpected
	case c.to.addr.IsValid():
		return ""
	case hello.name == "":
		return reasonNameMissing
	case hello.name != c.to.host:
		return reasonNameMismatch
	}
	return ""
}

// dropSilent ends a tunnel whose first bytes never became a ClientHello.
func (c *connecting) dropSilent(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.drop(event.Blocked, reasonHelloTimeout, "no ClientHello in time")
		return
	}
	c.drop(event.Failed, reasonClientGone, "closed before the first bytes")
}

// drop records why the tunnel does not come about, and closes it.
func (c *connecting) drop(verdict event.Verdict, reason, detail string) {
	t := c.t
	t.event.Verdict, t.event.Reason, t.event.Detail = verdict, reason, detail
	e := t.event
	e.Total = time.Since(t.began)
	t.g.events.Record(&e)
	t.closeEnds()
	t.g.tunnels.remove(t)
	t.app.limits.tunnels.leave()
	t.g.limits.tunnels.leave()
}
