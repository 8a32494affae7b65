package project_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/needs"
	"github.com/cordon-sec/cordon/project"
)

// files makes a folder.
func files(contents map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range contents {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// written puts the policy into the pages of a folder and returns that of one page,
// with what was said.
func written(t *testing.T, fsys fstest.MapFS, page string) (csp.Policy, string) {
	t.Helper()
	read, err := project.Read(fsys, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	exporter, _ := export.Find(export.CSP)
	changes, losses, err := project.Place(fsys, read, export.NewSource(read.Config, nil), exporter, true)
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	for _, loss := range losses {
		told.WriteString(loss.Rule + ": " + loss.Message + "\n")
	}
	i := slices.IndexFunc(changes, func(c project.Change) bool { return c.Name == page })
	if i < 0 {
		t.Fatalf("%s is not among the changes", page)
	}
	_, rest, _ := strings.Cut(string(changes[i].New), `content="`)
	value, _, _ := strings.Cut(rest, `"`)
	return csp.Parse(value), told.String()
}

func holds(t *testing.T, p csp.Policy, want map[string]string) {
	t.Helper()
	for directive, sources := range want {
		d, _ := p.Get(directive)
		if got := strings.Join(d.Sources, " "); got != sources {
			t.Errorf("%s %s, want %s", directive, got, sources)
		}
	}
}

const oldBridge = `<widget><access origin="https://api.example.com" /><engine name="ios" spec="5.1.1" />` +
	`<plugin name="cordova-plugin-device" /></widget>`

// The bridge of cordova-ios before 6 is a frame of gap:, with or without a policy in
// the page; the picture that a script makes is shown.
func TestOldBridge(t *testing.T) {
	for _, meta := range []string{"", `<meta http-equiv="Content-Security-Policy" content="default-src 'self' ` +
		`data: gap: ` +
		`https://ssl.gstatic.com 'unsafe-eval'; style-src 'self' 'unsafe-inline'; media-src *">`} {
		p, told := written(t, files(map[string]string{
			"config.xml": oldBridge,
			"www/index.html": "<!doctype html><html><head>" + meta + "<script " +
				"src=\"js/app.js\"></script></head></html>",
			"www/js/app.js": "shot.src = 'data:image/png;base64,' + d;",
		}), "www/index.html")
		data := "data:"
		if meta != "" {
			data = "data:"
			for _, what := range []string{"has 'unsafe-inline' in style-src", "ssl.gstatic.com", "eval and new " +
				"Function",
				"has * in media-src"} {
				if !strings.Contains(told, what) {
					t.Errorf("nothing is said of %s:\n%s", what, told)
				}
			}
		}
		holds(t, p, map[string]string{"frame-src": "'self' https://api.example.com gap:",
			"img-src": "'self' https://api.example.com " + data, "style-src": "'self'"})
		for _, what := range []string{"frame-src has gap:, because ios@5.1.1 calls native code by a frame of gap:",
			"img-src has data:, because www/js/app.js:1:13 shows data: URLs"} {
			if !strings.Contains(told, what) {
				t.Errorf("nothing is said of %s:\n%s", what, told)
			}
		}
	}
}

// A framework in package.json gets its style elements; attributes and handlers of
// the markup count by their hashes.
func TestFramework(t *testing.T) {
	contents := map[string]string{
		"config.xml":   `<widget><access origin="https://api.example.com" /></widget>`,
		"package.json": `{"dependencies": {"@ionic/core": "8.4.0"}}`,
		"www/index.html": "<!doctype html>\r\n<html><head><style>\r\np{}</style><script>\r\ngo();\r\n</script></head>" +
			"<body style=\"margin: 0\"><button onclick=\"go()\"></button><button " +
			"onclick=\"go()\"></button></body></html>",
		"www/other.html": "<!doctype html><html><head></head><body></body></html>",
	}
	p, told := written(t, files(contents), "www/index.html")
	holds(t, p, map[string]string{
		"script-src":      "'self' 'sha256-59/sIg3Nu4RuH0gwssdKQQVeS9ge1tGZ9k7+VBc0Sgs='",
		"script-src-attr": "'unsafe-hashes' 'sha256-5KYv+PUboo5h+0+YAtGRPbwv5d/QxzHslP4YGnUaxRw='",
		"style-src":       "'self' 'unsafe-inline'", "style-src-elem": "'self' 'unsafe-inline'",
		"style-src-attr": "'unsafe-hashes' 'sha256-3lLjvpn0hfmuulQYNSUWKiNpmIiMg70GweVDtUWv7zA='",
	})
	if n := strings.Count(told, "style-src-elem has 'unsafe-inline', because package.json:1:19 (@ionic/core) "+
		"puts style elements"); n != 1 {
		t.Errorf("the framework is named %d times:\n%s", n, told)
	}
	contents["config.xml"] = `<widget><preference name="CordonPageNeeds" value="handlers" /></widget>`
	p, told = written(t, files(contents), "www/index.html")
	holds(
		t,
		p,
		map[string]string{
			"style-src-elem": "",
			"style-src-attr": "",
			"style-src":      "'self' 'sha256-rlqsO33+58tdkAEPmRd3vaYt4+rbt3Q2GN7fpcyrqWA='",
		},
	)
	for _, what := range []string{`"style-elements" in the preference CordonPageNeeds would let it pass`,
		"style attributes in the page's markup stop working"} {
		if !strings.Contains(told, what) {
			t.Errorf("nothing is said of %s:\n%s", what, told)
		}
	}
	contents["config.xml"] = `<widget><preference name="CordonPageNeeds" value="styles" /></widget>`
	read, err := project.Read(files(contents), project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var wrong *needs.GrantError
	exporter, _ := export.Find(export.CSP)
	_, _, err = project.Place(files(contents), read, export.NewSource(read.Config, nil), exporter, false)
	if !errors.As(err, &wrong) {
		t.Errorf("a word that is none: %v", err)
	}
}

// A prepared platform is looked at by itself: its scripts, the project's plugins.
func TestNeedsInPlatform(t *testing.T) {
	const web = "platforms/ios/www/"
	fsys := files(map[string]string{
		"config.xml":       oldBridge,
		web + "index.html": "<!doctype html><html><head></head></html>",
		web + "app.js":     `document.createElement("style")`,
		web + "plugins/cordova-plugin-cordon/www/policy.js": "WebAssembly.compile(x)",
		web + "cordova.js": "eval(x)",
		"www/index.html":   "<!doctype html><html><head></head></html>",
	})
	read, err := project.Read(fsys, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	layouts, err := project.Layouts(fsys, nil)
	if err != nil || len(layouts) != 1 {
		t.Fatal(layouts, err)
	}
	changes, losses, err := project.PlaceOn(fsys, layouts[0], export.NewSource(read.Config, nil),
		project.PlaceOptions{Formats: []string{"csp"}, App: read})
	if err != nil || len(changes) != 1 {
		t.Fatal(changes, err)
	}
	_, rest, _ := strings.Cut(string(changes[0].New), `content="`)
	value, _, _ := strings.Cut(rest, `"`)
	holds(
		t,
		csp.Parse(value),
		map[string]string{"frame-src": "'self' https://api.example.com gap:", "script-src": "'self'",
			"style-src-elem": "'self' 'unsafe-inline'", "style-src-attr": "'none'"},
	)
	if len(losses) != 2 || losses[1].Message !=
		"style-src-elem has 'unsafe-inline', because platforms/ios/www/app.js:1:10 puts style elements into the page" {
		t.Errorf("losses %+v", losses)
	}
}

// A script that is too large to be read is said.
func TestUnreadScript(t *testing.T) {
	_, told := written(t, files(map[string]string{
		"config.xml":     `<widget></widget>`,
		"www/index.html": "<!doctype html><html><head></head></html>",
		"www/main.js":    strings.Repeat(" ", project.MaxFile+1),
	}), "www/index.html")
	if !strings.Contains(
		told,
		"www/main.js: it was not read (it has 4194305 bytes, more than the 4194304 that are read), so "+
			"what it needs of the policy is not known",
	) {
		t.Error(told)
	}
}

// A policy that a person wrote is replaced only where the new one allows all that it
// does and nothing that it keeps out, or by force; one in the form that the export writes is the export's own.
func TestOwnPolicyStays(t *testing.T) {
	const config = `<widget><access origin="https://api.example.com" /></widget>`
	const own = `default-src 'self'; connect-src 'self' https://api.example.com wss://api.example.com; ` +
		`img-src 'self' https://api.example.com https://old.example.com; media-src 'self'; font-src 'self'; ` +
		`frame-src 'self'; script-src 'self'; style-src 'self'; form-action 'self'; object-src 'none'; base-uri 'self'`
	for _, test := range []struct {
		name, policy string
		loses, opens []string
	}{
		{"requests closed", `default-src https://api.example.com 'self'; connect-src 'none'`, nil,
			[]string{"'self'", "https://api.example.com", "wss://api.example.com"}},
		{"a host kept out", `connect-src 'self'`, nil, []string{"https://api.example.com", "wss://api.example.com"}},
		{"one path of a host", `img-src 'self' https://api.example.com/i/`, nil, []string{"https://api.example.com"}},
		{"the same hosts", `connect-src 'self' https://api.example.com wss://api.example.com`, nil, nil},
		{"none that counts", `report-uri /x`, nil, nil},
		{"one that the export wrote, with a host that is gone", own, nil, nil},
		{"the same in another order", strings.Replace(own, `default-src 'self'; `, ``, 1) + `; default-src 'self'`,
			[]string{"https://old.example.com"}, []string{"https://api.example.com"}},
		{"a host that is on no list", `img-src 'self' https://api.example.com https://cdn.example.com`,
			[]string{"https://cdn.example.com"}, nil},
		{"keywords", `script-src 'self' 'unsafe-eval' 'unsafe-inline'`, []string{"'unsafe-eval'", "'unsafe-inline'"},
			nil},
	} {
		fsys := files(map[string]string{"config.xml": config, "www/index.html": `<!doctype html><html><head>` +
			`<meta http-equiv="Content-Security-Policy" content="` + test.policy + `"></head></html>`})
		read, err := project.Read(fsys, project.Options{})
		if err != nil {
			t.Fatal(err)
		}
		exporter, _ := export.Find(export.CSP)
		changes, losses, err := project.Place(fsys, read, export.NewSource(read.Config, nil), exporter, false)
		var owned *project.OwnedError
		switch {
		case test.loses == nil && test.opens == nil:
			if err != nil || len(changes) != 1 {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		case !errors.As(err, &owned):
			t.Errorf("%s: %v, and %d changes", test.name, err, len(changes))
			continue
		}
		if owned.Name != "www/index.html" || !slices.Equal(owned.Loses, test.loses) ||
			!slices.Equal(owned.Opens, test.opens) || len(losses) == 0 || changes != nil {
			t.Errorf("%s: %v, want the loss of %q and %q let in; told: %v", test.name, err, test.loses, test.opens,
				losses)
		}
		if _, _, err := project.Place(fsys, read, export.NewSource(read.Config, nil), exporter, true); err != nil {
			t.Errorf("%s, by force: %v", test.name, err)
		}
	}
}

// A frame whose page stands in the markup is held by the policy of the page around it:
// what stands in it counts by its hash, and what it needs is the page's need.
func TestFramesInMarkup(t *testing.T) {
	sum := func(text string) string {
		hash := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"
	}
	p, told := written(t, files(map[string]string{
		"config.xml": `<widget><access origin="https://api.example.com" /></widget>`,
		"www/index.html": "<!doctype html><html><head></head><body>\n<iframe srcdoc=\"<script>go(&quot;a&quot;)" +
			"</script><style>p{}</style><img src='data:image/png;base64,A'>" +
			"<iframe srcdoc=&quot;<script>deep()</script>&quot;></iframe>\"></iframe>\n" +
			"<object data=\"help.pdf\"></object><embed src=\"https://a.example/x\">\n</body></html>",
	}), "www/index.html")
	holds(t, p, map[string]string{
		"script-src": "'self' " + sum(`go("a")`) + " " + sum("deep()"),
		"style-src":  "'self' " + sum("p{}"),
		"img-src":    "'self' https://api.example.com data:",
		"object-src": "'none'",
	})
	for _, what := range []string{
		"img-src has data:, because www/index.html:2:17 has a <img> with a URL of data:",
		"www/index.html:3:15 has an <object>, which fails: object-src is 'none' in every policy that is worth having",
		"www/index.html:3:46 has an <embed>, which fails: object-src is 'none'",
	} {
		if !strings.Contains(told, what) {
			t.Errorf("nothing is said of %s:\n%s", what, told)
		}
	}
}
