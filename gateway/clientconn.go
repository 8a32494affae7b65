package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"strings"
	"sync"
	"syscall"
	"time"
)

// clientConn is what hangs on the connection of one client: the connections to
// origins that belong to it alone.
type clientConn struct {
	// alone says that every connection that its requests open belongs to it, as
	// inside a tunnel.
	alone bool
	// watched is the connection itself where HTTP/1 is spoken on it, and secure
	// the TLS below; nil for none.
	watched *watchedConn
	secure  *tls.Conn

	mu          sync.Mutex
	authorities *x509.CertPool // that chains lead to
	chains      [][]*x509.Certificate

	bound map[poolKey][]*upstream // those in no use; an origin is bound also without one
	order []poolKey               // those of bound, the one used last at the end
	ended bool
}

// maxBound is how many origins may have a connection of a client's own.
const maxBound = 16

type clientKey struct{}

// clientOf returns the connection that a request came over, or nil.
func clientOf(r *http.Request) *clientConn {
	c, _ := r.Context().Value(clientKey{}).(*clientConn)
	return c
}

// withClient is the ConnContext of HTTP servers whose listeners watch.
func withClient(ctx context.Context, conn net.Conn) context.Context {
	if w, ok := conn.(*watchedConn); ok {
		return context.WithValue(ctx, clientKey{}, w.client)
	}
	return ctx
}

// endClient is their ConnState: what belongs to a connection ends with it.
func endClient(conn net.Conn, state http.ConnState) {
	if w, ok := conn.(*watchedConn); ok && (state == http.StateClosed || state == http.StateHijacked) {
		w.client.end()
	}
}

// certificate returns what the client has identified itself by, if an authority of
// the configuration in force vouches for it: nil if there is none, and an error if it
// is revoked, or may be.
func (c *clientConn) certificate(st *state) (*x509.Certificate, error) {
	if c == nil || c.secure == nil {
		return nil, nil
	}
	var revoked error
	for _, chain := range c.verified(st.clientCAs) {
		if revoked = st.revocations.Check(chain, time.Now()); revoked == nil {
			return chain[0], nil
		}
	}
	return nil, revoked
}

// names returns the names of the client's certificate, none if there is none.
func (c *clientConn) names(st *state) ([]string, error) {
	leaf, err := c.certificate(st)
	if leaf == nil {
		return nil, err
	}
	return certificateNames(leaf), nil
}

// verified returns the chains of the client's certificate to authorities. Those of
// the handshake may be others by now.
func (c *clientConn) verified(authorities *x509.CertPool) [][]*x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.authorities == authorities {
		return c.chains
	}
	c.authorities, c.chains = authorities, nil
	if sent := c.secure.ConnectionState().PeerCertificates; len(sent) > 0 && authorities != nil {
		options := x509.VerifyOptions{Roots: authorities, Intermediates: x509.NewCertPool(),
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		for _, above := range sent[1:] {
			options.Intermediates.AddCert(above)
		}
		c.chains, _ = sent[0].Verify(options) // without one it counts as none
	}
	return c.chains
}

// bind makes the connection to an origin the client's own from here on.
func (c *clientConn) bind(key poolKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.bound[key]; !known {
		c.store(key, nil)
	}
}

// owns reports whether a request to the origin needs a connection of the
// client's own. A nil clientConn owns nothing.
func (c *clientConn) owns(key poolKey) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, known := c.bound[key]
	return known || c.alone
}

// take returns the client's own connection if it is there, open and silent.
func (c *clientConn) take(key poolKey, lifetime time.Duration) *upstream {
	c.mu.Lock()
	var u *upstream
	if list := c.bound[key]; len(list) > 0 {
		u = list[len(list)-1]
		c.store(key, list[:len(list)-1])
	}
	c.mu.Unlock()
	if u == nil {
		return nil
	}
	if time.Since(u.idle) < lifetime && silent(u.raw) {
		u.reused = true
		u.open()
		return u
	}
	u.close()
	return nil
}

// put keeps a connection for the client's next request to the same origin.
func (c *clientConn) put(u *upstream) {
	if !u.rest() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || len(c.bound[u.key]) >= maxKeptPerKey {
		u.close()
		return
	}
	c.store(u.key, append(c.bound[u.key], u))
}

// store sets the connections of an origin, as the one used last, and closes
// those of the origin used longest ago if there are too many. An origin that is
// forgotten is not bound any more, nor is anything of it left. c.mu is held.
func (c *clientConn) store(key poolKey, list []*upstream) {
	if c.bound == nil {
		c.bound = map[poolKey][]*upstream{}
	}
	for i, k := range c.order {
		if k == key {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	c.bound[key] = list
	if c.order = append(c.order, key); len(c.order) > maxBound {
		oldest := c.order[0]
		c.order = c.order[1:]
		for _, u := range c.bound[oldest] {
			u.close()
		}
		delete(c.bound, oldest)
	}
}

// end closes what belongs to the client.
func (c *clientConn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, list := range c.bound {
		for _, u := range list {
			u.close()
		}
	}
	c.bound, c.order = nil, nil
}

// left reports whether the connection is known to be gone, and not only its
// client's side to be closed.
func (c *clientConn) left() bool {
	if c == nil || c.watched == nil {
		return false
	}
	if c.watched.broken() {
		return true
	}
	system, ok := systemConn(c.watched).(syscall.Conn)
	return ok && reset(system)
}

// reached returns the address of this machine that the client has connected to,
// invalid where it is not known.
func (c *clientConn) reached() netip.Addr {
	if c == nil || c.watched == nil {
		return netip.Addr{}
	}
	system := systemConn(c.watched)
	if bare, ok := system.(interface{ bound() netip.AddrPort }); ok {
		return bare.bound().Addr().Unmap()
	}
	return addrPort(system.LocalAddr()).Addr()
}

// requestBound are the authentication schemes of which each request carries its
// own proof, so that a connection says nothing about who asks: those of IANA's
// registry for which that is certain, and AWS's. Negotiate and NTLM
// authenticate the connection; Concealed is bound to its keys; of Mutual, SCRAM
// and what is not known here, a client may find its requests on a connection of
// its own, which costs a connection.
var requestBound = map[string]bool{
	"basic": true, "bearer": true, "digest": true, "dpop": true, "gnap": true, "hoba": true, "oauth": true,
	"privatetoken": true, "vapid": true, "aws4-hmac-sha256": true,
}

// bindsConnection reports whether credentials or challenges name a scheme that
// is not known to be bound to the request.
func bindsConnection(values []string) bool {
	for _, value := range values {
		elements, whole := splitElements(value)
		if !whole {
			return true
		}
		for i, element := range elements {
			element = strings.Trim(element, " \t")
			end := strings.IndexAny(element, " \t=")
			if end < 0 {
				end = len(element)
			}
			rest := strings.TrimLeft(element[end:], " \t")
			if i > 0 && (element == "" || strings.HasPrefix(rest, "=")) {
				continue // a parameter of the scheme before
			}
			if !requestBound[lowerASCII(element[:end])] {
				return true
			}
		}
	}
	return false
}

// splitElements splits a list at the commas that are not quoted. It is not
// whole if a quote has no end.
func splitElements(s string) (list []string, whole bool) {
	from, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			list = append(list, s[from:i])
			from = i + 1
		}
	}
	return append(list, s[from:]), !quoted
}

// lowerASCII lowers what is ASCII: other letters fold into none of it here.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// bindsByResponse reports whether a response says that its connection stands
// for who asks.
func bindsByResponse(h http.Header) bool {
	for _, v := range h["Persistent-Auth"] {
		if !strings.EqualFold(textproto.TrimString(v), "false") {
			return true
		}
	}
	return bindsConnection(h["Www-Authenticate"])
}
