package lint

import (
	"slices"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// capacitorReadings are the configuration of Capacitor as the project's targets
// read it, or as its current versions do where the project names none.
func (r *run) capacitorReadings() []*reading {
	if !r.readCapacitor {
		r.readCapacitor, r.ofCapacitor = true, r.compileCapacitor()
	}
	return r.ofCapacitor
}

func (r *run) compileCapacitor() []*reading {
	doc := r.capacitorDocument()
	if doc == nil {
		return nil
	}
	var targets []policy.Target
	for _, t := range r.project.Targets {
		if isCapacitor(t) {
			targets = append(targets, t)
		}
	}
	if targets == nil {
		targets = []policy.Target{{Platform: "capacitor-android"}, {Platform: "capacitor-ios"}}
	}
	var list []*reading
	for _, t := range targets {
		if compiled, err := dialect.Compile(doc, t); err == nil { // a target that is not known is an error elsewhere
			list = append(list, &reading{target: compiled.Target(), policy: compiled,
				own: dialect.OwnOrigin(doc, compiled.Target())})
		}
	}
	return list
}

func isCapacitor(t policy.Target) bool { return strings.HasPrefix(t.Platform, "capacitor-") }

// capacitorDocument is the document of what ships, nil in a project without
// Capacitor, or with a configuration that cannot be read.
func (r *run) capacitorDocument() *configxml.Document {
	doc := r.project.Ships()
	if doc != nil && doc.Capacitor() != nil {
		return doc
	}
	f := &r.project.Capacitor
	if len(f.Data) == 0 {
		return nil
	}
	config, err := capacitor.Read(f.Name, f.Data)
	if err != nil {
		return nil
	}
	return configxml.Effective(f.Name, doc, configxml.Additions{Capacitor: config})
}

// checkBridgeOpen finds the values that open the bridge to everyone: those by
// which a page that nobody names may call from a frame.
func checkBridgeOpen(r *run) {
	var found []*policy.Rule
	where := map[*policy.Rule][]*reading{}
	for _, rd := range r.capacitorReadings() {
		d := rd.policy.Decide(policy.Request{URL: webProbes[0], Kind: policy.BridgeFrame})
		if d.Verdict != policy.Allow || d.Rule == nil || d.Rule.Implicit() {
			continue
		}
		rule := d.Rule
		at := slices.IndexFunc(found, func(known *policy.Rule) bool { return known.Place == rule.Place })
		if at < 0 {
			at = len(found)
			found = append(found, rule)
		}
		where[found[at]] = append(where[found[at]], rd)
	}
	for _, rule := range found {
		why := "is not a rule of origins, so that the bridge stands in every frame of every page"
		repair := func(*Finding) {}
		switch {
		case strings.HasSuffix(rule.Element, "useLegacyBridge"):
			why = "puts the bridge into every frame of every page"
			repair = r.writesFalse(rule.Place)
		case rule.Element == "allowNavigation" && strings.HasPrefix(rule.Text, "http") &&
			!strings.Contains(rule.Text, "://"):
			why = "begins with http and is taken for an address, which it is not, so that the bridge stands in " +
				"every frame of every page"
		}
		shown := where[rule][0].verdict(webProbes[0], policy.Allow, policy.BridgeFrame)
		r.report(rule.Place, []option{on(where[rule]), witnessed(shown), repair}, "%s %s %s, such as %s",
			rule.Element, quote(rule.Text), why, webProbes[0])
	}
	checkBridgeUnasked(r)
	checkBridgeAnywhere(r)
}

// checkBridgeUnasked finds the versions of Capacitor for Android that give every
// frame the bridge, whatever is written. On iOS every version does: there is none to
// turn to, and bridge-frame-remote says what comes of it.
func checkBridgeUnasked(r *run) {
	var old []*reading
	for _, rd := range r.capacitorReadings() {
		d := rd.policy.Decide(policy.Request{URL: webProbes[0], Kind: policy.BridgeFrame})
		if rd.target.Platform == "capacitor-android" && d.Verdict == policy.Allow && d.Reason == policy.NeverAsked {
			old = append(old, rd)
		}
	}
	if len(old) == 0 {
		return
	}
	shown := Witness{URL: webProbes[0], Kind: policy.BridgeFrame, Target: old[0].target, Verdict: policy.Allow,
		Unasked: true}
	r.report(r.capacitorNamed("@capacitor/android"), []option{on(old), witnessed(&shown)},
		"%s puts the bridge into every frame of every page, such as %s, and no setting narrows it", names(old),
		webProbes[0])
}

// checkBridgeAnywhere finds the versions that take a page for the app's own whose
// address has the app's in it anywhere, where such a page may call native code.
func checkBridgeAnywhere(r *run) {
	for _, rd := range r.capacitorReadings() {
		w := Witness{URL: webProbes[0] + "?" + rd.own.Prefix(), Kind: policy.Bridge, Target: rd.target,
			Verdict: policy.Allow}
		opens := rd.policy.Decide(policy.Request{URL: w.URL, Kind: policy.Navigation})
		if opens.Verdict != policy.Allow || opens.Reason != policy.BuiltIn ||
			rd.policy.Decide(w.Request()).Verdict != policy.Allow {
			continue
		}
		name := "@" + strings.Replace(rd.target.Platform, "-", "/", 1)
		r.report(r.capacitorNamed(name), []option{on([]*reading{rd}), witnessed(&w)},
			"a page with %s anywhere in its address opens inside on %s and may call native code, such as %s",
			strings.TrimSuffix(rd.own.Prefix(), "/"), rd.target, w.URL)
	}
}

// capacitorNamed is the place where package.json names a package of Capacitor, or
// that where the configuration begins.
func (r *run) capacitorNamed(name string) policy.Place {
	if at, is := r.project.Dependency(name); is {
		return at
	}
	return r.capacitorStart()
}

// checkBridgeFrame finds the frames of other hosts in the app's own pages whose pages
// may call native code, because the platform does not ask who calls, or asks a list
// that has the host.
func checkBridgeFrame(r *run) {
	var list []usedURL
	calling := map[usedURL][]*reading{}
	for _, u := range r.usedURLs {
		if u.kind != policy.Frame || developmentHost(hostOf(u.url)) == "this device" || !r.frameLoads(u) {
			continue
		}
		var calls []*reading
		for _, rd := range r.shipped() {
			loaded := rd.policy.Decide(policy.Request{URL: u.url, Kind: policy.Frame})
			called := rd.policy.Decide(policy.Request{URL: u.url, Kind: policy.BridgeFrame})
			if loaded.Verdict != policy.Block && loaded.Verdict != policy.Launch && called.Verdict == policy.Allow &&
				!rd.own.RefusesRequest(u.url, policy.Frame) {
				calls = append(calls, rd)
			}
		}
		if len(calls) > 0 {
			list, calling[u] = append(list, u), calls
		}
	}
	// Another address of the host may be refused where this one is not.
	for _, g := range grouped(list, func(u usedURL) string {
		return u.file.Name + "\x00" + hostOf(u.url) + "\x00" + names(calling[u])
	}) {
		targets := calling[g.first]
		r.report(r.placeIn(g.first.file, g.first.span), []option{on(targets)},
			"the page of %s in this frame may call native code on %s%s", hostOf(g.first.url), names(targets), g.more())
	}
}

// frameLoads reports whether the page's own policy lets a frame of it load.
func (r *run) frameLoads(u usedURL) bool {
	for i := range r.project.Pages {
		if page := &r.project.Pages[i]; page.Name == u.file.Name {
			p := readCSP(page)
			return p.allows("frame-src", u.url)
		}
	}
	return true
}

// checkBridgeRemote finds the entries of allowNavigation whose pages may call
// native code, where remote-navigation-with-plugins does not name them already.
func checkBridgeRemote(r *run) {
	named := r.pluginSummary() != ""
	r.eachMask(func(mask capacitor.Text, opens, called []*reading, url string) {
		if len(called) > 0 && !(named && len(opens) > 0) {
			r.report(mask.Place, []option{on(called)}, "pages of %s may call native code%s", url,
				map[bool]string{true: "", false: ", although no link opens them inside"}[len(opens) > 0])
		}
	})
}

// checkRemoteMasks is remote-navigation-with-plugins for a Capacitor app.
func checkRemoteMasks(r *run, callable string) {
	r.eachMask(func(mask capacitor.Text, opens, called []*reading, url string) {
		if len(opens) > 0 {
			shown := opens[0].verdict(url, policy.Allow, policy.Bridge)
			r.report(mask.Place, []option{on(opens), witnessed(shown)},
				"pages such as %s open inside the app and may call its %s", url, callable)
		}
	})
}

// eachMask visits the entries of allowNavigation that name a remote host, with the
// readings by which a page of it may call native code (called), those of them in
// which a link opens it inside too (opens), and its address.
func (r *run) eachMask(visit func(mask capacitor.Text, opens, called []*reading, url string)) {
	doc := r.capacitorDocument()
	if doc == nil {
		return
	}
	readings := r.capacitorReadings()
	for _, mask := range doc.Capacitor().Server.AllowNavigation {
		url := maskWitness(mask.Value)
		if url == "" {
			continue
		}
		var opens, called []*reading
		for _, rd := range readings {
			opened := rd.policy.Decide(policy.Request{URL: url, Kind: policy.Navigation})
			inside := opened.Verdict == policy.Allow && opened.Rule != nil && opened.Rule.Place == mask.Place
			calls := rd.policy.Decide(policy.Request{URL: url, Kind: policy.Bridge})
			// Where nobody is asked, or everyone may, it is the navigation that lets it in.
			asked := calls.Reason == policy.Listed && calls.Rule.Place == mask.Place
			if calls.Verdict != policy.Allow || !asked && !inside {
				continue
			}
			called = append(called, rd)
			if inside {
				opens = append(opens, rd)
			}
		}
		visit(mask, opens, called, url)
	}
}

// maskWitness is the address of a page that an entry of allowNavigation means, ""
// for one that names every host or this device, or no host that there could be.
func maskWitness(mask string) string {
	origin := mask
	if !strings.HasPrefix(mask, "http://") && !strings.HasPrefix(mask, "https://") {
		origin = "https://" + mask
	}
	scheme, rest, _ := strings.Cut(origin, "://")
	named, _, _ := strings.Cut(rest, "/")
	labels := strings.Split(named, ".")
	if len(labels) < 2 || strings.Trim(named, "*.") == "" || developmentHost(strings.ToLower(named)) != "" {
		return ""
	}
	for i, label := range labels {
		if label == "*" {
			labels[i] = "a"
		}
	}
	site := strings.Join(labels, ".")
	if _, err := hostname.ParseAuthority(site); err != nil {
		return ""
	}
	return scheme + "://" + site + "/"
}
