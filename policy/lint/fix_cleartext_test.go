package lint_test

import "testing"

// server.cleartext is switched off where nothing needs it: not under a page that the
// app opens inside over http, as links, forms and its own address say.
func TestCleartextFix(t *testing.T) {
	const (
		plain   = "write false; npx cap copy takes it over"
		noticed = "write false (the pages of server.allowNavigation open over https alone then); " +
			"npx cap copy takes it over"
	)
	for name, test := range map[string]struct{ server, body, script, want string }{
		"nothing asks": {"", "", "", plain},
		"a request":    {"", "", `fetch("http://api.example.com/")`, ""},
		"a page opened inside": {`,"allowNavigation":["old.example.com"]`,
			`<a href="http://old.example.com/">x</a>`, "", ""},
		"by a mask": {`,"allowNavigation":["*.example.com"]`,
			`<a href="http://old.example.com/">x</a>`, "", ""},
		"from a script": {`,"allowNavigation":["old.example.com"]`,
			"", `location.href = "http://old.example.com/"`, ""},
		"over https": {`,"allowNavigation":["new.example.com"]`,
			`<a href="https://new.example.com/">x</a>`, "", noticed},
		"a page of the browser": {`,"allowNavigation":["new.example.com"]`,
			`<a href="http://old.example.com/">x</a>`, "", noticed},
		"a form":                 {"", `<form action="http://old.example.com/" method="post"></form>`, "", ""},
		"pages of a host":        {`,"url":"http://app.example.com"`, "", "", ""},
		"pages over https":       {`,"url":"https://app.example.com"`, "", "", plain},
		"pages from live reload": {`,"url":"http://192.168.1.20:8100"`, "", "", plain},
	} {
		_, found := check(t, capacitorApp("7.4.0", `{"server":{"cleartext":true`+test.server+`}}`, map[string]string{
			"www/index.html": `<!doctype html><html><head><script src="app.js"></script></head><body>` + test.body +
				`</body></html>`,
			"www/app.js": test.script,
		}))
		got, seen := "", false
		for _, f := range found.Findings {
			if f.Rule.ID == "capacitor-cleartext" {
				seen = true
				if f.Fix != nil {
					got = f.Fix.Summary
				}
			}
		}
		if !seen || got != test.want {
			t.Errorf("%s: seen %v, the fix %q, want %q", name, seen, got, test.want)
		}
	}
}
