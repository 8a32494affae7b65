// Package envoy exports a policy as the configuration of Envoy's HTTP
// role-based access control filter (envoy.extensions.filters.http.rbac.v3),
// for an Envoy that is a forward proxy: CONNECT for https and wss, absolute
// URLs for http.
package envoy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/export"
)

// Format describes the export.
var Format = export.Format{
	Name:  "envoy",
	Title: "Envoy role-based access control",
	Can:   export.Schemes | export.Ports | export.Exact | export.Deep | export.EveryHost | export.Requests | export.Denies,
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
	filter struct {
		Type  string `json:"@type"`
		Rules rules  `json:"rules"`
	}
	rules struct {
		Action   string            `json:"action"`
		Policies map[string]policy `json:"policies"`
	}
	policy struct {
		Permissions []permission `json:"permissions"`
		Principals  []any        `json:"principals"`
	}
	permission struct {
		Header   *header     `json:"header,omitempty"`
		AndRules *conditions `json:"andRules,omitempty"`
	}
	conditions struct {
		Rules []permission `json:"rules"`
	}
	header struct {
		Name   string      `json:"name"`
		Match  stringMatch `json:"stringMatch"`
		Invert bool        `json:"invertMatch,omitempty"`
	}
	stringMatch struct {
		Exact string      `json:"exact,omitempty"`
		Regex *expression `json:"safeRegex,omitempty"`
	}
	expression struct {
		Regex string `json:"regex"`
	}
)

// Export writes the filter's configuration: what no policy in it allows, it
// refuses.
func Export(s export.Source) export.Artifact {
	origins := s.Wire()
	losses := Format.Widening(origins)
	out := filter{
		Type:  "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
		Rules: rules{Action: "ALLOW", Policies: map[string]policy{}},
	}
	for i := range origins {
		o := &origins[i]
		permissions := permissionsOf(o)
		if len(permissions) == 0 {
			losses = append(losses, export.Lose(o, false, "ws comes as a tunnel to Envoy, which cannot look inside: it is refused"))
			continue
		}
		if o.Covers("wss") && !o.Covers("https") {
			losses = append(losses, export.Lose(o, true, "https to the same host passes too: its tunnel looks the same"))
		}
		name := fmt.Sprintf("%04d %s %s", i+1, o.Rule.Place, o.Rule.Text)
		out.Rules.Policies[name] = policy{Permissions: permissions, Principals: []any{map[string]bool{"any": true}}}
	}
	if len(out.Rules.Policies) == 0 {
		// Without policies the filter's ALLOW refuses everything, too; the
		// protocol's own check wants a principal in each, so there is none.
		out.Rules.Policies = nil
	}
	content, err := json.MarshalIndent(out, "", "  ")
	if err != nil { // structs of strings always encode
		panic("envoy: " + err.Error())
	}
	return export.Artifact{Path: "cordon-envoy-rbac.json", Content: append(content, '\n'), Losses: losses}
}

// permissionsOf returns what lets one origin through: a tunnel, a plain
// request, or both.
func permissionsOf(o *dialect.Origin) []permission {
	var all []permission
	if o.Covers("https") || o.Covers("wss") {
		all = append(all, request(false, authority(o.Host, o.Subdomains, o.Port, 443, false)))
	}
	if o.Covers("http") {
		all = append(all, request(true, authority(o.Host, o.Subdomains, o.Port, 80, true)))
	}
	return all
}

// request matches the method and the authority: CONNECT, or anything else.
func request(plain bool, authority string) permission {
	return permission{AndRules: &conditions{Rules: []permission{
		{Header: &header{Name: ":method", Match: stringMatch{Exact: "CONNECT"}, Invert: plain}},
		{Header: &header{Name: ":authority", Match: stringMatch{Regex: &expression{authority}}}},
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
