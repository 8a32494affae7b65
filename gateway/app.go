package gateway

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/secret"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/enforced"
)

// app is one application with its compiled policy. It is immutable but for its
// limits, which outlive a reload.
type app struct {
	config     AppConfig
	policy     *policy.Policy
	report     bool
	private    []egress.Private
	pins       *pin.Set
	names      names
	limits     *limits
	credential *credential
	warnings   []string
}

// credential is a proxy credential without its secret: digests only.
type credential struct {
	user     string
	password [sha256.Size]byte
}

// compileApp reads the app's config.xml and everything that belongs to it.
func compileApp(c AppConfig, secrets secret.Source) (*app, error) {
	a := &app{config: c, report: c.Mode == modeReport, limits: newLimits(c.Limits)}
	fail := func(err error) (*app, error) { return nil, fmt.Errorf("app %q: %w", c.Name, err) }
	data := c.Data
	if data == nil {
		var err error
		if data, err = os.ReadFile(c.Config); err != nil {
			return fail(err)
		}
	}
	list, err := enforced.Compile(c.Config, data, enforced.Options{
		Platform: c.Platform, Strict: c.Strict, Inspect: c.Inspect, RequireTLS: c.RequireTLS,
	})
	if err != nil {
		return fail(err)
	}
	a.policy, a.names, a.warnings = list.Policy, namesOf(list.Policy), list.Warnings
	for _, p := range c.Private {
		a.private = append(a.private, egress.Private{Host: p.Host, Range: p.Range.Masked(), Port: p.Port})
	}
	pins, err := configuredPins(c.Pins)
	if err != nil {
		return fail(err)
	}
	if a.pins, err = pin.NewSet(append(pins, list.Pins...)...); err != nil {
		return fail(err)
	}
	if c.Credential != nil {
		password, err := secrets.Resolve(c.Credential.Password)
		if err != nil {
			return fail(fmt.Errorf("credential.password: %w", err))
		}
		a.credential = &credential{user: c.Credential.User, password: sha256.Sum256(password.Bytes())}
	}
	return a, nil
}

// configuredPins reads the pins that the gateway's own configuration names.
func configuredPins(list []PinConfig) ([]pin.Entry, error) {
	var entries []pin.Entry
	for _, c := range list {
		host, below := strings.CutPrefix(c.Host, "*.")
		e := pin.Entry{Host: host, Subdomains: below, Source: "gateway.apps.pins"}
		for _, text := range c.SPKI {
			h, err := pin.ParseHash(text)
			if err != nil {
				return nil, fmt.Errorf("pins: host %q: %w", c.Host, err)
			}
			e.Hashes = append(e.Hashes, h)
		}
		if c.Expires != "" {
			day, err := time.Parse(time.DateOnly, c.Expires)
			if err != nil {
				return nil, fmt.Errorf("pins: host %q: expires: %q must be a day, as in 2027-01-31", c.Host, c.Expires)
			}
			e.Expires = day
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// decision is what the list says about a request.
type decision struct {
	ok      bool
	verdict event.Verdict
	reason  string
	rule    *policy.Rule
}

// decide asks the list, and looks at the port and at require_tls. anyPath says
// that the path is unknown, as for a tunnel.
func (a *app) decide(scheme string, to authority, path string, anyPath bool) decision {
	cleartext := scheme == "http" || scheme == "ws"
	if cleartext && (a.config.RequireTLS || to.port == 443) {
		return decision{verdict: event.Blocked, reason: reasonCleartext}
	}
	d := a.policy.Decide(policy.Request{URL: to.url(scheme, path), Kind: policy.AnyKind, AnyPath: anyPath})
	r := decision{reason: d.Reason.String(), rule: d.Rule}
	usual := to.port == 80 || to.port == 443
	named := usual
	if d.Verdict == policy.Allow && (!usual || to.addr.IsValid()) {
		var port bool
		r.rule, port = a.naming(d.Rule, scheme, to, path, anyPath)
		named = usual || port
	}
	switch {
	case d.Verdict == policy.Allow && !named:
		r.verdict, r.reason = event.Blocked, reasonPort
	case d.Verdict == policy.Allow:
		r.ok, r.verdict = true, event.Allowed
	case a.report && usual:
		r.ok, r.verdict = true, event.Reported
	case a.report:
		r.verdict, r.reason = event.Blocked, reasonPort
	default:
		r.verdict = event.Blocked
	}
	return r
}

// hint says which line would let a request through that the list refuses.
func hint(r decision, scheme string, to authority) string {
	if r.reason != policy.NotListed.String() && r.reason != reasonPort {
		return ""
	}
	switch scheme {
	case "ws":
		scheme = "http"
	case "wss":
		scheme = "https"
	}
	return `<access origin="` + to.url(scheme, "") + `"/> would allow it`
}

// destination returns where to dial. An address that a rule lists as such is
// allowed for itself, even where its range is refused.
func (a *app) destination(to authority, rule *policy.Rule) egress.Destination {
	d := egress.Destination{Host: to.host, Port: to.port, Allow: a.private, Pins: a.pins}
	if to.addr.IsValid() && rule != nil && slices.Contains(rule.Addresses(), to.addr) {
		own := egress.Private{Host: to.host, Range: prefixOf(to.addr)}
		d.Allow = append(d.Allow[:len(d.Allow):len(d.Allow)], own)
	}
	return d
}
