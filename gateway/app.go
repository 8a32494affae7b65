package gateway

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/secret"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/pins"
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
	target, err := dialect.ParseTarget(c.Platform)
	if err != nil {
		return fail(err)
	}
	data := c.Data
	if data == nil {
		if data, err = os.ReadFile(c.Config); err != nil {
			return fail(err)
		}
	}
	doc, err := configxml.Parse(c.Config, data)
	if err != nil {
		return fail(err)
	}
	if a.policy, err = dialect.Compile(doc, target); err != nil {
		return fail(err)
	}
	a.names = namesOf(a.policy)
	if a.warnings, err = review(a.policy, c); err != nil {
		return fail(err)
	}
	for _, p := range c.Private {
		a.private = append(a.private, egress.Private{Host: p.Host, Range: p.Range.Masked(), Port: p.Port})
	}
	pinWarnings, err := a.readPins(c, doc, target.Platform)
	if err != nil {
		return fail(err)
	}
	a.warnings = append(a.warnings, pinWarnings...)
	if c.Credential != nil {
		password, err := secrets.Resolve(c.Credential.Password)
		if err != nil {
			return fail(fmt.Errorf("credential.password: %w", err))
		}
		a.credential = &credential{user: c.Credential.User, password: sha256.Sum256(password.Bytes())}
	}
	return a, nil
}

// readPins joins the pins of the configuration with those of the app's own
// config.xml. One of the file that cannot be read binds its host to nothing
// and is a warning; one whose host cannot be told would bind nobody, and is an
// error.
func (a *app) readPins(c AppConfig, doc *configxml.Document, platform string) (warnings []string, err error) {
	if platform == dialect.Strict {
		platform = ""
	}
	entries, err := configuredPins(c.Pins)
	if err != nil {
		return nil, err
	}
	own, problems := pins.Read(doc, platform)
	for _, problem := range problems {
		if problem.Unbound || c.Strict {
			return nil, problem
		}
		warnings = append(warnings, problem.Error()+" (a pin that cannot be read closes its host)")
	}
	for _, e := range own {
		entries = append(entries, e.Entry)
	}
	a.pins, err = pin.NewSet(entries...)
	return warnings, err
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

// notes collects warnings, at most a few of each sort: a file may have a
// hundred thousand lines.
type notes struct {
	list []string
	more map[string]int // by sort: how many there were
}

const notesOfASort = 10

func (n *notes) add(sort, format string, args ...any) {
	if n.more == nil {
		n.more = map[string]int{}
	}
	if n.more[sort]++; n.more[sort] <= notesOfASort {
		n.list = append(n.list, fmt.Sprintf(format, args...))
	}
}

// all returns the warnings, and how many more there are of each sort.
func (n *notes) all() []string {
	for _, sort := range slices.Sorted(maps.Keys(n.more)) {
		if left := n.more[sort] - notesOfASort; left > 0 {
			n.list = append(n.list, fmt.Sprintf("and %d more rules that %s", left, sort))
		}
	}
	return n.list
}

// review says what an operator must know about a policy before it is enforced.
// With Strict, a line that grants nothing is an error.
func review(p *policy.Policy, c AppConfig) (warnings []string, err error) {
	var n notes
	live := 0
	for i := range p.Rules() {
		rule := &p.Rules()[i]
		if rule.Flaw != policy.NoFlaw && !rule.Implicit() {
			if c.Strict {
				return nil, fmt.Errorf("%s: <%s> %q is %s: %s", rule.Place, rule.Element, rule.Text, rule.Flaw,
					rule.Note)
			}
			n.add("are not read as written", "%s: <%s> %q is %s and grants nothing it does not say: %s", rule.Place,
				rule.Element, rule.Text, rule.Flaw, rule.Note)
		}
		if rule.Purpose == policy.ForLaunch || len(rule.Patterns) == 0 {
			continue
		}
		live++
		if !c.Inspect && hasPath(rule) {
			n.add("have a path", "%s: the path in %q binds plain HTTP only: in a tunnel the host decides (inspect: "+
				"true would bind both)", rule.Place, rule.Text)
		}
		if coversCleartext(rule) && !c.RequireTLS && !rule.Implicit() {
			n.add("allow cleartext", "%s: %q allows cleartext", rule.Place, rule.Text)
		}
	}
	warnings = n.all()
	probe := func(url string) bool {
		return p.Decide(policy.Request{URL: url, Kind: policy.AnyKind, AnyPath: true}).Verdict == policy.Allow
	}
	switch {
	case live == 0:
		warnings = append(warnings, "the file allows nothing: every request will be refused")
	case probe("https://any-host.cordon.invalid"):
		warnings = append(warnings, "the file allows every host: only addresses, ports and framing are checked")
	}
	return warnings, nil
}

func hasPath(rule *policy.Rule) bool {
	for i := range rule.Patterns {
		if path := &rule.Patterns[i].Path; !path.IsZero() && !(path.Contains("/") && path.Contains("/a/b")) {
			return true
		}
	}
	return false
}

func coversCleartext(rule *policy.Rule) bool {
	for i := range rule.Patterns {
		if s := &rule.Patterns[i].Scheme; s.Contains("http") || s.Contains("ws") {
			return true
		}
	}
	return false
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
