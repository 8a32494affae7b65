package gateway

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
)

// silentOrigin accepts connections and never answers.
func silentOrigin(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return portOf(l.Addr().String())
}

func TestUpstreamTrouble(t *testing.T) {
	silent := silentOrigin(t)
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	deadPort := portOf(dead.Addr().String())
	dead.Close()
	s := newSite(t, usualRules, func(c *Config) {
		c.Timeouts.ResponseHeader = 200 * time.Millisecond
		c.Timeouts.Lookup = 200 * time.Millisecond
	})
	s.writeRules(`<access origin="http://silent.test:` + silent + `"/><access origin="http://dead.test:` + deadPort + `"/>
<access origin="http://hangs.invalid"/><access origin="https://hangs.invalid"/><access origin="http://broken.invalid"/><access origin="http://none.invalid"/>`)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	for _, each := range []struct {
		request string
		status  int
		reason  string
	}{
		{"GET http://silent.test:" + silent + "/ HTTP/1.1", 504, reasonUpstreamSlow},
		{"POST http://silent.test:" + silent + "/ HTTP/1.1\r\nContent-Length: 0", 504, reasonUpstreamSlow},
		{"GET http://dead.test:" + deadPort + "/ HTTP/1.1", 502, "unreachable"},
		{"CONNECT dead.test:" + deadPort + " HTTP/1.1", 502, "unreachable"},
		{"GET http://hangs.invalid/ HTTP/1.1", 504, "resolver-failed"},
		{"CONNECT hangs.invalid:443 HTTP/1.1", 504, "resolver-failed"},
		{"GET http://broken.invalid/ HTTP/1.1", 502, "resolver-failed"},
		{"GET http://none.invalid/ HTTP/1.1", 502, "no-such-host"},
	} {
		c := s.dial()
		c.send(each.request + "\r\nHost: x\r\n\r\n")
		resp, body := c.answer("GET")
		if resp.StatusCode != each.status || !strings.Contains(body, each.reason) {
			t.Errorf("%s: %d %s", each.request, resp.StatusCode, body)
		}
		e := s.decisions()[len(s.decisions())-1]
		if e.Verdict != event.Failed || e.Detail == "" {
			t.Errorf("%s: event %+v", each.request, e)
		}
	}
}

// trouble is what a resolver says about names that do not end in .test.
func trouble(ctx context.Context, host string) error {
	switch host {
	case "hangs.invalid":
		<-ctx.Done()
		return ctx.Err()
	case "broken.invalid":
		return errors.New("the name server refuses")
	}
	return egress.ErrNoSuchHost
}

func TestNamedPlatform(t *testing.T) {
	for _, platform := range []string{"android@15.1.0", "android@3.6.4", "ios@8", "w3c"} {
		s := newSite(t, usualRules, func(c *Config) {
			c.Apps[0].Platform = platform
		})
		s.writeRules(`<access origin="http://plain.test:{plain}"/><allow-navigation ` +
			`href="http://plain.test:{plain}/*"/>`)
		if err := s.gateway.Reload(); err != nil {
			t.Fatal(err)
		}
		resp, body := s.get("http://plain.test:{plain}/x")
		if resp.StatusCode != 200 {
			t.Errorf("%s, listed: %d %s", platform, resp.StatusCode, body)
		}
		if resp, _ := s.get("http://evil.test:{evil}/x"); resp.StatusCode != 403 {
			t.Errorf("%s, unlisted: %d", platform, resp.StatusCode)
		}
		if n := s.evil.connections(); n != 0 {
			t.Errorf("%s: the unlisted origin saw %d connections", platform, n)
		}
	}
}

func TestLaunchRulesOpenNothing(t *testing.T) {
	s := newSite(t, `<allow-intent href="http://evil.test:{evil}"/><access origin="http://other.test:{evil}" `+
		`launch-external="yes"/><allow-navigation href="http://plain.test:{plain}"/>`, nil)
	s.writeRules(`<allow-intent href="http://evil.test:{evil}"/><access origin="http://other.test:{evil}" ` +
		`launch-external="yes"/><allow-navigation href="http://plain.test:{plain}"/>`)
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]int{"http://evil.test:{evil}/": 403, "http://other.test:{evil}/": 403,
		"http://plain.test:{plain}/": 200} {
		if resp, _ := s.get(url); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", url, resp.StatusCode, want)
		}
	}
}

func TestRequireTLS(t *testing.T) {
	s := newSite(t, usualRules, func(c *Config) { c.Apps[0].RequireTLS = true })
	for _, request := range []string{"GET http://plain.test:{plain}/ HTTP/1.1", "CONNECT plain.test:{plain} HTTP/1.1"} {
		c := s.dial()
		c.send(s.fill(request) + "\r\nHost: x\r\n\r\n")
		if resp, body := c.answer("GET"); resp.StatusCode != 403 {
			t.Errorf("%s: %d %s", request, resp.StatusCode, body)
		}
	}
	s.connect("secure.test:{secure}")
}

func TestReadinessIsNotified(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	s := newSite(t, usualRules, nil)
	buffer := make([]byte, 64)
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := conn.Read(buffer); err != nil || string(buffer[:n]) != "READY=1" {
		t.Errorf("%q %v", buffer[:n], err)
	}
	s.stop()
	if n, err := conn.Read(buffer); err != nil || string(buffer[:n]) != "STOPPING=1" {
		t.Errorf("%q %v", buffer[:n], err)
	}
}

func TestLargeTransfersSurviveTheStop(t *testing.T) {
	s := newSite(t, usualRules, func(c *Config) { c.Timeouts.Drain = 10 * time.Second })
	client, server := s.rawTunnel(t)
	const size = 32 << 20
	go func() {
		chunk := make([]byte, 1<<20)
		for range size >> 20 {
			if _, err := server.Write(chunk); err != nil {
				return
			}
			time.Sleep(2 * time.Millisecond)
		}
		server.Close()
	}()
	first := make([]byte, 1<<20)
	if _, err := io.ReadFull(client, first); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() { s.stop(); close(stopped) }()
	rest, err := io.Copy(io.Discard, client)
	if err != nil || rest+int64(len(first)) != size {
		t.Errorf("%d bytes of %d, %v", rest+int64(len(first)), size, err)
	}
	client.Close()
	<-stopped
}

func TestConfigMistakes(t *testing.T) {
	good := AppConfig{Name: "a", Config: "config.xml"}
	with := func(change func(*AppConfig)) Config {
		app := good
		change(&app)
		return Config{Apps: []AppConfig{app}}
	}
	for _, each := range []struct {
		name   string
		config Config
		says   string
	}{
		{"no app", Config{}, "no app is named"},
		{"no name", with(func(a *AppConfig) { a.Name = "" }), "no name"},
		{"no file", with(func(a *AppConfig) { a.Config = "" }), "no config.xml is named"},
		{"name twice", Config{Apps: []AppConfig{good, good}}, "used twice"},
		{"nothing identifies", Config{Apps: []AppConfig{good, {Name: "b", Config: "x"}}},
			"each needs a listen address"},
		{"unknown mode", with(func(a *AppConfig) { a.Mode = "open" }), "neither enforce nor report"},
		{"certificate without an authority", with(func(a *AppConfig) { a.Certificate = "x" }), "client_ca is needed"},
		{"secret in the file", with(func(a *AppConfig) { a.Credential = &CredentialConfig{"u", "secret"} }),
			"must be a reference"},
		{"colon in the user", with(func(a *AppConfig) { a.Credential = &CredentialConfig{"u:x", "env:X"} }), "colon"},
		{"inspection without an authority", with(func(a *AppConfig) { a.Inspect = true }), "ca.certificate and ca.key"},
		{"private host", with(func(a *AppConfig) {
			a.Private = []PrivateConfig{{Host: "a..b", Range: netip.MustParsePrefix("10.0.0.0/8")}}
		}), "private"},
		{"private without a range", with(func(a *AppConfig) { a.Private = []PrivateConfig{{Host: "a.test"}} }),
			"no range"},
		{"pins without a pin", with(func(a *AppConfig) { a.Pins = []PinConfig{{Host: "a.test"}} }), "no pin"},
		{"admin off loopback", Config{Apps: []AppConfig{good}, Admin: "0.0.0.0:9090"}, "must be a loopback address"},
		{"admin of a host that is called systemd", Config{Apps: []AppConfig{good}, Admin: "systemd.example:9090"},
			"must be a loopback address"},
		{"a rate that is not a number", Config{Apps: []AppConfig{good}, Limits: Limits{Rate: math.NaN()}}, "rate: NaN"},
		{"an infinite rate", with(func(a *AppConfig) { a.Limits.Rate = math.Inf(1) }), "rate: +Inf"},
		{"a negative rate", with(func(a *AppConfig) { a.Limits.Rate = -1 }), "rate: -1"},
		{"a port that is too high", Config{Apps: []AppConfig{good}, Listen: "127.0.0.1:99999"},
			`listen: "127.0.0.1:99999": it must be`},
		{"no port", with(func(a *AppConfig) { a.Listen = "127.0.0.1" }), `listen: "127.0.0.1": it must be`},
		{"a negative limit", Config{Apps: []AppConfig{good}, Limits: Limits{Tunnels: -1}}, "tunnels: -1"},
		{"a negative time", Config{Apps: []AppConfig{good}, Timeouts: Timeouts{Idle: -time.Second}}, "idle: -1s"},
		{"half a certificate", Config{Apps: []AppConfig{good}, TLS: &TLSConfig{Certificate: "x"}}, "both needed"},
	} {
		if err := each.config.Validate(); err == nil || !strings.Contains(err.Error(), each.says) {
			t.Errorf("%s: %v, want %q", each.name, err, each.says)
		}
	}
}

func TestPAC(t *testing.T) {
	s := newSite(t, usualRules, nil)
	c := s.dial()
	c.send("GET /proxy.pac HTTP/1.1\r\nHost: anything\r\n\r\n")
	resp, body := c.answer("GET")
	if resp.StatusCode != 200 || !strings.Contains(body, `"PROXY `+s.addr+`"`) || strings.Contains(body, "DIRECT") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestWarningsAreFew(t *testing.T) {
	rules := strings.Builder{}
	for i := range 1000 {
		rules.WriteString(`<access origin="http://h` + strconv.Itoa(i) + `.test/p"/>`)
	}
	s := newSite(t, rules.String(), nil)
	list := s.gateway.Warnings()
	if len(list) != 2*notesOfASort+2 ||
		!strings.Contains(strings.Join(list, "\n"), "and 990 more rules that allow cleartext") {
		t.Errorf("%d warnings: %q", len(list), list)
	}
}
