package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// request is one request on its way through the gateway.
type request struct {
	g        *Gateway
	state    *state
	listener *listener
	app      *app
	w        http.ResponseWriter
	r        *http.Request
	client   *clientConn // what the request came over; nil in an event loop
	inside   *inspection // the tunnel that the request came in, or nil
	probed   *upstream   // was opened to see what the origin speaks
	named    []string    // fields that Connection named
	doubtful bool        // it has a length and a transfer coding
	began    time.Time
	event    event.Event
	cut      atomic.Bool  // given up for a client that has closed its side
	flowed   atomic.Int64 // when something last went to the client, after began
	heads    sync.Mutex   // orders what is written before the final head
	final    bool         // the final head is on its way; with heads
	entered  bool         // counted as in progress
	left     bool
}

// newRequest begins a request.
func newRequest(d *listener, st *state, w http.ResponseWriter, r *http.Request, client netip.AddrPort) *request {
	x := &request{g: d.gateway, state: st, listener: d, w: w, r: r, began: time.Now()}
	x.event = event.Event{
		ID: x.g.ids.make(), Time: x.began, Type: event.Decision, Source: "gateway", Method: r.Method, Client: client,
	}
	return x
}

// ServeHTTP takes every request that a listener's HTTP server has parsed.
func (d *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	client, _ := netip.ParseAddrPort(r.RemoteAddr)
	client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port())
	x := newRequest(d, d.gateway.state.Load(), w, r, client)
	if x.client = clientOf(r); x.client != nil {
		x.doubtful = x.client.watched.doubtful()
	}
	if r.ProtoMajor != 1 || r.ProtoMinor == 0 {
		// Older clients may frame a body in ways that are ignored in HTTP/1.0;
		// what follows it must not be read as a request.
		w.Header().Set("Connection", "close")
	}
	x.serve()
}

// serve answers the request.
func (x *request) serve() {
	if r := x.r; !x.doubtful && len(r.RequestURI) > 0 && (r.RequestURI[0] == '/' || r.RequestURI == "*") {
		x.serveItself()
		return
	}
	if !x.admit() {
		return
	}
	defer x.leave()
	if x.doubtful {
		x.refuseDoubtful()
		return
	}
	switch x.r.Method {
	case http.MethodConnect:
		x.connect()
	case http.MethodTrace:
		x.refuse(http.StatusMethodNotAllowed, reasonMethod, "TRACE is not forwarded")
	default:
		x.forward()
	}
}

// refuseDoubtful refuses a request that two readers could take apart
// differently, and ends the connection, whose next bytes may be anything.
func (x *request) refuseDoubtful() {
	x.w.Header()["Connection"] = closeField
	x.refuse(http.StatusBadRequest, reasonFraming, "Content-Length and Transfer-Encoding in one request, or a "+
		"Transfer-Encoding in HTTP/1.0")
}

// refuses reports whether the list refuses a request in absolute form, where
// that can be said without asking who it comes from.
func (d *listener) refuses(st *state, r *http.Request) bool {
	a := st.only
	if d.app != "" {
		a = st.byName[d.app]
	}
	t, err := parseTarget(r.RequestURI)
	if err != nil || a == nil || a.credential != nil || t.scheme != "http" && t.scheme != "https" {
		return false
	}
	return !a.decide(t.scheme, t.authority, t.rest, false).ok
}

// admit applies the limits and recognises the app. It answers if it returns
// false.
func (x *request) admit() bool {
	g := x.g
	if g.draining.Load() {
		x.w.Header().Set("Connection", "close")
		x.refuse(http.StatusServiceUnavailable, reasonDraining, "the gateway is shutting down")
		return false
	}
	if wait, ok := g.limits.rate.Take(x.began); !ok {
		x.tooMany(reasonRate, wait)
		return false
	}
	if !g.limits.requests.enter() {
		x.tooMany(reasonBusy, time.Second)
		return false
	}
	if !x.identify() {
		g.limits.requests.leave()
		return false
	}
	l := x.app.limits
	wait, ok := l.rate.Take(x.began)
	reason := reasonRate
	if ok && !l.requests.enter() {
		ok, reason, wait = false, reasonBusy, time.Second
	}
	if !ok {
		g.limits.requests.leave()
		x.tooMany(reason, wait)
		return false
	}
	x.entered = true
	return true
}

// halfCloseGrace is how long a client that has closed its side may get nothing:
// it may only have said that it sends no more. A client that has reset its
// connection is gone.
const halfCloseGrace = 10 * time.Second

// context returns the context of connecting for the client; package egress
// bounds its steps by itself. The caller must call cancel.
func (x *request) context() (ctx context.Context, cancel context.CancelFunc) {
	ctx, end := context.WithCancel(context.WithoutCancel(x.r.Context()))
	stop := x.whenGone(end)
	return ctx, func() {
		stop()
		end()
	}
}

// whenGone calls f a while after the client has closed its side, unless stop is
// called before. stop reports whether f will not run any more.
func (x *request) whenGone(f func()) (stop func() bool) {
	var mu sync.Mutex
	var late *time.Timer
	stopped, called := false, false
	look := func() {
		mu.Lock()
		defer mu.Unlock()
		if wait := x.patience(); stopped {
			return
		} else if wait > 0 {
			late.Reset(wait)
			return
		}
		called = true
		x.cut.Store(true)
		f()
	}
	watch := context.AfterFunc(x.r.Context(), func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			x.flow() // from now on
			late = time.AfterFunc(x.patience(), look)
		}
	})
	return func() bool {
		if watch() {
			return true
		}
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		if late != nil {
			late.Stop()
		}
		return !called
	}
}

// flow notes that something goes to the client.
func (x *request) flow() { x.flowed.Store(int64(time.Since(x.began))) }

// patience is how much longer a client that has closed its side may get nothing.
func (x *request) patience() time.Duration {
	if x.r.ProtoMajor > 1 || x.client.left() {
		return 0
	}
	return time.Duration(x.flowed.Load()) + halfCloseGrace - time.Since(x.began)
}

// leave ends the count of the request, once.
func (x *request) leave() {
	if x.left || !x.entered {
		return
	}
	x.left = true
	x.app.limits.requests.leave()
	x.g.limits.requests.leave()
}

func (x *request) tooMany(reason string, wait time.Duration) {
	seconds := max(1, int(wait.Seconds()+0.999))
	x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	x.refuse(http.StatusTooManyRequests, reason, "too many requests")
}

// identify finds out which app asks, and answers if it returns false. A listener
// of its own, a client certificate or a proxy credential tells; whatever else is
// configured for that app must hold as well.
func (x *request) identify() bool {
	names, err := x.client.names(x.state)
	if err != nil {
		return x.stranger("the client certificate: " + err.Error())
	}
	a := x.candidate(names)
	if a == nil {
		return false // it has been answered
	}
	identity := "listener"
	if !a.recognises(names) {
		return x.stranger("the app's client certificate is missing")
	}
	if a.config.Certificate != "" {
		identity = "certificate"
	}
	if a.credential != nil {
		by := x.credentialed()
		if by == nil {
			return false
		}
		if by != a {
			return x.stranger("the proxy credential belongs to another app")
		}
		if identity = "credential"; a.config.Certificate != "" {
			identity = "certificate+credential"
		}
	}
	x.app, x.event.App, x.event.Identity = a, a.config.Name, identity
	return true
}

// candidate returns the app that asks by the first sign of it. It answers if it
// returns nil.
func (x *request) candidate(names []string) *app {
	st := x.state
	if name := x.listener.app; name != "" {
		a := st.byName[name]
		if a == nil {
			x.stranger("the listener's app is no longer configured")
			return nil
		}
		x.event.App = name
		return a
	}
	for _, name := range names {
		if a := st.byCert[name]; a != nil {
			return a
		}
	}
	switch {
	case len(names) > 0 && len(st.byUser) == 0:
		x.stranger("the client certificate belongs to no app")
		return nil
	case st.only != nil:
		return st.only
	case len(st.byUser) == 0:
		x.stranger("no client certificate")
		return nil
	}
	return x.credentialed()
}

// credentialed returns the app whose credential Proxy-Authorization holds. It
// answers if it returns nil.
func (x *request) credentialed() *app {
	fields := x.r.Header["Proxy-Authorization"]
	if len(fields) == 0 {
		x.w.Header().Set("Proxy-Authenticate", `Basic realm="cordon", charset="UTF-8"`)
		x.refuse(http.StatusProxyAuthRequired, reasonNoIdentity, "a proxy credential is needed")
		return nil
	}
	user, password, ok := parseBasic(fields)
	key := sha256.Sum256([]byte(user))
	a := x.state.byUser[key]
	var want config.Digest
	if a != nil {
		want = a.credential.password
	}
	same := want.Matches(password)
	if !ok || a == nil || !same {
		x.stranger("the proxy credential belongs to no app")
		return nil
	}
	return a
}

func (x *request) stranger(detail string) bool {
	x.refuse(http.StatusForbidden, reasonBadIdentity, detail)
	return false
}

func parseBasic(fields []string) (user, password string, ok bool) {
	if len(fields) != 1 {
		return "", "", false
	}
	scheme, token, found := strings.Cut(fields[0], " ")
	if !found || !pattern.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(token))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}

// certificateNames returns the names by which a client certificate recognises
// an app. The common name counts only where there is no alternative name.
func certificateNames(c *x509.Certificate) []string {
	names := append([]string(nil), c.DNSNames...)
	for _, u := range c.URIs {
		names = append(names, u.String())
	}
	if len(names) == 0 && c.Subject.CommonName != "" {
		names = append(names, c.Subject.CommonName)
	}
	for i, name := range names {
		names[i] = config.CertificateName(name)
	}
	return names
}

// target notes what was asked for.
func (x *request) target(scheme string, to authority, path string) {
	x.event.Scheme, x.event.Host, x.event.Port, x.event.Path = scheme, to.host, to.port, path
	x.event.Kind = kindOf(x.r.Header.Get("Sec-Fetch-Dest"))
}

// kindOf returns the kind of request that a Sec-Fetch-Dest header tells of
// (Fetch Metadata Request Headers, section 2.1), "" for what it does not tell.
func kindOf(destination string) string {
	switch destination {
	case "document":
		return policy.Navigation.String()
	case "iframe", "frame", "object", "embed", "fencedframe":
		return policy.Frame.String()
	case "script", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet":
		return policy.Script.String()
	case "style":
		return policy.Style.String()
	case "image":
		return policy.Image.String()
	case "font":
		return policy.Font.String()
	case "audio", "video", "track":
		return policy.Media.String()
	case "websocket":
		return policy.WebSocket.String()
	case "empty":
		return policy.XHR.String()
	}
	return ""
}

// decided notes what the list said.
func (x *request) decided(r decision) {
	x.event.Verdict, x.event.Reason = r.verdict, r.reason
	x.event.Rule, x.event.Place = "", ""
	if r.rule != nil {
		x.event.Rule = r.rule.Text
		if !r.rule.Implicit() {
			x.event.Place = r.rule.Place.String()
		}
	}
}

// emptyBody reports whether nothing follows the request's head.
func emptyBody(r *http.Request) bool {
	return r.ContentLength == 0 && len(r.TransferEncoding) == 0
}

// serveItself answers requests that are for the gateway as a web server: its
// proxy configuration, and nothing else.
func (x *request) serveItself() {
	switch {
	case x.r.RequestURI == "*" && x.r.Method == http.MethodOptions:
		x.w.Header().Set("Allow", "CONNECT, GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		x.w.Header().Set("Content-Length", "0")
		x.w.WriteHeader(http.StatusOK)
		x.answered()
	case x.r.URL.Path == pacPath && (x.r.Method == http.MethodGet || x.r.Method == http.MethodHead):
		x.servePAC()
		x.event.Path = pacPath
		x.answered()
	default:
		x.refuse(http.StatusBadRequest, reasonNotProxy, "a proxy is asked with absolute URLs or CONNECT")
	}
}

// answered records a request that the gateway has answered itself.
func (x *request) answered() {
	x.event.Verdict, x.event.Reason, x.event.Status = event.Allowed, reasonAnswered, http.StatusOK
	x.event.Total = time.Since(x.began)
	x.record()
}
