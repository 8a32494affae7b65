package up

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/project/folder"
)

// What no line about hosts allows names the word of the preference that does, and
// what nothing should allow names none.
func TestRemedies(t *testing.T) {
	a := &appFolder{Site: folder.Site{Config: "config.xml"}}
	pass := func(word string) string {
		return `, or <preference name="CordonPageNeeds" value="found ` + word + `" /> in config.xml lets it pass`
	}
	for _, test := range []struct{ directive, blocked, want string }{
		{"style-src-elem", "inline", "move it into a style sheet of the app" + pass("style-elements")},
		{"style-src-attr", "inline", "move it into a style sheet of the app" + pass("style-attributes")},
		{"img-src", "data", "keep it in a file of the app" + pass("data")},
		{"media-src", "blob", "keep it in a file of the app" + pass("blob")},
		{"img-src", "cdvfile", "keep it in a file of the app" + pass("schemes")},
		{"worker-src", "blob", "keep it in a file of the app" + pass("workers")},
		{"script-src", "eval", "use a library that does without eval" + pass("eval")},
		{"script-src", "wasm-eval", "keep to JavaScript" + pass("wasm")},
		{"script-src-elem", "inline", "move it into a file of the app"},
		{"script-src-attr", "inline", "move it into a file of the app"},
		{"script-src-elem", "data", "keep it in a file of the app"},
		{"worker-src", "data", "keep it in a file of the app"},
	} {
		got := remedyOf(test.directive, test.blocked, a.setting(test.directive, test.blocked))
		if got != test.want {
			t.Errorf("%s %s: %s, want %s", test.directive, test.blocked, got, test.want)
		}
	}
}

// The pages run under a policy that meets what the app's files need, as soon as
// they need it; what it breaks is said at the start.
func TestUpPageNeeds(t *testing.T) {
	t.Parallel()
	dir := apptest.Folder(t, map[string]string{
		"config.xml":     `<widget><name>Needs</name><access origin="https://api.example.com" /></widget>`,
		"package.json":   `{"dependencies": {"styled-components": "6"}}`,
		"www/index.html": `<!doctype html><html><head><title>Needs</title></head></html>`,
		"www/app.js":     `run(eval(text))`,
	})
	u := start(t, Config{Dir: dir})
	policyOf := func() string {
		_, header, _ := apptest.Get(t, u.client(t, false), u.page)
		return header.Get("Content-Security-Policy")
	}
	if got := policyOf(); !strings.Contains(got, "style-src-elem 'self' 'unsafe-inline'; style-src-attr 'none'") ||
		strings.Contains(got, "data:") {
		t.Errorf("the policy is %s", got)
	}
	apptest.Rewrite(t, filepath.Join(dir, "www/app.js"), func(s string) string {
		return s + `; img.src = "data:image/png;base64," + d`
	})
	if got := policyOf(); !strings.Contains(got, " data:; media-src") {
		t.Errorf("the policy is %s", got)
	}
	want := `www/index.html: www/app.js:1:5 makes code of text (eval, new Function), which fails: 'unsafe-eval' ` +
		`is not in ` +
		`script-src; "eval" in the preference CordonPageNeeds would let it pass`
	if warnings := u.Warnings; !slices.Contains(warnings, want) {
		t.Errorf("the warnings are %q", warnings)
	}
}
