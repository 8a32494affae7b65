package export

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/csp"
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

// Page is what an export has to know of one page.
type Page struct {
	// Existing is the page's own policy; the zero Policy if it has none.
	Existing csp.Policy
	// Scripts and Styles are the URLs of the scripts and style sheets that the
	// page loads from other places.
	Scripts, Styles []string
	// InlineScripts and InlineStyles are the contents of inline elements, byte
	// for byte.
	InlineScripts, InlineStyles []string
	// Handlers says that the page has inline event handlers or javascript:
	// links, which no hash can allow.
	Handlers bool
	// StyleAttributes says that elements of the page have style attributes.
	StyleAttributes bool
	// WebAssembly lets the page compile WebAssembly, which is no eval of
	// scripts.
	WebAssembly bool
}

// exportCSP writes the policy for a page without scripts and styles of other
// places: the header for an app whose pages keep to themselves.
func exportCSP(s Source) Artifact {
	made, losses := PagePolicy(s, Page{})
	return Artifact{Path: "content-security-policy.txt", Content: []byte(made.String() + "\n"), Losses: losses}
}

// PagePolicy makes the policy of one page. The losses say what the policy would break
// in the page, and what it cannot express.
func PagePolicy(s Source, page Page) (csp.Policy, []Loss) {
	requests, frames := s.Requests(), s.Frames()
	losses := slices.Concat(cspFormat.widening(s.Wire()), inexact(s.Wire()))
	listed := sources(requests, "https", "http")
	connect := sources(requests, "https", "wss", "http", "ws")
	var p csp.Policy
	p = p.Set("default-src", "'self'")
	p = p.Set("connect-src", with("'self'", connect)...)
	for _, name := range []string{"img-src", "media-src", "font-src"} {
		p = p.Set(name, with("'self'", slices.Concat(listed, kept(page.Existing, name)))...)
	}
	p = p.Set("frame-src", with("'self'", sources(frames, "https", "http"))...)
	scripts, lostScripts := used(frames, "script", page.Scripts)
	styles, lostStyles := used(frames, "style sheet", page.Styles)
	if page.WebAssembly {
		scripts = append(scripts, "'wasm-unsafe-eval'")
	}
	p = p.Set("script-src", with("'self'", slices.Concat(scripts, hashes(page.InlineScripts)))...)
	p = p.Set("style-src", with("'self'", slices.Concat(styles, hashes(page.InlineStyles)))...)
	p = p.Set("form-action", with("'self'", sources(s.Navigation(), "https", "http"))...)
	p = p.Set("object-src", "'none'")
	p = p.Set("base-uri", "'self'")
	losses = slices.Concat(losses, lostScripts, lostStyles, dropped(page.Existing, p))
	if page.Handlers {
		losses = append(losses,
			Loss{Message: "inline event handlers and javascript: links stop working: move them into a script"})
	}
	if page.StyleAttributes {
		losses = append(losses,
			Loss{Message: "style attributes in the page's markup stop working: move them into a style sheet"})
	}
	if d, ok := page.Existing.Effective("script-src"); ok && d.Has("'unsafe-eval'") {
		losses = append(losses,
			Loss{Message: "eval and new Function stop working: the page's policy has 'unsafe-eval'"})
	}
	return p, losses
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

// kept returns the sources of the page's own policy that lead to no host, such
// as data: and blob:, which config.xml says nothing about.
func kept(existing csp.Policy, name string) []string {
	d, ok := existing.Effective(name)
	if !ok {
		return nil
	}
	var all []string
	for _, token := range d.Sources {
		if s, ok := csp.ParseSource(token); ok && s.Host == "" &&
			slices.Contains([]string{"data", "blob", "content", "cdvfile", "filesystem"}, s.Scheme) {
			all = append(all, token)
		}
	}
	return all
}

// used returns the sources for the URLs that a page loads and the list covers;
// what the list does not cover is a loss.
func used(origins []dialect.Origin, what string, urls []string) (all []string, losses []Loss) {
	for _, url := range urls {
		covered := false
		for i := range origins {
			o := &origins[i]
			for _, scheme := range []string{"https", "http"} {
				d := csp.Directive{Name: "script-src", Sources: expressions(o, scheme)}
				if o.Covers(scheme) && d.Allows(url, "https://localhost/") {
					all, covered = append(all, d.Sources...), true
				}
			}
		}
		if !covered {
			losses = append(losses,
				Loss{Message: fmt.Sprintf("the page's %s %s is on no list and no longer loads", what, url)})
		}
	}
	return all, losses
}

// dropped names the hosts that the page's own policy lets in and the new one
// does not: what the page loads from them stops. A wildcard for every host says
// nothing about what the page needs.
func dropped(existing, made csp.Policy) []Loss {
	var losses []Loss
	seen := map[string]bool{}
	for _, d := range existing.Directives {
		for _, token := range d.Sources {
			s, ok := csp.ParseSource(token)
			if !ok || s.Host == "" || s.Host == "*" || seen[token] {
				continue
			}
			scheme := s.Scheme
			if scheme == "" {
				scheme = "https"
			}
			sample := scheme + "://" + strings.Replace(s.Host, "*", "x", 1)
			if s.Port != "" && s.Port != "*" {
				sample += ":" + s.Port
			}
			name := d.Name
			if _, ok := made.Get(name); !ok || name == "default-src" {
				name = "connect-src"
			}
			if sample += s.Path; !made.Allows(name, sample, "https://localhost/") {
				seen[token] = true
				losses = append(losses,
					Loss{Message: fmt.Sprintf("the page's own policy has %s, which is on no list: nothing loads from "+
						"there any more%s", token, known[s.Host])})
			}
		}
	}
	return losses
}

// known says what hosts of the usual templates are for.
var known = map[string]string{"ssl.gstatic.com": " (TalkBack, the screen reader of Android, asked for it: list it " +
	"where that matters)"}

func hashes(inline []string) []string {
	var all []string
	for _, text := range inline {
		sum := sha256.Sum256([]byte(text))
		all = append(all, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	return all
}
