package gateway

import (
	"net/netip"
	"testing"

	"github.com/cordon-sec/cordon/internal/secret"
)

// An address and a port are named by a rule's patterns, never by a text that
// happens to hold them: the guard against private addresses opens for what is
// listed, and for nothing else.
func TestAddressesAndPortsComeFromPatterns(t *testing.T) {
	for _, test := range []struct {
		platform, origin, host string
		port                   uint16
		path                   string
		allowed, opened        bool
	}{
		{"android@15.0.0", "https://*/x/10.0.0.1", "10.0.0.1", 443, "/x/10.0.0.1", true, false},
		{"ios@8.0.0", "https://*/x/10.0.0.1", "10.0.0.1", 443, "/x/10.0.0.1", true, false},
		{"android@15.0.0", "https://10.0.0.1/*", "10.0.0.1", 443, "/", true, true},
		{"ios@8.0.0", "https://10.0.0.1/*", "10.0.0.1", 443, "/", true, true},
		{"cordon", "https://10.0.0.1", "10.0.0.1", 443, "/", true, true},
		{"cordon", "https://[fd00::1]:8443", "fd00::1", 8443, "/", true, true},
		{"cordon", "https://[::ffff:10.0.0.1]", "10.0.0.1", 443, "/", true, true},
		{"cordon", "https://*", "10.0.0.1", 443, "/", false, false},
		{"cordon", "https://10.0.0.1", "10.0.0.2", 443, "/", false, false},
		{"android@15.0.0", "https://*/x:8080", "a.test", 8080, "/x:8080", false, false},
		{"ios@8.0.0", "https://*/x:8080", "a.test", 8080, "/x:8080", false, false},
		{"android@15.0.0", "https://a.test:8080/*", "a.test", 8080, "/", true, false},
		{"ios@8.0.0", "https://a.test:8080/*", "a.test", 8080, "/", true, false},
		{"cordon", "https://a.test:8080", "a.test", 8080, "/", true, false},
		{"cordon", "https://a.test:8080", "a.test", 8081, "/", false, false},
	} {
		name := test.platform + " " + test.origin + " asked for " + test.host
		data := []byte(`<widget xmlns="http://www.w3.org/ns/widgets"><access origin="` + test.origin +
			`"/><allow-navigation href="` + test.origin + `"/></widget>`)
		config := AppConfig{Name: "app", Config: "config.xml", Data: data, Platform: test.platform}
		a, err := compileApp(config, secret.Source{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		to := authority{host: test.host, port: test.port}
		if addr, err := netip.ParseAddr(test.host); err == nil {
			to.addr = addr
		}
		r := a.decide("https", to, test.path, false)
		if r.ok != test.allowed {
			t.Errorf("%s: allowed %v (%s), want %v", name, r.ok, r.reason, test.allowed)
		}
		if opened := len(a.destination(to, r.rule).Allow) > 0; opened != test.opened {
			t.Errorf("%s: opens the address: %v, want %v", name, opened, test.opened)
		}
	}
}
