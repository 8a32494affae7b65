package lint

import (
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/publicsuffix"
)

var webProbes = [2]string{"https://" + probeHost + "/x", "http://" + probeHost + "/x"}

// anyWebsite returns the readings in which the entry covers a host that
// nobody lists, over https or http.
func (r *run) anyWebsite(e *entry) []*reading {
	var list []*reading
	for _, rd := range r.all() {
		if rd.entryHolds(e, &rd.probes[0]) || rd.entryHolds(e, &rd.probes[1]) {
			list = append(list, rd)
		}
	}
	return list
}

// each calls visit for the entries of the given roles that have a value.
func (r *run) each(visit func(*entry), roles ...role) {
	for _, e := range r.entries {
		for _, role := range roles {
			if e.role == role && e.has {
				visit(e)
			}
		}
	}
}

func checkAccessCatchAll(r *run) {
	r.each(func(e *entry) {
		if readings, w := shown(r.all(), e, e.everyHost()...); w != nil {
			r.report(r.at(e.element), []option{on(readings), witnessed(w)},
				"origin %s lets the app request every host%s", quote(e.text), alsoCleartext(readings, e))
		}
	}, forAccess)
}

func alsoCleartext(readings []*reading, e *entry) string {
	if len(covering(readings, e, webProbes[1])) > 0 {
		return ", in cleartext too"
	}
	return ""
}

func checkNavigationCatchAll(r *run) {
	r.each(func(e *entry) {
		if readings, w := shown(r.all(), e, e.everyHost()...); w != nil {
			r.report(r.at(e.element), []option{on(readings), witnessed(w)},
				"href %s lets every page open inside the app", quote(e.text))
		}
	}, forNavigation)
}

// anyScheme returns the readings in which the entry covers a scheme that
// nobody lists.
func (r *run) anyScheme(e *entry) []*reading {
	return covering(r.all(), e, anySchemeProbe)
}

// anySchemeProbe has a scheme that nobody lists.
const anySchemeProbe = "x-cordon-probe:x"

func checkIntentCatchAll(r *run) {
	r.each(func(e *entry) {
		if readings, w := shown(r.all(), e, anySchemeProbe); w != nil {
			r.report(r.at(e.element), []option{on(readings), witnessed(w)},
				"%s %s hands URLs of every scheme to other apps", e.attr.Name, quote(e.text))
		}
	}, forIntent, forExternal)
}

func checkIntentAnyWebsite(r *run) {
	r.each(func(e *entry) {
		if e.text == "*" || len(r.anyScheme(e)) > 0 {
			return
		}
		if readings, w := shown(r.all(), e, e.everyHost()...); w != nil {
			r.report(r.at(e.element), []option{on(readings), witnessed(w)},
				"%s %s opens every %s site outside the app", e.attr.Name, quote(e.text), e.schemeOr("https"))
		}
	}, forIntent, forExternal)
}

// dangerous lists URLs of schemes that should not be handed over, and what
// each does.
var dangerous = []struct{ url, what string }{
	{"intent://x#Intent;end", "intent: starts any exported component of any app"},
	{"file:///sdcard/x", "file: hands out local files"},
	{"content://x/y", "content: hands out what content providers hold"},
	{"javascript:alert", "javascript: is code, not a place"},
	{"data:text/html,x", "data: is content of the page's own making"},
	{"itms-services://?action=download-manifest", "itms-services: installs apps from any server"},
	{"jar:file:///x!/y", "jar: opens archives"},
	{"android-app://x/y", "android-app: starts any app by its package"},
	{"package:x", "package: opens installing and removing of apps"},
}

func checkIntentDangerous(r *run) {
	r.each(func(e *entry) {
		if e.text == "*" || len(r.anyScheme(e)) > 0 {
			return
		}
		for _, each := range dangerous {
			scheme, _, _ := strings.Cut(each.url, ":")
			readings := covering(r.all(), e, each.url)
			if len(readings) > 0 || e.scheme == scheme {
				r.report(r.at(e.element), []option{on(readings)}, "%s %s: %s", e.attr.Name, quote(e.text), each.what)
				return
			}
		}
	}, forIntent, forExternal)
}

func checkCleartextOrigin(r *run) {
	isSecure := r.listedAlike()
	r.each(func(e *entry) {
		cleartext := e.scheme == "http" || e.scheme == "ws" || e.scheme == "*"
		if !cleartext || !e.web() || e.anyHost() || developmentHost(e.host) != "" {
			return
		}
		readings := covering(r.all(), e, e.sampleOf(e.schemeCleartext()))
		options := []option{on(readings)}
		if e.scheme != "*" && isSecure(e, e.scheme+"s") {
			options = append(options,
				r.fixed("remove the cleartext entry, the encrypted one stays", r.project.Config.Removal(e.element)))
		}
		r.report(r.at(e.element), options,
			"%s %s lets the app talk to %s unencrypted", e.attr.Name, quote(e.text), e.host)
	}, forAccess, forNavigation)
}

// listedAlike returns a function that says whether some entry differs from another
// one in nothing but its scheme. It looks at the list when it is first asked: most
// files never ask.
func (r *run) listedAlike() func(e *entry, scheme string) bool {
	type key struct {
		role                                        role
		scope, scheme, host, port, path, subdomains string
	}
	keyOf := func(e *entry, scheme string) key {
		return key{e.role, e.scope, scheme, e.host, e.port, e.path, e.element.Value("subdomains")}
	}
	var listed map[key]bool
	return func(e *entry, scheme string) bool {
		if listed == nil {
			listed = make(map[key]bool)
			r.each(func(e *entry) { listed[keyOf(e, e.scheme)] = true }, forAccess, forNavigation)
		}
		return listed[keyOf(e, scheme)]
	}
}

func (e *entry) schemeCleartext() string {
	if e.scheme == "ws" {
		return "ws"
	}
	return "http"
}

func checkPublicSuffix(r *run) { r.suffixes(publicsuffix.Registry) }

func checkSharedHosting(r *run) { r.suffixes(publicsuffix.Hosting) }

func (r *run) suffixes(kind publicsuffix.Kind) {
	r.each(func(e *entry) {
		if !e.web() || !e.below() || publicsuffix.IsSuffix(e.base()) != kind {
			return
		}
		stranger := *e
		stranger.host = "stranger." + e.base()
		readings, w := shown(r.all(), e, stranger.sample(), stranger.sampleOf(e.schemeOr("http")))
		if w == nil {
			return
		}
		who := "whoever registers it"
		if kind == publicsuffix.Hosting {
			who = "whichever customer it belongs to"
		}
		r.report(r.at(e.element), []option{on(readings), witnessed(w)},
			"%s %s covers every name below %s, %s", e.attr.Name, quote(e.text), e.base(), who)
	}, forAccess, forExternal, forNavigation)
}

func samplePath(e *entry) string {
	if e.path == "" {
		return "/"
	}
	return strings.ReplaceAll(e.path, "*", "x")
}

func checkIPLiteral(r *run) {
	r.each(func(e *entry) {
		if !e.web() || developmentHost(e.host) != "" {
			return
		}
		_, canonical := e.address()
		if !canonical && !numericHost(e.host) {
			return
		}
		r.report(r.at(e.element), nil, "%s %s names an address instead of a host", e.attr.Name, quote(e.text))
	}, forAccess, forExternal, forNavigation)
}

// numericHost reports whether a browser reads the host as an IPv4 address in
// an unusual spelling (WHATWG URL, "ends in a number").
func numericHost(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// developmentHost says what kind of development host a name is, or "".
func developmentHost(host string) string {
	host = strings.TrimPrefix(host, "*.")
	n, err := hostname.Parse(host)
	if err == nil {
		host = n.String()
	}
	if n.IsLoopback() {
		return "this device"
	}
	if a := n.Addr(); a.IsValid() {
		switch {
		case a.IsUnspecified():
			return "this device"
		case a.IsPrivate() || a.IsLinkLocalUnicast():
			return "a private network"
		}
		return ""
	}
	for _, suffix := range []string{".local", ".lan", ".home.arpa", ".internal"} {
		if strings.HasSuffix(host, suffix) {
			return "a private network"
		}
	}
	for _, suffix := range []string{"ngrok.io", "ngrok.app", "ngrok-free.app", "ngrok-free.dev", "localtunnel.me",
		"loca.lt", "serveo.net", "trycloudflare.com"} {
		if host == suffix || strings.HasSuffix(host, "."+suffix) {
			return "a tunnel to somebody's machine"
		}
	}
	return ""
}

func checkDevelopmentHost(r *run) {
	r.each(func(e *entry) {
		if !e.web() || e.role == forContent && e.scheme == "" || r.isAppOrigin(e) {
			return
		}
		if what := developmentHost(e.host); what != "" {
			r.report(r.at(e.element), nil, "%s %s names %s", e.attr.Name, quote(e.text), what)
		}
	}, forAccess, forNavigation, forContent)
}

// isAppOrigin reports whether an entry names the app's own origin: that of a
// target, or what a version of the platform or of the plugin that serves the pages
// has without preferences. No other app can serve https://localhost.
func (r *run) isAppOrigin(e *entry) bool {
	local := e.host == "localhost"
	if local && e.scheme == "https" && e.port == "" {
		return true
	}
	for _, rd := range r.targets {
		if own := &rd.own; local && own.Plugin != nil ||
			e.host != "" && e.host == strings.ToLower(own.Host) && e.scheme == own.Scheme && e.port == "" {
			return true
		}
	}
	return false
}

func checkUserinfo(r *run) {
	r.each(func(e *entry) {
		if !e.web() || e.user == "" {
			return
		}
		if strings.Contains(e.user, ":") {
			r.report(r.atValue(e.element, *e.attr), []option{secret},
				"the %s of <%s> holds a user name and a password", e.attr.Name, e.element.Name)
			return
		}
		r.report(r.at(e.element), nil, "%s %s holds a user name", e.attr.Name, quote(e.text))
	}, forAccess, forExternal, forNavigation, forIntent, forContent)
}

func checkMixedScript(r *run) {
	r.each(func(e *entry) {
		if !e.web() {
			return
		}
		if label, scripts := mixedScripts(e.host); label != "" {
			r.report(r.at(e.element), nil,
				"the label %s of %s mixes %s letters", quote(label), quote(e.text), wording.Join(scripts))
		}
	}, forAccess, forExternal, forNavigation, forIntent, forContent)
}

func checkLookalike(r *run) {
	r.each(func(e *entry) {
		if !e.web() {
			return
		}
		if label, reads := lookalike(e.host); label != "" {
			r.report(r.at(e.element), nil,
				"the label %s of %s reads like %s but is another name", quote(label), quote(e.text), quote(reads))
		}
	}, forAccess, forExternal, forNavigation, forIntent, forContent)
}

// remote reports whether an entry names a web host that is not the app's own.
func (r *run) remote(e *entry) bool {
	return (e.scheme == "http" || e.scheme == "https") && e.host != "" && !r.isAppOrigin(e) &&
		developmentHost(e.host) == ""
}

func checkRemoteStart(r *run) {
	r.each(func(e *entry) {
		if !r.remote(e) {
			return
		}
		how := ""
		if e.scheme == "http" {
			how = ", unencrypted"
		}
		r.report(r.at(e.element), nil, "the app starts on a page that %s serves%s", e.host, how)
	}, forContent)
}

func checkRemoteNavigation(r *run) {
	callable := r.pluginSummary()
	if callable == "" {
		return
	}
	checkRemoteMasks(r, callable)
	r.each(func(e *entry) {
		if e.opaque || e.host == "" || e.anyHost() || len(r.anyWebsite(e)) > 0 || developmentHost(e.host) != "" ||
			!e.web() {
			return
		}
		readings, w := shown(r.targets, e, e.sample())
		if w == nil {
			return
		}
		r.report(r.at(e.element), []option{on(readings), witnessed(w)},
			"pages of %s open inside the app and may call its %s", e.host, callable)
	}, forNavigation)
}
