package lint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/project"
)

// withoutWitness are the rules above medium whose findings need no URL that the
// engine confirms, because they say nothing of what the list lets in.
var withoutWitness = map[string]string{
	"ats-arbitrary-loads":            "about a key of Info.plist, which is written there",
	"ats-disabled":                   "about a key that prepare writes, whatever the list decides",
	"built-config-wider":             "about the built file, which decides it, and not the project's document",
	"capacitor-navigation-any":       "about a configuration that no reading of config.xml holds",
	"capacitor-server-url":           "about where the app's own pages come from",
	"csp-outside-head":               "about a page's own policy",
	"csp-report-only":                "about a page's own policy",
	"manifest-debuggable":            "about an attribute of the manifest",
	"mixed-script-host":              "about how a name reads to people",
	"pin-expired":                    "about a day",
	"pin-invalid":                    "about a pin that cannot be read",
	"pin-not-served":                 "about what a server showed",
	"pinned-without-certificate":     "about what the package lacks",
	"plugin-accepts-any-certificate": "about a plugin's own code",
	"prepare-fails":                  "about a build that ends",
	"punycode-lookalike":             "about how a name reads to people",
	"remote-start-page":              "the platforms open the start page without a question to the list",
	"secret-in-config":               "about what the package contains",
	"source-cleartext-script":        "about what a page names",
	"source-embedded-key":            "about what the package contains",
	"source-tls-check-off":           "about a call that the code makes",
	"source-userinfo":                "about what the package contains",
}

// TestWitnesses: whoever says at high or critical that the list lets something in
// shows a URL, and the engine confirms it.
func TestWitnesses(t *testing.T) {
	for id := range withoutWitness {
		if rule, ok := lint.RuleByID(id); !ok || rule.Severity < lint.High {
			t.Errorf("%s is listed as a rule that needs no witness, and it is no rule above medium", id)
		}
	}
	confirmed := make(map[string]int)
	for _, f := range loadFixtures(t) {
		for _, targets := range append([][]policy.Target{nil}, readings(t)...) {
			p, err := project.Read(f.files, project.Options{Targets: targets})
			if err != nil {
				t.Fatal(err)
			}
			confirm(t, p, confirmed)
		}
	}
	for _, dir := range []string{"clean", "template", "capacitor", "legacy", "dreadful"} {
		p, err := project.Read(os.DirFS(filepath.Join("../../examples", dir)), project.Options{})
		if err != nil {
			t.Fatal(err)
		}
		confirm(t, p, confirmed)
	}
	for _, rule := range lint.Rules() {
		if rule.Severity >= lint.High && withoutWitness[rule.ID] == "" && confirmed[rule.ID] == 0 {
			t.Errorf("%s is a rule above medium without a witness in any fixture", rule.ID)
		}
	}
}

// readings are the targets that read differently, each alone.
func readings(t *testing.T) [][]policy.Target {
	t.Helper()
	var list [][]policy.Target
	for _, name := range everyReading {
		target, err := dialect.ParseTarget(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, []policy.Target{target})
	}
	return list
}

func confirm(t *testing.T, p *app.App, confirmed map[string]int) {
	t.Helper()
	report, err := lint.Check(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		w := f.Witness
		if w == nil {
			if f.Rule.Severity >= lint.High && withoutWitness[f.Rule.ID] == "" {
				t.Errorf("%s without a witness for %v: %s", f.Rule.ID, p.Targets, f.Message)
			}
			continue
		}
		compiled, err := dialect.Compile(p.Ships(), w.Target)
		if err != nil {
			t.Fatal(err)
		}
		got := compiled.Decide(w.Request()).Verdict
		if got != w.Verdict || got == policy.Block {
			t.Errorf("%s for %v: %s: %v of %s is %v on %v, not %v", f.Rule.ID, p.Targets, f.Message, w.Kind, w.URL, got,
				w.Target, w.Verdict)
		}
		confirmed[f.Rule.ID]++
	}
}

// TestOtherSchemesAreNotEveryHost: a wildcard behind the app's own scheme, or one
// of local files, opens no website.
func TestOtherSchemesAreNotEveryHost(t *testing.T) {
	_, found := check(t, fstest.MapFS{"config.xml": {Data: []byte(`<widget>
<engine name="android" spec="14.0.0"/>
<engine name="ios" spec="7.1.1"/>
<access origin="cdvfile://*"/>
<access origin="content://*"/>
<access origin="filesystem:*"/>
<access origin="gap:*"/>
<allow-navigation href="ionic://*"/>
<allow-navigation href="app://*/*"/>
<allow-navigation href="file://*/*"/>
<allow-navigation href="gap://*"/>
<allow-navigation href="content://*"/>
<allow-navigation href="cdvfile:*"/>
<allow-intent href="whatsapp://*"/>
<allow-intent href="upi:*"/>
</widget>`)}})
	for _, id := range []string{"access-catch-all", "navigation-catch-all", "intent-catch-all", "intent-any-website",
		"remote-navigation-with-plugins", "cleartext-origin", "scheme-missing"} {
		if wrong := of(found, id); len(wrong) > 0 {
			t.Errorf("%s finds\n%s", id, lines(wrong))
		}
	}
	if got := of(found, "ats-disabled"); len(got) != 7 {
		t.Errorf("prepare reads \"*\" as the host of 7 of them, and ats-disabled finds\n%s", lines(got))
	}
}

// TestEveryHostWithPortOrPath: a catch-all that names a port or a folder is one.
func TestEveryHostWithPortOrPath(t *testing.T) {
	for _, test := range []struct{ entry, rule, url string }{
		{`<access origin="https://*:8443"/>`, "access-catch-all", "https://cordon-probe.invalid:8443/"},
		{`<allow-navigation href="http://*/app/*"/>`, "navigation-catch-all", "http://cordon-probe.invalid/app/x"},
		{`<allow-navigation href="*"/>`, "navigation-catch-all", "https://cordon-probe.invalid/x"},
		{`<allow-intent href="https://*:444/*"/>`, "intent-any-website", "https://cordon-probe.invalid:444/x"},
	} {
		var files fs.FS = config(test.entry)
		_, found := check(t, files)
		got := of(found, test.rule)
		if len(got) != 1 || got[0].Witness == nil || got[0].Witness.URL != test.url {
			t.Errorf("%s: %+v, want a witness %s", test.entry, got, test.url)
		}
	}
}
