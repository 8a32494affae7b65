package gateway

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/gateway/source"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/testpki"
)

// reloadable is a site whose next reload finds what change makes of its
// configuration.
func reloadable(t *testing.T, begin func(*config.Config)) (s *site, reload func(change func(*config.Config)) error) {
	s = newSite(t, usualRules, begin)
	first := s.gateway.options.Loaded.Config
	return s, func(change func(*config.Config)) error {
		c := first
		c.Apps = slices.Clone(first.Apps)
		change(&c)
		return s.reload(c)
	}
}

// reload makes the gateway read another configuration.
func (s *site) reload(c config.Config) error {
	s.gateway.options.Reload = func() (config.Loaded, error) { return source.Load(c) }
	return s.gateway.Reload()
}

// TestReloadOfEveryKey: each key of the configuration is in force after a reload,
// or the reload is refused and names it, and nothing of the rest is in force. A
// key that is added to Config must be added here.
func TestReloadOfEveryKey(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Fleet"})
	certificate, key := writePair(t, root.Leaf(t, testpki.Spec{Name: "proxy.test", Hosts: []string{"proxy.test"}}))
	pair := &config.TLS{Certificate: certificate, Key: key}
	changes := map[string]struct {
		refused string // the key that is named; "" if the change is in force
		change  func(*config.Config)
	}{
		"Listen": {"listen", func(c *config.Config) { c.Listen = "127.0.0.1:39999" }},
		"Admin":  {"admin", func(c *config.Config) { c.Admin = "127.0.0.1:0" }},
		"TLS":    {"tls", func(c *config.Config) { c.TLS = pair }},
		"Apps": {"apps[].listen", func(c *config.Config) {
			kiosk := c.Apps[0]
			kiosk.Name, kiosk.Listen = "kiosk", "127.0.0.1:0"
			c.Apps[0].Credential = &config.Credential{User: "app", Password: "env:PATH"}
			c.Apps = append(c.Apps, kiosk)
		}},
		"ProxyProtocol": {
			"proxy_protocol",
			func(c *config.Config) { c.ProxyProtocol = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} },
		},
		"PublicName": {"", func(c *config.Config) { c.PublicName = "proxy.test" }},
		"CA": {"", func(c *config.Config) {
			dir := t.TempDir()
			if _, err := ca.Create(filepath.Join(dir, "ca"), ca.Options{}); err != nil {
				t.Fatal(err)
			}
			c.CA.Certificate = filepath.Join(dir, "ca", ca.CertificateFile)
			c.CA.Key, c.Apps[0].Inspect = filepath.Join(dir, "ca", ca.KeyFile), true
		}},
		"CRLs":     {"", func(c *config.Config) { c.CRLs = []string{revocationList(t, root, testpki.List{})} }},
		"Timeouts": {"timeouts", func(c *config.Config) { c.Timeouts.Idle = time.Hour }},
		"Limits":   {"limits", func(c *config.Config) { c.Limits.Requests = 7 }},
		"DNS":      {"dns", func(c *config.Config) { c.DNS = []string{"127.0.0.1"} }},
		"Log":      {"log", func(c *config.Config) { c.Log = "stdout" }},
		"LogBurst": {"log_burst", func(c *config.Config) { c.LogBurst = -1 }},
	}
	for i := range reflect.TypeFor[config.Config]().NumField() {
		field := reflect.TypeFor[config.Config]().Field(i).Name
		test, known := changes[field]
		if !known {
			t.Errorf("nobody says what a reload does with %s", field)
			continue
		}
		t.Run(field, func(t *testing.T) {
			s, reload := reloadable(t, nil)
			err := reload(func(c *config.Config) {
				test.change(c)
				c.Apps[0].RequireTLS = true // the rest of the new configuration
			})
			if test.refused == "" {
				if err != nil || s.allows("http://plain.test:{plain}/") || s.gateway.Stale() != "" {
					t.Errorf("%v, %q: it must be in force", err, s.gateway.Stale())
				}
				return
			}
			var restart *RestartError
			if !errors.As(err, &restart) || !slices.Equal(restart.Keys, []string{test.refused}) {
				t.Fatalf("%v, want a restart because of %s", err, test.refused)
			}
			if !s.allows("http://plain.test:{plain}/") {
				t.Error("half of a refused configuration is in force")
			}
		})
	}
}

// An app with a listener of its own is not said to be in force while nobody
// listens there, and the failed reload is told wherever somebody looks.
func TestReloadThatNeedsARestart(t *testing.T) {
	s, reload := reloadable(t, func(c *config.Config) { c.Listen, c.Apps[0].Listen = "", "127.0.0.1:0" })
	ready := func() string {
		w := httptest.NewRecorder()
		s.gateway.adminServer().Handler.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/readyz", nil))
		return w.Body.String()
	}
	lane.Until(t, "it is ready", s.gateway.ready.Load)
	for name, change := range map[string]func(*config.Config){
		"added": func(c *config.Config) {
			kiosk := c.Apps[0]
			kiosk.Name = "kiosk"
			c.Apps = append(c.Apps, kiosk)
		},
		"moved":   func(c *config.Config) { c.Apps[0].Listen = "127.0.0.1:39998" },
		"renamed": func(c *config.Config) { c.Apps[0].Name = "other" },
		"shared":  func(c *config.Config) { c.Apps[0].Listen = "" },
	} {
		err := reload(change)
		var restart *RestartError
		if !errors.As(err, &restart) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		latest := s.ring.Latest()
		if e := latest[len(latest)-1]; e.Reason != "reload-failed" || e.Detail != err.Error() {
			t.Errorf("%s: %+v", name, e)
		}
		if got := ready(); !strings.HasPrefix(got, "ready\n") ||
			!strings.Contains(got, "takes a restart of the gateway") {
			t.Errorf("%s: /readyz says %q", name, got)
		}
	}
	if err := reload(func(*config.Config) {}); err != nil || ready() != "ready\n" {
		t.Errorf("as it was: %v, /readyz says %q", err, ready())
	}
	if s.ring.Latest()[0].Type == event.Close {
		t.Error("a listener was closed")
	}
}

// TestServeEndsWhileAFileHangs: a configuration whose file system does not answer
// keeps the gateway from following it, and not from ending.
func TestServeEndsWhileAFileHangs(t *testing.T) {
	hanging, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	c := config.Config{Listen: "127.0.0.1:0", Log: "none", Apps: []config.App{{Name: "app", Config: "config.xml"}}}
	g, err := New(Options{
		Loaded: loadedOf(t, c, `<access origin="*"/>`), Events: event.NewRecorder(), Metrics: event.NewMetrics(),
		Changed: func() bool {
			once.Do(func() { close(hanging) })
			<-release
			return false
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Serve(ctx) }()
	<-hanging
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	close(release)
}
