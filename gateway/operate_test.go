package gateway

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/lane"
)

// TestAskAgrees: what is answered about a URL is what then happens to it.
func TestAskAgrees(t *testing.T) {
	s := newSite(t, usualRules+`<access origin="http://private.test:{plain}"/><access origin="https://none.invalid"/>
<access origin="http://none.invalid"/><access origin="ws://plain.test:{plain}"/><access origin="http://10.0.0.1"/>`, nil)
	s.name("private.test", "10.1.2.3")
	hello := string(captureHello(t, &tls.Config{ServerName: "secure.test"}))
	for _, test := range []struct{ url, way, verdict string }{
		{"http://plain.test:{plain}/file", wayForward, "allow"},
		{"http://PLAIN.test:{plain}/file?q", wayForward, "allow"},
		{"http://folder.test:{plain}/app", wayForward, "allow"},
		{"http://folder.test:{plain}/other", wayForward, "block"},
		{"http://evil.test:{evil}/", wayForward, "block"},
		{"http://plain.test/", wayForward, "block"},
		{"http://private.test:{plain}/", wayForward, "block"},
		{"http://none.invalid/", wayForward, "fail"},
		{"https://none.invalid/", wayConnect, "fail"},
		{"https://secure.test:{secure}/", wayConnect, "allow"},
		{"https://evil.test:{evil}/", wayConnect, "block"},
		{"https://secure.test/", wayConnect, "block"},
		{"wss://secure.test:{secure}/live", wayConnect, "allow"},
	} {
		url := s.fill(test.url)
		answer, err := s.gateway.Ask(t.Context(), Question{URL: url})
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if answer.Way != test.way || string(answer.Verdict) != test.verdict {
			t.Errorf("%s: %s by %s, want %s by %s", url, answer.Verdict, answer.Way, test.verdict, test.way)
		}
		before := len(s.decisions())
		status := s.really(url, hello)
		lane.Until(t, "the decision is recorded", func() bool { return len(s.decisions()) > before })
		e := s.decisions()[before]
		if e.Verdict != answer.Verdict || e.Reason != answer.Reason || e.Rule != answer.Rule ||
			e.Place != answer.Place {
			t.Errorf("%s: the answer is %+v, the event %+v", url, answer, e)
		}
		if answer.Status != 0 && answer.Status != status {
			t.Errorf("%s: status %d, the answer says %d", url, status, answer.Status)
		}
	}
}

// really makes a request for a URL and returns the status.
func (s *site) really(url, hello string) int {
	s.t.Helper()
	scheme, rest, _ := strings.Cut(url, "://")
	if scheme == "http" {
		resp, _ := s.get(url)
		return resp.StatusCode
	}
	host, _, _ := strings.Cut(rest, "/")
	if !strings.Contains(host, ":") {
		host += ":443"
	}
	c := s.dial()
	c.send("CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
	resp, _ := c.answer("CONNECT")
	if resp.StatusCode == http.StatusOK {
		c.send(hello)
	}
	return resp.StatusCode
}

// Addresses are told as they are judged, and what would help is said.
func TestAskExplains(t *testing.T) {
	s := newSite(t, `<access origin="https://mixed.example"/><access origin="https://inside.example"/>`, nil)
	s.name("mixed.example", "192.0.2.7", "93.184.216.34")
	s.name("inside.example", "169.254.169.254")
	answer, err := s.gateway.Ask(t.Context(), Question{App: "app", URL: "https://mixed.example"})
	want := []AnswerAddress{{"192.0.2.7", "special-purpose", "192.0.2.0/24"}, {"93.184.216.34", "", ""}}
	if err != nil || answer.Verdict != event.Allowed || len(answer.Addresses) != 2 ||
		answer.Addresses[0] != want[0] || answer.Addresses[1] != want[1] {
		t.Errorf("%+v, %v", answer, err)
	}
	answer, err = s.gateway.Ask(t.Context(), Question{URL: "https://inside.example/latest"})
	if err != nil || answer.Verdict != event.Blocked || answer.Reason != "address-refused" || answer.Status != 403 ||
		len(answer.Notes) != 1 || !strings.Contains(answer.Notes[0], "--private HOST=RANGE") {
		t.Errorf("%+v, %v", answer, err)
	}
	answer, err = s.gateway.Ask(t.Context(), Question{URL: "https://other.example:8443/"})
	if err != nil || len(answer.Notes) != 1 ||
		answer.Notes[0] != `<access origin="https://other.example:8443"/> would allow it` {
		t.Errorf("%+v, %v", answer, err)
	}
	for _, q := range []Question{{URL: "mixed.example"}, {URL: ""}, {URL: "ftp://mixed.example"}, {App: "nobody",
		URL: "https://mixed.example"}, {URL: "https://user@mixed.example"}} {
		if answer, err := s.gateway.Ask(t.Context(), q); err == nil {
			t.Errorf("%+v: %+v", q, answer)
		}
	}
}

// TestTunnelsOfOperators lists what is open and ends it, by the admin listener
// and with its token alone.
func TestTunnelsOfOperators(t *testing.T) {
	s := newSite(t, usualRules, nil)
	file := admin.TokenFile(t.TempDir())
	s.gateway.options.AdminToken = file
	operators := httptest.NewServer(s.gateway.adminServer().Handler)
	defer operators.Close()
	token, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list := func() []Tunnel {
		t.Helper()
		resp, err := http.Get(operators.URL + TunnelsPath)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var list TunnelList
		if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || list.Tunnels == nil {
			t.Fatalf("%+v, %v", list, err)
		}
		return list.Tunnels
	}
	end := func(id, token string) int {
		t.Helper()
		r, _ := http.NewRequest("DELETE", operators.URL+TunnelsPath+"/"+id, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if open := list(); len(open) != 0 {
		t.Errorf("%+v before anything is open", open)
	}
	relayed := s.connect("secure.test:{secure}").tls(s, "secure.test")
	if err := relayed.Handshake(); err != nil {
		t.Fatal(err)
	}
	socket := s.dial()
	socket.send(s.fill("GET ws://plain.test:{plain}/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" +
		"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"))
	if resp, _ := socket.answer("GET"); resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp.Status)
	}
	lane.Until(t, "both are open", func() bool { return len(list()) == 2 })
	open := list()
	if open[0].Target != s.fill("secure.test:{secure}") || open[1].Target != s.fill("plain.test:{plain}") ||
		open[0].App != "app" || open[0].Up == 0 || open[0].Down == 0 || open[0].Client == "" ||
		open[0].Address != s.fill("127.0.0.1:{secure}") || open[0].ID == open[1].ID {
		t.Errorf("%+v", open)
	}
	if status := end(open[0].ID, "a guess that is long enough"); status != http.StatusUnauthorized {
		t.Errorf("without the token: %d", status)
	}
	if status := end("none", strings.TrimSpace(string(token))); status != http.StatusNotFound {
		t.Errorf("an id of nothing: %d", status)
	}
	for _, one := range open {
		if status := end(one.ID, strings.TrimSpace(string(token))); status != http.StatusNoContent {
			t.Errorf("%+v: %d", one, status)
		}
	}
	if n, err := relayed.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes of a tunnel that was ended", n)
	}
	if _, err := io.Copy(io.Discard, socket); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	lane.Until(t, "nothing is open, and both ends are recorded", func() bool {
		ended := 0
		for _, e := range s.ring.Latest() {
			if e.Type == event.Close && e.Detail == byOperator {
				ended++
			}
		}
		return len(list()) == 0 && ended == 2
	})
}

// Where the token cannot be kept, nothing can be changed, and the reason is said.
func TestOperatorsWithoutAToken(t *testing.T) {
	s := newSite(t, usualRules, nil)
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.gateway.options.AdminToken = admin.TokenFile(blocked)
	handler := s.gateway.adminServer().Handler
	w := httptest.NewRecorder()
	r := httptest.NewRequest("DELETE", "http://localhost"+TunnelsPath+"/x", nil)
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "not a directory") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	latest := s.ring.Latest()
	if e := latest[len(latest)-1]; e.Type != event.Notice || e.Reason != "admin-read-only" {
		t.Errorf("%+v", e)
	}
}

// An answer about TLS where a rule allows cleartext alone tells what becomes of the
// tunnel.
func TestAskAboutTLSInACleartextTunnel(t *testing.T) {
	s := newSite(t, usualRules, nil)
	answer, err := s.gateway.Ask(t.Context(), Question{URL: s.fill("https://plain.test:{plain}/")})
	if err != nil || answer.Verdict != event.Blocked || answer.Status != 0 || len(answer.Notes) != 2 ||
		!strings.Contains(answer.Notes[0], "closed when TLS begins") {
		t.Errorf("%+v, %v", answer, err)
	}
	c := s.connect("plain.test:{plain}")
	c.send(string(captureHello(t, &tls.Config{ServerName: "plain.test"})))
	if !c.closed() {
		t.Error("it is open")
	}
	lane.Until(t, "the event", func() bool { return len(s.decisions()) == 1 })
	e := s.decisions()[0]
	want := `TLS in a tunnel to what is allowed in cleartext. <access origin="` +
		s.fill("https://plain.test:{plain}") + `"/> would allow it`
	if e.Verdict != event.Blocked || e.Reason != answer.Reason || e.Detail != want {
		t.Errorf("%+v, want %s", e, want)
	}
}
