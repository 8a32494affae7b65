package gateway

import (
	"fmt"
	"slices"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
)

// app is one application with its compiled policy. It is immutable but for its
// limits, which outlive a reload.
type app struct {
	config     config.App
	policy     *policy.Policy
	report     bool
	private    []egress.Private
	pins       *pin.Set
	names      names
	limits     *limits
	credential *credential
	warnings   []string

	revocations *egress.RevocationLists
}

// credential is a proxy credential without its secret.
type credential struct {
	user     string
	password config.Digest
}

// newApp makes an app of its configuration, defaults filled in, and of what
// belongs to it.
func newApp(c config.App, held config.Contents, revocations *egress.RevocationLists) (*app, error) {
	list := held.List
	a := &app{
		config: c, report: c.Mode == config.Report, limits: newLimits(c.Limits),
		policy: list.Policy, names: namesOf(list.Policy), warnings: list.Warnings, revocations: revocations,
	}
	for _, p := range c.Private {
		a.private = append(a.private, egress.Private{Host: p.Host, Range: p.Range.Masked(), Port: p.Port})
	}
	pins, err := c.PinEntries()
	if err == nil {
		a.pins, err = pin.NewSet(append(pins, list.Pins...)...)
	}
	if err != nil {
		return nil, fmt.Errorf("app %q: %w", c.Name, err)
	}
	if c.Credential != nil {
		a.credential = &credential{user: c.Credential.User, password: held.Password}
	}
	return a, nil
}

// recognises reports whether the app's client certificate is there, if it has one.
func (a *app) recognises(names []string) bool {
	name := config.CertificateName(a.config.Certificate)
	return name == "" || slices.Contains(names, name)
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
	d := egress.Destination{Host: to.host, Port: to.port, Allow: a.private, Pins: a.pins, Revocations: a.revocations}
	if to.addr.IsValid() && rule != nil && slices.Contains(rule.Addresses(), to.addr) {
		own := egress.Private{Host: to.host, Range: prefixOf(to.addr)}
		d.Allow = append(d.Allow[:len(d.Allow):len(d.Allow)], own)
	}
	return d
}
