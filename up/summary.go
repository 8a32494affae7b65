package up

import (
	"net"
	"net/url"
	"slices"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/console"
	"github.com/cordon-sec/cordon/internal/localstate"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/server"
)

// Summary is what is true of an App once it is open. Names and texts may hold what
// the app's files say: a terminal gets them through wording.Printable.
type Summary struct {
	// Name is the app's name.
	Name string
	// Page is the app's address over http, for this machine's browser; Secure is the
	// same with TLS, for devices.
	Page, Secure *url.URL
	// Pages is the folder of the built pages in the app's; "" with AppURL, which is
	// the development server.
	Pages  string
	AppURL *url.URL
	// Rules is the file that says where the app may go. Capacitor says that it is a
	// Capacitor configuration, and its server.allowNavigation counts.
	Rules     string
	Capacitor bool
	// Device are the addresses of a Capacitor app's own pages on devices: servers that
	// look at the origin of a request must let these in.
	Device []DeviceOrigin
	// Reaches is what the app's own rules let it reach, each once: hosts (EveryHost
	// among them) in the strict reading, the rules as they are written in that of a
	// platform.
	Reaches []string
	// Refused is a host that the rules in force refuse, to try; "" if they refuse
	// none.
	Refused string
	// Warnings are what a person should know of the rules.
	Warnings []string
	// Gateway and Console are the addresses of the two.
	Gateway, Console *url.URL
	// StandIn is the address of a host to try requests on, over http: it has
	// /picture.svg, /live (a WebSocket) and /tip, and is allowed in development.
	StandIn *url.URL
	// SignIn are the kinds of the providers that users sign in with, by name.
	SignIn map[string]string
	// Tables are the names of the backend's tables, and Database is where their rows
	// are, without a password.
	Tables   []string
	Database string
	// Authority is the file of the certificate authority that vouches for Secure.
	Authority string
}

// EveryHost stands among what a Summary reaches for a rule about every host.
const EveryHost = "* (every host)"

// Summary says what is true of the App since it was opened.
func (a *App) Summary() Summary { return a.summary }

// summarize looks at what is open. compiled are the rules in force as the gateway's
// platform reads them.
func (a *App) summarize(compiled *policy.Policy) Summary {
	s := Summary{
		Name: a.folder.Name, Page: a.site.Plain, Secure: a.site.URL, Pages: a.folder.Pages, AppURL: a.appURL,
		Rules: a.folder.Rules, Capacitor: a.folder.Config == "", Device: a.folder.policy().device,
		Reaches: a.folder.policy().listed(compiled), Refused: refusedHost(compiled), Warnings: a.events.warned,
		Gateway: &url.URL{Scheme: "http", Host: a.gateway.Addr().String()},
		Console: &url.URL{Scheme: "http", Host: a.gateway.AdminAddr().String(), Path: console.Path + "/"},
		StandIn: &url.URL{Scheme: "http", Host: net.JoinHostPort(standInHost, a.site.URL.Port())},
		SignIn:  map[string]string{},
		Tables:  a.site.Tables.Names(), Database: server.DatabaseName(a.site.Settings),
		Authority: localstate.Path(a.config.Dir, "ca", ca.CertificateFile),
	}
	for name, kind := range a.site.Auth.ProviderNames() {
		s.SignIn[name] = kind
	}
	return s
}

// listed names what the app's rules let it reach, each once: hosts in the strict
// reading, the rules as they are written in that of a platform.
func (p *appPolicy) listed(compiled *policy.Policy) []string {
	var all []string
	add := func(name string) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if compiled.Target().Platform == dialect.Strict {
		p.eachHost(add)
	} else {
		for i, rules := 0, compiled.Rules(); i < len(rules); i++ {
			rule := &rules[i]
			if !rule.Implicit() && rule.Purpose != policy.ForLaunch && len(rule.Patterns) > 0 &&
				p.place(rule.Place.String()) != DevelopmentPlace {
				add(rule.Text)
			}
		}
	}
	return all
}

func (p *appPolicy) eachHost(add func(name string)) {
	for i := range p.own {
		o := &p.own[i]
		switch {
		case o.Rule.Purpose == policy.ForLaunch || !o.Hierarchical():
		case o.Host == "":
			add(EveryHost)
		case o.Subdomains:
			add("*." + o.Host)
		default:
			add(o.Host)
		}
	}
}

// refusedHost is a host that the rules in force refuse, to try; "" if they refuse
// none.
func refusedHost(compiled *policy.Policy) string {
	for _, host := range []string{"not-listed.example", "not-listed.test"} {
		request := policy.Request{URL: "https://" + host, Kind: policy.AnyKind, AnyPath: true}
		if v := compiled.Decide(request).Verdict; v == policy.Block {
			return host
		}
	}
	return ""
}
