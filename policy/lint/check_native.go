package lint

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/native"
)

var noNative = &native.Set{}

// native returns what the project says about its native files.
func (r *run) native() *native.Set {
	if r.project.Native == nil {
		return noNative
	}
	return r.project.Native
}

// told reports what a fragment says about a subject. What tools write from other
// places, they are told about once: a generated file is passed over where a source
// said the same, and sources come first.
func (r *run) told(f *native.Fragment, subject string, at policy.Place, options []option, format string, args ...any) {
	if f.Generated && r.said[r.rule.ID+" "+subject] || f.Generated && r.said[subject] {
		return
	}
	r.known(r.rule.ID + " " + subject)
	r.report(at, options, format, args...)
}

// known notes that a generated file need not say something again.
func (r *run) known(subject string) {
	if r.said == nil {
		r.said = make(map[string]bool)
	}
	r.said[subject] = true
}

// inConfig attaches a fix to a finding about a fragment that stands in config.xml.
func (r *run) inConfig(f *native.Fragment, summary string, edits ...configxml.Edit) []option {
	if r.project.Config == nil || f.Document == nil || f.Document.Name() != r.project.Config.Name() {
		return nil
	}
	return []option{r.fixed(summary, edits...)}
}

const application = "/manifest/application"

// applications calls visit for each statement about <application>: the element
// itself, and whatever element an edit-config for it holds, since the tools give
// the target the attributes of each.
func (r *run) applications(attribute string, visit func(native.Statement, native.Attribute)) {
	for _, st := range r.native().At(application) {
		a, ok := st.Attribute(attribute)
		if ok && (st.Merged || st.Written == "application" || st.Written == "") {
			visit(st, a)
		}
	}
}

// manifest returns a check for a boolean attribute of <application> that must
// not be true.
func manifest(attribute string, message func(*run) string) func(*run) {
	return func(r *run) {
		r.applications(attribute, func(st native.Statement, a native.Attribute) {
			if g, on := a.Can(true); on {
				r.told(st.Fragment, attribute, a.Place, r.switchedOff(st, a), "%s%s%s", message(r), givenTo(st),
					g.Through(a.Value))
			}
		})
	}
}

// switchedOff is the fix for an attribute of <application> that must not be true.
// On another element, which only stands for it, the attribute goes.
func (r *run) switchedOff(st native.Statement, a native.Attribute) []option {
	if misnamed(st) {
		return r.inConfig(st.Fragment, "remove the attribute", st.Fragment.Document.RemoveAttr(a.Source))
	}
	return r.inConfig(st.Fragment, "set "+a.Name+" to false", a.Source.SetValue("false"))
}

// misnamed reports whether an edit-config for <application> holds another element.
func misnamed(st native.Statement) bool {
	return st.Path == application && st.Merged && st.Written != "application" && st.Written != ""
}

// givenTo says why the attributes of an element of another name count.
func givenTo(st native.Statement) string {
	if !misnamed(st) {
		return ""
	}
	return "; it is written on <" + st.Written + ">, but the tools give the target of this edit-config, " +
		"<application>, the attributes of whatever element stands here"
}

func manifestCleartext(r *run) string {
	if named, _ := r.namedConfigs(); len(named) > 0 {
		return "android:usesCleartextTraffic allows cleartext to every host on Android 6; from 7 on the network " +
			"security configuration counts"
	}
	return "android:usesCleartextTraffic allows cleartext to every host"
}

// ofApplication are the attributes that Android reads on <application> alone, with
// whether taking one away that is true takes something away from others.
var ofApplication = map[string]bool{
	"usesCleartextTraffic": true, "debuggable": true, "allowBackup": true,
	"networkSecurityConfig": false, "fullBackupContent": false, "dataExtractionRules": false,
}

func checkMisplacedAttribute(r *run) {
	for _, st := range r.native().Statements {
		for _, a := range st.Attributes {
			opens, known := ofApplication[a.Name]
			if !known || !a.Android && a.Source.Prefix != "" {
				continue
			}
			message := ""
			switch {
			case st.Path == application && (st.Merged || st.Written == "application"):
				if a.Android {
					continue
				}
				message = "without the prefix android: it does nothing"
			case st.Written == "application":
				message = "this one would stand at " + st.Path
			default:
				message = "on <" + st.Written + "> it does nothing"
			}
			var fix []option
			if _, on := a.Can(true); on && opens && st.Fragment.Carrier != native.CustomPreference {
				fix = r.inConfig(st.Fragment, "remove the attribute", st.Fragment.Document.RemoveAttr(a.Source))
			}
			r.told(st.Fragment, st.Written+a.Name, a.Place, fix, "Android reads android:%s on <application> only: %s",
				a.Name, message)
		}
	}
}

func checkExported(r *run) {
	for _, c := range r.native().Components() {
		if c.Guarded || c.Launcher || c.Linked && strings.HasPrefix(c.Kind, "activity") {
			continue
		}
		name := c.Value("name")
		a, said := c.Attribute("exported")
		switch g, on := a.Can(true); {
		case on:
			r.told(c.Fragment, name, a.Place, nil, "every app on the device can use the %s %s%s", c.Kind, quote(name),
				g.Through(a.Value))
		case said && a.Meaning.Unknown != "":
			r.told(c.Fragment, name, a.Place, nil, "every app on the device may be able to use the %s %s: "+
				"android:exported is %s, and %s", c.Kind, quote(name), quote(a.Value), a.Meaning.Unknown)
		case !said && c.Filtered && c.Kind != "provider":
			r.told(c.Fragment, name, c.Place, nil,
				"the %s %s has an intent filter and no android:exported: every app can use it, and for target SDK 31 "+
					"and later it does not build", c.Kind, quote(name))
		}
	}
}

func checkBackup(r *run) {
	for _, name := range []string{"fullBackupContent", "dataExtractionRules"} {
		limited := false
		r.applications(name, func(_ native.Statement, a native.Attribute) {
			_, all := a.Can(true)
			limited = limited || !all && a.Meaning.Unknown == ""
		})
		if limited {
			return
		}
	}
	const backed = "the app's data, its web storage and cookies included, %s without any rule%s%s"
	r.applications("allowBackup", func(st native.Statement, a native.Attribute) {
		if g, on := a.Can(true); on {
			r.told(st.Fragment, "backup", a.Place, r.switchedOff(st, a), backed, "is backed up", givenTo(st),
				g.Through(a.Value))
		} else if why := a.Meaning.Unknown; why != "" {
			r.told(st.Fragment, "backup", a.Place, nil, backed, "may be backed up", givenTo(st),
				": android:allowBackup is "+quote(a.Value)+", and "+why)
		}
	})
}

func checkCustomScheme(r *run) {
	for _, c := range r.native().Components() {
		for _, a := range c.Schemes {
			if c.Linked {
				r.claimed(c.Fragment, a.Value, a.Place, a.Texts(), a.Meaning.Unknown)
			}
		}
	}
	for _, e := range r.native().Key("CFBundleURLTypes") {
		for _, item := range e.Value.Items {
			if schemes := item.Get("CFBundleURLSchemes"); schemes != nil {
				for _, scheme := range schemes.Items {
					r.claimed(e.Fragment, scheme.AsWritten(), scheme.Place, scheme.Texts(), scheme.Meaning.Unknown)
				}
			}
		}
	}
}

// claimed tells of a scheme that the app claims: the texts that it may have, and why it
// may have another one.
func (r *run) claimed(f *native.Fragment, written string, at policy.Place, texts []native.Given, unknown string) {
	for _, g := range texts {
		if g.Text != "" && g.Text != "http" && g.Text != "https" {
			r.told(f, g.Text, at, nil, "every app and page can open %s, and other apps can claim the scheme too%s",
				quote(g.Text+":"), g.Through(written))
		}
	}
	if unknown != "" {
		r.told(f, written, at, nil, "every app and page can open the scheme that %s comes to, which is not known: %s",
			quote(written), unknown)
	}
}

// nativeUnknown reports the settings of native files whose value is not known: what
// their rules look for may be so in the app that ships.
func (r *run) nativeUnknown() {
	doubt := func(st native.Statement, a native.Attribute) {
		if why := a.Meaning.Unknown; why != "" {
			r.told(st.Fragment, a.Name, a.Place, nil, "android:%s is %s, and %s", a.Name, quote(a.Value), why)
		}
	}
	for _, name := range []string{"usesCleartextTraffic", "debuggable", "networkSecurityConfig"} {
		r.applications(name, doubt)
	}
	for _, st := range r.native().At("/manifest/uses-sdk") {
		if a, ok := st.Attribute("targetSdkVersion"); ok {
			doubt(st, a)
		}
	}
	r.configs(func(c *native.Config) {
		for _, p := range c.Unknown {
			r.told(c.Fragment, p.Msg, p.Place, nil, "%s", p.Msg)
		}
	})
	for _, t := range r.native().Transports() {
		for _, p := range t.Unknown {
			r.told(t.Fragment, p.Msg, p.Place, nil, "%s", p.Msg)
		}
	}
	for _, e := range r.native().Key("WKAppBoundDomains") {
		for _, item := range e.Value.Items {
			if why := item.Meaning.Unknown; why != "" {
				r.told(
					e.Fragment,
					item.Text,
					item.Place,
					nil,
					"an entry of WKAppBoundDomains is %s, and %s",
					item.Text,
					why,
				)
			}
		}
	}
}

// permits reports whether the list lets the app ask for a URL, on one of the
// platforms or by the strict reading, in any way.
func (r *run) permits(platform, url string) bool {
	for _, rd := range r.all() {
		if rd.target.Platform != platform && rd != r.strict {
			continue
		}
		for _, kind := range []policy.Kind{policy.XHR, policy.Plugin, policy.Navigation, policy.Image, policy.Media} {
			if rd.policy.Decide(policy.Request{URL: url, Kind: kind, Strict: true}).Verdict == policy.Allow {
				return true
			}
		}
	}
	return false
}

// cleartextListed says what the list says about cleartext to a host and, where
// below is set, the names below it: "" if it allows that.
func (r *run) cleartextListed(platform, host string, below bool) string {
	if len(r.all()) == 0 {
		return "there is no list that names it"
	}
	hosts := []string{host}
	if below {
		hosts = append(hosts, "x."+host)
	}
	secure := false
	for _, each := range hosts {
		if strings.Contains(each, ":") {
			each = "[" + strings.TrimPrefix(each, "x.") + "]"
		}
		if r.permits(platform, "http://"+each+"/") {
			return ""
		}
		secure = secure || r.permits(platform, "https://"+each+"/")
	}
	if secure {
		return "the list allows it over https only"
	}
	return "the list does not allow it at all"
}

// loopback reports whether a name stands for the device itself, from where the app
// may serve its own pages.
func loopback(host string) bool {
	return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host)
}
