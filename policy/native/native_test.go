package native

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy/configxml"
)

func file(t testing.TB, kind Kind, name, data string) *Fragment {
	t.Helper()
	f, err := NewFile(kind, name, []byte(data))
	if err != nil || f == nil {
		t.Fatalf("NewFile(%s): %v, %v", name, f, err)
	}
	return f
}

func security(t testing.TB, body string) *Config {
	t.Helper()
	s := Merge([]*Fragment{file(t, Security, "res/xml/net.xml",
		"<network-security-config>"+body+"</network-security-config>")})
	return s.Configs[0]
}

func TestSecurityOfAnotherRoot(t *testing.T) {
	if f, err := NewFile(Security, "res/xml/paths.xml", []byte("<paths/>")); f != nil || err != nil {
		t.Errorf("NewFile = %v, %v", f, err)
	}
}

func TestCleartextIsInherited(t *testing.T) {
	c := security(t, `<domain-config><domain>a.example</domain>
		<domain-config cleartextTrafficPermitted="true"><domain includeSubdomains="TRUE">b.example</domain>
			<domain-config><domain>c.b.example</domain></domain-config></domain-config></domain-config>
		<domain-config cleartextTrafficPermitted="@bool/no"><domain>ref.example</domain></domain-config>
		<base-config cleartextTrafficPermitted="false"/>`)
	if len(c.Problems) > 0 {
		t.Fatal(c.Problems)
	}
	for host, want := range map[string]bool{"a.example": false, "b.example": true, "x.b.example.": true,
		"c.b.example": true, "d.c.b.example": true, "xb.example": false, "other.example": false, "REF.example": true} {
		if got := c.Permits(c.For(host)); got.Value != want || !got.Said {
			t.Errorf("%s: %+v, want %t", host, got, want)
		}
	}
	if none := security(t, "<base-config/>"); none.Permits(none.Base).Said {
		t.Error("the system's default is taken for a statement")
	}
}

func TestDomainsThatMatchNoHost(t *testing.T) {
	for domain, want := range map[string]string{
		"old.example.org":          "",
		"10.0.0.2":                 "",
		"2001:db8::1":              "",
		" Old.Example.org\n":       "",
		"old.example.org:8080":     "a port is not part of a name",
		"old.example.org/api":      "a path is not part of a name",
		"http://old.example.org":   "a scheme is not part of a name",
		"*.example.org":            `there are no wildcards: includeSubdomains="true" stands for the names below`,
		"user@old.example.org":     "a user is not part of a name",
		"[2001:db8::1]":            "an address is written without brackets",
		".example.org":             "a label of it is empty",
		"example.org.":             "the final dot is taken off the host, not off the domain",
		"a b.example":              "it has blank space in it",
		"b\u00fccher.example":      "hosts are compared in their ASCII form (xn--…)",
		"xn--bcher-kva.example.de": "",
	} {
		c := security(t, "<domain-config><domain>"+domain+"</domain></domain-config>")
		if got := c.Domains[0].Domains[0].Never; got != want {
			t.Errorf("%q: %q, want %q", domain, got, want)
		}
	}
}

const pinA, pinB = "C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=", "diGVwiVYbubAI3RW4hB9xU8e/CH2GnkuvVFZE8zmgzI="

func TestPinSets(t *testing.T) {
	pins := func(set string) *Config {
		return security(t, "<domain-config><domain>a.example</domain>"+set+"</domain-config>")
	}
	for _, test := range []struct {
		set, problem, expires string
		distinct              int
	}{
		{`<pin-set expiration="2027-01-31"><pin digest="SHA-256">` + pinA + `</pin></pin-set>`, "", "2027-01-31", 1},
		{`<pin-set expiration="2027-1-3 and more"><pin digest="sha-256">` + pinA + "</pin><pin digest='SHA-256'>\n  " +
			pinB + "\n</pin></pin-set>", "", "2027-01-03", 2},
		{`<pin-set><pin digest="SHA-256">` + pinA + `</pin><pin digest="SHA-256">` + strings.TrimRight(pinA, "=") +
			`</pin><backup/></pin-set>`, "", "0001-01-01", 1},
		{`<pin-set expiration="2027-02-30"/>`,
			`the expiration of a pin-set must be a day that exists, not "2027-02-30"`, "0001-01-01", 0},
		{`<pin-set expiration="31.12.2027"/>`,
			`the expiration of a pin-set must be a day such as 2027-12-31, not "31.12.2027"`, "0001-01-01", 0},
		{`<pin-set><pin digest="SHA-1">` + pinA + `</pin></pin-set>`,
			`the digest of a pin must be SHA-256, not "SHA-1"`, "0001-01-01", 0},
		{`<pin-set><pin digest="SHA-256">AAAA</pin></pin-set>`, "a pin must hold 32 bytes, not 3", "0001-01-01", 0},
		{`<pin-set><pin digest="SHA-256">AAAAA</pin></pin-set>`, "a pin must hold base64", "0001-01-01", 0},
		{`<pin-set><pin digest="SHA-256"> </pin></pin-set>`, "a pin must hold the base64 of a SHA-256 digest",
			"0001-01-01", 0},
		{`<pin-set/><pin-set/>`, "only one pin-set is allowed in a domain-config", "0001-01-01", 0},
	} {
		c := pins(test.set)
		problem := ""
		if len(c.Problems) > 0 {
			problem = c.Problems[0].Msg
		}
		set := c.PinsOf(c.For("a.example"))
		if got := set.Expires.Format(time.DateOnly); problem != test.problem || got != test.expires ||
			set.Distinct() != test.distinct {
			t.Errorf("%s: %q, %s, %d", test.set, problem, got, set.Distinct())
		}
	}
}

func TestWhatAndroidRefuses(t *testing.T) {
	for body, want := range map[string]string{
		"<base-config/><base-config/>":                          "only one base-config is allowed",
		"<domain-config/>":                                      "a domain-config must have a domain of its own",
		"<base-config><domain>a.example</domain></base-config>": "domain is not allowed in base-config",
		"<base-config><pin-set/></base-config>":                 "pin-set is not allowed in base-config",
		"<domain-config><domain>a.example</domain></domain-config><domain-config><domain>A.example</domain>" +
			"</domain-config>": `"a.example" stands here a second time: a domain may be named once in the whole file`,
		"<base-config><trust-anchors><certificates/></trust-anchors></base-config>": "certificates must have src",
		"<base-config><trust-anchors><certificates src='all'/></trust-anchors></base-config>": "the src of " +
			`certificates must be system, user or a resource such as @raw/ca, not "all"`,
		"<debug-overrides/><debug-overrides/>":                     "only one debug-overrides is allowed",
		"<domain-config><domain/></domain-config>":                 "a domain must hold a name",
		"<domain-config><domain><b>a</b></domain></domain-config>": "a domain must hold a name and nothing else",
		"<base-config><trust-anchors/><trust-anchors/></base-config>": "" +
			"only one trust-anchors is allowed in a base-config",
	} {
		c := security(t, body)
		if len(c.Problems) == 0 || c.Problems[0].Msg != want {
			t.Errorf("%s: %v, want %q", body, c.Problems, want)
		}
	}
}

func TestAnchors(t *testing.T) {
	c := security(t, `<base-config><trust-anchors><certificates src="system"/><certificates src="user"
		overridePins="true"/><certificates src="@raw/ca"/></trust-anchors></base-config>
		<debug-overrides><trust-anchors><certificates src="user"/></trust-anchors></debug-overrides>`)
	var got []string
	for _, a := range append(c.Base.Anchors, c.Debug.Anchors...) {
		got = append(got, fmt.Sprint(a.Source, a.OverridesPins))
	}
	want := []string{"systemfalse", "usertrue", "@raw/cafalse", "usertrue"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestCarriers: whatever carries a statement, it comes out the same.
func TestCarriers(t *testing.T) {
	const element = `<application android:usesCleartextTraffic="true"/>`
	for name, body := range map[string]string{
		"config-file": `<platform name="android">
			<config-file target="AndroidManifest.xml" parent="/manifest">` + element +
			`</config-file></platform>`,
		"any root": `<config-file target="app/src/main/AndroidManifest.xml" parent="/*">` + element + `</config-file>`,
		"edit-config": `<platform name="android"><edit-config file="AndroidManifest.xml" mode="merge"
			target="/manifest/application">` + element + `</edit-config></platform>`,
		"edit-config with a condition": `<edit-config file="AndroidManifest.xml" mode="overwrite"
			target="/manifest/application[@android:name='x/y']">` + element + `</edit-config>`,
		"custom-config-file": `<platform name="android"><custom-config-file target="AndroidManifest.xml" parent="./">` +
			element + `</custom-config-file></platform>`,
		"custom-preference": `<platform name="android"><custom-preference
			name="android-manifest/application/@android:usesCleartextTraffic" value="true"/></platform>`,
		"old preference": `<preference
			name="android-manifest/application/@android:usesCleartextTraffic" value="true"/>`,
		"phonegap build": `<gap:config-file platform="android" parent="/manifest">` + element + `</gap:config-file>`,
	} {
		doc, err := configxml.Parse("config.xml", []byte("<widget>\n"+body+"</widget>"))
		if err != nil {
			t.Fatal(err)
		}
		fragments, _, problems := Carried(doc)
		s := Merge(fragments)
		at := s.At("/manifest/application")
		if len(problems) > 0 || len(at) != 1 || at[0].Value("usesCleartextTraffic") != "true" {
			t.Errorf("%s: %v, %v %v", name, fragments, at, problems)
			continue
		}
		if a, _ := at[0].Attribute("usesCleartextTraffic"); a.Place.Line < 2 ||
			!strings.Contains(string(doc.Bytes()[a.Place.Start:a.Place.End]), "true") {
			t.Errorf("%s: place %v", name, a.Place)
		}
	}
}

func TestCarriersThatTakeAway(t *testing.T) {
	for _, body := range []string{
		`<edit-config file="AndroidManifest.xml" mode="remove" target="/manifest/application">
			<application android:debuggable="true"/></edit-config>`,
		`<custom-config-file target="AndroidManifest.xml" parent="./" mode="delete">
			<application/></custom-config-file>`,
		`<custom-preference name="android-manifest/application/activity[@android:name='x']" delete="true"/>`,
		`<config-file target="config.xml" parent="/*"><access origin="*"/></config-file>`,
		`<platform name="windows"><config-file target="AndroidManifest.xml" parent="/"><application/>
			</config-file></platform>`,
		`<preference name="Orientation" value="default"/>`,
		`<config-file target="res/xml/paths.xml" parent="/paths"><external-path/></config-file>`,
	} {
		doc, err := configxml.Parse("config.xml", []byte("<widget>"+body+"</widget>"))
		if err != nil {
			t.Fatal(err)
		}
		if fragments, resources, problems := Carried(doc); len(fragments)+len(resources)+len(problems) > 0 {
			t.Errorf("%s: %v %v %v", body, fragments, resources, problems)
		}
	}
}

func TestResourceFiles(t *testing.T) {
	doc, err := configxml.Parse("plugin.xml", []byte(`<plugin><platform name="android">
		<resource-file src="src/./net.xml" target="app/src/main/res/xml/net_sec.xml"/>
		<resource-file src="res/xml/other.xml"/>
		<resource-file src="icon.png" target="res/drawable/icon.png"/></platform>
		<platform name="ios"><resource-file src="res/xml/x.xml"/></platform></plugin>`))
	if err != nil {
		t.Fatal(err)
	}
	_, resources, _ := Carried(doc)
	var got []string
	for _, r := range resources {
		got = append(got, r.Source+" > "+r.Target)
	}
	want := []string{"src/net.xml > app/src/main/res/xml/net_sec.xml", "res/xml/other.xml > res/xml/other.xml"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSecurityFragments: what is added to a configuration counts as what stands in it.
func TestSecurityFragments(t *testing.T) {
	doc, err := configxml.Parse("config.xml", []byte(`<widget><config-file parent="/network-security-config"
		target="app/src/main/res/xml/net.xml"><domain-config cleartextTrafficPermitted="true"><domain>a.example</domain>
		</domain-config></config-file></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	fragments, _, _ := Carried(doc)
	configs := Merge(fragments).Configs
	if len(configs) != 1 || configs[0].Fragment.Name != "net" ||
		!configs[0].Permits(configs[0].For("a.example")).Value {
		t.Errorf("%+v", configs)
	}
}

// TestEditConfigTakesAnyName: cordova-common copies the attributes of each child
// to the target, whatever it is called.
func TestEditConfigTakesAnyName(t *testing.T) {
	doc, err := configxml.Parse("config.xml", []byte(`<widget><edit-config file="AndroidManifest.xml" mode="merge"
		target="/manifest/application"><activity android:usesCleartextTraffic="true"/></edit-config></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	fragments, _, _ := Carried(doc)
	at := Merge(fragments).At("/manifest/application")
	if len(at) != 1 || at[0].Written != "activity" || !at[0].Merged {
		t.Errorf("%+v", at)
	}
}

func TestComponents(t *testing.T) {
	f := file(t, Manifest, "AndroidManifest.xml", `<manifest xmlns:a="http://schemas.android.com/apk/res/android">
		<uses-sdk a:targetSdkVersion="27"/>
		<application><activity a:name=".Main" a:exported="true"><intent-filter><category
			a:name="android.intent.category.LAUNCHER"/></intent-filter></activity>
		<activity a:name=".Link"><intent-filter><category a:name="android.intent.category.BROWSABLE"/><data
			a:scheme="shelf"/></intent-filter></activity>
		<service a:name=".S" a:exported="1" a:permission="x.P"/><provider a:name=".P" exported="true"/>
		<receiver a:name=".R" a:exported="0x0"/></application></manifest>`)
	s := Merge([]*Fragment{f})
	var got []string
	for _, c := range s.Components() {
		got = append(got, fmt.Sprint(c.Kind, " ", c.Value("name"), " ", c.Filtered, c.Launcher, c.Linked, c.Guarded,
			len(c.Schemes)))
	}
	want := []string{
		"activity .Main true true false false 0",
		"activity .Link true false true false 1",
		"service .S false false false true 0",
		"provider .P false false false false 0",
		"receiver .R false false false false 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if sdk, ok := s.TargetSDK(); !ok || sdk.Value != "27" {
		t.Errorf("target SDK %+v", sdk)
	}
}
