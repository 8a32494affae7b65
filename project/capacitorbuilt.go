package project

import (
	"fmt"
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// capacitorBuilt compares the copies of Capacitor's configuration that the platforms
// ship with the configuration: cap copy writes it as it is.
func (r *reader) capacitorBuilt() {
	p := r.project
	doc := p.Ships()
	if p.Effective == nil || doc.Capacitor() == nil || !slices.Contains(capacitorNames, p.Capacitor.Name) {
		return
	}
	for _, c := range r.copies() {
		if c.platform == "" || !r.readable(c.name) {
			continue
		}
		file := r.manifest(c.name)
		copied, err := capacitor.Read(file.Name, file.Data)
		if err != nil {
			r.cannot(file.Name, err.Error(), "")
			continue
		}
		d := &differing{at: file.Place(0, 0)}
		d.compare(doc.Capacitor(), copied, c.platform == "android")
		if len(p.Switched) > 0 { // the build chose, and what opens more is judged
			d.list = slices.DeleteFunc(d.list, func(x app.Difference) bool { return !x.Wider })
		}
		if len(d.list) > 0 {
			flavour := c.platform == "android" && c.name != r.inPlatform(androidCopy)
			p.Copies = append(p.Copies, app.Copy{File: file, Differences: d.list, Flavour: flavour})
			r.doubtCopy(&p.Copies[len(p.Copies)-1], "capacitor-"+c.platform)
		}
	}
}

// doubtCopy notes what a copy says otherwise: an app that is built now has the copy,
// and one that is built after the next cap copy has not.
func (r *reader) doubtCopy(c *app.Copy, platform string) {
	p := r.project
	var unknowns []configxml.Unknown
	for _, d := range c.Differences {
		unknowns = append(unknowns, configxml.Unknown{Place: d.Place, Platform: platform,
			What: fmt.Sprintf("%s, and not in %s: %s", d.What, p.Capacitor.Name, c.Counts())})
	}
	p.Effective = configxml.Effective(p.Effective.Name(), p.Effective, configxml.Additions{Unknown: unknowns})
}

// differing collects the differences of a copy.
type differing struct {
	at   policy.Place // of what the copy does not have
	list []app.Difference
}

func (d *differing) add(at policy.Place, wider bool, format string, args ...any) {
	if at.IsZero() {
		at = d.at
	}
	d.list = append(d.list, app.Difference{Place: at, Wider: wider, What: fmt.Sprintf(format, args...)})
}

func (d *differing) compare(ours, copied *capacitor.Config, android bool) {
	d.masks(ours.Server.AllowNavigation, copied.Server.AllowNavigation)
	d.text("server.url", ours.Server.URL, copied.Server.URL, copied.Server.URL.Value != "")
	d.text("server.hostname", ours.Server.Hostname, copied.Server.Hostname, false)
	if android {
		d.text("server.androidScheme", ours.Server.AndroidScheme, copied.Server.AndroidScheme, false)
		d.flag("server.cleartext", ours.Server.Cleartext, copied.Server.Cleartext, true, true)
		d.flag("allowMixedContent", ours.Android.AllowMixedContent, copied.Android.AllowMixedContent, true, true)
		d.flag("android.useLegacyBridge", ours.Android.UseLegacyBridge, copied.Android.UseLegacyBridge, true, true)
	} else {
		d.text("server.iosScheme", ours.Server.IOSScheme, copied.Server.IOSScheme, false)
		d.flag("ios.limitsNavigationsToAppBoundDomains", ours.IOS.LimitsNavigations, copied.IOS.LimitsNavigations,
			false, false)
	}
	d.origins(ours.Cordova.AccessOrigins, copied.Cordova.AccessOrigins)
}

// masks compares the hosts that open inside.
func (d *differing) masks(ours, copied []capacitor.Text) {
	for _, mask := range copied {
		if !has(ours, mask.Value) {
			d.add(mask.Place, !has(ours, "*"), "server.allowNavigation has %q here", mask.Value)
		}
	}
	for _, mask := range ours {
		if !has(copied, mask.Value) {
			d.add(policy.Place{}, false, "server.allowNavigation has no %q here", mask.Value)
		}
	}
}

func has(list []capacitor.Text, value string) bool {
	return slices.ContainsFunc(list, func(t capacitor.Text) bool { return t.Value == value })
}

func (d *differing) text(key string, ours, copied capacitor.Text, wider bool) {
	switch {
	case ours.Written() == copied.Written() && ours.Value == copied.Value:
	case copied.Written():
		d.add(copied.Place, wider, "%s is %q here", key, copied.Value)
	default:
		d.add(copied.Place, false, "%s is not set here", key)
	}
}

// flag compares a flag whose value opens is the one that opens more.
func (d *differing) flag(key string, ours, copied capacitor.Flag, android, opens bool) {
	read := capacitor.Flag.OnIOS
	if android {
		read = capacitor.Flag.OnAndroid
	}
	if mine, theirs := read(ours, false), read(copied, false); mine != theirs {
		d.add(copied.Place, theirs == opens, "%s is %t here", key, theirs)
	}
}

// origins compares the origins that Cordova plugins ask for; without a list it is
// every one.
func (d *differing) origins(ours, copied *capacitor.List) {
	switch {
	case ours == nil && copied == nil:
	case copied == nil:
		d.add(policy.Place{}, true, "cordova.accessOrigins is not set here, which stands for every origin")
	case ours == nil:
		d.add(copied.Place, false, "cordova.accessOrigins is set here")
	default:
		for _, origin := range copied.Items {
			if !has(ours.Items, origin.Value) {
				d.add(origin.Place, !has(ours.Items, "*"), "cordova.accessOrigins has %q here", origin.Value)
			}
		}
		for _, origin := range ours.Items {
			if !has(copied.Items, origin.Value) {
				d.add(copied.Place, false, "cordova.accessOrigins has no %q here", origin.Value)
			}
		}
	}
}
