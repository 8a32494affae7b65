package lint

import (
	"bytes"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/privacy"
)

// manifests are the privacy manifests that count: what config.xml has for one stands
// before the file that is written from it.
func (r *run) manifests() []*app.PrivacyManifest {
	var list []*app.PrivacyManifest
	written := slices.ContainsFunc(r.project.PrivacyManifests, func(m app.PrivacyManifest) bool {
		return m.Element && m.Ignored == ""
	})
	for i := range r.project.PrivacyManifests {
		if m := &r.project.PrivacyManifests[i]; m.Ignored == "" && !(written && m.Generated) {
			list = append(list, m)
		}
	}
	return list
}

func checkPrivacyInvalid(r *run) {
	for _, m := range r.manifests() {
		if m.Wrong != "" {
			r.report(m.Place, nil, "the privacy manifest cannot be read: %s", m.Wrong)
			continue
		}
		for _, p := range privacy.Check(m.Value) {
			if p.Place.IsZero() { // of a binary property list
				p.Place = m.Place
			}
			r.report(p.Place, nil, "%s", p.Msg)
		}
	}
}

// writesManifest reports whether a version of cordova-ios writes the privacy manifest
// of config.xml (lib/prepare.js).
func writesManifest(v policy.Version) bool { return v.AtLeast(7, 1, 0) }

func checkPrivacyIgnored(r *run) {
	for i := range r.project.PrivacyManifests {
		m := &r.project.PrivacyManifests[i]
		if m.Ignored != "" {
			r.report(m.Place, nil, "this <privacy-manifest> does not count: %s", m.Ignored)
			continue
		}
		var old []*reading
		for _, rd := range r.targets {
			if m.Element && rd.target.Platform == "ios" && !writesManifest(rd.target.Version) {
				old = append(old, rd)
			}
		}
		if len(old) > 0 {
			r.report(m.Place, []option{on(old)}, "%s does not read <privacy-manifest>: cordova-ios 7.1.0 and later "+
				"does", names(old))
		}
	}
}

func checkTrackingDomain(r *run) {
	if r.strict == nil {
		return // nothing says where the app may go
	}
	for _, m := range r.manifests() {
		if m.Value == nil {
			continue
		}
		for _, d := range privacy.Domains(m.Value) {
			if privacy.CheckDomain(d.Text) != "" || r.contacts(d.Text) {
				continue
			}
			at := d.Place
			if at.IsZero() {
				at = m.Place
			}
			r.report(at, nil, "no rule lets the app reach the tracking domain %s, nor a name below it", quote(d.Text))
		}
	}
}

// contacts reports whether the list lets the app reach a name or one below it.
func (r *run) contacts(domain string) bool {
	urls := []string{}
	for _, name := range []string{domain, "x." + domain} {
		urls = append(urls, "https://"+name+"/", "http://"+name+"/", "wss://"+name+"/")
	}
	for _, e := range r.entries {
		for _, candidate := range candidates(e.text) {
			if strings.HasSuffix("."+hostOf(candidate), "."+strings.ToLower(domain)) {
				urls = append(urls, candidate)
			}
		}
	}
	return slices.ContainsFunc(urls, func(u string) bool { return r.permits("ios", u) })
}

func checkPrivacyFramework(r *run) {
	for i := range r.project.Libraries {
		l := &r.project.Libraries[i]
		library, known := privacy.OfPod(l.Name)
		asked := l.Installed
		if asked == "" {
			asked = l.Spec
		}
		switch {
		case l.Bundled && !l.Manifest && privacy.Listed(l.Name):
			r.report(l.Place, nil, "%s brings the framework %s without a privacy manifest: its folder has no %s",
				broughtBy(l), l.Name, privacy.FileName)
		case l.Bundled, !known:
		default:
			if version, lacks := library.LacksAll(asked); lacks {
				r.report(l.Place, nil, "%s brings %s without a privacy manifest, by the pod %s%s%s", broughtBy(l),
					library.Name, l.Name, spaceBefore(asked), hasOne(library, version))
			}
		}
	}
	r.platformFrameworks()
}

// broughtBy names the plugin with its version.
func broughtBy(l *app.Library) string {
	if l.Version == "" {
		return "the plugin " + l.Plugin
	}
	return "the plugin " + l.Plugin + " " + l.Version
}

func spaceBefore(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}

// hasOne says from which version on a library has a privacy manifest.
func hasOne(l *privacy.Library, after policy.Version) string {
	if first := l.First(after); !first.IsZero() {
		return "; " + first.String() + " has one"
	}
	return "; no version has one"
}

// platformFrameworks finds a cordova-ios or Capacitor that is without a privacy manifest
// itself. Versions of cordova-ios before 6 are left out: the App Store refuses UIWebView
// already.
func (r *run) platformFrameworks() {
	for _, rd := range r.iosReadings() {
		pod, at := "Capacitor", packageAt(&r.project.Package, "@capacitor/ios")
		if rd.target.Platform == "ios" {
			pod, at = "Cordova", policy.Place{}
			i := slices.IndexFunc(r.project.Engines, func(e app.Engine) bool { return e.Name == "ios" })
			if i >= 0 && rd.target.Version.AtLeast(6, 0, 0) {
				at = r.project.Engines[i].Place
			}
		}
		library, ok := privacy.OfPod(pod)
		if v := rd.target.Version; ok && !at.IsZero() && library.Lacks(v) && !r.project.Assumes(rd.target) {
			r.report(at, []option{on([]*reading{rd})}, "%s brings the framework %s without a privacy manifest%s",
				rd.target, pod, hasOne(library, v))
		}
	}
}

// packageAt is where package.json names a package, zero if it does not.
func packageAt(f *app.File, name string) policy.Place {
	at := bytes.Index(f.Data, []byte(`"`+name+`"`))
	if at < 0 {
		return policy.Place{}
	}
	return f.Place(at, at+len(name)+len(`""`))
}
