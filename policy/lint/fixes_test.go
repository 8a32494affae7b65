package lint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy/app"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/project"
)

// everyReading names a target for each way of reading that differs.
var everyReading = []string{
	"cordon", "android@2.9.1", "android@3.5.0", "android@3.6.4", "android@9.0.0", "android@10.0.0", "android@15.1.0",
	"ios@3.0.0", "ios@3.9.2", "ios@4.0.0", "ios@7.1.0", "ios@8.1.1", "amazon-fireos@3.6.3", "blackberry10@3.0.0",
	"blackberry10@3.8.0", "wp8@3.8.2", "windows@7.0.1", "tizen", "w3c",
}

// TestFixesNeverWiden applies each fix alone and asks every reading about many
// URLs: nothing may come in that was kept out before.
func TestFixesNeverWiden(t *testing.T) {
	tried := 0
	for _, p := range fixableProjects(t) {
		report, err := lint.Check(p.project)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Findings {
			if f.Fix == nil {
				continue
			}
			tried++
			after, err := configxml.Splice(p.project.Content(f.Fix.File), f.Fix.Edits...)
			if err != nil {
				t.Fatalf("%s: %v: %v", p.name, f.Place, err)
			}
			switch {
			case f.Fix.File == p.project.Capacitor.Name:
				capacitorNotWider(t, p, f, after)
			case f.Fix.File == p.project.Config.Name():
				listNotWider(t, p, f, after)
			default:
				pageNotWider(t, p, f, after)
			}
		}
	}
	if tried < 20 {
		t.Errorf("only %d fixes were tried", tried)
	}
}

type namedProject struct {
	name    string
	files   fs.FS
	project *app.App
}

// fixableProjects are the fixtures and the examples, those with a config.xml or a
// Capacitor configuration.
func fixableProjects(t *testing.T) []namedProject {
	t.Helper()
	var list []namedProject
	add := func(name string, files fs.FS) {
		p, err := project.Read(files, project.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if p.Config != nil || p.Capacitor.Data != nil {
			list = append(list, namedProject{name, files, p})
		}
	}
	for _, f := range loadFixtures(t) {
		add(f.rule.ID, f.files)
	}
	examples, err := filepath.Glob("../../examples/*/config.xml")
	if err != nil || len(examples) < 4 {
		t.Fatalf("examples: %v, %v", examples, err)
	}
	for _, example := range examples {
		add(example, os.DirFS(filepath.Dir(example)))
	}
	return list
}

func listNotWider(t *testing.T, p namedProject, f lint.Finding, after []byte) {
	t.Helper()
	changed, err := configxml.Parse(p.project.Config.Name(), after)
	if err != nil {
		t.Fatalf("%s: after the fix of %s: %v", p.name, f.Rule.ID, err)
	}
	urls := probes(p.project.Config)
	for _, name := range everyReading {
		target, err := dialect.ParseTarget(name)
		if err != nil {
			t.Fatal(err)
		}
		old, err := dialect.Compile(p.project.Config, target)
		if err != nil {
			t.Fatal(err)
		}
		fixed, err := dialect.Compile(changed, target)
		if err != nil {
			t.Fatal(err)
		}
		for _, url := range urls {
			for _, kind := range []policy.Kind{policy.Navigation, policy.XHR, policy.Script, policy.Plugin} {
				request := policy.Request{URL: url, Kind: kind}
				before, now := old.Decide(request).Verdict, fixed.Decide(request).Verdict
				if rank(now) > rank(before) {
					t.Errorf("%s: the fix of %s (%s) turns %v of %s from %v to %v on %s", p.name, f.Rule.ID,
						f.Fix.Summary, kind, url, before, now, name)
				}
			}
		}
	}
}

// capacitorNotWider asks every version that reads otherwise who may open, ask and call
// what, the app's own origin apart: its pages come from there again where live reload
// is taken out.
func capacitorNotWider(t *testing.T, p namedProject, f lint.Finding, after []byte) {
	t.Helper()
	compile := func(data []byte, target policy.Target) *policy.Policy {
		config, err := capacitor.Read(f.Fix.File, data)
		if err != nil {
			t.Fatalf("%s: the fix of %s: %v", p.name, f.Rule.ID, err)
		}
		compiled, err := dialect.Compile(configxml.Effective(f.Fix.File, nil, configxml.Additions{Capacitor: config}),
			target)
		if err != nil {
			t.Fatal(err)
		}
		return compiled
	}
	for _, name := range []string{"capacitor-android@3.0.0", "capacitor-android@4.0.0", "capacitor-android@4.5.0",
		"capacitor-android@5.7.8", "capacitor-android@8.4.2", "capacitor-ios@3.0.0", "capacitor-ios@8.4.2"} {
		target, err := dialect.ParseTarget(name)
		if err != nil {
			t.Fatal(err)
		}
		old, fixed := compile(p.project.Capacitor.Data, target), compile(after, target)
		for _, url := range []string{"https://cordon-probe.invalid/x", "http://cordon-probe.invalid/x",
			"ws://cordon-probe.invalid/x", "http://192.168.1.20:8100/", "https://app.example.com/", "data:text/html,x",
			"tel:112"} {
			for _, kind := range policy.Kinds() {
				request := policy.Request{URL: url, Kind: kind}
				if before, now := old.Decide(request), fixed.Decide(request); rank(now.Verdict) > rank(before.Verdict) {
					t.Errorf("%s: the fix of %s (%s) turns %v of %s from %v to %v on %s", p.name, f.Rule.ID,
						f.Fix.Summary, kind, url, before.Verdict, now.Verdict, name)
				}
			}
		}
	}
}

// rank orders verdicts by what they let in.
func rank(v policy.Verdict) int {
	switch v {
	case policy.Block:
		return 0
	case policy.Launch:
		return 1
	}
	return 2
}

// probes are URLs around everything that a document names.
func probes(doc *configxml.Document) []string {
	hosts := map[string]bool{"cordon-probe.invalid": true, "index.html": true, "localhost": true}
	doc.Root().Walk(func(e *configxml.Element) bool {
		for _, name := range []string{"origin", "href", "uri", "src"} {
			value := e.Value(name)
			if _, rest, ok := strings.Cut(value, "://"); ok {
				value = rest
			}
			host, _, _ := strings.Cut(value, "/")
			host, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(host), "*."), ":")
			if host != "" && !strings.ContainsAny(host, "* @") {
				hosts[host], hosts["sub."+host], hosts[host+".evil.test"], hosts["not"+host] = true, true, true, true
			}
		}
		return true
	})
	urls := []string{"tel:112", "sms:1", "file:///x", "data:,x", "intent://x", "x-cordon-probe:x", "about:blank"}
	for host := range hosts {
		for _, scheme := range []string{"https", "http", "ws"} {
			for _, rest := range []string{"/", "/index.html", "/v1/x", ":8443/", ":80/"} {
				urls = append(urls, scheme+"://"+host+rest)
			}
		}
	}
	return urls
}

func pageNotWider(t *testing.T, p namedProject, f lint.Finding, after []byte) {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(p.files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(p.files, name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files[f.Fix.File] = &fstest.MapFile{Data: after}
	changed, err := project.Read(files, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	old, fixed := policiesOf(p.project, f.Fix.File), policiesOf(changed, f.Fix.File)
	if len(old) == 0 || len(old) != len(fixed) {
		t.Fatalf("%s: %d policies before the fix, %d after", p.name, len(old), len(fixed))
	}
	for i := range old {
		for _, directive := range []string{"script-src", "style-src", "img-src", "media-src", "connect-src", "font-src",
			"frame-src"} {
			for _, url := range []string{"https://cordon-probe.invalid/", "http://img.example.net/",
				"https://api.example.com/", "data:,x", "https://localhost/"} {
				if fixed[i].Allows(directive, url, "https://localhost/") &&
					!old[i].Allows(directive, url, "https://localhost/") {
					t.Errorf("%s: the fix of %s lets in %s under %s", p.name, f.Rule.ID, url, directive)
				}
			}
		}
	}
}

func policiesOf(p *app.App, file string) []csp.Policy {
	var list []csp.Policy
	for _, page := range p.Pages {
		if page.Name != file {
			continue
		}
		for _, tag := range page.Tags {
			if tag.Name == "meta" && strings.EqualFold(tag.Value("http-equiv"), "Content-Security-Policy") {
				list = append(list, csp.Parse(tag.Value("content")))
			}
		}
	}
	return list
}
