package dialect

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// androidBridge decides who may call native code on Android [MessageHandler.java,
// Bridge.setAllowedOriginRules 3.0.0 - 8.4.2].
//
// Before 4 the object androidBridge stands in every frame of every page. From 4 on
// it listens to the main frame of a set of origins: the app's own, server.url, and
// each entry of server.allowNavigation, with https:// before it unless it begins
// with http. One of them that is no rule of origins makes the call fail, and then
// the object is put into every frame after all; so does useLegacyBridge from 4.5
// on, and a web view that is too old to listen.
func (r *capacitorReader) androidBridge(spec *policy.Spec, version *capacitorAndroid, uri androidURI, own string) {
	opened := -1 // the rule that opens the bridge to everyone
	enter := func(n int, origin string) {
		patterns, valid := webOrigins(origin)
		if !valid && opened < 0 {
			opened = n
		}
		r.enter(capacitorOrigins, n, patterns...)
	}
	c := r.config
	for i := range r.rules { // they are those of the configuration so far
		switch rule := &r.rules[i]; rule.Element {
		case "allowNavigation":
			origin := rule.Text
			if !strings.HasPrefix(origin, "http") {
				origin = "https://" + origin
			}
			enter(i, origin)
		case "server.url":
			enter(i, rule.Text)
		}
	}
	n := r.setting("server.androidScheme", own, c.Server.AndroidScheme.Place)
	if r.rules[n].Implicit() {
		r.rules[n].Element = ""
	}
	enter(n, own)
	if flag := c.Android.UseLegacyBridge; version.legacy && flag.OnAndroid(false) {
		opened = r.setting("android.useLegacyBridge", "true", flag.Place)
	}
	spec.Rules, spec.Lists = r.rules, r.lists[:]
	if !version.listener {
		every := everyPage(spec.Programs[policy.Navigation].Steps)
		setBridge(spec, every, every)
		return
	}
	listens := []policy.Step{
		builtIn(policy.Allow, uri.startsWithAny("blob:"+own+"/")),
		{When: []policy.Test{policy.InList(capacitorOrigins)}, Then: policy.Allow, Reason: policy.Listed},
	}
	if opened >= 0 {
		all := everything()
		r.lists[capacitorOrigins] = policy.List{{Pattern: &all, Rule: opened}}
		every := policy.Program{Steps: []policy.Step{
			{When: []policy.Test{policy.InList(capacitorOrigins)}, Then: policy.Allow, Reason: policy.Unlimited},
		}}
		setBridge(spec, every, every)
		return
	}
	setBridge(spec, policy.Program{Steps: listens},
		policy.Program{Steps: []policy.Step{otherwise(policy.Block, policy.BuiltIn)}})
}
