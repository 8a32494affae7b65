package lint

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/appbound"
	"github.com/cordon-sec/cordon/policy/configxml"
)

func checkAppBound(r *run) {
	for _, l := range appbound.Lists(r.native()) {
		for _, p := range l.Wrong {
			r.told(l.Fragment, p.Msg, p.Place, nil, "%s", p.Msg)
		}
	}
}

// iosReadings are the readings of the project's list by the platforms that have
// WebKit's web view.
func (r *run) iosReadings() []*reading {
	var list []*reading
	for _, rd := range r.targets {
		if rd.target.Platform == "ios" {
			list = append(list, rd)
		}
	}
	for _, rd := range r.capacitorReadings() {
		if rd.target.Platform == "capacitor-ios" {
			list = append(list, rd)
		}
	}
	return list
}

// bound are the App-Bound Domains of a project that ships to iOS, by what carries
// them; what one carries the app has from all of them.
type bound struct {
	lists    []appbound.List
	readings []*reading
}

// appBound returns the lists that count; nil where the app has none, or is not for
// iOS.
func (r *run) appBound() *bound {
	b := &bound{appbound.Lists(r.native()), r.iosReadings()}
	b.lists = slices.DeleteFunc(b.lists, func(l appbound.List) bool { return len(l.Domains) == 0 })
	if len(b.lists) == 0 || len(b.readings) == 0 {
		return nil
	}
	return b
}

// covers reports whether pages of a scheme and a host are bound to the app.
func (b *bound) covers(scheme, name string) bool {
	return appbound.Own(scheme) ||
		slices.ContainsFunc(b.lists, func(l appbound.List) bool { return l.Covers(scheme, name) })
}

// names joins the domains for a message.
func (b *bound) names() string {
	var list []string
	for _, l := range b.lists {
		for _, d := range l.Domains {
			if name := d.String(); !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return wording.Join(list)
}

// ownHost is the host of a target's own pages in normal form.
func ownHost(rd *reading) string {
	if name, err := host.Parse(rd.own.Host); err == nil {
		return name.URL()
	}
	return rd.own.Host
}

// limited reports whether a target's web view is limited to the App-Bound Domains
// once it shows the app's own pages: by a setting, or because the pages are files or
// come from localhost.
func (r *run) limited(rd *reading) bool {
	return r.limitSetting(rd) || appbound.Own(rd.own.Scheme) || appbound.Local(ownHost(rd))
}

// limitSetting reports whether a setting limits a target's web view: cordova-ios reads
// it from 7.0.0 on (CDVWebViewEngine.m), Capacitor from 3.1.0 on.
func (r *run) limitSetting(rd *reading) bool {
	if rd.target.Platform == "capacitor-ios" {
		limits := r.capacitorDocument().Capacitor().IOS.LimitsNavigations
		return rd.target.Version.AtLeast(3, 1, 0) && limits.OnIOS(false)
	}
	e := r.limitPreference()
	return e != nil && rd.target.Version.AtLeast(7, 0, 0) && e.Value("value") == "true"
}

// limitPreference is the preference that limits cordova-ios, nil if there is none.
func (r *run) limitPreference() *configxml.Element {
	var found *configxml.Element
	if r.project.Config == nil {
		return nil
	}
	for _, e := range r.project.Ships().For("ios") {
		if e.Name == "preference" && strings.EqualFold(e.Value("name"), "LimitsNavigationsToAppBoundDomains") {
			found = e
		}
	}
	return found
}

func checkAppBoundEffect(r *run) {
	b := r.appBound()
	if b == nil {
		return
	}
	windows := ""
	for _, p := range r.project.Plugins {
		if p.ID == "cordova-plugin-inappbrowser" { // which sets no limit (createViews of CDVWKInAppBrowser.m)
			windows = "; the windows of " + p.ID + " are without them on every page (executeScript, insertCSS)"
		}
	}
	for _, l := range b.lists {
		r.told(l.Fragment, "effect", l.Place, []option{on(b.readings)}, "scripts, style sheets, message handlers and "+
			"cookies of the app work in pages of %s and in its own, and nowhere else%s", b.names(), windows)
	}
}

// opened is a domain whose pages are opened inside, and a URL of one.
type opened struct {
	domain      appbound.Domain
	scheme, url string
	rule        *policy.Rule
}

// opens returns the domains of pages that a target opens inside, as far as its rules
// name them, and whether it opens every host.
func opens(rd *reading) (list []opened, all bool) {
	allows := func(u string) bool {
		request := policy.Request{URL: u, Kind: policy.Navigation, Strict: true}
		return rd.policy.Decide(request).Verdict == policy.Allow
	}
	if allows(webProbes[0]) {
		return nil, true
	}
	rules := rd.policy.Rules()
	for i := range rules {
		if rules[i].Implicit() {
			continue
		}
		for _, candidate := range candidates(rules[i].Text) {
			d := appbound.OfHost(hostOf(candidate))
			known := slices.ContainsFunc(list, func(o opened) bool { return o.domain == d })
			if d.Name != "" && !known && allows(candidate) {
				scheme, _, _ := strings.Cut(candidate, ":")
				list = append(list, opened{d, strings.ToLower(scheme), candidate, &rules[i]})
			}
		}
	}
	return list, false
}

// candidates are URLs that a rule may cover: those that its text names, with a letter
// for each wildcard.
func candidates(text string) []string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "*", text
	}
	rest = strings.ReplaceAll(rest, "*", "x")
	if !strings.Contains(rest, "/") {
		rest += "/"
	}
	bare := strings.TrimPrefix(rest, "x.")
	if scheme != "*" {
		return []string{scheme + "://" + rest, scheme + "://" + bare}
	}
	return []string{"https://" + rest, "https://" + bare, "http://" + rest, "http://" + bare}
}

func checkAppBoundWider(r *run) {
	b := r.appBound()
	if b == nil {
		return
	}
	for _, l := range b.lists {
		for _, d := range l.Domains {
			if !r.needsDomain(b, d.Domain) {
				r.told(l.Fragment, d.String(), d.Value.Place, []option{on(b.readings)}, "no rule opens pages of %s "+
					"inside the app, and those that get in have its scripts and message handlers%s", quote(d.String()),
					wholeDomain(d))
			}
		}
	}
}

// wholeDomain says that more than the host that an entry names counts.
func wholeDomain(d appbound.Listed) string {
	if d.Scheme {
		return "; every page of the scheme counts, whatever its host"
	}
	if text := strings.TrimSpace(d.Value.Text); d.Below() && !strings.EqualFold(text, d.Name) {
		return "; of " + quote(text) + " WebKit keeps the whole domain"
	}
	return ""
}

// needsDomain reports whether pages of a domain are opened inside by one of the
// targets, the app's own among them.
func (r *run) needsDomain(b *bound, d appbound.Domain) bool {
	everyHost := d.Scheme && (d.Name == "https" || d.Name == "http")
	for _, rd := range b.readings {
		if d.Covers(rd.own.Scheme, ownHost(rd)) || !d.Scheme && appbound.Local(d.Name) {
			return true
		}
		list, all := opens(rd)
		if all || !everyHost && slices.ContainsFunc(list, func(o opened) bool {
			return d.Covers(o.scheme, o.domain.Name)
		}) {
			return true
		}
	}
	return false
}

// closed is a domain whose pages targets open inside and WebKit does not bind to the
// app.
type closed struct {
	opened
	effect   string
	readings []*reading
}

func checkAppBoundClosed(r *run) {
	b := r.appBound()
	if b == nil {
		return
	}
	var found []closed
	for _, rd := range b.readings {
		effect := "they open without the app's scripts and message handlers"
		if r.limited(rd) {
			effect = "they do not open"
		}
		list, all := opens(rd)
		if all {
			l := b.lists[0]
			r.told(l.Fragment, "every host", l.Place, []option{on([]*reading{rd})}, "the list opens pages of every "+
				"host inside, and those outside of %s are not bound to the app: %s", b.names(), effect)
		}
		for _, o := range list {
			if b.covers(o.scheme, o.domain.Name) || appbound.Local(o.domain.Name) || ownPage(rd, o) {
				continue
			}
			at := slices.IndexFunc(found, func(c closed) bool { return c.domain == o.domain && c.effect == effect })
			if at < 0 {
				found, at = append(found, closed{opened: o, effect: effect}), len(found)
			}
			found[at].readings = append(found[at].readings, rd)
		}
	}
	for _, c := range found {
		r.report(c.rule.Place, []option{on(c.readings)}, "pages of %s such as %s are opened inside, and are not "+
			"among WKAppBoundDomains: %s", quote(c.domain.Name), c.url, c.effect)
	}
}

// ownPage reports whether a page is of the app's own origin, which has a rule of its
// own.
func ownPage(rd *reading, o opened) bool {
	return o.scheme == rd.own.Scheme && appbound.OfHost(ownHost(rd)) == o.domain
}

func checkAppBoundOwn(r *run) {
	b := r.appBound()
	if b == nil {
		return
	}
	for _, rd := range b.readings {
		own := rd.own
		if !own.Known() || b.covers(own.Scheme, ownHost(rd)) || appbound.Local(ownHost(rd)) {
			continue
		}
		effect := "they cannot call native code, or do not open"
		if r.limitSetting(rd) {
			effect = "they do not open"
		}
		l := b.lists[0]
		r.told(l.Fragment, own.Host, l.Place, []option{on([]*reading{rd})},
			"the app's own pages come from %s, which is not among WKAppBoundDomains (%s): %s", own.Prefix(), b.names(),
			effect)
	}
}

func checkAppBoundIdle(r *run) {
	e := r.limitPreference()
	if e == nil || e.Value("value") != "true" {
		return
	}
	var reads, old []*reading
	for _, rd := range r.targets {
		switch {
		case rd.target.Platform != "ios":
		case rd.target.Version.AtLeast(7, 0, 0):
			reads = append(reads, rd)
		default:
			old = append(old, rd)
		}
	}
	if len(old) > 0 {
		r.report(r.at(e), []option{on(old)}, "%s does not read LimitsNavigationsToAppBoundDomains: cordova-ios 7.0.0 "+
			"and later does", names(old))
	}
	if len(reads) > 0 && len(r.native().Key(appbound.Key)) == 0 {
		r.report(r.at(e), []option{on(reads)}, "LimitsNavigationsToAppBoundDomains limits nothing without "+
			"WKAppBoundDomains in Info.plist, which none that was read has")
	}
}
