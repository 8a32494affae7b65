package native

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
)

// gives is a project that gives names their values: "@bool/x": "true|false". A value that
// begins with ? is why it may have another one.
func gives(values map[string]string) Lookup {
	return func(name Name) Meaning {
		var m Meaning
		text, ok := values[name.String()]
		if !ok {
			return m
		}
		for _, each := range strings.Split(text, "|") {
			if why, unknown := strings.CutPrefix(each, "?"); unknown {
				m.Unknown = why
				continue
			}
			m.Texts = append(m.Texts, Given{Text: each, Place: policy.Place{File: "values", Line: 1}})
		}
		return m
	}
}

// shown writes what a value means: "true|false ? why it may be something else".
func shown(m Meaning) string {
	var list []string
	for _, g := range m.Texts {
		list = append(list, g.Text)
	}
	text := strings.Join(list, "|")
	if m.Unknown != "" {
		text += " ? " + m.Unknown
	}
	return text
}

// TestMeaningsInManifests: placeholders are replaced first, then references followed;
// each value that is possible counts, and what is not found is not known.
func TestMeaningsInManifests(t *testing.T) {
	lookup := gives(map[string]string{
		"@bool/on": "true", "@bool/some": "false|true", "@bool/alias": "@bool/some", "@bool/loop": "@bool/loop",
		"${flag}": "@bool/on|false", "${kind}": "bool", "${name}": "on|gone", "${half}": "true|?a script computes it",
		"@string/scheme": "shelf", "@xml/net": "@xml/open", "${applicationId}": "org.example",
	})
	for text, want := range map[string]string{
		"true":                       "true",
		" @bool/on ":                 "true",
		"@org.example:bool/on":       "true",
		"@bool/some":                 "false|true",
		"@bool/alias":                "false|true",
		"${flag}":                    "true|false",
		"@${kind}/${name}":           "true ? @bool/gone is not among the app's own resources",
		"${half}":                    "true ? a script computes it",
		"@bool/gone":                 " ? @bool/gone is not among the app's own resources",
		"${gone}":                    " ? ${gone} is given no value that is written out",
		"${gone}.x":                  " ? ${gone} is given no value that is written out",
		"?attr/cleartext":            " ? ?attr/cleartext is what the app's theme says",
		"@android:bool/on":           " ? @android:bool/on is not a resource of the app",
		"@0x7f010000":                " ? @0x7f010000 is not a resource of the app",
		"@bool/loop":                 " ? @bool/loop stands for itself, or for too many others",
		"@string/scheme":             "shelf",
		"@xml/other":                 "@xml/other",
		"@xml/net":                   "@xml/net|@xml/open",
		"${applicationId}.links":     "org.example.links",
		"$(NOT_OF_GRADLE)":           "$(NOT_OF_GRADLE)",
		"${open":                     "${open",
		strings.Repeat("${on}", 999): " ? it is too long",
	} {
		r := &resolver{lookup: lookup}
		if got := shown(r.manifest(text, policy.Place{})); got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
	if got := shown((&resolver{}).manifest("@bool/on", policy.Place{})); !strings.HasPrefix(got, " ? ") {
		t.Errorf("without a lookup: %q", got)
	}
}

// TestMeaningsInPropertyLists: build settings stand for others, have defaults, and names
// that are made of others.
func TestMeaningsInPropertyLists(t *testing.T) {
	doubling := map[string]string{"$(A0)": "x"}
	for _, pair := range []string{"01", "12", "23", "34", "45", "56", "67", "78", "89"} {
		name := "$(A" + pair[:1] + ")"
		doubling["$(A"+pair[1:]+")"] = strings.Repeat(name, 8)
	}
	lookup := gives(map[string]string{
		"$(ATS)": "NO|YES", "$(ALIAS)": "$(ATS)", "$(LEVEL)": "$(inherited)|YES", "$(CONFIGURATION)": "Release",
		"$(ATS_Release)": "YES", "$(HOST)": "${SUB}.example", "$(SUB)": "a|b", "$(SELF)": "$(SELF)",
		"$(A0)": doubling["$(A0)"], "$(A1)": doubling["$(A1)"], "$(A2)": doubling["$(A2)"], "$(A3)": doubling["$(A3)"],
		"$(A4)": doubling["$(A4)"], "$(A5)": doubling["$(A5)"], "$(A9)": doubling["$(A9)"],
	})
	for text, want := range map[string]string{
		"$(ATS)":                   "NO|YES",
		"${ATS}":                   "NO|YES",
		"$(ALIAS)":                 "NO|YES",
		"$(LEVEL)":                 "YES",
		"$(ATS_$(CONFIGURATION))":  "YES",
		"$(HOST)":                  "a.example|b.example",
		"$(GONE)":                  " ? $(GONE) is given no value that is written out",
		"$(GONE:default=YES)":      "YES",
		"$(ATS:default=MAYBE)":     "NO|YES",
		"$(ATS:lower)":             " ? $(ATS:lower) changes what it stands for",
		"$(SELF)":                  " ? $(SELF) stands for itself, or for too many others",
		"$5":                       "$5",
		"https://$(SUB)/$(GONE)/x": " ? $(GONE) is given no value that is written out",
	} {
		r := &resolver{lookup: lookup}
		if got := shown(r.plist(text, policy.Place{})); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	r := &resolver{lookup: lookup}
	if m := r.plist("$(A5)", policy.Place{}); len(m.Texts) > 0 || m.Unknown == "" || r.asked > maxAsked+1000 {
		t.Errorf("settings that double: %d texts, %q, asked %d times", len(m.Texts), m.Unknown, r.asked)
	}
}

// TestSettingsInInfo: a string becomes what the settings in it come to, and in a list as
// many as it may be; a key stays as it is written.
func TestSettingsInInfo(t *testing.T) {
	f := file(t, Info, "ios/App/App/Info.plist", plist(`<dict><key>WKAppBoundDomains</key><array>
		<string>$(HOSTS)</string><string>$(GONE)</string></array>
		<key>NSAppTransportSecurity</key><dict>
		<key>NSAllowsArbitraryLoads</key><string>$(ATS)</string>
		<key>NSAllowsArbitraryLoadsForMedia</key><string>$(GONE)</string>
		<key>NSExceptionDomains</key><dict><key>$(HOSTS)</key><dict>
		<key>NSExceptionMinimumTLSVersion</key><string>$(TLS)</string></dict></dict></dict></dict>`))
	s := MergeWith([]*Fragment{f}, gives(map[string]string{"$(HOSTS)": "a.example|b.example", "$(ATS)": "NO|YES",
		"$(TLS)": "TLSv1.0"}))
	var got []string
	for _, item := range s.Key("WKAppBoundDomains")[0].Value.Items {
		got = append(got, strings.TrimSpace(item.Text+" "+item.Meaning.Unknown))
	}
	for _, tr := range s.Transports() {
		for _, each := range tr.Settings {
			if each.On {
				got = append(got, each.Name+each.Through)
			}
		}
		for _, x := range tr.Exceptions {
			got = append(got, x.Host+": "+x.Never, x.Weak[0].Text+x.Weak[0].Through)
		}
		for _, p := range tr.Unknown {
			got = append(got, p.Msg)
		}
	}
	want := []string{
		"a.example", "b.example",
		"$(GONE) $(GONE) is given no value that is written out",
		"NSAllowsArbitraryLoads; $(ATS) comes to YES by values:1",
		"$(HOSTS): Xcode replaces build settings in values and not in keys",
		"TLSv1.0; $(TLS) comes to TLSv1.0 by values:1",
		"NSAllowsArbitraryLoadsForMedia is $(GONE), and $(GONE) is given no value that is written out",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if at := f.info.Get("NSAppTransportSecurity").Get("NSAllowsArbitraryLoads"); at.Text != "$(ATS)" {
		t.Errorf("what was read is changed: %q", at.Text)
	}
}

// TestGuardedByPlaceholder: a permission that a placeholder is a part of is one.
func TestGuardedByPlaceholder(t *testing.T) {
	f := file(t, Manifest, "AndroidManifest.xml", `<manifest xmlns:android="http://schemas.android.com/apk/res/android">
		<application><service android:name="a" android:permission="${applicationId}.P"/>
		<service android:name="b" android:permission="${gone}"/>
		<service android:name="c" android:permission="${empty}"/></application></manifest>`)
	var got []bool
	for _, c := range MergeWith([]*Fragment{f}, gives(map[string]string{"${empty}": ""})).Components() {
		got = append(got, c.Guarded)
	}
	if diff := cmp.Diff([]bool{true, false, false}, got); diff != "" {
		t.Error(diff)
	}
}

// TestMeaningCost: what names cost is bounded over all values of a set, and each name is
// looked up once.
func TestMeaningCost(t *testing.T) {
	looked := 0
	lookup := func(Name) Meaning {
		looked++
		var m Meaning
		for i := range 100 {
			m.Texts = append(m.Texts, Given{Text: strconv.Itoa(i)})
		}
		return m
	}
	r := &resolver{lookup: lookup}
	f := &Fragment{Kind: Manifest}
	for range 300 {
		m := r.of(f, 0, strings.Repeat("${a}", 1000), policy.Place{})
		if m.Unknown == "" {
			t.Fatal("it is taken for known")
		}
	}
	if looked != 1 || r.spent > maxSpent+1000 {
		t.Errorf("looked up %d times, spent %d", looked, r.spent)
	}
	if m := r.of(f, 0, "${b}", policy.Place{}); m.Unknown != spent {
		t.Errorf("after that %q", m.Unknown)
	}
	if m := r.of(f, 0, "true", policy.Place{}); shown(m) != "true" {
		t.Errorf("what is written out: %q", shown(m))
	}
}
