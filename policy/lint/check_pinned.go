package lint

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pins"
	"github.com/cordon-sec/cordon/policy/script"
)

// pinsFolder is where the HTTP plugins look for certificates.
const pinsFolder = "www/certificates"

var pinningOn = regexp.MustCompile(`\benableSSLPinning\s*\(\s*(?:true|!0)`)

// pinnedCall is a call that makes a plugin trust the shipped certificates alone.
type pinnedCall struct {
	source *script.Source
	span   app.Span
	name   string
	// plugin is the one that is called.
	plugin string
}

// pinnedCalls lists those calls in the app's own code.
func (r *run) pinnedCalls() []pinnedCall {
	var list []pinnedCall
	for _, s := range r.sources {
		if s.Library {
			continue
		}
		for _, m := range findAll(s, trustMode, "ServerTrustMode", "SSLCertMode") {
			if l, ok := s.LiteralAt(s.Span.Start + m[1]); ok && l.Text == "pinned" {
				name := string(s.Masked[m[2]:m[3]])
				list = append(list, pinnedCall{s, s.SpanAt(m[2], m[3]), name, "cordova-plugin-advanced-http"})
			}
		}
		for _, m := range findAll(s, pinningOn, "enableSSLPinning") {
			if r.hasPlugin(ownPlugin) {
				continue // whose pins stand in config.xml
			}
			plugin := "cordova-plugin-http"
			if r.hasPlugin("cordova-plugin-advanced-http") {
				plugin = "cordova-plugin-advanced-http" // before 3.0.0
			}
			list = append(list, pinnedCall{s, s.SpanAt(m[0], m[1]), "enableSSLPinning", plugin})
		}
	}
	return list
}

// copied is a certificate that config.xml puts into the app.
type copied struct {
	element        *configxml.Element
	scope          string
	source, target string
}

// inFolder reports whether it comes to where plugins look.
func (c *copied) inFolder() bool {
	return strings.HasSuffix(path.Dir("/"+c.target), "/"+pinsFolder) && strings.HasSuffix(c.target, ".cer")
}

// copiedCertificates lists the certificates that resource-file elements copy.
func (r *run) copiedCertificates() []copied {
	if r.project.Config == nil {
		return nil
	}
	var list []copied
	for _, top := range r.project.Config.Root().Children {
		elements, scope := []*configxml.Element{top}, ""
		if top.Name == "platform" {
			elements, scope = top.Children, top.Value("name")
		}
		for _, e := range elements {
			source, target := e.Value("src"), e.Value("target")
			if target == "" {
				target = path.Base(source)
			}
			if (e.Name == "resource-file" || e.Name == "asset") && strings.EqualFold(path.Ext(source), ".cer") {
				list = append(list, copied{e, scope, source, path.Clean(target)})
			}
		}
	}
	return list
}

// loadedCertificates are the shipped files that devices load, and those that they
// pass over.
func (r *run) loadedCertificates() (loaded, passed []string) {
	for _, f := range r.project.Certificates {
		if ok, _ := pin.LoadedByDevices(path.Base(f.Name)); ok {
			loaded = append(loaded, f.Name)
		} else {
			passed = append(passed, f.Name)
		}
	}
	return loaded, passed
}

// without returns the platforms of the targets for which no certificate comes to
// where plugins look; every one that has the plugins if the project names none.
func (r *run) without(plugin string, copies []copied) []*reading {
	var list []*reading
	for _, rd := range r.targets {
		platform := rd.target.Platform
		if platform != "android" && platform != "ios" {
			continue
		}
		has := slices.ContainsFunc(copies, func(c copied) bool {
			// The older plugin reads the root of the assets on Android as well.
			root := plugin == "cordova-plugin-http" && platform == "android" &&
				strings.HasSuffix(path.Dir("/"+c.target), "/assets") && strings.HasSuffix(c.target, ".cer")
			return (c.scope == "" || c.scope == platform) && (c.inFolder() || root)
		})
		if !has {
			list = append(list, rd)
		}
	}
	return list
}

func checkPinnedWithout(r *run) {
	loaded, passed := r.loadedCertificates()
	if len(loaded) > 0 {
		return
	}
	copies := r.copiedCertificates()
	meant := append(passed, r.project.StrayCertificates...)
	for _, c := range copies {
		if !c.inFolder() && !slices.Contains(meant, c.source) {
			meant = append(meant, c.source)
		}
	}
	for _, call := range r.pinnedCalls() {
		readings := r.without(call.plugin, copies)
		if len(readings) == 0 {
			continue
		}
		hint := ""
		if len(meant) > 0 {
			hint = fmt.Sprintf("; %s %s probably meant", wording.Join(meant), wording.Plural(len(meant), "was", "were"))
		}
		r.report(r.placeIn(call.source.File, call.span), []option{on(readings)},
			"%s switches pinning on, and %s has no certificate: every request of %s fails on %s%s", call.name,
			pinsFolder, call.plugin, names(readings), hint)
	}
}

func checkStrayCertificate(r *run) {
	calls := r.pinnedCalls()
	if len(calls) == 0 {
		return
	}
	named := make(map[string]bool)
	for _, c := range r.copiedCertificates() {
		named[c.source] = true
		root := strings.HasSuffix(path.Dir("/"+c.target), "/assets") && calls[0].plugin == "cordova-plugin-http"
		if !c.inFolder() && !root {
			r.report(r.at(c.element), nil, "%s is put at %s, and %s looks in %s only", c.source, c.target,
				calls[0].plugin, pinsFolder)
		}
	}
	for _, name := range r.project.StrayCertificates {
		if !named[name] {
			f := app.File{Name: name}
			r.report(f.Place(0, 0), nil, "%s is not in %s, where alone %s looks", name, pinsFolder, calls[0].plugin)
		}
	}
}

// checkPinnedAlone looks at certificates that stand in for the authorities: with
// one that is the server's own, the day of its renewal locks everybody out.
func checkPinnedAlone(r *run) {
	if len(r.pinnedCalls()) == 0 {
		return
	}
	loaded, _ := r.loadedCertificates()
	if len(loaded) != 1 {
		return
	}
	for _, f := range r.project.Certificates {
		if f.Name != loaded[0] {
			continue
		}
		c, err := pin.ReadCER("", f.Data)
		if err != nil {
			return // which is a finding of its own
		}
		what := "the server's own certificate"
		if c.CA {
			what = "one authority"
		}
		r.report(r.placeOf(f.Name, policy.Place{}), nil,
			"the app trusts %s and has no other: a change of it locks every installed copy out", what)
	}
}

// certificateHosts calls visit for the hosts that shipped certificates are for.
func (r *run) certificateHosts(visit func(place policy.Place, host string, subdomains bool)) {
	entries, _ := pins.ReadFiles(r.project.Certificates)
	for _, e := range entries {
		visit(r.placeOf(e.Source, policy.Place{}), e.Host, e.Subdomains)
	}
}
