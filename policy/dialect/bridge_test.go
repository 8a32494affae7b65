package dialect_test

import (
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

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
