// Package settings is cordon.yaml: each part has a plain Config of its own; here
// they are put together, checked, and described by a JSON Schema. Package server
// makes of it what runs.
//
// Decoding is strict: an unknown key, a wrong type and a second document are
// errors that show the line. Secrets are named, never written ("env:NAME",
// "file:PATH"). Relative paths begin at the folder of the file.
package settings

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/backend"
	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/services"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/gateway/config"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/configfile"
	"github.com/cordon-sec/cordon/internal/localstate"
	"github.com/cordon-sec/cordon/internal/secret"
)

// Settings is a cordon.yaml.
type Settings struct {
	// App is the app that this Cordon serves.
	App App `yaml:"app"`
	// Server is where and how the backend listens.
	Server Server `yaml:"server"`
	// Database is where the backend keeps its data: "sqlite:PATH", optionally
	// with ?durability=normal, or a postgres:// URL, or a reference to one
	// ("env:NAME", "file:PATH").
	Database string `yaml:"database" default:"sqlite:./cordon.db"`
	// Identity is how users sign in.
	Identity auth.Config `yaml:"identity"`
	// Tables are the tables by name.
	Tables tables.Config `yaml:"tables"`
	// Services are the upstreams that the app reaches as /api/{name}.
	Services services.Config `yaml:"services"`
	// Egress says what the backend's own requests may reach.
	Egress Egress `yaml:"egress"`
	// Gateway is the configuration of `cordon gateway`.
	Gateway config.Config `yaml:"gateway"`
	// Telemetry is what is written about the work.
	Telemetry Telemetry `yaml:"telemetry"`

	file   string // the file's name, as it was given
	source []byte
}

// App is the app that is served.
type App struct {
	// Name is the app's name, shown in /swagger.
	Name string `yaml:"name"`
}

// Server is where and how the backend listens.
type Server struct {
	// Listen is the address to listen on, host:port.
	Listen string `yaml:"listen" default:"127.0.0.1:8443"`
	// URL is the public address of the site, without a path. Default: https (or
	// http with `tls: off`), localhost and the port of Listen.
	URL string `yaml:"url"`
	// TLS is where the certificate comes from: "development" makes one by a
	// certificate authority of this folder; "off" is for loopback, behind
	// something that speaks TLS; or files.
	TLS TLS `yaml:"tls" default:"development"`
	// CORS are the hosts ("*" stands for any part), origins (":*" at the end for any
	// port), or "null", whose pages may call from a browser.
	CORS []string `yaml:"cors" default:"localhost"`
	// Admin is the address of the listener for health, metrics and events: a
	// loopback address, or a socket of systemd's on one ("systemd:NAME"). Default:
	// none.
	Admin string `yaml:"admin"`
	// Proxies are the addresses or ranges of proxies in front, whose
	// X-Forwarded-For, or without it Forwarded, is believed.
	Proxies []string `yaml:"proxies"`
	// ProxyHeader is what the proxies write: x-forwarded-for, or forwarded for those
	// that write only that one and pass on an X-Forwarded-For of the client, which
	// is then not believed.
	ProxyHeader string `yaml:"proxy_header" enum:"x-forwarded-for,forwarded" default:"x-forwarded-for"`
	// Swagger serves the description of the tables at /swagger.
	Swagger *bool `yaml:"swagger" default:"true"`
	// DefaultAPIVersion is the version of the tables' protocol for requests that
	// name none, as the clients of CommunityToolkit.Datasync (3.0.0). Without it they
	// are refused.
	DefaultAPIVersion string `yaml:"default_api_version" enum:"2.0.0,3.0.0"`
	// MaxConnections is how many connections may be open.
	MaxConnections int `yaml:"max_connections" default:"10000"`
	// Drain is how long a stop waits for the requests that run.
	Drain time.Duration `yaml:"drain" default:"15s"`
}

// TLS is where the server's certificate comes from. In YAML it is
// "development", "off", or a mapping with cert and key.
type TLS struct {
	// Mode is "development", "off" or "files".
	Mode string `yaml:"-"`
	// Cert is the PEM file of the certificate and those between it and its
	// root.
	Cert string `yaml:"cert"`
	// Key is the PEM file of the private key.
	Key string `yaml:"key"`
}

// UnmarshalYAML accepts the short forms.
func (t *TLS) UnmarshalYAML(decode func(any) error) error {
	var word any
	if err := decode(&word); err == nil {
		switch word {
		case "development", "off":
			*t = TLS{Mode: word.(string)}
			return nil
		case false: // what YAML 1.1 readers make of off
			*t = TLS{Mode: "off"}
			return nil
		}
	}
	type files TLS
	if err := decode((*files)(t)); err != nil {
		return err
	}
	t.Mode = "files"
	return nil
}

// Egress says what the backend's own requests (webhooks, identity providers) may
// reach besides public addresses.
type Egress struct {
	// Allow are the private addresses and ranges that may be reached.
	Allow []string `yaml:"allow"`
	// Roots is a PEM file with certificate authorities that are trusted besides
	// the system's.
	Roots string `yaml:"roots"`
}

// Telemetry is what is written about the work.
type Telemetry struct {
	// Log is where events are written as JSON lines: stderr, stdout, none or a
	// file that lines are appended to.
	Log string `yaml:"log" default:"stderr"`
}

// maxFile bounds cordon.yaml.
const maxFile = 4 << 20

// Load reads and checks a file. Errors about its content are *Error or Errors.
func Load(file string) (*Settings, error) {
	data, err := configfile.Read(file, maxFile)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	s, err := Parse(file, data)
	if err != nil {
		return nil, err
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	return s, nil
}

// Dir is the folder that relative paths begin at.
func (s *Settings) Dir() string {
	dir, err := filepath.Abs(filepath.Dir(s.file))
	if err != nil {
		return filepath.Dir(s.file)
	}
	return dir
}

// Path returns a path of the configuration as it can be opened.
func (s *Settings) Path(name string) string {
	if filepath.IsAbs(name) || name == "" {
		return name
	}
	return filepath.Join(s.Dir(), name)
}

// AuthorityDir is where the development authority of this configuration lives.
func (s *Settings) AuthorityDir() string { return localstate.Path(s.Dir(), "ca") }

// Secrets finds the secrets that the configuration names.
func (s *Settings) Secrets() secret.Source {
	return secret.Source{Dir: s.Dir(), Env: os.LookupEnv}
}

// WithDefaults fills in what the server left out.
func (v Server) WithDefaults() Server {
	if v.Listen == "" {
		v.Listen = "127.0.0.1:8443"
	}
	if v.TLS.Mode == "" {
		v.TLS.Mode = "development"
	}
	if v.MaxConnections == 0 {
		v.MaxConnections = 10_000
	}
	if v.Drain == 0 {
		v.Drain = 15 * time.Second
	}
	return v
}

// PublicURL is the public address, given the port that is listened on.
func (v Server) PublicURL(port string) (*url.URL, error) {
	if v.URL == "" {
		u := &url.URL{Scheme: "https", Host: net.JoinHostPort("localhost", port)}
		if v.TLS.Mode == "off" {
			u.Scheme = "http"
		}
		return u, nil
	}
	u, err := url.Parse(v.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("must be an http or https URL without a path")
	}
	at, err := hostname.ParseAuthority(u.Host)
	if err != nil {
		return nil, fmt.Errorf("must be an http or https URL without a path: %w", err)
	}
	u.Path = ""
	u.Host = at.String()
	return u, nil
}

// Loopback reports whether only this machine can reach the listener.
func (v Server) Loopback() bool {
	host, _, err := net.SplitHostPort(v.Listen)
	return err == nil && hostname.IsLoopback(host)
}

// Check returns everything that is wrong with the settings, as Errors. It opens
// nothing and resolves no secrets.
func (s *Settings) Check() error {
	var all Errors
	add := func(msg string, path ...string) { all = append(all, s.at(msg, path...)) }
	server := s.Server.WithDefaults()
	s.checkServer(server, add)
	if public, err := server.PublicURL(portOf(server.Listen)); err == nil {
		loopback := server.Loopback() && hostname.IsLoopback(public.Host)
		for _, p := range s.Identity.Check(public, loopback) {
			add(p.Msg, append([]string{"identity"}, p.Path...)...)
		}
	}
	if err := s.Tables.Check(); err != nil {
		msg, path := tableProblem(err)
		add(msg, path...)
	}
	for _, p := range s.Services.Check() {
		add(p.Msg, append([]string{"services"}, p.Path...)...)
	}
	s.checkRules(add)
	for i, text := range s.Egress.Allow {
		if _, err := egress.ParsePrivate("", text); err != nil {
			add(err.Error(), "egress", "allow", fmt.Sprint(i))
		}
	}
	if len(s.Gateway.Apps) > 0 {
		all = append(all, s.checkGateway()...)
	}
	if _, err := s.DatabaseKind(); err != nil {
		add(err.Error(), "database")
	}
	references := s.references()
	for _, key := range slices.Sorted(maps.Keys(references)) {
		if err := references[key].Check(); err != nil {
			all = append(all, s.atSecret(err, key))
		}
	}
	if len(all) > 0 {
		return all
	}
	return nil
}

// CheckGateway returns everything that is wrong with the gateway's part, as Errors.
func (s *Settings) CheckGateway() error {
	if all := s.checkGateway(); len(all) > 0 {
		return all
	}
	return nil
}

func (s *Settings) checkGateway() (all Errors) {
	for _, p := range s.Gateway.Check() {
		e := s.at(p.Msg, append([]string{"gateway"}, p.Path...)...)
		if slices.Contains(p.Path, "credential") {
			e.Excerpt = "" // the line may hold a secret
		}
		all = append(all, e)
	}
	return all
}

func (s *Settings) checkServer(v Server, add func(string, ...string)) {
	if _, _, err := net.SplitHostPort(v.Listen); err != nil {
		add(`must be an address and a port, as in "127.0.0.1:8443"`, "server", "listen")
	}
	if u, err := v.PublicURL(portOf(v.Listen)); err != nil {
		add(err.Error(), "server", "url")
	} else if u.Scheme == "http" && !hostname.IsLoopback(u.Host) {
		add("must be https: tokens would travel in the clear", "server", "url")
	}
	switch v.TLS.Mode {
	case "off":
		if !v.Loopback() {
			add("off must stay on loopback: server.listen can be reached from outside", "server", "tls")
		}
	case "files":
		if v.TLS.Cert == "" || v.TLS.Key == "" {
			add("must have both cert and key", "server", "tls")
		}
	}
	if err := backend.CheckCORS(v.CORS); err != nil {
		add(strings.TrimPrefix(err.Error(), "server.cors: "), "server", "cors")
	}
	if v.Admin != "" {
		if err := admin.CheckAddress(v.Admin); err != nil {
			add(err.Error(), "server", "admin")
		}
	}
	for i, text := range v.Proxies {
		if _, err := ParseRange(text); err != nil {
			add("must be an address or a range", "server", "proxies", fmt.Sprint(i))
		}
	}
	if !slices.Contains([]string{"", "x-forwarded-for", "forwarded"}, v.ProxyHeader) {
		add("must be x-forwarded-for or forwarded", "server", "proxy_header")
	}
	switch v.DefaultAPIVersion {
	case "", "2.0.0", "3.0.0":
	default:
		add(fmt.Sprintf("%q must be 2.0.0 or 3.0.0", v.DefaultAPIVersion), "server", "default_api_version")
	}
	if v.MaxConnections < 0 || v.Drain < 0 {
		add("max_connections and drain must be positive", "server")
	}
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return "8443"
	}
	return port
}

// ParseRange reads an address or a range.
func ParseRange(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// DefaultDatabase is the address of the database where none is configured.
const DefaultDatabase = "sqlite:./cordon.db"

// errDatabase is what every address must be that is none.
var errDatabase = errors.New(`must be "sqlite:PATH", "postgres://…", or a reference to one`)

// IsPostgres reports whether an address of a database is one of PostgreSQL.
func IsPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// DatabaseKind is "sqlite", "postgres", or "secret" for a reference to an
// address.
func (s *Settings) DatabaseKind() (string, error) {
	d := s.Database
	switch {
	case d == "" || strings.HasPrefix(d, "sqlite:"):
		return "sqlite", nil
	case IsPostgres(d):
		return "postgres", nil
	case secret.Reference(d).Check() == nil:
		return "secret", nil
	}
	return "", errDatabase
}
