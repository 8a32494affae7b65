package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/event"
)

// upgrade forwards a WebSocket handshake that came in absolute form, and opens
// a tunnel if the origin agrees.
func (x *exchange) upgrade(t target, r decision) {
	if !x.enterTunnel() {
		return
	}
	u, err := x.dialUpstream(t, r, false)
	if err != nil {
		x.leaveTunnel()
		x.refuseDial(err)
		return
	}
	trip := newRoundTrip(x, u, t)
	resp, err := shakeHands(u, x.r, t, x.state.config)
	if err != nil {
		u.close()
		x.leaveTunnel()
		x.refuseUpstream(err)
		return
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		x.leaveTunnel()
		u.limit.lift()
		x.respond(trip, resp)
		return
	}
	x.switchOver(u, resp)
}

// switchOver turns the exchange into a tunnel after a 101.
func (x *exchange) switchOver(u *upstream, resp *http.Response) {
	conn, rw, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		u.close()
		x.leaveTunnel()
		x.failed(http.StatusInternalServerError, reasonClientGone, err.Error())
		return
	}
	x.event.Status = resp.StatusCode
	t := &tunnel{g: x.g, app: x.app, client: rawConn(conn), upstream: u.conn, event: x.event, began: x.began}
	x.g.tunnels.add(t)
	x.record()
	_ = t.client.SetDeadline(time.Now().Add(x.state.config.Timeouts.Header))
	if err := writeSwitch(t.client, resp); err != nil {
		t.shut("")
	}
	fromClient := buffered(rw.Reader)
	fromOrigin := buffered(u.reader)
	u.releaseReader()
	_ = t.client.SetDeadline(time.Time{})
	_ = t.upstream.SetDeadline(time.Time{})
	t.send(fromClient, fromOrigin)
	t.relay()
}

func buffered(r *bufio.Reader) []byte {
	b, _ := r.Peek(r.Buffered())
	return append([]byte(nil), b...)
}

// shakeHands sends a WebSocket handshake and reads the head of the answer.
func shakeHands(u *upstream, r *http.Request, t target, c Config) (*http.Response, error) {
	_ = u.conn.SetDeadline(time.Now().Add(c.Timeouts.ResponseHeader))
	w := writers.Get().(*bufio.Writer)
	defer releaseWriter(w)
	w.Reset(u.conn)
	r.Header["Connection"] = []string{"Upgrade"}
	r.Header["Upgrade"] = []string{"websocket"}
	writeHead(w, r, t)
	if err := w.Flush(); err != nil {
		return nil, err
	}
	u.limit.left = int64(c.Limits.ResponseHeader)
	resp, err := http.ReadResponse(u.reader, r)
	if err != nil {
		return nil, err
	}
	if err := checkResponse(resp); err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusSwitchingProtocols && !asksWebSocket(resp.Header) ||
		resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, &upstreamError{reasonUpstreamBad, "an upgrade to something else than was asked for"}
	}
	return resp, nil
}

// writeSwitch passes a 101 on.
func writeSwitch(to io.Writer, resp *http.Response) error {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	w.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
	dropHopFields(resp.Header)
	delete(resp.Header, "Content-Length")
	writeFields(w, resp.Header)
	w.WriteString("\r\n")
	w.Flush()
	_, err := to.Write(b.Bytes())
	return err
}

// beginCleartext goes on with a tunnel whose first bytes are no TLS. Browsers
// send ws: through a proxy as CONNECT and a plain handshake inside; nothing
// else in cleartext passes, and nothing after the handshake until the 101.
func (c *connecting) beginCleartext(flight *[]byte) {
	defer putFlight(flight)
	t := c.t
	if !c.cleartext.ok {
		reason := c.cleartext.reason
		if c.tls.ok || reason == "" {
			reason = reasonNotTLS
		}
		c.drop(event.Blocked, reason, "cleartext in a tunnel")
		return
	}
	_ = t.client.SetDeadline(time.Now().Add(c.config.Timeouts.Header))
	limit := &headLimit{from: io.MultiReader(bytes.NewReader(*flight), t.client),
		left: int64(c.config.Limits.RequestHeader)}
	reader := bufio.NewReader(limit)
	r, err := http.ReadRequest(reader)
	if err != nil {
		c.dropHead(err)
		return
	}
	to := target{scheme: "ws", authority: c.to, rest: r.RequestURI}
	if reason := c.checkUpgrade(r, to); reason != "" {
		c.answer(http.StatusBadRequest, reasonUpgradeOnly, reason)
		return
	}
	t.event.Scheme, t.event.Path, t.event.Method = "ws", to.path(), r.Method
	decided := t.app.decide("ws", c.to, to.rest, false)
	x := exchange{event: t.event}
	x.decided(decided)
	t.event = x.event
	if !decided.ok {
		c.answer(http.StatusForbidden, decided.reason, "")
		return
	}
	dropHopFields(r.Header)
	c.shakeHands(r, to, reader)
}

// checkUpgrade says what is wrong with the first head inside a tunnel, or "".
func (c *connecting) checkUpgrade(r *http.Request, to target) string {
	host, err := splitAuthority(r.Host, 80)
	_, bad := badField(r.Header)
	switch {
	case !strings.HasPrefix(r.RequestURI, "/") || checkRest(to.rest) != nil:
		return "the request target must be a path"
	case err != nil || host != c.to:
		return "the Host is not the tunnel's target"
	case bad:
		return "a malformed field"
	case r.Method != http.MethodGet || r.ProtoMajor != 1 || r.ProtoMinor != 1 || !emptyBody(r):
		return "not a plain GET"
	case !asksWebSocket(r.Header) || r.Header.Get("Sec-Websocket-Key") == "":
		return "not a WebSocket handshake"
	}
	return ""
}

// shakeHands passes the handshake on and opens the tunnel after a 101.
func (c *connecting) shakeHands(r *http.Request, to target, fromClient *bufio.Reader) {
	t := c.t
	_ = t.client.SetDeadline(time.Time{})
	u := &upstream{conn: t.upstream}
	u.open()
	defer u.releaseReader()
	resp, err := shakeHands(u, r, to, *c.config)
	if err != nil {
		c.answerUpstream(err)
		return
	}
	_ = t.client.SetDeadline(time.Now().Add(c.config.Timeouts.Header))
	t.event.Status = resp.StatusCode
	if resp.StatusCode != http.StatusSwitchingProtocols {
		u.limit.lift()
		_ = t.upstream.SetDeadline(time.Now().Add(c.config.Timeouts.ResponseHeader))
		dropHopFields(resp.Header)
		resp.Close = true
		_ = resp.Write(t.client) // the client may be gone
		c.drop(t.event.Verdict, t.event.Reason, "the origin declined the upgrade")
		return
	}
	if err := writeSwitch(t.client, resp); err != nil {
		c.drop(event.Failed, reasonClientGone, "")
		return
	}
	_ = t.client.SetDeadline(time.Time{})
	_ = t.upstream.SetDeadline(time.Time{})
	first := t.event
	t.g.events.Record(&first)
	t.send(buffered(fromClient), buffered(u.reader))
	t.relay()
}

func (c *connecting) dropHead(err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.drop(event.Blocked, reasonHelloTimeout, "no request head in time")
		return
	}
	c.answer(http.StatusBadRequest, reasonUpgradeOnly, "no HTTP request")
}

func (c *connecting) answerUpstream(err error) {
	var bad *upstreamError
	var timeout interface{ Timeout() bool }
	status, reason := http.StatusBadGateway, reasonUpstreamGone
	switch {
	case errors.As(err, &bad):
		reason = bad.reason
	case errors.As(err, &timeout) && timeout.Timeout():
		status, reason = http.StatusGatewayTimeout, reasonUpstreamSlow
	}
	c.respond(status, reason)
	c.drop(event.Failed, reason, err.Error())
}

// answer refuses inside a cleartext tunnel, and closes it.
func (c *connecting) answer(status int, reason, detail string) {
	c.respond(status, reason)
	c.drop(event.Blocked, reason, detail)
}

func (c *connecting) respond(status int, reason string) {
	t := c.t
	t.event.Status = status
	body := problemBody(status, reason, c.id)
	resp := http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Close: true,
		Header:        http.Header{"Content-Type": problemType, "Cache-Control": noStore},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}
	_ = t.client.SetDeadline(time.Now().Add(c.config.Timeouts.Header))
	_ = resp.Write(t.client) // the client may be gone
	_ = closeWrite(t.client)
}
