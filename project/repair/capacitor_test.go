package repair_test

import (
	"slices"
	"testing"

	"github.com/cordon-sec/cordon/project/repair"
)

// Settings of a Capacitor configuration are repaired by their own bytes; what they
// may be there for stays.
func TestCapacitorRepairs(t *testing.T) {
	const file = "capacitor.config.json"
	inCleartext := []string{"capacitor-mixed-content", "capacitor-cleartext"}
	for _, test := range []struct {
		name, before, want string
		rules              []string
		more               []string
	}{
		{
			name:  "settings that open the app, whatever stands around them",
			rules: []string{"capacitor-mixed-content", "inspectable-webview", "bridge-open", "capacitor-logging"},
			before: "\uFEFF{\r\n\t\"android\" : { \"allowMixedContent\":true, " +
				"\"webContentsDebuggingEnabled\" : \"true\",\r\n" +
				"  \"useLegacyBridge\":  true },\n \"loggingBehavior\": \"production\"  }\r\n",
			want: "\uFEFF{\r\n\t\"android\" : { \"allowMixedContent\":false, " +
				"\"webContentsDebuggingEnabled\" : false,\r\n" +
				"  \"useLegacyBridge\":  false },\n \"loggingBehavior\": \"debug\"  }\r\n",
		},
		{
			name: "live reload that was left in", rules: []string{"capacitor-server-url", "capacitor-cleartext"},
			before: "{\n  \"server\": {\n    \"url\": \"http://192.168.1.5:8100\",\n    \"cleartext\": true\n  }\n}\n",
			want:   "{\n  \"server\": {\n    \"cleartext\": false\n  }\n}\n",
		},
		{
			name: "the last member", rules: []string{"capacitor-server-url"},
			before: "{\"server\": {\"hostname\": \"localhost\", \"url\": \"http://localhost:5173\"}}",
			want:   "{\"server\": {\"hostname\": \"localhost\"}}",
		},
		{
			name: "the only member", rules: []string{"capacitor-server-url"},
			before: "{\"server\": { \"url\": \"http://10.0.2.2\" }}",
			want:   "{\"server\": {  }}",
		},
		{
			name: "a server that the app may be made of stays", rules: []string{"capacitor-server-url"},
			before: "{\"server\": {\"url\": \"https://app.example.com\"}}",
			want:   "{\"server\": {\"url\": \"https://app.example.com\"}}",
		},
		{
			name: "one that is written twice stays", rules: []string{"capacitor-server-url"},
			before: "{\"server\": {\"url\": \"http://localhost:1\", \"url\": \"http://localhost:2\"}}",
			want:   "{\"server\": {\"url\": \"http://localhost:1\", \"url\": \"http://localhost:2\"}}",
		},
		{
			name: "cleartext that the app asks in stays", rules: inCleartext,
			before: "{\"webDir\": \"dist\", \"allowMixedContent\": true, \"server\": {\"cleartext\": true}}",
			want:   "{\"webDir\": \"dist\", \"allowMixedContent\": true, \"server\": {\"cleartext\": true}}",
			more: []string{"dist/index.html",
				"<!doctype html><head></head><img src=\"http://meter.example.org/now.png\">"},
		},
		{
			name: "cleartext to this device needs none", rules: inCleartext,
			before: "{\"webDir\": \"dist\", \"allowMixedContent\": true, \"server\": {\"cleartext\": true}}",
			want:   "{\"webDir\": \"dist\", \"allowMixedContent\": false, \"server\": {\"cleartext\": false}}",
			more: []string{"dist/index.html",
				"<!doctype html><head></head><img src=\"http://localhost:8080/now.png\">"},
		},
		{
			name: "a scheme that holds what pages have stored stays", rules: []string{"cleartext-app-scheme"},
			before: "{\"server\": {\"androidScheme\": \"http\"}}",
			want:   "{\"server\": {\"androidScheme\": \"http\"}}",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			fsys := folder(append(test.more, file, test.before)...)
			made, result := after(t, fsys, repair.Options{Rules: test.rules})
			if got := string(made[file].Data); got != test.want {
				t.Errorf("got\n%q\nwant\n%q\nleft: %+v", got, test.want, result.Left)
			}
			if again, err := repair.Run(made, repair.Options{Rules: test.rules}); err != nil || len(again.Changes) > 0 {
				t.Errorf("a second run changes %+v (%v)", again, err)
			}
			for _, c := range result.Changes {
				if c.Name != file || string(c.Old) != test.before {
					t.Errorf("what stood in %s is %q, want %q", c.Name, c.Old, test.before)
				}
			}
		})
	}
}

// A configuration that is code is not edited, nor are the copies that cap copy makes.
func TestCapacitorCodeIsLeft(t *testing.T) {
	const config = `{"android":{"webContentsDebuggingEnabled":true},"server":{"cleartext":true}}`
	made, result := after(t, folder("capacitor.config.ts", "export default "+config, "package.json", "{}"),
		repair.Options{})
	if slices.ContainsFunc(result.Done, func(s repair.Step) bool { return s.Place.File == "capacitor.config.ts" }) {
		t.Errorf("done: %+v", result.Done)
	}
	if got := string(made["capacitor.config.ts"].Data); got != "export default "+config {
		t.Errorf("the code became %s", got)
	}
	made, _ = after(t, folder("android/app/src/main/assets/capacitor.config.json", config, "capacitor.config.js",
		"module.exports = require('./made')", "package.json", "{}"), repair.Options{})
	if got := string(made["android/app/src/main/assets/capacitor.config.json"].Data); got != config {
		t.Errorf("the copy became %s", got)
	}
}
