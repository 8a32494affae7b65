package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/browsertest"
)

func TestMain(m *testing.M) {
	if os.Getenv(asOrigin) != "" {
		serveStopped()
	}
	os.Exit(browsertest.Main(m))
}

// TestBrowser asks hosts on the list and others, in every way that a page can.
func TestBrowser(t *testing.T) {
	browsertest.Find(t)
	if testing.Short() {
		t.Skip("-short: the browser test takes about ten seconds")
	}
	t.Run("tunnel", func(t *testing.T) { runBrowser(t, newSite(t, usualRules, nil)) })
	t.Run("inspect", func(t *testing.T) {
		s, _ := inspectingSite(t, usualRules, nil)
		runBrowser(t, s)
	})
}

func runBrowser(t *testing.T, s *site) {
	leaf := s.secure.server.TLS.Certificates[0]
	good, goodTLS := browsertest.NewOrigin(t, false, nil), browsertest.NewOrigin(t, true, &leaf)
	evil, evilTLS := browsertest.NewOrigin(t, false, nil), browsertest.NewOrigin(t, true, &leaf)
	s.writeRules(fmt.Sprintf(`<access origin="http://page.test:%[1]s"/><access `+
		`origin="http://good.test:%[1]s"/><access origin="https://secure.test:%[2]s"/>`,
		good.Port, goodTLS.Port))
	if err := s.gateway.Reload(); err != nil {
		t.Fatal(err)
	}
	page := browsertest.Open(t, browsertest.Proxy(s.addr))
	page.Expect(browsertest.Failed("*://evil.test:*"), browsertest.Failed("*://other.test:*"))
	page.Navigate("http://page.test:" + good.Port + "/")
	for _, each := range []struct {
		web    string
		works  bool
		origin *browsertest.Origin
	}{
		{"http://good.test:" + good.Port, true, good},
		{"https://secure.test:" + goodTLS.Port, true, goodTLS},
		{"http://evil.test:" + evil.Port, false, evil},
		{"https://other.test:" + evilTLS.Port, false, evilTLS},
	} {
		got := page.AskInEveryWay(each.web)
		for _, way := range browsertest.WayNames {
			if worked, tried := got[way]; !tried || worked != each.works && way != "beacon" {
				t.Errorf("%s by %s: success %v, want %v", each.web, way, worked, each.works)
			}
		}
		if each.works && !each.origin.Await("/beacon") {
			t.Errorf("%s: the beacon did not arrive", each.web)
		}
		if n := each.origin.Connections(); !each.works && n != 0 {
			t.Errorf("BREACH: %s: %d connections", each.web, n)
		}
	}
	checkBrowserEvents(t, s)
}

// checkBrowserEvents requires that every event about the test's hosts says what
// happened; the browser's own errands are left out.
func checkBrowserEvents(t *testing.T, s *site) {
	t.Helper()
	seen := map[string]int{}
	for _, e := range s.decisions() {
		if !strings.HasSuffix(e.Host, ".test") {
			continue
		}
		want := event.Allowed
		if e.Host == "evil.test" || e.Host == "other.test" {
			want = event.Blocked
		}
		if e.Verdict != want && e.Verdict != event.Failed {
			t.Errorf("%s %s://%s%s: %s (%s)", e.Method, e.Scheme, e.Host, e.Path, e.Verdict, e.Reason)
		}
		if strings.Contains(e.Path, "?") {
			t.Errorf("a query was recorded: %s", e.Path)
		}
		seen[e.Host]++
	}
	for _, host := range []string{"page.test", "good.test", "secure.test", "evil.test", "other.test"} {
		if seen[host] == 0 {
			t.Errorf("no event about %s: %v", host, seen)
		}
	}
}

// asOrigin makes the test binary an origin that a test can stop.
const asOrigin = "CORDON_GATEWAY_ORIGIN"

func serveStopped() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("at " + l.Addr().String())
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			serveEcho(w, r)
			return
		}
		_, _ = io.WriteString(w, "awake")
	}))
	os.Exit(1)
}
