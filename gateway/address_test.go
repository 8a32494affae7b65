package gateway

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/policy/dialect"
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
		a := compiled(t, test.platform, `<access origin="`+test.origin+`"/><allow-navigation href="`+test.origin+`"/>`)
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

// everyTarget returns each platform at each version from which it reads its list
// differently.
func everyTarget() []string {
	var all []string
	for _, p := range dialect.Platforms() {
		all = append(all, p.Name)
		for _, b := range p.Breaks {
			all = append(all, p.Name+"@"+b.Version.String())
		}
	}
	return all
}

// compiled returns an app of which a config.xml is all.
func compiled(t *testing.T, platform, rules string) *app {
	t.Helper()
	c := config.App{Name: "app", Config: "config.xml", Platform: platform}
	a, err := newApp(c, config.Contents{List: listOf(t, c, rules)}, nil)
	if err != nil {
		t.Fatalf("%s %s: %v", platform, rules, err)
	}
	return a
}

// asking returns what an app says about a URL: whether it passes, and whether
// the address in it is opened.
func asking(a *app, host string, port uint16, path string, anyPath bool) (passes, opens bool) {
	to := authority{host: host, port: port}
	if addr, err := netip.ParseAddr(host); err == nil {
		to.addr = addr
	}
	r := a.decide("http", to, path, anyPath)
	return r.ok, r.ok && len(a.destination(to, r.rule).Allow) > 0
}

// TestNoPortFromAText asks every platform about lists that hold a port, or an
// address, elsewhere than where a pattern names one.
func TestNoPortFromAText(t *testing.T) {
	elements := []string{`<access origin="%s"/>`, `<allow-navigation href="%s"/>`, `<content src="%s"/>`,
		`<access uri="%s" subdomains="true"/>`, `<access origin="%s" launch-external="yes"/>`,
		`<allow-intent href="%s"/>`}
	// An old Android reads these as expressions, in which the slash before * may
	// be missing: there they do name what they seem to.
	expression := map[string]bool{"http://*/127.0.0.1:8080/*": true}
	asked := 0
	for _, target := range everyTarget() {
		for _, origin := range []string{
			"http://plain.test/p:8080/*", "http://plain.test/p:8080", "*://plain.test/p:8080/*",
			"http://*/p:8080/*", "*://*/p:8080/*", "http://plain.test/?x=:8080",
			"http://plain.test/*?q=plain.test:8080",
			"http://plain.test/#:8080", "http://plain.test/http://plain.test:8080/", "http://*.test/p:8080",
			"http://*/x/10.0.0.1", "http://*/?10.0.0.1", "http://*/127.0.0.1:8080/*", "http://*/[::1]:8080",
			"http://plain.test/10.0.0.1:8080", "http://127.0.0.1.plain.test/*", "http://10.0.0.1@plain.test/*",
			"http://*",
			"*", "http://*/*", "http://plain.test/*", "http://plain.test:80/*", "http://plain.test:80800/*",
			"http://plain.test:18080/*",
		} {
			for _, element := range elements {
				a := compiled(t, target, strings.ReplaceAll(element, "%s", origin))
				for _, host := range []string{"plain.test", "10.0.0.1", "127.0.0.1", "::1"} {
					for _, path := range []string{"", "p:8080/x", "p:8080", "?x=:8080", "a?q=plain.test:8080",
						"http://plain.test:8080/", "x/10.0.0.1", "?10.0.0.1", "127.0.0.1:8080/", "[::1]:8080"} {
						asked++
						anyPath := path == "" // as in a tunnel
						if passes, _ := asking(a, host, 8080, "/"+path, anyPath); passes && !expression[origin] {
							t.Errorf("%s: %s %q opens the port 8080 of %s/%s", target, element, origin, host, path)
						}
						if _, opens := asking(a, host, 80, "/"+path, anyPath); opens {
							t.Errorf("%s: %s %q opens the address of %s/%s", target, element, origin, host, path)
						}
					}
				}
			}
		}
	}
	if asked < 200_000 {
		t.Errorf("%d questions", asked)
	}
}

// TestNamedPortsOpen is the other side: where a platform reads a rule's port and
// address, they are open, whatever rule comes before, and nothing beside them.
func TestNamedPortsOpen(t *testing.T) {
	wide := []string{"", `<access origin="*"/>`, `<access origin="http://*"/>`,
		`<access origin="http://plain.test:8081/*"/><access origin="http://10.0.0.1:8081/*"/><access origin="*"/>`}
	for _, target := range []string{"android", "ios", "cordon", "android@3.6.0"} {
		neighbour := compiled(t, target, wide[3]) // names the next port, before a rule that covers all
		if passes, _ := asking(neighbour, "plain.test", 8080, "/x", false); passes {
			t.Errorf("%s: a port is open for its neighbour", target)
		}
		for _, before := range wide {
			a := compiled(t, target, before+`<access origin="http://plain.test:8080/*"/>`+
				`<access origin="http://10.0.0.1:8080/*"/><allow-navigation href="http://plain.test:8080/*"/>`+
				`<allow-navigation href="http://10.0.0.1:8080/*"/>`)
			for _, each := range []struct {
				host          string
				port          uint16
				passes, opens bool
			}{
				{"plain.test", 8080, true, false}, {"plain.test", 8082, false, false},
				{"plain.test", 8079, false, false},
				{"10.0.0.1", 8080, true, true}, {"10.0.0.1", 8082, false, false}, {"10.0.0.2", 8080, false, false},
			} {
				passes, opens := asking(a, each.host, each.port, "/x", false)
				if passes != each.passes || opens != each.opens {
					t.Errorf("%s, %s before: %s:%d passes %v, opens %v", target, before, each.host, each.port,
						passes, opens)
				}
			}
			if _, opens := asking(a, "10.0.0.1", 80, "/x", false); opens {
				t.Errorf("%s, %s before: the address is open on a port that no rule names", target, before)
			}
		}
	}
}
