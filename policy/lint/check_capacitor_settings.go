package lint

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/appbound"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// platformSince returns the readings of one of Capacitor's platforms that have a
// setting, which came with a version.
func (r *run) platformSince(name string, major, minor, patch int) []*reading {
	var list []*reading
	for _, rd := range r.capacitorReadings() {
		if rd.target.Platform == name && rd.target.Version.AtLeast(major, minor, patch) {
			list = append(list, rd)
		}
	}
	return list
}

// flag is a setting that is on.
type flag struct {
	place    policy.Place
	readings []*reading
}

// flags returns the settings that are on, by their place: those of both platforms
// may be one.
func (r *run) flags(android, ios func(*capacitor.Config) capacitor.Flag, since func(string) []*reading) []flag {
	doc := r.capacitorDocument()
	if doc == nil {
		return nil
	}
	var list []flag
	enter := func(f capacitor.Flag, on bool, readings []*reading) {
		if !on || len(readings) == 0 {
			return
		}
		if n := len(list); n > 0 && list[n-1].place == f.Place {
			list[n-1].readings = slices.Concat(list[n-1].readings, readings)
			return
		}
		list = append(list, flag{f.Place, readings})
	}
	c := doc.Capacitor()
	if android != nil {
		f := android(c)
		enter(f, f.OnAndroid(false), since("capacitor-android"))
	}
	if ios != nil {
		f := ios(c)
		enter(f, f.OnIOS(false), since("capacitor-ios"))
	}
	return list
}

func checkCapacitorInspectable(r *run) {
	list := r.flags(func(c *capacitor.Config) capacitor.Flag { return c.Android.WebContentsDebugging },
		func(c *capacitor.Config) capacitor.Flag { return c.IOS.WebContentsDebugging },
		func(platform string) []*reading {
			if platform == "capacitor-ios" {
				return r.platformSince(platform, 4, 8, 0)
			}
			return r.platformSince(platform, 3, 0, 0)
		})
	for _, f := range list {
		r.report(f.place, []option{on(f.readings), r.writesFalse(f.place)},
			"webContentsDebuggingEnabled opens the app to remote inspection")
	}
}

func checkCapacitorMixed(r *run) {
	for _, f := range r.flags(func(c *capacitor.Config) capacitor.Flag { return c.Android.AllowMixedContent }, nil,
		func(platform string) []*reading { return r.platformSince(platform, 3, 0, 0) }) {
		r.report(f.place, []option{on(f.readings), r.withoutCleartext(f.place)},
			"allowMixedContent lets the app's pages load scripts and everything else over http")
	}
}

func checkCapacitorLogging(r *run) {
	doc := r.capacitorDocument()
	if doc == nil {
		return
	}
	c := doc.Capacitor()
	var places []policy.Place
	where := map[policy.Place][]*reading{}
	for _, each := range []struct {
		behavior capacitor.Text
		platform string
	}{{c.Android.LoggingBehavior, "capacitor-android"}, {c.IOS.LoggingBehavior, "capacitor-ios"}} {
		readings := r.platformSince(each.platform, 3, 0, 0)
		if !strings.EqualFold(each.behavior.Value, "production") || len(readings) == 0 {
			continue
		}
		at := each.behavior.Place
		if where[at] == nil {
			places = append(places, at)
		}
		where[at] = append(where[at], readings...)
	}
	for _, at := range places {
		r.report(at, []option{on(where[at]), r.capacitorFixed("write \"debug\"",
			configxml.Edit{Start: at.Start, End: at.End, New: `"debug"`})},
			"release builds write what pages log and the calls of native code into the system's log")
	}
}

// checkCapacitorAppBound finds the setting where no Info.plist that was read has the
// app's own host among the App-Bound Domains: without the key it limits nothing.
func checkCapacitorAppBound(r *run) {
	for _, f := range r.flags(nil, func(c *capacitor.Config) capacitor.Flag { return c.IOS.LimitsNavigations },
		func(platform string) []*reading { return r.platformSince(platform, 3, 1, 0) }) {
		own := f.readings[0].own
		covers := func(l appbound.List) bool { return l.Covers(own.Scheme, ownHost(f.readings[0])) }
		if !slices.ContainsFunc(appbound.Lists(r.native()), covers) {
			r.report(f.place, []option{on(f.readings)},
				"limitsNavigationsToAppBoundDomains needs WKAppBoundDomains with %s in Info.plist, which none that "+
					"was read has", quote(own.Host))
		}
	}
}

// connects is a page whose policy restricts what scripts connect to: the directive
// that does.
type connects struct {
	page  pagePolicy
	place policy.Place
	name  string
}

// restricted are the pages whose connect-src, or what stands in for it, holds
// scripts back from a host that nobody lists.
func (r *run) restricted() []connects {
	var list []connects
	for i := range r.project.Pages {
		p := readCSP(&r.project.Pages[i])
		for _, m := range p.metas {
			d, governed := m.policy.Effective("connect-src")
			if governed && !m.policy.Allows("connect-src", webProbes[0], selfURL) {
				list = append(list, connects{p, p.place(m, d), d.Name})
				break
			}
		}
	}
	return list
}

// nativeRequests are the readings in which native code asks for what fetch and
// XMLHttpRequest would ask for.
func (r *run) nativeRequests() []*reading {
	return slices.DeleteFunc(slices.Clone(r.capacitorReadings()), func(rd *reading) bool {
		return !rd.own.NativeRequests
	})
}

func checkCapacitorHTTP(r *run) {
	readings := r.nativeRequests()
	if len(readings) == 0 {
		return
	}
	at := r.capacitorDocument().Capacitor().Plugins.CapacitorHTTP.Place
	for _, c := range r.restricted() {
		r.report(c.place, []option{on(readings)},
			"%s of %s does not hold its scripts back: CapacitorHttp (%s) has native code ask for what fetch and "+
				"XMLHttpRequest ask for, such as %s", c.name, c.page.page.Name, at, webProbes[0])
	}
}

// checkCapacitorInterceptor finds pages that may ask their own origin for the path
// that native code answers from any host, where CapacitorHttp does not pass by
// their policy already.
func checkCapacitorInterceptor(r *run) {
	var readings []*reading
	for _, rd := range r.platformSince("capacitor-android", 5, 7, 1) {
		if !rd.own.NativeRequests {
			readings = append(readings, rd)
		}
	}
	if len(readings) == 0 {
		return
	}
	for _, c := range r.restricted() {
		if c.page.allows("connect-src", selfURL+"_capacitor_http_interceptor_") {
			r.report(c.place, []option{on(readings)},
				"%s of %s lets scripts ask the app's own origin, which answers /_capacitor_http_interceptor_ from any "+
					"host, whether CapacitorHttp is enabled or not", c.name, c.page.page.Name)
		}
	}
}

func checkCapacitorCookies(r *run) {
	cookies := func(c *capacitor.Config) capacitor.Flag { return c.Plugins.CapacitorCookies }
	for _, f := range r.flags(cookies, cookies,
		func(platform string) []*reading { return r.platformSince(platform, 4, 3, 0) }) {
		r.report(f.place, []option{on(f.readings)},
			"scripts read and write cookies through native code, on Android those that are HttpOnly too")
	}
}

// accessAny visits the entries <access origin="*"> that Capacitor's command line
// wrote for Cordova plugins.
func (r *run) accessAny(visit func(e *configxml.Element, on []*reading)) {
	doc := r.capacitorDocument()
	if doc == nil {
		return
	}
	for _, platform := range []string{"capacitor-android", "capacitor-ios"} {
		readings := r.platformSince(platform, 3, 0, 0)
		if len(readings) == 0 {
			continue
		}
		for _, e := range doc.Added(platform) {
			if e.Name == "access" && e.Value("origin") == "*" && generatedConfig(e) {
				visit(e, readings)
			}
		}
	}
}

// generatedConfig reports whether an element stands in a config.xml, not in a plugin.
func generatedConfig(e *configxml.Element) bool {
	return strings.HasSuffix(e.Document().Name(), "config.xml")
}

func checkCapacitorAccessDefault(r *run) {
	r.accessAny(func(e *configxml.Element, readings []*reading) {
		if r.capacitorDocument().Capacitor().Cordova.AccessOrigins == nil {
			r.report(r.at(e), []option{on(readings)},
				"Cordova plugins may ask every host: cordova.accessOrigins is not written, and stands for \"*\"")
		}
	})
}

func checkCapacitorAccessAny(r *run) {
	doc := r.capacitorDocument()
	if doc == nil || doc.Capacitor().Cordova.AccessOrigins == nil {
		return
	}
	origins := doc.Capacitor().Cordova.AccessOrigins
	written := slices.IndexFunc(origins.Items, func(t capacitor.Text) bool { return t.Value == "*" })
	if readings := r.platformSince("capacitor-android", 3, 0, 0); written >= 0 && len(readings) > 0 {
		r.report(origins.Items[written].Place, []option{on(readings)},
			"cordova.accessOrigins lets Cordova plugins ask every host")
		return // the generated files say the same
	}
	r.accessAny(func(e *configxml.Element, readings []*reading) {
		r.report(r.at(e), []option{on(readings)},
			"Cordova plugins may ask every host, although cordova.accessOrigins does not say so: run npx cap sync")
	})
}
