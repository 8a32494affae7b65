package lint_test

import (
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
			targets: []policy.Target{target("capacitor-android", 3)}},
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
