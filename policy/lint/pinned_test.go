package lint_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/internal/testpki"
)

const pinnedCode = `cordova.plugin.http.setServerTrustMode("pinned", go, failed);`

// With its own certificate alone, the app is locked out at the next renewal; and a
// host that is pinned should be one that the list names.
func TestOnePinnedCertificate(t *testing.T) {
	ca := testpki.Root(t, testpki.Spec{})
	leaf := func() []byte { return ca.Leaf(t, testpki.Spec{Hosts: []string{"api.example.com"}}).DER() }
	files := fstest.MapFS{
		"config.xml": {Data: []byte(`<widget><engine name="android" spec="12.0.0"/>
<access origin="https://www.example.com"/></widget>`)},
		"www/certificates/api.example.com.cer": {Data: leaf()},
		"www/app.js":                           {Data: []byte(pinnedCode)},
	}
	_, found := check(t, files)
	const place = "www/certificates/api.example.com.cer:1:1: "
	for id, want := range map[string]string{
		"pin-no-backup": place + "medium: the app trusts the server's own certificate and has no other: a change " +
			"of it " +
			"locks every installed copy out\n",
		"pin-host-not-listed":        place + "low: api.example.com is pinned, and no line of the list covers it\n",
		"pinned-without-certificate": "",
	} {
		list := of(found, id)
		if diff := cmp.Diff(want, lines(list)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		for _, f := range list {
			if f.Set != 1 {
				t.Errorf("%s is of set %d", id, f.Set)
			}
		}
	}
	files["www/certificates/next.example.com.cer"] = &fstest.MapFile{Data: leaf()}
	if _, found = check(t, files); len(of(found, "pin-no-backup")) > 0 {
		t.Error("with a second certificate there is a backup")
	}
}

// Where a certificate comes to the right folder by config.xml, the platform has it.
func TestCertificateThatIsCopied(t *testing.T) {
	for _, test := range []struct{ name, body, code, want string }{
		{"to the folder", `<resource-file src="x/a.cer" target="app/src/main/assets/www/certificates/a.cer"/>`,
			pinnedCode, ""},
		{"for one platform", `<platform name="android"><resource-file src="x/a.cer" ` +
			`target="app/src/main/assets/www/certificates/a.cer"/></platform>`, pinnedCode,
			`www/app.js:1:21: high: setServerTrustMode switches pinning on, and www/certificates has no certificate: ` +
				"every request of cordova-plugin-advanced-http fails on ios@7.1.1\n"},
		{"to the assets, for the older plugin", `<resource-file src="x/a.cer" target="app/src/main/assets/a.cer"/>`,
			`cordovaHTTP.enableSSLPinning(true, go);`,
			`www/app.js:1:13: high: enableSSLPinning switches pinning on, and www/certificates has no certificate: ` +
				"every request of cordova-plugin-http fails on ios@7.1.1; x/a.cer was probably meant\n"},
		{"no pinning", "", `cordova.plugin.http.setServerTrustMode("default", go)`, ""},
		{"cordon's own", `<plugin name="cordova-plugin-cordon"/>`, `cordovaHTTP.enableSSLPinning(true, go);`, ""},
	} {
		_, found := check(t, fstest.MapFS{
			"config.xml": {
				Data: []byte(`<widget><engine name="android" spec="12.0.0"/><engine name="ios" spec="7.1.1"/>` +
					test.body + `</widget>`),
			},
			"www/app.js": {Data: []byte(test.code)},
		})
		if diff := cmp.Diff(test.want, lines(of(found, "pinned-without-certificate"))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
