package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/lint"
)

// What opens the bridge, and to whom, on the targets that it is true for.
func TestBridge(t *testing.T) {
	target := func(platform string, major int) policy.Target {
		return policy.Target{Platform: platform, Version: policy.Version{Major: major}}
	}
	const open = "the bridge stands in every frame of every page, such as https://cordon-probe.invalid/x " +
		"(capacitor-android@8.4.2)"
	const anywhere = `bridge-open high: a page with http://localhost anywhere in its address opens inside on ` +
		`capacitor-android@3.0.0 and may call native code, such as ` +
		`https://cordon-probe.invalid/x?http://localhost/ (capacitor-android@3.0.0)`
	const unasked = `bridge-open high: capacitor-android@3.0.0 puts the bridge into every frame of every page, such ` +
		`as https://cordon-probe.invalid/x, and no setting narrows it (capacitor-android@3.0.0)`
	for name, test := range map[string]struct {
		config, manifest string
		targets          []policy.Target
		want             []string
	}{
		"a path": {config: `{"server":{"allowNavigation":["https://a.example.com/x"]}}`, want: []string{
			`bridge-open high: allowNavigation "https://a.example.com/x" is not a rule of origins, so that ` + open}},
		"a name like a scheme": {config: `{"server":{"allowNavigation":["httpbin.org"]}}`, want: []string{
			`bridge-open high: allowNavigation "httpbin.org" begins with http and is taken for an address, which it ` +
				`is not, so that ` + open,
			`bridge-remote-origin medium: pages of https://httpbin.org/ may call native code ` +
				`(capacitor-android@8.4.2 capacitor-ios@8.4.2)`}},
		"a legacy bridge": {config: `{"android":{"useLegacyBridge":true}}`, want: []string{
			`bridge-open high: android.useLegacyBridge "true" puts ` + strings.Replace(open, "stands in", "into", 1)}},
		"before there was a listener": {config: `{"server":{"allowNavigation":["https://a.example.com/x"]}}`,
			manifest: `{"dependencies":{"@capacitor/android":"3.9.0"}}`,
			targets:  []policy.Target{target("capacitor-android", 3)}, want: []string{anywhere, unasked}},
		"before there was a listener, on iOS too": {config: `{}`, targets: []policy.Target{
			target("capacitor-android", 3), target("capacitor-android", 4), target("capacitor-ios", 3)}, want: []string{
			`bridge-open high: a page with capacitor://localhost anywhere in its address opens inside on ` +
				`capacitor-ios@3.0.0 and may call native code, such as ` +
				`https://cordon-probe.invalid/x?capacitor://localhost/ (capacitor-ios@3.0.0)`, anywhere, unasked}},
		"a host with its scheme": {config: `{"server":{"allowNavigation":["https://a.example.com"]}}`, want: []string{
			`bridge-remote-origin medium: pages of https://a.example.com/ may call native code, although no link ` +
				`opens them inside (capacitor-android@8.4.2)`}},
		"a host beside plugins": {config: `{"server":{"allowNavigation":["*.example.com","localhost"]}}`,
			manifest: `{"dependencies":{"@capacitor/camera":"7"}}`,
			targets:  []policy.Target{target("capacitor-android", 7), target("capacitor-ios", 7)},
			want: []string{`remote-navigation-with-plugins high: pages such as https://a.example.com/ open inside ` +
				`the ` +
				`app and may call its plugin @capacitor/camera (capacitor-android@7.0.0 capacitor-ios@7.0.0)`}},
		"no host that there could be": {config: `{"server":{"allowNavigation":[" evil.test","ex*.example"]}}`,
			want: []string{
				`bridge-open high: allowNavigation "ex*.example" is not a rule of origins, so that ` + open}},
		"nothing": {config: `{"server":{"hostname":"localhost"}}`},
	} {
		p := &app.App{Targets: test.targets,
			Capacitor: app.File{Name: "capacitor.config.json", Data: []byte(test.config)}}
		if test.manifest != "" {
			p.Package = app.File{Name: "package.json", Data: []byte(test.manifest)}
		}
		report, err := lint.Check(p)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range report.Findings {
			if strings.HasPrefix(f.Rule.ID, "bridge-") || f.Rule.ID == "remote-navigation-with-plugins" {
				var on []string
				for _, target := range f.Targets {
					on = append(on, target.String())
				}
				got = append(got, f.Rule.ID+" "+f.Rule.Severity.String()+": "+f.Message+" ("+
					strings.Join(on, " ")+")")
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

// A mask that no navigation matches says who may call native code by it.
func TestMasksThatOpenTheBridge(t *testing.T) {
	const useless = `the mask %s is compared with hosts alone and covers none`
	for mask, want := range map[string]string{
		`https://app.example.com`: ", and yet pages of https://app.example.com/ may call native code on " +
			"capacitor-android@8.4.2",
		`http://app.example.com:8080`: ", and yet pages of http://app.example.com:8080/ may call native code on " +
			"capacitor-android@8.4.2",
		`app.example.com:8443`: ", and yet pages of https://app.example.com:8443/ may call native code on " +
			"capacitor-android@8.4.2",
		`https://app.example.com/x`: ", and yet it opens the bridge to every frame on Android",
		`app*.example.com`:          ", and yet it opens the bridge to every frame on Android",
	} {
		report, err := lint.Check(&app.App{Capacitor: app.File{Name: "capacitor.config.json",
			Data: []byte(`{"server":{"allowNavigation":["` + mask + `"]}}`)}})
		if err != nil {
			t.Fatal(err)
		}
		found := of(report, "capacitor-mask-useless")
		if len(found) != 1 || found[0].Message != fmt.Sprintf(useless, `"`+mask+`"`)+want {
			t.Errorf("%s: %s", mask, lines(found))
		}
	}
	ios, err := lint.Check(&app.App{Targets: []policy.Target{{Platform: "capacitor-ios"}},
		Capacitor: app.File{
			Name: "capacitor.config.json",
			Data: []byte(`{"server":{"allowNavigation":["a.example:1"]}}`),
		}})
	if err != nil {
		t.Fatal(err)
	}
	if found := of(ios, "capacitor-mask-useless"); len(found) != 1 ||
		found[0].Message != `the mask "a.example:1" is compared with hosts alone and covers none` {
		t.Errorf("on iOS alone: %s", lines(found))
	}
}

// A frame reaches native code by its own address, not by another of the same host: an
// encrypted page loads none that is not.
func TestFramesThatCall(t *testing.T) {
	const page = "<!doctype html><html><head></head><body>%s</body></html>"
	frames := func(urls ...string) string {
		var tags string
		for _, url := range urls {
			tags += `<iframe src="` + url + `"></iframe>`
		}
		return fmt.Sprintf(page, tags)
	}
	_, report := check(t, files("config.xml", `<widget id="a.b" version="1.0.0"><engine name="android" spec="15.0.0"/>`+
		`<engine name="ios" spec="6.0.0"/>`+
		`<allow-navigation href="https://a.example/*"/><allow-navigation href="http://a.example/*"/></widget>`,
		"www/a.html", frames("https://a.example/"), "www/b.html", frames("http://a.example/"),
		"www/c.html", frames("http://a.example/", "https://a.example/x", "https://a.example/y")))
	var got []string
	for _, f := range of(report, "bridge-frame-remote") {
		got = append(got, fmt.Sprintf("%v: %s", f.Place, f.Message))
	}
	const calls = "the page of a.example in this frame may call native code on "
	want := []string{
		"www/a.html:1:54: " + calls + "android@15.0.0 and ios@6.0.0",
		"www/b.html:1:54: " + calls + "ios@6.0.0",
		"www/c.html:1:54: " + calls + "ios@6.0.0",
		"www/c.html:1:95: " + calls + "android@15.0.0 and ios@6.0.0 (2 times)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
