package dialect

import (
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// capacitorAndroid is what the versions of Capacitor for Android differ in
// (Bridge.launchIntent, CapConfig, MessageHandler and variables.gradle of 3.0.0 to
// 8.4.2).
type capacitorAndroid struct {
	// scheme is the own origin's where the configuration names none, and checked
	// says that schemes of the web view's own are refused as one.
	scheme  string
	checked bool
	own     capacitorOwn
	// endsHostless says that a link without a host ends the app with an exception.
	endsHostless bool
	// data and blob say that pages of these schemes open inside.
	data, blob bool
	// listener says that the bridge listens to origins, and legacy that a setting
	// switches that off.
	listener, legacy bool
	// http says that CapacitorHttp is built in.
	http bool
	// cordova is the cordova-android that Cordova plugins run on.
	cordova policy.Version
}

// capacitorOwn is how the app's own pages are told from others.
type capacitorOwn uint8

const (
	ownContained capacitorOwn = iota // a URL that holds the app's anywhere
	ownPrefix                        // a URL that begins as the app's does
	ownOrigin                        // scheme and host are the app's
)

func capacitorAndroidOf(version policy.Version) capacitorAndroid {
	at := version.AtLeast
	c := capacitorAndroid{
		scheme: "http", checked: at(4, 0, 0),
		endsHostless: at(4, 7, 2) && !at(4, 8, 0),
		data:         at(5, 0, 0), blob: at(5, 7, 7) && !at(6, 0, 0) || at(6, 1, 1),
		listener: at(4, 0, 0), legacy: at(4, 5, 0),
		http:    at(4, 3, 0),
		cordova: v(7, 0, 0),
	}
	switch {
	case at(4, 7, 2):
		c.own = ownOrigin
	case at(4, 3, 0):
		c.own = ownPrefix
	}
	if at(6, 0, 0) {
		c.scheme = "https"
	}
	switch {
	case at(8, 0, 0):
		c.cordova = v(14, 0, 1)
	case at(4, 0, 0):
		c.cordova = v(10, 1, 1)
	}
	return c
}

// compileCapacitorAndroid reads a document as Capacitor for Android does.
func compileCapacitorAndroid(doc *configxml.Document, t policy.Target) (policy.Spec, error) {
	r := newCapacitorReader(doc, t)
	version := capacitorAndroidOf(t.Version)
	uri := androidURI29
	if olderThan(t.OS, v(9, 0, 0)) {
		uri = androidURI19
	}
	r.navigations(capacitorMask)
	pages := capacitorAndroidOwn(doc, t)
	origin := pages.Scheme + "://" + pages.Host
	own := r.androidOwn(&version, uri, pages.Scheme, origin)
	r.strict = r.strictSteps(own)

	var navigation []policy.Step
	if version.endsHostless {
		named := everyURL()
		named.Host = pattern.Present()
		navigation = append(navigation, builtIn(policy.Block, policy.Among(named).Not()))
	}
	if version.data {
		schemes := []string{"data"}
		if version.blob {
			schemes = append(schemes, "blob")
		}
		navigation = append(navigation, builtIn(policy.Allow, schemeIs(schemes...)))
	}
	navigation = append(navigation, builtIn(policy.Allow, own), r.listedInside(),
		otherwise(policy.Launch, policy.HandedOver))

	requests := r.androidRequests(&version, pages.Scheme)
	spec := r.programs(navigation, requests, nil)
	r.androidBridge(&spec, &version, uri, origin)
	r.androidPlugin(&spec, &version, uri)
	if version.http && r.config.Plugins.CapacitorHTTP.OnAndroid(false) {
		// Native code asks for what fetch and XMLHttpRequest would ask for.
		spec.Programs[policy.XHR] = policy.Program{Steps: neverAsked(), Strict: r.strict}
	}
	spec.Split = uri.split
	return spec, nil
}

// androidScheme is the scheme of the app's own origin (CapConfig.validateScheme).
func (r *capacitorReader) androidScheme(version *capacitorAndroid) string {
	scheme := r.config.Server.AndroidScheme.Or(version.scheme)
	if version.checked {
		switch scheme {
		case "file", "ftp", "ftps", "ws", "wss", "about", "blob", "data":
			return version.scheme
		}
	}
	return scheme
}

// androidOwn is the test for the app's own pages.
func (r *capacitorReader) androidOwn(version *capacitorAndroid, uri androidURI, scheme, origin string) policy.Test {
	start := origin
	if scheme != "http" && scheme != "https" {
		start += "/"
	}
	named := r.config.Server.URL
	if named.Written() {
		start = named.Value
	}
	p := everyURL()
	switch version.own {
	case ownContained:
		p = containing(start)
	case ownPrefix:
		p = uri.startsWith(start)
	case ownOrigin:
		u := uri.split(start)
		p.Scheme, p.Host = pattern.Exactly(u.Scheme), pattern.Exactly(u.Host)
	}
	if named.Written() {
		r.setting("server.url", named.Value, named.Place, p)
	}
	return policy.Among(p)
}

// androidRequests is what the web view does with its requests. Capacitor asks no
// list about them; pages of https may not load what is not encrypted, unless
// mixed content is allowed, and whether every page of the app is one of https is
// known only where no other pages open inside.
func (r *capacitorReader) androidRequests(version *capacitorAndroid, scheme string) []policy.Step {
	c := r.config
	if scheme != "https" || version.own == ownContained || c.Android.AllowMixedContent.OnAndroid(false) ||
		c.Server.URL.Written() || len(c.Server.AllowNavigation) > 0 {
		return neverAsked()
	}
	return append([]policy.Step{builtIn(policy.Block, mixedContent()...)}, neverAsked()...)
}

// mixedContent are the tests for what a page of https may not load: http and ws,
// unless the host is this device's own. Only plain names are told from that;
// numbers may be written in many ways.
func mixedContent() []policy.Test {
	plain := everyURL()
	plain.Scheme = pattern.OneOf(pattern.Exactly("http").Fold(), pattern.Exactly("ws").Fold())
	plain.Host = mustExpression(`(?i)\A(?:[a-z0-9_-]+\.)*[a-z_-][a-z0-9_-]*\.?\z`)
	device := everyURL()
	device.Host = mustExpression(`(?i)localhost\.?\z`)
	return []policy.Test{policy.Among(plain), policy.Among(device).Not()}
}

// androidPlugin is what a Cordova plugin inside the app is told: the list of
// requests of the config.xml that the command line writes, with "*" where the
// configuration names no origins [cli/src/cordova.ts].
func (r *capacitorReader) androidPlugin(spec *policy.Spec, version *capacitorAndroid, uri androidURI) {
	a := &androidReader{
		doc: r.doc, platform: r.target.Platform, version: version.cordova, uri: uri, grammar: &androidV2,
	}
	added := r.doc.Added(r.target.Platform)
	listens := version.cordova.AtLeast(10, 0, 0)
	for _, e := range added {
		listens = listens || e.Name == "plugin" && e.Value("name") == "cordova-plugin-whitelist"
	}
	if listens {
		access := &configxml.Element{Name: "access"}
		if origins := r.config.Cordova.AccessOrigins; origins == nil {
			a.addWeb(androidRequests, policy.Rule{Text: "*", Purpose: policy.ForRequest}, access)
		} else {
			for _, o := range origins.Items {
				rule := policy.Rule{
					Element: "accessOrigins", Text: o.Value, Purpose: policy.ForRequest, Place: o.Place,
				}
				if o.Value == "*" {
					a.addWeb(androidRequests, rule, access)
				} else {
					a.add(androidRequests, rule, access)
				}
			}
		}
		for _, e := range added {
			a.readPurposes(e)
		}
	}
	steps := r.adopt(a)
	spec.Rules = r.rules
	spec.Programs[policy.Plugin] = policy.Program{Steps: steps}
}

// adopt takes over the rules and lists of a Cordova reader, and returns its
// order of decision for requests.
func (r *capacitorReader) adopt(a *androidReader) []policy.Step {
	first := len(r.rules)
	r.rules = append(r.rules, a.rules...)
	steps := a.requestSteps()
	var list policy.List
	for _, n := range []int{androidNavigations, androidRequests} {
		for _, entry := range a.lists[n] {
			entry.Rule += first
			list = append(list, entry)
		}
	}
	r.lists[capacitorRequests] = list
	listed := policy.Step{When: []policy.Test{policy.InList(capacitorRequests)}, Then: policy.Allow,
		Reason: policy.Listed}
	return append([]policy.Step{listed}, steps[2:]...) // the first two ask the reader's own lists
}
