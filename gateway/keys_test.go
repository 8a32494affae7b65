//go:build linux

package gateway

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/gateway/source"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// effect is what a key does.
type effect struct {
	rules  string               // usualRules by default
	needs  func(*config.Config) // what is set in both cases, if anything
	set    func(*config.Config) // sets the key
	see    func(*site) string   // looks at the running gateway
	before string               // what is seen without the key; takesTime where that would take its time
	after  string               // what is seen with it
}

// takesTime stands for what only time would show: that something does not end.
const takesTime = "takesTime"

// TestEveryKeyHasAnEffect sets each key of the gateway's configuration and shows
// what it does. A key that is added to config.Config must be added here.
func TestEveryKeyHasAnEffect(t *testing.T) {
	effects := map[string]func(*testing.T){}
	for _, some := range []map[string]effect{
		listenerEffects(t), appEffects(t), exceptionEffects(), boundsOfTime(t), boundsOfNumber(),
	} {
		for key, each := range some {
			effects[key] = each.test
		}
	}
	for key, test := range errorEffects() {
		effects[key] = test
	}
	effects["dns"] = dnsEffect
	for _, key := range keysOf(reflect.TypeFor[config.Config](), "") {
		test, known := effects[key]
		if !known && !madeElsewhere[key] {
			t.Errorf("nobody shows what %s does", key)
		}
		if delete(effects, key); known {
			t.Run(key, test)
		}
	}
	for key := range effects {
		t.Errorf("%s is a key of nothing", key)
	}
}

// madeElsewhere are the keys that the command reads: its TestGatewayLogKeys has
// their effects.
var madeElsewhere = map[string]bool{"log": true, "log_burst": true}

// keysOf returns the paths of all keys that hold a value.
func keysOf(t reflect.Type, path string) (keys []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice {
		if inner := keysOf(t.Elem(), path+"[]"); len(inner) > 0 {
			return inner
		}
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[netip.Prefix]() {
		if strings.HasSuffix(path, "[]") {
			return nil // a list of plain values is one key
		}
		return []string{path}
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		keys = append(keys, keysOf(t.Field(i).Type, strings.TrimPrefix(path+"."+name, "."))...)
	}
	return keys
}

func (e effect) test(t *testing.T) {
	look := func(want string, changes ...func(*config.Config)) {
		t.Helper()
		if want == takesTime {
			return
		}
		s := newSite(t, usualRules+e.rules, func(c *config.Config) {
			for _, change := range changes {
				if change != nil {
					change(c)
				}
			}
		})
		if got := e.see(s); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	look(e.before, e.needs)
	look(e.after, e.needs, e.set)
}

func listenerEffects(t *testing.T) map[string]effect {
	fleet := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	certificate, key := writePair(t, fleet.Leaf(t, testpki.Spec{Name: "proxy.test", Hosts: []string{"proxy.test"}}))
	devices := testpki.Root(t, testpki.Spec{Name: "Devices"})
	authority, _ := writePair(t, devices)
	device := devices.Leaf(t, testpki.Spec{Name: "x", Hosts: []string{"shop.device"}})
	port := portOf(closedAddress(t))
	byTLS := func(pair *testpki.Pair) func(*site) string {
		return func(s *site) string {
			resp, err := s.getByTLS(s.addr, fleet, pair)
			if err != nil {
				return "no TLS"
			}
			defer resp.Body.Close()
			return strconv.Itoa(resp.StatusCode)
		}
	}
	serveTLS := func(c *config.Config) { c.TLS = &config.TLS{Certificate: certificate, Key: key} }
	shop := func(c *config.Config) {
		serveTLS(c)
		c.TLS.ClientCA, c.Apps[0].Certificate = authority, "shop.device"
	}
	revoked := revocationList(t, devices, testpki.List{Revoked: []*testpki.Pair{device}})
	return map[string]effect{
		"crls": {
			needs: shop, set: func(c *config.Config) { c.CRLs = []string{revoked} },
			see: byTLS(device), before: "200", after: "403",
		},
		"listen": {
			set:    func(c *config.Config) { c.Listen = "127.0.0.1:" + port },
			see:    func(s *site) string { return strconv.FormatBool(portOf(s.addr) == port) },
			before: "false", after: "true",
		},
		"public_name": {
			set: func(c *config.Config) { c.PublicName = "proxy.example:8" },
			see: func(s *site) string {
				c := s.dial()
				c.send("GET /proxy.pac HTTP/1.1\r\nHost: asked.test:7\r\n\r\n")
				_, body := c.answer("GET")
				return pacOf(s.t, body)
			},
			before: "PROXY asked.test:7", after: "PROXY proxy.example:8",
		},
		"admin": {
			set: func(c *config.Config) { c.Admin = "127.0.0.1:0" },
			see: func(s *site) string {
				at := s.gateway.AdminAddr()
				if at == nil {
					return "none"
				}
				resp, err := http.Get("http://" + at.String() + "/healthz")
				if err != nil {
					return err.Error()
				}
				defer resp.Body.Close()
				return resp.Status
			},
			before: "none", after: "200 OK",
		},
		"tls.certificate": {set: serveTLS, see: byTLS(nil), before: "no TLS", after: "200"},
		"tls.key":         {set: serveTLS, see: byTLS(nil), before: "no TLS", after: "200"},
		"tls.client_ca": {
			needs: serveTLS,
			set:   func(c *config.Config) { c.TLS.ClientCA, c.Apps[0].Certificate = authority, "shop.device" },
			see:   byTLS(nil), before: "200", after: "403",
		},
		"apps[].certificate": {
			needs: shop, set: func(c *config.Config) { c.Apps[0].Certificate = "news.device" },
			see: byTLS(device), before: "200", after: "403",
		},
		"proxy_protocol": {
			set: func(c *config.Config) { c.ProxyProtocol = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} },
			see: func(s *site) string {
				c := s.dial()
				c.send(s.fill("PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\nGET " + plainURL +
					" HTTP/1.1\r\nHost: x\r\n\r\n"))
				resp, _ := c.answer("GET")
				from := ""
				for _, e := range s.decisions() {
					from = " from " + e.Client.String()
				}
				return strconv.Itoa(resp.StatusCode) + from
			},
			before: "400", after: "200 from 192.0.2.1:1000",
		},
	}
}

// closedAddress returns an address at which nobody listens.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func appEffects(t *testing.T) map[string]effect {
	t.Setenv("KEYS_PASSWORD", "s3cret")
	t.Setenv("KEYS_OTHER", "other")
	dir := t.TempDir()
	empty := filepath.Join(dir, "config.xml")
	if err := writeFile(empty, "<widget xmlns='http://www.w3.org/ns/widgets'/>"); err != nil {
		t.Fatal(err)
	}
	authority, err := ca.Create(filepath.Join(dir, "ca"), ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	inspects := func(c *config.Config) {
		c.Apps[0].Inspect = true
		c.CA.Certificate = filepath.Join(dir, "ca", ca.CertificateFile)
		c.CA.Key = filepath.Join(dir, "ca", ca.KeyFile)
	}
	inspection := effect{set: inspects, see: issuer(authority.Pool()), before: "origin", after: "gateway"}
	password := func(c *config.Config) {
		c.Apps[0].Credential = &config.Credential{User: "shop", Password: "env:KEYS_PASSWORD"}
	}
	name := func(s *site) string {
		s.get(plainURL)
		return s.decisions()[0].App + "/" + s.decisions()[0].Identity
	}
	return map[string]effect{
		"apps[].name": {
			set: func(c *config.Config) { c.Apps[0].Name = "kiosk" },
			see: name, before: "app/listener", after: "kiosk/listener",
		},
		"apps[].config": {
			set: func(c *config.Config) { c.Apps[0].Config = empty },
			see: status(plainURL), before: "200", after: "403 not-listed",
		},
		"apps[].platform": { // widgets of the W3C have no names with a star
			rules: `<access origin="http://*.test:{plain}"/>`,
			set:   func(c *config.Config) { c.Apps[0].Platform = "w3c" },
			see:   status("http://wild.test:{plain}/"), before: "200", after: "403 not-listed",
		},
		"apps[].listen": {
			set: func(c *config.Config) {
				own := c.Apps[0]
				own.Name, own.Listen = "own", "127.0.0.1:0"
				c.Apps[0].Credential = &config.Credential{User: "shop", Password: "env:KEYS_PASSWORD"}
				c.Apps = append(c.Apps, own)
			},
			see: func(s *site) string {
				if own := s.gateway.AppAddr("own"); own != nil {
					s.addr = own.String()
				}
				return name(s)
			},
			before: "app/listener", after: "own/listener",
		},
		"apps[].credential.user": {
			needs: password, set: func(c *config.Config) { c.Apps[0].Credential.User = "news" },
			see: status(plainURL, basic("shop", "s3cret")), before: "200", after: "403 unknown-client",
		},
		"apps[].credential.password": {
			needs: password, set: func(c *config.Config) { c.Apps[0].Credential.Password = "env:KEYS_OTHER" },
			see: status(plainURL, basic("shop", "s3cret")), before: "200", after: "403 unknown-client",
		},
		"apps[].mode": {
			needs: func(c *config.Config) { c.Timeouts.Lookup = time.Hour },
			set:   func(c *config.Config) { c.Apps[0].Mode = config.Report },
			see:   status("http://nobody.example/"), before: "403 not-listed", after: "502 no-such-host",
		},
		"apps[].require_tls": {
			set: func(c *config.Config) { c.Apps[0].RequireTLS = true },
			see: status(plainURL), before: "200", after: "403 cleartext",
		},
		"apps[].inspect": inspection, "ca.certificate": inspection, "ca.key": inspection,
	}
}

// exceptionEffects are those of private addresses and pins.
func exceptionEffects() map[string]effect {
	const right = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
	pin := func(c *config.Config) {
		c.Apps[0].Pins = []config.Pin{{Host: "secure.test", SPKI: []string{right}, Expires: "2099-01-01"}}
	}
	private := func(c *config.Config) {
		c.Apps[0].Private = []config.Private{{Host: "*.test", Range: netip.MustParsePrefix("127.0.0.0/8")}}
	}
	return map[string]effect{
		"apps[].private[].host": {
			needs: private, set: func(c *config.Config) { c.Apps[0].Private[0].Host = "other.test" },
			see: status(plainURL), before: "200", after: "403 address-refused",
		},
		"apps[].private[].range": {
			needs: private, set: func(c *config.Config) {
				c.Apps[0].Private[0].Range = netip.MustParsePrefix("127.0.0.2/32")
			},
			see: status(plainURL), before: "200", after: "403 address-refused",
		},
		"apps[].private[].port": {
			needs: private, set: func(c *config.Config) { c.Apps[0].Private[0].Port = 1 },
			see: status(plainURL), before: "200", after: "403 address-refused",
		},
		"apps[].pins[].host": {
			needs: pin, set: func(c *config.Config) { c.Apps[0].Pins[0].Host = "other.test" },
			see: status(secureURL), before: "502 pin-mismatch", after: "200",
		},
		"apps[].pins[].spki": {
			set: pin, see: func(s *site) string {
				wrong := status(secureURL)(s)
				c := s.gateway.options.Loaded.Config
				c.Apps = slices.Clone(c.Apps)
				sum := sha256.Sum256(s.secure.server.Certificate().RawSubjectPublicKeyInfo)
				if c.Apps[0].Pins != nil {
					c.Apps[0].Pins = []config.Pin{{Host: "secure.test",
						SPKI: []string{base64.StdEncoding.EncodeToString(sum[:])}}}
				}
				if err := s.reload(c); err != nil {
					return err.Error()
				}
				return wrong + ", with another " + status(secureURL)(s)
			},
			before: "200, with another 200", after: "502 pin-mismatch, with another 200",
		},
		"apps[].pins[].expires": {
			needs: pin, set: func(c *config.Config) { c.Apps[0].Pins[0].Expires = "2001-01-01" },
			see: status(secureURL), before: "502 pin-mismatch", after: "502 pins-expired",
		},
	}
}

// issuer tells whose certificate a tunnel's end shows.
func issuer(authority *x509.CertPool) func(*site) string {
	return func(s *site) string {
		conn := tls.Client(s.connect("secure.test:{secure}"), &tls.Config{
			ServerName: "secure.test", InsecureSkipVerify: true, // it is looked at below
		})
		if err := conn.Handshake(); err != nil {
			return err.Error()
		}
		options := x509.VerifyOptions{DNSName: "secure.test", Roots: authority}
		if _, err := conn.ConnectionState().PeerCertificates[0].Verify(options); err == nil {
			return "gateway"
		}
		return "origin"
	}
}

const moment = 100 * time.Millisecond

func boundsOfTime(t *testing.T) map[string]effect {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() }) // it accepts nobody: the kernel does
	at := portOf(silent.Addr().String())
	full := fullOrigin(t)
	rules := `<access origin="http://hangs.invalid"/><access origin="https://silent.test:` + at +
		`"/><access origin="http://silent.test:` + at + `"/><access origin="http://full.test:` + full + `"/>`
	bound := func(change func(*config.Timeouts), see func(*site) string, after string) effect {
		long := config.Timeouts{
			Header: time.Hour, Hello: time.Hour, Lookup: time.Hour, Connect: time.Hour,
			ResponseHeader: time.Hour, Idle: time.Hour, KeepAlive: time.Hour, Drain: time.Hour,
		}
		return effect{
			rules: rules, needs: func(c *config.Config) { c.Timeouts = long },
			set: func(c *config.Config) { change(&c.Timeouts) },
			see: see, before: takesTime, after: after,
		}
	}
	// closes sends something and waits until the gateway has closed.
	closes := func(open func(*site) *client) func(*site) string {
		return func(s *site) string { return map[bool]string{true: "closed", false: "open"}[open(s).closed()] }
	}
	return map[string]effect{
		"timeouts.header": bound(func(b *config.Timeouts) { b.Header = moment }, closes(func(s *site) *client {
			c := s.dial()
			c.send("GET http://plain.test/ HTTP/1.1\r\nHost: x\r\n")
			return c
		}), "closed"),
		"timeouts.hello": bound(func(b *config.Timeouts) { b.Hello = moment }, func(s *site) string {
			c := s.connect("silent.test:" + at)
			_, _ = io.Copy(io.Discard, c)
			return lastReason(s)
		}, "hello-timeout"),
		"timeouts.lookup": bound(func(b *config.Timeouts) { b.Lookup = moment },
			status("http://hangs.invalid/"), "504 resolver-failed"),
		"timeouts.connect": bound(func(b *config.Timeouts) { b.Connect = moment },
			status("http://full.test:"+full+"/"), "504 unreachable"),
		"timeouts.response_header": bound(func(b *config.Timeouts) { b.ResponseHeader = moment },
			status("http://silent.test:"+at+"/"), "504 upstream-timeout"),
		"timeouts.idle": bound(func(b *config.Timeouts) { b.Idle = moment }, func(s *site) string {
			client, _ := s.rawTunnel(s.t)
			_, _ = io.Copy(io.Discard, client)
			return lastDetail(s)
		}, "idle"),
		"timeouts.keep_alive": bound(func(b *config.Timeouts) { b.KeepAlive = moment }, closes(func(s *site) *client {
			c := s.dial()
			c.send(s.fill("GET " + plainURL + " HTTP/1.1\r\nHost: x\r\n\r\n"))
			c.answer("GET")
			return c
		}), "closed"),
		"timeouts.drain": bound(func(b *config.Timeouts) { b.Drain = moment }, func(s *site) string {
			client, _ := s.rawTunnel(s.t)
			s.stop()
			return map[bool]string{true: "closed", false: "open"}[client.closed()]
		}, "closed"),
	}
}

// lastReason returns the reason of the latest decision; lastDetail the detail of
// the latest close.
func lastReason(s *site) (reason string) {
	lane.Until(s.t, "a decision", func() bool { return len(s.decisions()) > 0 })
	for _, e := range s.decisions() {
		reason = e.Reason
	}
	return reason
}

func lastDetail(s *site) (detail string) {
	lane.Until(s.t, "the end", func() bool {
		list := s.ring.Latest()
		detail = list[len(list)-1].Detail
		return list[len(list)-1].Type == event.Close
	})
	return detail
}

func boundsOfNumber() map[string]effect {
	// second holds one request or tunnel open and returns the answer to another.
	second := func(s *site) string {
		first := s.dial()
		first.send(s.fill("POST " + plainURL + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"))
		lane.Until(s.t, "the first is there", func() bool { return s.gateway.limits.requests.now.Load() == 1 })
		return status(plainURL)(s)
	}
	tunnel := func(s *site) string {
		s.connect("secure.test:{secure}")
		c := s.dial()
		c.send(s.fill("CONNECT secure.test:{secure} HTTP/1.1\r\nHost: x\r\n\r\n"))
		resp, body := c.answer("CONNECT")
		return statusOf(resp, body)
	}
	// three asks three times at once.
	three := func(s *site) string {
		var seen []string
		for range 3 {
			seen = append(seen, status(plainURL)(s))
		}
		return strings.Join(seen, ", ")
	}
	all := map[string]effect{
		"limits.request_header": {
			set: func(c *config.Config) { c.Limits.RequestHeader = 8192 },
			see: status(plainURL, "X: "+strings.Repeat("x", 9000)), before: "200", after: "431",
		},
		"limits.response_header": {
			set: func(c *config.Config) { c.Limits.ResponseHeader = 8192 },
			see: status(plainURL, "X: "+strings.Repeat("x", 9000)), before: "200", after: "502 upstream-malformed",
		},
	}
	for path, of := range map[string]func(*config.Config) *config.Limits{
		"limits.":        func(c *config.Config) *config.Limits { return &c.Limits },
		"apps[].limits.": func(c *config.Config) *config.Limits { return &c.Apps[0].Limits },
	} {
		slow := func(c *config.Config) { of(c).Rate = 0.001 }
		all[path+"requests"] = effect{set: func(c *config.Config) { of(c).Requests = 1 }, see: second,
			before: "200", after: "429 busy"}
		all[path+"tunnels"] = effect{set: func(c *config.Config) { of(c).Tunnels = 1 }, see: tunnel,
			before: "200", after: "429 tunnels"}
		all[path+"rate"] = effect{set: slow, see: three, before: "200, 200, 200", after: "200, 429 rate, 429 rate"}
		all[path+"burst"] = effect{needs: slow, set: func(c *config.Config) { of(c).Burst = 2 }, see: three,
			before: "200, 429 rate, 429 rate", after: "200, 200, 429 rate"}
	}
	return all
}

// errorEffects are those of keys that refuse a configuration.
func errorEffects() map[string]func(*testing.T) {
	refused := func(want string, of func(*config.App, *bool)) func(*testing.T) {
		return func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.xml")
			if err := os.WriteFile(file, []byte(`<widget><access origin="http://%"/></widget>`), 0o600); err != nil {
				t.Fatal(err)
			}
			app := config.App{Name: "app", Config: file}
			if _, err := source.Load(config.Config{Apps: []config.App{app}}); err != nil {
				t.Fatal(err)
			}
			var unused bool
			of(&app, &unused)
			_, err := source.Load(config.Config{Apps: []config.App{app}})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
	notOfAnApp := func(key string, set func(*config.Limits)) func(*testing.T) {
		return refused(key, func(a *config.App, _ *bool) { set(&a.Limits) })
	}
	return map[string]func(*testing.T){
		"apps[].strict": refused("config.xml:1:", func(a *config.App, _ *bool) { a.Strict = true }),
		"apps[].limits.request_header": notOfAnApp("request_header",
			func(l *config.Limits) { l.RequestHeader = 9000 }),
		"apps[].limits.response_header": notOfAnApp("response_header",
			func(l *config.Limits) { l.ResponseHeader = 9000 }),
	}
}

// dnsEffect: with the key the name server is asked.
func dnsEffect(t *testing.T) {
	n := &nameServer{t: t}
	address := n.listen("127.0.0.1:0")
	defer n.stop()
	for _, each := range []struct {
		dns  []string
		want []string
	}{
		// The system's resolver does not know the name, or is out of reach.
		{nil, []string{"502 no-such-host", "502 resolver-failed"}},
		{[]string{address}, []string{"200"}},
	} {
		s := newSite(t, usualRules, func(c *config.Config) { c.DNS = each.dns })
		s.stop()
		o := s.gateway.options
		o.Metrics, o.Resolver = nil, nil
		var err error
		if s.gateway, err = New(o); err != nil {
			t.Fatal(err)
		}
		s.start()
		got := status(plainURL)(s)
		if !slices.Contains(each.want, got) {
			t.Errorf("%v: %s, want one of %v", each.dns, got, each.want)
		}
	}
}
