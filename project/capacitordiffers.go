package project

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// maxEach is how many entries of a list are told that only one of two configurations has.
const maxEach = 20

// differing collects the differences of a copy of a Capacitor configuration.
type differing struct {
	doc          *configxml.Document // of what ships by the project's own
	ours, copied *capacitor.Config
	at           policy.Place // of what the copy does not have
	targets      []policy.Target
	list         []difference
}

// difference is one of a copy's, with the keys that it is about.
type difference struct {
	app.Difference
	keys []string
}

func (d *differing) add(key string, at policy.Place, wider bool, format string, args ...any) {
	if at.IsZero() {
		at = d.at
	}
	keys := []string{key}
	if key == "allowMixedContent" {
		keys = append(keys, "android."+key) // for which it stands in
	}
	d.list = append(
		d.list,
		difference{app.Difference{Place: at, Wider: wider, What: fmt.Sprintf(format, args...)}, keys},
	)
}

// compare lists what decides where an app of the platform goes, who may call its native
// code, and what is cleartext or open to a debugger.
func (d *differing) compare(android bool) []difference {
	type config = capacitor.Config
	d.masks()
	d.text("server.url", true, func(c *config) *capacitor.Text { return &c.Server.URL })
	d.text("server.hostname", false, func(c *config) *capacitor.Text { return &c.Server.Hostname })
	read := capacitor.Flag.OnIOS
	if android {
		read = capacitor.Flag.OnAndroid
		d.text("server.androidScheme", false, func(c *config) *capacitor.Text { return &c.Server.AndroidScheme })
	} else {
		d.text("server.iosScheme", false, func(c *config) *capacitor.Text { return &c.Server.IOSScheme })
	}
	for _, f := range []struct {
		key          string
		android, ios bool
		opens        bool // the value that opens more
		get          func(*config) *capacitor.Flag
	}{
		{"server.cleartext", true, false, true, func(c *config) *capacitor.Flag { return &c.Server.Cleartext }},
		{"allowMixedContent", true, false, true,
			func(c *config) *capacitor.Flag { return &c.Android.AllowMixedContent }},
		{"android.useLegacyBridge", true, false, true,
			func(c *config) *capacitor.Flag { return &c.Android.UseLegacyBridge }},
		{"android.webContentsDebuggingEnabled", true, false, true,
			func(c *config) *capacitor.Flag { return &c.Android.WebContentsDebugging }},
		{"ios.webContentsDebuggingEnabled", false, true, true,
			func(c *config) *capacitor.Flag { return &c.IOS.WebContentsDebugging }},
		{"ios.limitsNavigationsToAppBoundDomains", false, true, false,
			func(c *config) *capacitor.Flag { return &c.IOS.LimitsNavigations }},
		{"plugins.CapacitorHttp.enabled", true, true, true,
			func(c *config) *capacitor.Flag { return &c.Plugins.CapacitorHTTP }},
		{"plugins.CapacitorCookies.enabled", true, true, true,
			func(c *config) *capacitor.Flag { return &c.Plugins.CapacitorCookies }},
	} {
		if android && f.android || !android && f.ios {
			theirs := f.get(d.copied)
			if on := read(*theirs, false); on != read(*f.get(d.ours), false) {
				d.add(f.key, theirs.Place, on == f.opens, "%s is %t here", f.key, on)
			}
		}
	}
	d.origins()
	return d.list
}

// text compares a text; opens says that one that is there always opens more.
func (d *differing) text(key string, opens bool, get func(*capacitor.Config) *capacitor.Text) {
	ours, theirs := get(d.ours), get(d.copied)
	if ours.Written() == theirs.Written() && ours.Value == theirs.Value {
		return
	}
	changed := *d.ours
	*get(&changed) = *theirs
	wider := opens && theirs.Value != "" || d.opensMore(&changed)
	if theirs.Written() {
		d.add(key, theirs.Place, wider, "%s is %q here", key, theirs.Value)
	} else {
		d.add(key, theirs.Place, wider, "%s is not set here", key)
	}
}

// masks compares the hosts that open inside.
func (d *differing) masks() {
	const key = "server.allowNavigation"
	ours, theirs := d.ours.Server.AllowNavigation, d.copied.Server.AllowNavigation
	d.entries(key, ours, theirs, policy.Place{}, func(c *capacitor.Config, more ...capacitor.Text) {
		c.Server.AllowNavigation = append(ours[:len(ours):len(ours)], more...)
	})
}

// origins compares the origins that Cordova plugins ask for; without a list it is
// every one.
func (d *differing) origins() {
	const key = "cordova.accessOrigins"
	ours, theirs := d.ours.Cordova.AccessOrigins, d.copied.Cordova.AccessOrigins
	changed := *d.ours
	changed.Cordova.AccessOrigins = theirs
	switch {
	case ours == nil && theirs == nil:
	case theirs == nil:
		d.add(key, policy.Place{}, d.opensMore(&changed), "%s is not set here, which stands for every origin", key)
	case ours == nil:
		d.add(key, theirs.Place, d.opensMore(&changed), "%s is set here", key)
	default:
		d.entries(key, ours.Items, theirs.Items, theirs.Place, func(c *capacitor.Config, more ...capacitor.Text) {
			items := append(ours.Items[:len(ours.Items):len(ours.Items)], more...)
			c.Cordova.AccessOrigins = &capacitor.List{Items: items, Place: ours.Place}
		})
	}
}

// entries compares two lists, of which the first entries are told that only one has;
// with puts more into ours. What is not looked at counts as opening more.
func (d *differing) entries(key string, ours, theirs []capacitor.Text, at policy.Place,
	with func(c *capacitor.Config, more ...capacitor.Text)) {
	added, missing := without(theirs, ours), without(ours, theirs)
	for i, entry := range added {
		if i == maxEach {
			d.add(key, entry.Place, true, "%s has %d more entries here", key, len(added)-i)
			break
		}
		changed := *d.ours
		with(&changed, entry)
		d.add(key, entry.Place, d.opensMore(&changed, samples(entry.Value)...), "%s has %q here", key, entry.Value)
	}
	for i, entry := range missing {
		if i == maxEach {
			d.add(key, at, false, "%s has not %d more entries here", key, len(missing)-i)
			break
		}
		d.add(key, at, false, "%s has no %q here", key, entry.Value)
	}
}

// without returns the entries of a list that another one does not have, each once.
func without(list, other []capacitor.Text) []capacitor.Text {
	known := make(map[string]bool)
	for _, t := range other {
		known[t.Value] = true
	}
	var left []capacitor.Text
	for _, t := range list {
		if !known[t.Value] {
			known[t.Value] = true
			left = append(left, t)
		}
	}
	return left
}

// samples are addresses that an entry may cover.
func samples(entry string) []string {
	scheme, rest, found := strings.Cut(entry, "://")
	if !found {
		scheme, rest = "https", entry
	}
	host, path, _ := strings.Cut(rest, "/")
	if strings.Trim(host, "*.") == "" {
		host = "cordon-probe.invalid"
	}
	end := strings.NewReplacer("*", "cordon-probe").Replace(host + "/" + path)
	return []string{strings.ReplaceAll(scheme, "*", "https") + "://" + end, "http://" + end}
}

// opensMore asks the platform whether the app may reach with a configuration what it
// may not with ours: any address, or one of those that are given.
func (d *differing) opensMore(changed *capacitor.Config, urls ...string) bool {
	urls = append(urls, "https://cordon-probe.invalid/", "http://cordon-probe.invalid/")
	made := configxml.Effective(d.doc.Name(), d.doc, configxml.Additions{Capacitor: changed})
	for _, t := range d.targets {
		ours, err := dialect.Compile(d.doc, t)
		theirs, failed := dialect.Compile(made, t)
		if err != nil || failed != nil {
			return true
		}
		for _, kind := range policy.Kinds() {
			for _, url := range urls {
				request := policy.Request{URL: url, Kind: kind}
				then, now := ours.Decide(request).Verdict, theirs.Decide(request).Verdict
				if goes(now) && !goes(then) || then == policy.Block && now != then {
					return true
				}
			}
		}
	}
	return false
}

// goes reports whether a request goes through.
func goes(v policy.Verdict) bool { return v == policy.Allow || v == policy.Bypass }
