package gateway

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/cordon-sec/cordon/event"
)

// upgrade forwards a WebSocket handshake that came in absolute form, and opens
// a tunnel if the origin agrees.
func (x *request) upgrade(t target, r decision) {
	if x.inside == nil && !x.enterTunnel() { // one that is inside takes the place of its tunnel
		return
	}
	u, err := x.dialUpstream(t, r, false)
	if err != nil {
		x.stayRequest()
		x.refuseDial(err)
		return
	}
	delete(x.r.Header, "Te")
	x.r.Header["Connection"] = []string{"Upgrade"}
	x.r.Header["Upgrade"] = []string{"websocket"}
	trip := newRoundTrip(x, u, t)
	trip.upgrade = true
	resp, err := trip.run()
	if err != nil {
		trip.end(false)
		x.stayRequest()
		x.event.Up = trip.uploaded()
		x.refuseUpstream(err)
		return
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		x.stayRequest()
		x.respond(trip, resp)
		return
	}
	trip.stop()
	x.switchOver(u, resp)
}

// stayRequest gives back the place of a tunnel that does not come about.
func (x *request) stayRequest() {
	if x.inside == nil {
		x.leaveTunnel()
	}
}

// switchOver turns the request into a tunnel after a 101.
func (x *request) switchOver(u *upstream, resp *http.Response) {
	app := x.app
	if x.inside != nil {
		app = x.inside.c.t.app
		x.inside.passed.Store(true)
	}
	conn, rw, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		u.close()
		x.stayRequest()
		x.failed(http.StatusInternalServerError, reasonClientGone, err.Error())
		return
	}
	x.event.Status = resp.StatusCode
	t := &tunnel{g: x.g, app: app, client: rawConn(conn), upstream: u.conn, event: x.event, began: x.began}
	x.g.tunnels.add(t)
	x.record()
	_ = t.client.SetDeadline(time.Now().Add(x.state.config.Timeouts.Header))
	if err := writeSwitch(t.client, resp); err != nil {
		t.shut(byClient)
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

// beginCleartext goes on with a tunnel whose first bytes are no TLS: as browsers
// send ws:, and some clients everything, through a proxy. It is served as the
// requests that are inside, each of which is decided as one that comes in
// absolute form; what is no HTTP does not pass.
func (c *connecting) beginCleartext(received *[]byte) {
	defer putBuffer(received)
	t := c.t
	if !c.cleartext.ok {
		reason := c.cleartext.reason
		if c.tls.ok || reason == "" {
			reason = reasonNotTLS
		}
		c.drop(event.Blocked, reason, "cleartext in a tunnel")
		return
	}
	if !beginsHTTP(*received) {
		c.drop(event.Blocked, reasonUpgradeOnly, "cleartext in a tunnel must be an HTTP request")
		return
	}
	_ = t.client.SetDeadline(time.Time{})
	x := request{event: t.event}
	x.decided(c.cleartext)
	t.event = x.event
	i := &inspection{c: c, scheme: "http", client: &clientConn{alone: true}}
	i.conn = newWatched(&countingConn{Conn: t.client, first: append([]byte(nil), *received...), t: t}, i.client)
	i.begin()
}

// beginsHTTP reports whether a request may begin so: with a method.
func beginsHTTP(b []byte) bool {
	method, _, _ := bytes.Cut(b, []byte(" "))
	return httpguts.ValidHeaderFieldName(string(method))
}
