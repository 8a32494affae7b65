// Package config is the gateway's part of cordon.yaml: its keys, the mistakes
// that can be made in them, and, as a [Loaded], the configuration together with
// what it names, as a gateway takes it.
//
// The package is pure: it reads no files and no environment. Package source does,
// and makes a Loaded.
package config

import (
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/internal/secret"
)

// Config is the gateway's part of cordon.yaml, under the key "gateway". The
// zero value of every field stands for the default that its comment names.
type Config struct {
	// Listen is the address of the proxy listener, host:port; 127.0.0.1:3128 by
	// default. "systemd" takes the socket that systemd passes.
	Listen string `yaml:"listen"`
	// PublicName is the name or address, with a port where it is another than the
	// listener's, by which clients reach the proxy: the proxy configuration
	// (/proxy.pac) names it. By default that names what the client asked for, or
	// a name of the listener's certificate.
	PublicName string `yaml:"public_name"`
	// Admin is the address of the listener for health, metrics and events; none
	// by default. It must be a loopback address, or a socket of systemd's on one
	// ("systemd:NAME").
	Admin string `yaml:"admin"`
	// TLS makes the proxy listener a TLS listener.
	TLS *TLS `yaml:"tls"`
	// Apps are the applications that may use the gateway.
	Apps []App `yaml:"apps"`
	// ProxyProtocol lists the sources (ranges; 192.0.2.1/32 is one address) whose connections
	// begin with a PROXY protocol header, version 1 or 2. Connections from
	// elsewhere never do. None by default.
	ProxyProtocol []netip.Prefix `yaml:"proxy_protocol"`
	// CA is the certificate authority for apps with inspect: true.
	CA CA `yaml:"ca"`
	// CRLs are the paths of files with certificate revocation lists, in PEM or DER.
	// Certificates of their authorities, of origins and of clients, are refused where
	// a list names them, and where it is no longer current. None by default.
	CRLs []string `yaml:"crls"`
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

// TLS is a listener's own certificate.
type TLS struct {
	// Certificate and Key are paths of PEM files.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	// ClientCA is the path of a PEM file with the authorities of client
	// certificates. Needed where an app is recognised by a certificate.
	ClientCA string `yaml:"client_ca"`
}

// App is one application: how it is recognised and what binds it.
type App struct {
	// Name names the app in events and metrics.
	Name string `yaml:"name"`
	// Config is the path of the app's config.xml.
	Config string `yaml:"config"`
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
	Credential *Credential `yaml:"credential"`
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
	Private []Private `yaml:"private"`
	// Pins are checked when the gateway itself speaks TLS to a host: for apps
	// with inspect: true, and for absolute https requests.
	Pins []Pin `yaml:"pins"`
	// Limits bound this app alone, besides the gateway's own limits.
	Limits Limits `yaml:"limits"`
}

// Credential is a proxy credential.
type Credential struct {
	// User is the name part.
	User string `yaml:"user"`
	// Password is a reference to the secret part: env:NAME or file:PATH.
	Password secret.Reference `yaml:"password"`
}

// Private lets one host resolve into one range of addresses that is
// refused otherwise.
type Private struct {
	// Host is a name, "*.name" for a name and everything below it, an address
	// literal, or "*" for every host.
	Host string `yaml:"host"`
	// Range is an address range such as 10.1.0.0/16; 10.1.2.3/32 is one address.
	Range netip.Prefix `yaml:"range"`
	// Port limits the exception to one port; every port by default.
	Port uint16 `yaml:"port"`
}

// Pin binds hosts to keys.
type Pin struct {
	// Host is a name or "*.name" for a name and everything below it.
	Host string `yaml:"host"`
	// SPKI are the base64 SHA-256 digests of SubjectPublicKeyInfo of which one
	// must be in the verified chain: pins on top of the roots.
	SPKI []string `yaml:"spki"`
	// Expires is the day (YYYY-MM-DD) from which the pins fail closed; none by
	// default.
	Expires string `yaml:"expires"`
}

// CA is a certificate authority for inspection.
type CA struct {
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
	// RequestHeader bounds the head of a request in bytes: 65536 by default, at
	// least 8192.
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

// WithDefaults returns the configuration with every default filled in. The one it
// is called on stays as it is.
func (c Config) WithDefaults() Config {
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
	apps := make([]App, len(c.Apps))
	for i, app := range c.Apps {
		orDefault(&app.Platform, DefaultPlatform)
		orDefault(&app.Mode, Enforce)
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
	c.CA = CA{from(c.CA.Certificate), from(c.CA.Key)}
	c.CRLs = slices.Clone(c.CRLs)
	for i, file := range c.CRLs {
		c.CRLs[i] = from(file)
	}
	if c.TLS != nil {
		c.TLS = &TLS{from(c.TLS.Certificate), from(c.TLS.Key), from(c.TLS.ClientCA)}
	}
	apps := make([]App, len(c.Apps))
	for i, app := range c.Apps {
		app.Config = from(app.Config)
		if cred := app.Credential; cred != nil {
			app.Credential = &Credential{User: cred.User, Password: cred.Password.From(dir)}
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
	// Enforce refuses what the list does not allow.
	Enforce = "enforce"
	// Report lets it through and records it.
	Report = "report"
)

// DefaultPlatform is the target whose reading is enforced if none is named: the
// strict reading.
const DefaultPlatform = "cordon"
