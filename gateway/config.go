package gateway

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/secret"
	"github.com/cordon-sec/cordon/internal/systemd"
)

// Config is the gateway's part of cordon.yaml, under the key "gateway". The
// zero value of every field stands for the default that its comment names.
type Config struct {
	// Listen is the address of the proxy listener, host:port; 127.0.0.1:3128 by
	// default. "systemd" takes the socket that systemd passes.
	Listen string `yaml:"listen"`
	// Admin is the address of the listener for health, metrics and events; none
	// by default. It must be a loopback address, or a socket of systemd's on one
	// ("systemd:NAME").
	Admin string `yaml:"admin"`
	// TLS makes the proxy listener a TLS listener.
	TLS *TLSConfig `yaml:"tls"`
	// Apps are the applications that may use the gateway.
	Apps []AppConfig `yaml:"apps"`
	// ProxyProtocol lists the sources (addresses or ranges) whose connections
	// begin with a PROXY protocol header, version 1 or 2. Connections from
	// elsewhere never do. None by default.
	ProxyProtocol []netip.Prefix `yaml:"proxy_protocol"`
	// CA is the certificate authority for apps with inspect: true.
	CA CAConfig `yaml:"ca"`
	// Timeouts bound how long each step may take.
	Timeouts Timeouts `yaml:"timeouts"`
	// Limits bound how much the gateway does at once, all apps together.
	Limits Limits `yaml:"limits"`
	// DNS are the resolvers to ask, host:port; the system's by default.
	DNS []string `yaml:"dns"`
	// Log says where decisions are written: "stdout", "stderr" (the default),
	// "none", or the path of a file that lines are appended to.
	Log string `yaml:"log"`
	// LogBurst is how many decisions of one verdict are written each second
	// before sampling starts: 1000 by default, negative for no sampling.
	LogBurst int `yaml:"log_burst"`
}

// TLSConfig is a listener's own certificate.
type TLSConfig struct {
	// Certificate and Key are paths of PEM files.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	// ClientCA is the path of a PEM file with the authorities of client
	// certificates. Needed where an app is recognised by a certificate.
	ClientCA string `yaml:"client_ca"`
}

// AppConfig is one application: how it is recognised and what binds it.
type AppConfig struct {
	// Name names the app in events and metrics.
	Name string `yaml:"name"`
	// Config is the path of the app's config.xml.
	Config string `yaml:"config"`
	// Data is the content of that file where the caller holds it already, so
	// that nothing is read; Config then only names it in places and errors.
	Data []byte `yaml:"-"`
	// Platform is the target whose reading of the file is enforced: "cordon",
	// the strict reading, by default.
	Platform string `yaml:"platform"`
	// Strict refuses to start if a line of the file does not fit the platform's
	// syntax. By default such a line is reported and grants nothing.
	Strict bool `yaml:"strict"`

	// Listen gives the app a listener of its own: whoever connects there is the
	// app. "unix:" sockets are not supported.
	Listen string `yaml:"listen"`
	// Credential recognises the app by Proxy-Authorization.
	Credential *CredentialConfig `yaml:"credential"`
	// Certificate recognises the app by a name in its TLS client certificate: a
	// DNS name, a URI or, where there is neither, the common name.
	Certificate string `yaml:"certificate"`

	// Mode is "enforce" (the default) or "report": then a request that the list
	// refuses is let through and recorded. Report relaxes the list only, never
	// address, name, framing or port checks.
	Mode string `yaml:"mode"`
	// RequireTLS refuses cleartext even where a rule says http or ws.
	RequireTLS bool `yaml:"require_tls"`
	// Inspect decrypts tunnels with the gateway's CA, so that rules with paths
	// bind them as well.
	Inspect bool `yaml:"inspect"`
	// Private names the exceptions to the refusal of private and special
	// addresses.
	Private []PrivateConfig `yaml:"private"`
	// Pins are checked when the gateway itself speaks TLS to a host: for apps
	// with inspect: true, and for absolute https requests.
	Pins []PinConfig `yaml:"pins"`
	// Limits bound this app alone, besides the gateway's own limits.
	Limits Limits `yaml:"limits"`
}

// CredentialConfig is a proxy credential.
type CredentialConfig struct {
	// User is the name part.
	User string `yaml:"user"`
	// Password is a reference to the secret part: env:NAME or file:PATH.
	Password secret.Reference `yaml:"password"`
}

// PrivateConfig lets one host resolve into one range of addresses that is
// refused otherwise.
type PrivateConfig struct {
	// Host is a name, "*.name" for a name and everything below it, an address
	// literal, or "*" for every host.
	Host string `yaml:"host"`
	// Range is an address range such as 10.1.0.0/16.
	Range netip.Prefix `yaml:"range"`
	// Port limits the exception to one port; every port by default.
	Port uint16 `yaml:"port"`
}

// PinConfig binds hosts to keys.
type PinConfig struct {
	// Host is a name or "*.name" for a name and everything below it.
	Host string `yaml:"host"`
	// SPKI are the base64 SHA-256 digests of SubjectPublicKeyInfo of which one
	// must be in the verified chain: pins on top of the roots.
	SPKI []string `yaml:"spki"`
	// Expires is the day (YYYY-MM-DD) from which the pins fail closed; none by
	// default.
	Expires string `yaml:"expires"`
}

// CAConfig is a certificate authority for inspection.
type CAConfig struct {
	// Certificate and Key are paths of PEM files.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// Timeouts bound how long each step may take.
type Timeouts struct {
	// Header is the time for a request's head: 10s by default.
	Header time.Duration `yaml:"header"`
	// Hello is the time for the first bytes in a tunnel: 5s by default.
	Hello time.Duration `yaml:"hello"`
	// Lookup is the time to resolve a name: 5s by default.
	Lookup time.Duration `yaml:"lookup"`
	// Connect is the time to connect, over all addresses: 10s by default.
	Connect time.Duration `yaml:"connect"`
	// ResponseHeader is the time for the head of a response: 60s by default.
	ResponseHeader time.Duration `yaml:"response_header"`
	// Idle is how long a tunnel or a body may be silent: 10m by default.
	Idle time.Duration `yaml:"idle"`
	// KeepAlive is how long a connection waits for its next request: 60s by
	// default.
	KeepAlive time.Duration `yaml:"keep_alive"`
	// Drain is how long a shutdown waits for what runs: 30s by default.
	Drain time.Duration `yaml:"drain"`
}

// Limits bound how much is done at once. Zero stands for the default.
type Limits struct {
	// Requests is how many requests may be in progress, streams included: 4096 by
	// default.
	Requests int `yaml:"requests"`
	// Tunnels is how many tunnels and upgraded connections may be open: 16384
	// by default.
	Tunnels int `yaml:"tunnels"`
	// Rate is how many requests a second are taken on average; no limit by
	// default. Above it the answer is 429 with Retry-After.
	Rate float64 `yaml:"rate"`
	// Burst is how many requests may come at once above the rate: the rate
	// itself by default.
	Burst int `yaml:"burst"`
	// RequestHeader bounds the head of a request in bytes: 65536 by default.
	// For the gateway as a whole only.
	RequestHeader int `yaml:"request_header"`
	// ResponseHeader bounds the head of a response in bytes: 262144 by default.
	// For the gateway as a whole only.
	ResponseHeader int `yaml:"response_header"`
}

// DefaultListen is the address of the proxy listener if none is named.
const DefaultListen = "127.0.0.1:3128"

func orDefault[T int | time.Duration | string](value *T, def T) {
	var zero T
	if *value == zero {
		*value = def
	}
}

// withDefaults returns the configuration with every default filled in.
func (c Config) withDefaults() Config {
	orDefault(&c.Listen, DefaultListen)
	t := &c.Timeouts
	orDefault(&t.Header, 10*time.Second)
	orDefault(&t.Hello, 5*time.Second)
	orDefault(&t.Lookup, 5*time.Second)
	orDefault(&t.Connect, 10*time.Second)
	orDefault(&t.ResponseHeader, 60*time.Second)
	orDefault(&t.Idle, 10*time.Minute)
	orDefault(&t.KeepAlive, 60*time.Second)
	orDefault(&t.Drain, 30*time.Second)
	orDefault(&c.Limits.Requests, 4096)
	orDefault(&c.Limits.Tunnels, 16384)
	orDefault(&c.Limits.RequestHeader, 64<<10)
	orDefault(&c.Limits.ResponseHeader, 256<<10)
	orDefault(&c.Log, "stderr")
	apps := make([]AppConfig, len(c.Apps))
	for i, app := range c.Apps {
		orDefault(&app.Platform, "cordon")
		orDefault(&app.Mode, modeEnforce)
		apps[i] = app
	}
	c.Apps = apps
	return c
}

// Relative returns the configuration with its relative paths taken from dir, the
// folder of the file that they stand in: those of secrets too.
func (c Config) Relative(dir string) Config {
	from := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	c.CA = CAConfig{from(c.CA.Certificate), from(c.CA.Key)}
	if c.TLS != nil {
		c.TLS = &TLSConfig{from(c.TLS.Certificate), from(c.TLS.Key), from(c.TLS.ClientCA)}
	}
	apps := make([]AppConfig, len(c.Apps))
	for i, app := range c.Apps {
		app.Config = from(app.Config)
		if cred := app.Credential; cred != nil {
			app.Credential = &CredentialConfig{User: cred.User, Password: cred.Password.From(dir)}
		}
		apps[i] = app
	}
	c.Apps = apps
	if c.Log != "stdout" && c.Log != "stderr" && c.Log != "none" {
		c.Log = from(c.Log)
	}
	return c
}

// The modes of an app.
const (
	modeEnforce = "enforce"
	modeReport  = "report"
)

// Validate checks what can be checked without reading another file, and
// returns every mistake it finds.
func (c Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(c.Apps) == 0 {
		fail("apps: no app is named, so that every request would be refused")
	}
	names := map[string]bool{}
	for i, app := range c.Apps {
		where := fmt.Sprintf("apps[%d] (%s)", i, app.Name)
		switch {
		case app.Name == "":
			fail("apps[%d]: no name", i)
		case names[app.Name]:
			fail("%s: the name is used twice", where)
		}
		names[app.Name] = true
		for _, err := range app.validate(len(c.Apps) > 1, c) {
			fail("%s: %w", where, err)
		}
	}
	if err := CheckListen(c.Listen); err != nil {
		fail("listen: %w", err)
	}
	for _, err := range c.Limits.check() {
		fail("limits: %w", err)
	}
	for _, err := range c.Timeouts.check() {
		fail("timeouts: %w", err)
	}
	if c.TLS != nil && (c.TLS.Certificate == "" || c.TLS.Key == "") {
		fail("tls: certificate and key are both needed")
	}
	if c.Admin != "" {
		if err := admin.CheckAddress(c.Admin); err != nil {
			fail("admin: %w", err)
		}
	}
	return errors.Join(errs...)
}

// CheckListen refuses an address of a listener that nobody could listen on; ""
// stands for the default, and "systemd" for a socket that is passed.
func CheckListen(address string) error {
	if address == "" || systemd.IsSocket(address) {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if number, bad := strconv.ParseUint(port, 10, 64); err == nil && bad == nil && number <= 65535 {
		return nil
	}
	if _, known := net.LookupPort("tcp", port); err == nil && known == nil {
		return nil // the name of a service
	}
	return fmt.Errorf("%q: it must be an address and a port from 0 to 65535, as in 127.0.0.1:3128", address)
}

// check returns the times that are none.
func (t Timeouts) check() (errs []error) {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"header", t.Header}, {"hello", t.Hello}, {"lookup", t.Lookup}, {"connect", t.Connect},
		{"response_header", t.ResponseHeader}, {"idle", t.Idle}, {"keep_alive", t.KeepAlive}, {"drain", t.Drain},
	} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s: %s: it must not be negative", d.name, d.value))
		}
	}
	return errs
}

// check returns what would not limit anything, although it is written.
func (l Limits) check() (errs []error) {
	if !(l.Rate >= 0) || math.IsInf(l.Rate, 1) { // a NaN is not at least 0
		errs = append(errs, fmt.Errorf("rate: %v: it must be a number of requests a second, 0 for no limit", l.Rate))
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"requests", l.Requests}, {"tunnels", l.Tunnels}, {"burst", l.Burst},
		{"request_header", l.RequestHeader}, {"response_header", l.ResponseHeader},
	} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("%s: %d: it must not be negative", n.name, n.value))
		}
	}
	return errs
}

func (a AppConfig) validate(several bool, c Config) []error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if err := CheckListen(a.Listen); err != nil {
		fail("listen: %w", err)
	}
	for _, err := range a.Limits.check() {
		fail("limits: %w", err)
	}
	if a.Config == "" {
		fail("config: no config.xml is named")
	}
	if a.Mode != "" && a.Mode != modeEnforce && a.Mode != modeReport {
		fail("mode: %q is neither enforce nor report", a.Mode)
	}
	if several && a.Listen == "" && a.Credential == nil && a.Certificate == "" {
		fail("with several apps each needs a listen address, a credential or a certificate")
	}
	if a.Certificate != "" && (c.TLS == nil || c.TLS.ClientCA == "") {
		fail("certificate: the gateway's tls.client_ca is needed to check it")
	}
	listen := a.Listen
	if listen == "" {
		listen = c.Listen
	}
	if (a.Credential != nil || a.Certificate != "") && c.TLS == nil && listen != "" && !hostname.IsLoopback(listen) {
		fail("a credential on %s would cross the network in cleartext: set the gateway's tls", listen)
	}
	if cred := a.Credential; cred != nil {
		if cred.User == "" || strings.Contains(cred.User, ":") {
			fail("credential: the user must not be empty nor hold a colon")
		}
		if cred.Password.Check() != nil {
			fail("credential: the password must be a reference, env:NAME or file:PATH")
		}
	}
	if a.Inspect && (c.CA.Certificate == "" || c.CA.Key == "") {
		fail("inspect: the gateway's ca.certificate and ca.key are needed")
	}
	for _, p := range a.Private {
		if p.Host == "*" {
			continue
		}
		if _, err := hostname.Parse(strings.TrimPrefix(p.Host, "*.")); err != nil {
			fail("private: host %q: %w", p.Host, err)
		}
		if !p.Range.IsValid() {
			fail("private: host %q has no range", p.Host)
		}
	}
	for _, p := range a.Pins {
		if _, err := hostname.Parse(strings.TrimPrefix(p.Host, "*.")); err != nil {
			fail("pins: host %q: %w", p.Host, err)
		}
		if len(p.SPKI) == 0 {
			fail("pins: host %q has no pin, so that it could never be reached", p.Host)
		}
	}
	return errs
}
