package dialect_test

import (
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Only an old platform, in whose own config.xml no plugin stands, answers no page:
// each later one has plugins of its own, such as CoreAndroid, which opens pages.
func TestNoPlugins(t *testing.T) {
	unknown := configxml.Additions{Unknown: []configxml.Unknown{{What: "x"}}}
	for _, test := range []struct {
		target, file string
		add          configxml.Additions
		want         policy.Reason
	}{
		{"android@2.0.0", "res/xml/config.xml", configxml.Additions{}, policy.NoPlugins},
		{"android@2.9.0", "platforms/android/res/xml/config.xml", configxml.Additions{}, policy.NoPlugins},
		{"android@2.9.0", "res/xml/config.xml", unknown, policy.NeverAsked},
		{"android@2.9.0", "www/config.xml", configxml.Additions{}, policy.NeverAsked},
		{"android@2.9.1", "res/xml/config.xml", configxml.Additions{}, policy.NeverAsked},
		{"android@3.5.1", "res/xml/config.xml", configxml.Additions{}, policy.NeverAsked},
		{"android@3.7.1", "res/xml/config.xml", configxml.Additions{}, policy.BuiltIn},
		{"android@4.0.0", "config.xml", configxml.Additions{}, policy.BuiltIn},
		{"android@9.1.0", "config.xml", configxml.Additions{}, policy.BuiltIn},
		{"amazon-fireos@3.6.3", "res/xml/config.xml", configxml.Additions{}, policy.BuiltIn},
		{"ios@2.3.0", "config.xml", configxml.Additions{}, policy.NeverAsked},
		{"ios@3.9.2", "config.xml", configxml.Additions{}, policy.NeverAsked},
		{"ios@8.1.0", "config.xml", configxml.Additions{}, policy.NeverAsked},
		{"capacitor-ios@8.4.2", "config.xml", configxml.Additions{}, policy.NeverAsked},
	} {
		target, err := dialect.ParseTarget(test.target)
		if err != nil {
			t.Fatal(err)
		}
		p, err := dialect.Compile(configxml.Effective(test.file, nil, test.add), target)
		if err != nil {
			t.Fatal(err)
		}
		want := policy.Allow
		if test.want == policy.NoPlugins {
			want = policy.Block
		}
		got := p.Decide(policy.Request{URL: "file:///x", Kind: policy.Bridge})
		if got.Verdict != want || got.Reason != test.want {
			t.Errorf("%s, %s: a page of an app without plugins: %s (%s), want %s (%s)", test.target, test.file,
				got.Verdict, got.Reason, want, test.want)
		}
	}
}

// What a web view refuses as mixed content is what is not encrypted, for a page that
// is, and leads to another machine.
func TestRefusesRequest(t *testing.T) {
	for _, test := range []struct {
		target, body, url string
		kind              policy.Kind
		want              bool
	}{
		{"android@15.0.0", ``, "http://a.example/x", policy.Image, true},
		{"android@10.0.0", ``, "WS://a.example:81/x", policy.WebSocket, true},
		{"android@15.0.0", ``, "http://a.example?x", policy.Frame, true},
		{"android@15.0.0", ``, "https://a.example/x", policy.Image, false},
		{"android@15.0.0", ``, "http://localhost:8080/x", policy.Image, false},
		{"android@15.0.0", ``, "http://127.0.0.1/x", policy.XHR, false},
		{"android@15.0.0", ``, "http://a.example/x", policy.Navigation, false},
		{"android@15.0.0", ``, "http://a.example/x", policy.Plugin, false},
		{"android@15.0.0", ``, "http://a.example/x", policy.Bridge, false},
		{"android@15.0.0", `<preference name="scheme" value="http"/>`, "http://a.example/x", policy.Image, false},
		{"android@15.0.0", `<preference name="AndroidInsecureFileModeEnabled" value="true"/>`, "http://a.example/x",
			policy.Image, false},
		{"android@9.1.0", ``, "http://a.example/x", policy.Image, false},
		// A page of a scheme of the app's own is none of https: WebKit asks for nothing else.
		{"ios@8.1.0", ``, "http://a.example/x", policy.Image, false},
	} {
		target, err := dialect.ParseTarget(test.target)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := configxml.Parse("config.xml", []byte(`<widget>`+test.body+`</widget>`))
		if err != nil {
			t.Fatal(err)
		}
		own := dialect.OwnOrigin(doc, target)
		if got := own.RefusesRequest(test.url, test.kind); got != test.want {
			t.Errorf("%s with %s: %v of %s is refused: %v, want %v", test.target, test.body, test.kind, test.url, got,
				test.want)
		}
	}
}

// With WKWebView every frame reaches native code, whichever plugin brings it, and
// whatever else stands before it.
func TestWKWebViewOfPlugins(t *testing.T) {
	for _, test := range []struct {
		element string
		want    policy.Verdict
	}{
		{`<plugin name="cordova-plugin-camera"/>`, policy.Block},
		{`<plugin name="cordova-plugin-wkwebview-engine"/>`, policy.Allow},
		{`<plugin name="cordova-plugin-wkwebview-ionic-xhr"/>`, policy.Allow},
		{`<plugin name="cordova-plugin-wkwebview-file-xhr"/>`, policy.Allow},
		{`<preference name="cordova-plugin-ionic-webview" value="1"/><plugin name="cordova-plugin-ionic-webview"/>`,
			policy.Allow},
	} {
		doc, err := configxml.Parse("config.xml", []byte(`<widget><allow-navigation href="https://a.example/*"/>`+
			test.element+`</widget>`))
		if err != nil {
			t.Fatal(err)
		}
		target := policy.Target{Platform: "ios", Version: policy.Version{Major: 4, Minor: 5}}
		compiled, err := dialect.Compile(doc, target)
		if err != nil {
			t.Fatal(err)
		}
		got := compiled.Decide(policy.Request{URL: "https://a.example/x", Kind: policy.BridgeFrame}).Verdict
		if got != test.want {
			t.Errorf("%s: a frame's call is %v, want %v", test.element, got, test.want)
		}
	}
}
