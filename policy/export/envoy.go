package export

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cordon-sec/cordon/policy/dialect"
)

// envoyFormat is Envoy; its constant describes it.
var envoyFormat = Format{
	Name:  Envoy,
	Title: "Envoy role-based access control",
	Can:   Schemes | Ports | Exact | Deep | EveryHost | Requests | Denies,
	Limits: []string{
		"Envoy does not look inside tunnels: the name in the TLS handshake is not compared with the listed one",
		"WebSockets without TLS (ws) come as tunnels to port 80 and are refused",
		"the filter runs before a name is resolved: an allowed name may lead to a private address",
		"JSON has no comments: these limits stand in the documentation",
	},
}

// The parts of the filter's configuration that are written, in the JSON form
// of its protocol buffers.
type (
	envoyFilter struct {
		Type  string     `json:"@type"`
		Rules envoyRules `json:"rules"`
	}
	envoyRules struct {
		Action   string                 `json:"action"`
		Policies map[string]envoyPolicy `json:"policies"`
	}
	envoyPolicy struct {
		Permissions []envoyPermission `json:"permissions"`
		Principals  []any             `json:"principals"`
	}
	envoyPermission struct {
		Header   *envoyHeader     `json:"header,omitempty"`
		AndRules *envoyConditions `json:"andRules,omitempty"`
	}
	envoyConditions struct {
		Rules []envoyPermission `json:"rules"`
	}
	envoyHeader struct {
		Name   string           `json:"name"`
		Match  envoyStringMatch `json:"stringMatch"`
		Invert bool             `json:"invertMatch,omitempty"`
	}
	envoyStringMatch struct {
		Exact string           `json:"exact,omitempty"`
		Regex *envoyExpression `json:"safeRegex,omitempty"`
	}
	envoyExpression struct {
		Regex string `json:"regex"`
	}
)

// exportEnvoy writes the filter's configuration: what no policy in it allows, it
// refuses.
func exportEnvoy(s Source) Artifact {
	origins := s.Wire()
	losses := envoyFormat.widening(origins)
	out := envoyFilter{
		Type:  "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
		Rules: envoyRules{Action: "ALLOW", Policies: map[string]envoyPolicy{}},
	}
	for i := range origins {
		o := &origins[i]
		losses = append(losses, tunnelLosses(o, "Envoy")...)
		permissions := permissionsOf(o)
		if len(permissions) == 0 {
			continue
		}
		name := fmt.Sprintf("%04d %s %s", i+1, o.Rule.Place, o.Rule.Text)
		out.Rules.Policies[name] = envoyPolicy{Permissions: permissions,
			Principals: []any{map[string]bool{"any": true}}}
	}
	if len(out.Rules.Policies) == 0 {
		// Without policies the filter's ALLOW refuses everything, too; the
		// protocol's own check wants a principal in each, so there is none.
		out.Rules.Policies = nil
	}
	return Artifact{Path: "cordon-envoy-rbac.json", Content: encode(out), Losses: losses}
}

// permissionsOf returns what lets one origin through: a tunnel, a plain
// request, or both.
func permissionsOf(o *dialect.Origin) []envoyPermission {
	var all []envoyPermission
	if o.Covers("https") || o.Covers("wss") {
		all = append(all, request(false, authority(o.Host, o.Subdomains, o.Port, 443, false)))
	}
	if o.Covers("http") {
		all = append(all, request(true, authority(o.Host, o.Subdomains, o.Port, 80, true)))
	}
	return all
}

// request matches the method and the authority: CONNECT, or anything else.
func request(plain bool, authority string) envoyPermission {
	return envoyPermission{AndRules: &envoyConditions{Rules: []envoyPermission{
		{Header: &envoyHeader{Name: ":method", Match: envoyStringMatch{Exact: "CONNECT"}, Invert: plain}},
		{Header: &envoyHeader{Name: ":authority", Match: envoyStringMatch{Regex: &envoyExpression{authority}}}},
	}}}
}

// labels is any number of labels with their dots; lastName is a label that is
// no number, so that no address fits.
const (
	labels   = `(?:[A-Za-z0-9_-]+\.)*`
	lastName = `[A-Za-z0-9_-]*[A-Za-z_-][A-Za-z0-9_-]*`
)

// authority writes the expression for host and port. Envoy matches it as a
// whole (RE2). The port may be missing only where optional says so.
func authority(host string, below bool, port, own int, optional bool) string {
	name := labels + lastName
	switch {
	case host != "" && below:
		name = labels + foldASCII(host)
	case host != "":
		name = foldASCII(host)
	}
	if port == 0 {
		port = own
	}
	if optional && port == own {
		return fmt.Sprintf(`%s(?::%d)?`, name, port)
	}
	return fmt.Sprintf(`%s:%d`, name, port)
}

// foldASCII quotes a host so that its letters match in either case; (?i) would
// let letters beyond ASCII pass.
func foldASCII(host string) string {
	var b strings.Builder
	for i := 0; i < len(host); i++ {
		c := host[i]
		if 'a' <= c && c <= 'z' {
			fmt.Fprintf(&b, "[%c%c]", c, c-'a'+'A')
		} else {
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String()
}
