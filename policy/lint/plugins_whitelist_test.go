package lint_test

import "testing"

// A built config.xml names the whitelist plugin as a feature, and its list counts.
func TestWhitelistPluginAsAFeature(t *testing.T) {
	const list = `<engine name="android" spec="9.0.0"/><access origin="https://api.example.org"/>`
	const feature = `<feature name="Whitelist"><param name="android-package" ` +
		`value="org.apache.cordova.whitelist.WhitelistPlugin"/></feature>`
	for _, test := range []struct {
		config string
		want   int
	}{{list, 1}, {list + feature, 0}} {
		_, found := check(t, config(test.config))
		if got := len(of(found, "whitelist-plugin-missing")); got != test.want {
			t.Errorf("%s: found %d times, want %d", test.config, got, test.want)
		}
	}
}
