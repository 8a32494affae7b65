package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// capacitorApp is a project of one Capacitor version, with pages.
func capacitorApp(version, config string, more map[string]string) fstest.MapFS {
	files := fstest.MapFS{
		"capacitor.config.json": {Data: []byte(config)},
		"package.json": {Data: fmt.Appendf(nil, `{"dependencies":{"@capacitor/core":"%[1]s",`+
			`"@capacitor/android":"%[1]s","@capacitor/ios":"%[1]s"}}`, version)},
		"www/index.html": {Data: []byte(`<!doctype html><html><head><meta http-equiv="Content-Security-Policy" ` +
			`content="default-src 'self'; connect-src 'self'; base-uri 'self'"><script src="app.js"></script></head>` +
			`</html>`)},
		"www/app.js": {Data: []byte(`fetch("http://api.example.com/x"); new WebSocket("ws://push.example.com/")`)},
	}
	for name, data := range more {
		files[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return files
}

const inCopy = ", and not in capacitor.config.json: the copy ships until npx cap copy is run ()"

// capacitorCases are projects of one version, the rules that are looked at, and
// what they find.
var capacitorCases = map[string]struct {
	version, config string
	more            map[string]string
	rules           []string // those that are looked at
	want            []string
}{
	"the own origin in cleartext": {"7.4.0", `{"server":{"androidScheme":"http"}}`, nil,
		[]string{"cleartext-app-scheme", "mixed-content"}, []string{
			`cleartext-app-scheme server.androidScheme="http" makes the app's own origin a cleartext one ` +
				`(capacitor-android@7.4.0)`}},
	"the own origin of old versions": {"5.7.8", `{}`, nil, []string{"cleartext-app-scheme"}, []string{
		`cleartext-app-scheme capacitor-android@5.7.8 serves the app's own pages from http://localhost unless ` +
			`server.androidScheme is https (capacitor-android@5.7.8)`}},
	"the own origin of new versions": {"6.0.0", `{}`, nil, []string{"cleartext-app-scheme", "mixed-content"},
		[]string{
			`mixed-content http://api.example.com is refused as mixed content, because the app's own pages come ` +
				`from https://localhost on capacitor-android@6.0.0 (capacitor-android@6.0.0)`,
			`mixed-content ws://push.example.com is refused as mixed content, because the app's own pages come ` +
				`from https://localhost on capacitor-android@6.0.0 (capacitor-android@6.0.0)`}},
	"copies that open more": {"7.4.0", `{"server":{"hostname":"a.test","allowNavigation":["a.example"]},` +
		`"cordova":{"accessOrigins":["https://a"]}}`, map[string]string{
		"ios/App/App/capacitor.config.json": `{"server":{"hostname":"a.test","allowNavigation":["a.example","*"]}}`,
		"android/app/src/main/assets/capacitor.config.json": `{"server":{"cleartext":true,"url":"http://b",` +
			`"androidScheme":"http"},"android":{"useLegacyBridge":true,"allowMixedContent":true},` +
			`"cordova":{"accessOrigins":["https://a"]}}`,
	}, []string{"built-config-differs", "built-config-wider"}, []string{
		`built-config-differs server.allowNavigation has no "a.example" here` + inCopy,
		`built-config-differs server.hostname is not set here` + inCopy,
		`built-config-wider server.cleartext is true here` + inCopy,
		`built-config-wider server.url is "http://b" here` + inCopy,
		`built-config-differs server.androidScheme is "http" here` + inCopy,
		`built-config-wider android.useLegacyBridge is true here` + inCopy,
		`built-config-wider allowMixedContent is true here` + inCopy,
		`built-config-differs cordova.accessOrigins is not set here, which stands for every origin` + inCopy,
		`built-config-wider server.allowNavigation has "*" here` + inCopy}},
	"copies that open no more": {"7.4.0", `{"server":{"allowNavigation":["*.example.com"]},` +
		`"cordova":{"accessOrigins":["https://*.example.com"]}}`, map[string]string{
		"android/app/src/main/assets/capacitor.config.json": `{"server":{"allowNavigation":["*.example.com",` +
			`"api.example.com"]},"cordova":{"accessOrigins":["https://*.example.com","https://a.example.com"]}}`,
	}, []string{"built-config-differs", "built-config-wider"}, []string{
		`built-config-differs server.allowNavigation has "api.example.com" here` + inCopy,
		`built-config-differs cordova.accessOrigins has "https://a.example.com" here` + inCopy}},
	"copies whose settings open more": {"7.4.0", `{"cordova":{"accessOrigins":["https://a"]}}`, map[string]string{
		"android/app/src/main/assets/capacitor.config.json": `{"server":{"androidScheme":"http"},` +
			`"android":{"webContentsDebuggingEnabled":true},"plugins":{"CapacitorHttp":{"enabled":true},` +
			`"CapacitorCookies":{"enabled":true}}}`,
		"ios/App/App/capacitor.config.json": `{"ios":{"webContentsDebuggingEnabled":true},` +
			`"cordova":{"accessOrigins":["https://a"]}}`,
	}, []string{"built-config-differs", "built-config-wider"}, []string{
		`built-config-wider cordova.accessOrigins is not set here, which stands for every origin` + inCopy,
		`built-config-wider server.androidScheme is "http" here` + inCopy,
		`built-config-wider android.webContentsDebuggingEnabled is true here` + inCopy,
		`built-config-wider plugins.CapacitorHttp.enabled is true here` + inCopy,
		`built-config-wider plugins.CapacitorCookies.enabled is true here` + inCopy,
		`built-config-wider ios.webContentsDebuggingEnabled is true here` + inCopy}},
	"copies that say the same": {"7.4.0", `{"server":{"allowNavigation":["a.example"]}}`, map[string]string{
		"ios/App/App/capacitor.config.json": `{"server":{"allowNavigation":["a.example"]},"packageClassList":[]}`,
	}, []string{"built-config-differs", "built-config-wider"}, nil},
	"mixed content": {"7.4.0", `{"android":{"allowMixedContent":"true"}}`, nil,
		[]string{"capacitor-mixed-content", "mixed-content"}, []string{
			`capacitor-mixed-content allowMixedContent lets the app's pages load scripts and everything else over ` +
				`http (capacitor-android@7.4.0)`}},
	"native requests are not mixed content": {"7.4.0", `{"plugins":{"CapacitorHttp":{"enabled":true}}}`, nil,
		[]string{"mixed-content", "source-cleartext-url", "capacitor-http-bypasses-csp", "capacitor-interceptor"},
		[]string{
			`source-cleartext-url api.example.com is reached unencrypted ()`,
			`mixed-content ws://push.example.com is refused as mixed content, because the app's own pages come ` +
				`from https://localhost on capacitor-android@7.4.0 (capacitor-android@7.4.0)`,
			`source-cleartext-url push.example.com is reached unencrypted (capacitor-ios@7.4.0)`,
			`capacitor-http-bypasses-csp connect-src of www/index.html does not hold its scripts back: ` +
				`CapacitorHttp (capacitor.config.json:1:40) has native code ask for what fetch and XMLHttpRequest ` +
				`ask for, such as https://cordon-probe.invalid/x (capacitor-android@7.4.0 capacitor-ios@7.4.0)`}},
	"a number is for iOS": {"7.4.0", `{"plugins":{"CapacitorHttp":{"enabled":1}}}`, nil,
		[]string{"capacitor-http-bypasses-csp", "capacitor-interceptor"}, []string{
			`capacitor-http-bypasses-csp connect-src of www/index.html does not hold its scripts back: ` +
				`CapacitorHttp (capacitor.config.json:1:40) has native code ask for what fetch and XMLHttpRequest ` +
				`ask for, such as https://cordon-probe.invalid/x (capacitor-ios@7.4.0)`,
			`capacitor-interceptor connect-src of www/index.html lets scripts ask the app's own origin, which ` +
				`answers /_capacitor_http_interceptor_ from any host, whether CapacitorHttp is enabled or not ` +
				`(capacitor-android@7.4.0)`}},
	"before CapacitorHttp": {"4.2.0", `{"plugins":{"CapacitorHttp":{"enabled":true},` +
		`"CapacitorCookies":{"enabled":true}}}`, nil,
		[]string{"capacitor-http-bypasses-csp", "capacitor-interceptor", "capacitor-cookies"}, nil},
	"a page without a restriction": {"7.4.0", `{"plugins":{"CapacitorHttp":{"enabled":true}}}`,
		map[string]string{"www/index.html": `<!doctype html><html><head><meta http-equiv=` +
			`"Content-Security-Policy" content="default-src 'self'; connect-src *"></head></html>`},
		[]string{"capacitor-http-bypasses-csp"}, nil},
	"default-src stands in": {"7.4.0", `{"plugins":{"CapacitorHttp":{"enabled":true}}}`,
		map[string]string{"www/index.html": `<!doctype html><html><head><meta http-equiv=` +
			`"Content-Security-Policy" content="default-src 'self'"></head></html>`},
		[]string{"capacitor-http-bypasses-csp"}, []string{
			`capacitor-http-bypasses-csp default-src of www/index.html does not hold its scripts back: ` +
				`CapacitorHttp (capacitor.config.json:1:40) has native code ask for what fetch and XMLHttpRequest ` +
				`ask for, such as https://cordon-probe.invalid/x (capacitor-android@7.4.0 capacitor-ios@7.4.0)`}},
	"a real host": {"6.0.0", `{"server":{"hostname":"shop.example","iosScheme":"ionic"}}`, nil,
		[]string{"app-host-real", "app-scheme-taken"}, []string{
			`app-host-real the app's own pages are those of the host shop.example on capacitor-android@6.0.0 ` +
				`(capacitor-android@6.0.0)`}},
	"schemes of the web view": {"6.0.0", `{"server":{"androidScheme":"ftp","iosScheme":"https"}}`, nil,
		[]string{"app-scheme-taken", "app-scheme-refused"}, []string{
			`app-scheme-taken no app can serve the scheme "ftp": the app's own pages come from ` +
				`https://localhost/ on capacitor-android@6.0.0 (capacitor-android@6.0.0)`,
			`app-scheme-taken no app can serve the scheme "https": the app's own pages come from ` +
				`capacitor://localhost/ on capacitor-ios@6.0.0 (capacitor-ios@6.0.0)`}},
	"inspection": {"6.0.0", `{"android":{"webContentsDebuggingEnabled":true},` +
		`"ios":{"webContentsDebuggingEnabled":true}}`, nil, []string{"inspectable-webview"}, []string{
		`inspectable-webview webContentsDebuggingEnabled opens the app to remote inspection ` +
			`(capacitor-android@6.0.0)`,
		`inspectable-webview webContentsDebuggingEnabled opens the app to remote inspection ` +
			`(capacitor-ios@6.0.0)`}},
	"inspection before iOS had it": {"4.7.3", `{"ios":{"webContentsDebuggingEnabled":true}}`, nil,
		[]string{"inspectable-webview"}, nil},
	"logs": {"6.0.0", `{"loggingBehavior":"production"}`, nil, []string{"capacitor-logging"}, []string{
		`capacitor-logging release builds write what pages log and the calls of native code into the system's ` +
			`log (capacitor-android@6.0.0 capacitor-ios@6.0.0)`}},
	"an old generated list": {"7.4.0", `{"cordova":{"accessOrigins":["https://a.example.com"]}}`,
		map[string]string{"android/app/src/main/res/xml/config.xml": `<widget><access origin="*"/></widget>`},
		[]string{"capacitor-access-any", "capacitor-access-default"}, []string{
			`capacitor-access-any Cordova plugins may ask every host, although cordova.accessOrigins does not say ` +
				`so: run npx cap sync (capacitor-android@7.4.0)`}},
	"App-Bound Domains": {"7.4.0", `{"ios":{"limitsNavigationsToAppBoundDomains":true}}`, nil,
		[]string{"capacitor-app-bound"}, []string{
			`capacitor-app-bound limitsNavigationsToAppBoundDomains needs WKAppBoundDomains with "localhost" in ` +
				`Info.plist, which none that was read has (capacitor-ios@7.4.0)`}},
	"a Capacitor without a privacy manifest": {"5.7.2", `{}`, nil, []string{"privacy-framework"}, []string{
		`privacy-framework capacitor-ios@5.7.2 brings the framework Capacitor without a privacy manifest; 5.7.3 has ` +
			`one (capacitor-ios@5.7.2)`}},
	"a Capacitor with one": {"5.7.3", `{}`, nil, []string{"privacy-framework"}, nil},
	"nothing": {"7.4.0", `{"loggingBehavior":"none","android":{"allowMixedContent":false}}`, nil,
		[]string{"capacitor-logging", "capacitor-mixed-content", "capacitor-cookies", "cleartext-app-scheme",
			"app-host-real", "inspectable-webview", "capacitor-app-bound", "capacitor-http-bypasses-csp"}, nil},
}

// Each setting of a Capacitor configuration that matters has its finding, on the
// targets that read it.
func TestCapacitorSettings(t *testing.T) {
	for name, test := range capacitorCases {
		t.Run(name, func(t *testing.T) {
			_, found := check(t, capacitorApp(test.version, test.config, test.more))
			var got []string
			for _, f := range found.Findings {
				if !slices.Contains(test.rules, f.Rule.ID) {
					continue
				}
				var on []string
				for _, target := range f.Targets {
					on = append(on, target.String())
				}
				got = append(got, f.Rule.ID+" "+f.Message+" ("+strings.Join(on, " ")+")")
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
