package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/dialect"
)

// cspFormat is CSP; its constant describes it.
var cspFormat = Format{
	Name:  CSP,
	Title: "Content-Security-Policy",
	Can:   Schemes | Ports | Paths | Exact | Deep | Requests | Denies,
	Limits: []string{
		"a source for http covers https as well, and one for ws covers wss",
		"where a request is redirected, the path of a source no longer counts",
		"it limits frames and forms, but not where a link leads",
		"WebRTC is not limited",
	},
}

// exportCSP writes the policy under which all pages of the app work: the header for
// what serves them.
func exportCSP(s Source) Artifact {
	made, losses := PagePolicy(s, s.Page)
	return Artifact{Path: "content-security-policy.txt", Content: []byte(made.String() + "\n"), Losses: losses}
}

// inexact returns what source expressions say differently from the lines: a
// source for http covers https too, and an IPv6 address is no source.
func inexact(origins []dialect.Origin) []Loss {
	var losses []Loss
	for i := range origins {
		o := &origins[i]
		switch {
		case strings.HasPrefix(o.Host, "["):
			losses = append(losses, lose(o, false,
				"an IPv6 address cannot be written as a source expression: it is refused"))
		case o.Covers("https") && (o.Port == 0 || !o.Covers("http")), secureToo(origins, o):
			// Everything that its sources grow to is covered by a line, too.
		default:
			losses = append(losses, lose(o, true, "the same host is covered over https as well"))
		}
	}
	return losses
}

// secureToo reports whether another line covers over https what a line covers
// over http. A source for ws alone grows to http as well, which is more.
func secureToo(origins []dialect.Origin, o *dialect.Origin) bool {
	if o.Port != 0 || !o.Covers("http") {
		return false // https on that port is another origin
	}
	return slices.ContainsFunc(origins, func(other dialect.Origin) bool {
		return other.Covers("https") && other.Host == o.Host && other.Port == 0 &&
			other.Rule.Purpose == o.Rule.Purpose &&
			(other.Subdomains || !o.Subdomains) && (other.Path == "" || other.Path == o.Path)
	})
}

// with puts first in front of the others, each once, in order.
func with(first string, others []string) []string {
	all := []string{first}
	for _, s := range others {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// sources writes origins as source expressions for the schemes given.
func sources(origins []dialect.Origin, schemes ...string) []string {
	var all []string
	for i := range origins {
		o := &origins[i]
		for _, scheme := range schemes {
			if o.Covers(scheme) {
				all = append(all, expressions(o, scheme)...)
			}
		}
	}
	return all
}

// expressions writes one origin. "*.h" does not cover h itself, and a path
// covers what is below it only with a slash at its end.
func expressions(o *dialect.Origin, scheme string) []string {
	hosts := []string{o.Host}
	switch {
	case strings.HasPrefix(o.Host, "["):
		return nil
	case o.Host == "":
		hosts[0] = "*"
	case o.Subdomains:
		hosts = append(hosts, "*."+o.Host)
	}
	var all []string
	for _, host := range hosts {
		base := scheme + "://" + host
		if o.Port != 0 {
			base += fmt.Sprintf(":%d", o.Port)
		}
		if o.Path == "" {
			all = append(all, base)
		} else {
			path := escapePath(o.Path)
			all = append(all, base+path, base+path+"/")
		}
	}
	return all
}

// escapePath keeps a path from ending the source expression or the directive.
func escapePath(path string) string {
	return strings.NewReplacer(";", "%3B", ",", "%2C", "'", "%27").Replace(path)
}
