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
		}), "apps[0].private[0].range: 10.1.2.3/8 must be the range 10.0.0.0/8 or the address 10.1.2.3"},
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
