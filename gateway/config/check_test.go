package config

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestConfigMistakes(t *testing.T) {
	good := App{Name: "a", Config: "config.xml"}
	with := func(change func(*App)) Config {
		app := good
		change(&app)
		return Config{Apps: []App{app}}
	}
	for _, each := range []struct {
		name   string
		config Config
		says   string
	}{
		{"no app", Config{}, "no app is named"},
		{"no name", with(func(a *App) { a.Name = "" }), "apps[0]: the app must have a name"},
		{"no file", with(func(a *App) { a.Config = "" }), "no config.xml is named"},
		{"name twice", Config{Apps: []App{good, good}}, `apps[1].name: "a" is used twice`},
		{"nothing identifies", Config{Apps: []App{good, {Name: "b", Config: "x"}}},
			"each needs a listen address"},
		{"unknown mode", with(func(a *App) { a.Mode = "open" }),
			`apps[0].mode: "open" must be enforce or report`},
		{"another letter case", with(func(a *App) { a.Mode = "Enforce" }), "must be enforce or report"},
		{"a log in another letter case", Config{Apps: []App{good}, Log: "Stdout"}, "must be written stdout"},
		{"a range with more bits", with(func(a *App) {
			a.Private = []Private{{Host: "a.test", Range: netip.MustParsePrefix("10.1.2.3/8")}}
		}), "apps[0].private[0].range: 10.1.2.3/8 must be the range 10.0.0.0/8, or 10.1.2.3/32 for the address alone"},
		{"a source with more bits", Config{Apps: []App{good}, ProxyProtocol: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/24")}},
			"proxy_protocol[1]: 192.0.2.1/24"},
		{"two listeners on one address", Config{Listen: "127.0.0.1:3128", Apps: []App{
			{Name: "a", Config: "x", Listen: "127.0.0.1:4000"}, {Name: "b", Config: "x", Listen: "127.0.0.1:4000"}}},
			"apps[1].listen: 127.0.0.1:4000 is the address of the app a too"},
		{"the default twice", Config{Apps: []App{{Name: "a", Config: "x", Listen: DefaultListen},
			{Name: "b", Config: "x", Credential: &Credential{"u", "env:X"}}}},
			"listen: 127.0.0.1:3128 is the address of the app a too"},
		{"the admin listener's address", Config{Admin: "127.0.0.1:3128", Apps: []App{good}},
			"listen: 127.0.0.1:3128 is the address of the admin listener too"},
		{"a public name of nobody", Config{Apps: []App{good}, PublicName: "0.0.0.0:3128"}, "public_name"},
		{"a public URL", Config{Apps: []App{good}, PublicName: "http://proxy.test"}, "public_name"},
		{"certificate without an authority", with(func(a *App) { a.Certificate = "x" }), "client_ca is needed"},
		{"secret in the file", with(func(a *App) { a.Credential = &Credential{"u", "secret"} }),
			"must be a reference"},
		{"colon in the user", with(func(a *App) { a.Credential = &Credential{"u:x", "env:X"} }), "colon"},
		{"inspection without an authority", with(func(a *App) { a.Inspect = true }), "ca.certificate and ca.key"},
		{"private host", with(func(a *App) {
			a.Private = []Private{{Host: "a..b", Range: netip.MustParsePrefix("10.0.0.0/8")}}
		}), "private"},
		{"private without a range", with(func(a *App) { a.Private = []Private{{Host: "a.test"}} }),
			"no range"},
		{"pins without a pin", with(func(a *App) { a.Pins = []Pin{{Host: "a.test"}} }), "no pin"},
		{"admin off loopback", Config{Apps: []App{good}, Admin: "0.0.0.0:9090"}, "must be a loopback address"},
		{"admin of a host that is called systemd", Config{Apps: []App{good}, Admin: "systemd.example:9090"},
			"must be a loopback address"},
		{"an IPv4 range as IPv6", with(func(a *App) {
			a.Private = []Private{{Host: "a.test", Range: netip.MustParsePrefix("::ffff:127.0.0.0/104")}}
		}), "apps[0].private[0].range: ::ffff:127.0.0.0/104 must be written as IPv4"},
		{"a wildcard before an address", with(func(a *App) {
			a.Private = []Private{{Host: "*.10.0.0.1", Range: netip.MustParsePrefix("10.0.0.0/8")}}
		}), `apps[0].private[0].host: "*.10.0.0.1" must be`},
		{"a certificate's wildcard", with(func(a *App) { a.Certificate = "*.device" }),
			`apps[0].certificate: "*.device" must be one name`},
		{"an unknown platform", with(func(a *App) { a.Platform = "symbian" }), "apps[0].platform: "},
		{"a burst of nothing", Config{Apps: []App{good}, Limits: Limits{Burst: 3}}, "limits.burst: it has no effect"},
		{"an app's head", with(func(a *App) { a.Limits.RequestHeader = 9000 }),
			"apps[0].limits.request_header: it has no effect here"},
		{"an app's response head", with(func(a *App) { a.Limits.ResponseHeader = 9000 }),
			"apps[0].limits.response_header: it has no effect here"},
		{"a head that is too small", Config{Apps: []App{good}, Limits: Limits{RequestHeader: 500}},
			"limits.request_header: 500: it must be at least 8192"},
		{"a shared listener of nobody", Config{Listen: "127.0.0.1:3128", Apps: []App{{Name: "a", Config: "x",
			Listen: "127.0.0.1:4000"}}}, "listen: it has no effect: each app has"},
		{"authorities of nobody's certificates", Config{TLS: &TLS{Certificate: "c", Key: "k", ClientCA: "ca"},
			Apps: []App{good}}, "tls.client_ca: it has no effect"},
		{"an empty range", Config{ProxyProtocol: []netip.Prefix{{}}, Apps: []App{good}}, "proxy_protocol[0]: must be"},
		{"an empty port", Config{Listen: "127.0.0.1:", Apps: []App{good}}, "listen: "},
		{"a revocation list without a name", Config{CRLs: []string{"a", ""}, Apps: []App{good}}, "crls[1]: it must be"},
		{"an authority for nobody", Config{Apps: []App{good}, CA: CA{"c", "k"}}, "ca: it has no effect"},
		{"a resolver by name", Config{Apps: []App{good}, DNS: []string{"1.1.1.1", "dns.example"}}, "dns[1]: "},
		{"one user twice", Config{Apps: []App{
			{Name: "a", Config: "x", Credential: &Credential{"u", "env:X"}},
			{Name: "b", Config: "x", Credential: &Credential{"u", "env:Y"}}}},
			"apps[1].credential.user: it is the name of the app a too"},
		{"one certificate twice", Config{TLS: &TLS{Certificate: "c", Key: "k", ClientCA: "ca"}, Apps: []App{
			{Name: "a", Config: "x", Certificate: "Device.test"},
			{Name: "b", Config: "x", Certificate: "device.test"}}},
			"apps[1].certificate: it is the name of the app a too"},
		{"a rate that is not a number", Config{Apps: []App{good}, Limits: Limits{Rate: math.NaN()}}, "rate: NaN"},
		{"an infinite rate", with(func(a *App) { a.Limits.Rate = math.Inf(1) }), "rate: +Inf"},
		{"a negative rate", with(func(a *App) { a.Limits.Rate = -1 }), "rate: -1"},
		{"a port that is too high", Config{Apps: []App{good}, Listen: "127.0.0.1:99999"},
			`listen: "127.0.0.1:99999": it must be`},
		{"no port", with(func(a *App) { a.Listen = "127.0.0.1" }), `listen: "127.0.0.1": it must be`},
		{"a negative limit", Config{Apps: []App{good}, Limits: Limits{Tunnels: -1}}, "tunnels: -1"},
		{"a negative time", Config{Apps: []App{good}, Timeouts: Timeouts{Idle: -time.Second}}, "idle: -1s"},
		{"half a certificate", Config{Apps: []App{good}, TLS: &TLS{Certificate: "x"}}, "both needed"},
	} {
		if err := each.config.Validate(); err == nil || !strings.Contains(err.Error(), each.says) {
			t.Errorf("%s: %v, want %q", each.name, err, each.says)
		}
	}
}
