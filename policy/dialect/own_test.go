package dialect_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// ownCase is where a target serves the app's pages from: the prefix, what it
// compares with instead, the scheme that it refused, and whether it refuses mixed
// content.
type ownCase struct {
	Prefix, Compared, Refused string
	Mixed                     bool
}

func TestOwnOrigin(t *testing.T) {
	const ionic = `<plugin name="cordova-plugin-ionic-webview" spec="`
	for _, test := range []struct {
		target, config string
		want           ownCase
	}{
		{"android@9.1.0", `<preference name="scheme" value="http"/>`, ownCase{Prefix: "file://"}},
		{"android@10.0.0", "", ownCase{Prefix: "https://localhost/", Mixed: true}},
		{"android@10.0.1", `<preference name="scheme" value="http"/><preference name="hostname" value="h.example"/>`,
			ownCase{Prefix: "https://h.example/", Mixed: true}},
		{"android@10.1.1", `<preference name="Scheme" value="HTTP"/>`, ownCase{Prefix: "http://localhost/"}},
		{"android@10.1.1", `<preference name="scheme" value="app"/>`,
			ownCase{"https://localhost/", "app://localhost/", "app", true}},
		{"android@10.1.1", `<preference name="hostname" value="App.Example"/>`,
			ownCase{Prefix: "https://App.Example/", Mixed: true}},
		{"android@15.1.0", `<preference name="hostname" value="App.Example"/>`,
			ownCase{Prefix: "https://app.example/", Mixed: true}},
		{"android@15.1.0", `<preference name="AndroidInsecureFileModeEnabled" value="true"/>`,
			ownCase{Prefix: "file://"}},
		{"android@15.1.0", `<platform name="ios"><preference name="scheme" value="app"/></platform>`,
			ownCase{Prefix: "https://localhost/", Mixed: true}},
		{"android@9.1.0", ionic + `^5.0.0"/>`, ownCase{Prefix: "http://localhost/"}},
		{"android@9.1.0", ionic + `~4.2.1"/><preference name="Scheme" value="https"/>`,
			ownCase{Prefix: "https://localhost/"}},
		{"android@9.1.0", ionic + `5.0.1"/><preference name="Scheme" value="https"/>` +
			`<preference name="MixedContentMode" value="1"/>`, ownCase{Prefix: "https://localhost/", Mixed: true}},
		{"android@9.1.0", ionic + `^2.5.3"/><preference name="WKPort" value="8081"/>`,
			ownCase{Prefix: "http://localhost:8081/"}},
		{"android@9.1.0", ionic + `1.2.1"/>`, ownCase{Prefix: "file://"}},
		{"ios@5.1.1", `<preference name="scheme" value="app"/>`, ownCase{Prefix: "file://"}},
		{"ios@6.2.0", "", ownCase{Prefix: "file://"}},
		{"ios@6.2.0", `<preference name="scheme" value="my"/><preference name="hostname" value="h"/>`,
			ownCase{Prefix: "my://h/"}},
		{"ios@7.1.1", `<preference name="scheme" value="https"/>`,
			ownCase{Prefix: "app://localhost/", Refused: "https"}},
		{"ios@8.1.1", "", ownCase{Prefix: "app://localhost/"}},
		{"ios@8.1.1", `<preference name="scheme" value="file"/>`, ownCase{Prefix: "file://"}},
		{"ios@6.2.0", ionic + `5.0.1"/>`, ownCase{Prefix: "ionic://localhost/"}},
		{"ios@6.2.0", ionic + `5.0.1"/><preference name="iosScheme" value="http"/>`,
			ownCase{Prefix: "ionic://localhost/", Refused: "http"}},
		{"ios@6.2.0", ionic + `4.0.0"/><preference name="iosScheme" value="my"/>` +
			`<preference name="Hostname" value="h"/>`, ownCase{Prefix: "my://h/"}},
		{"ios@4.5.5", ionic + `2.5.3"/>`, ownCase{Prefix: "http://localhost:8080/"}},
	} {
		doc, err := configxml.Parse("config.xml", []byte("<widget>"+test.config+"</widget>"))
		if err != nil {
			t.Fatal(err)
		}
		target, err := dialect.ParseTarget(test.target)
		if err != nil {
			t.Fatal(err)
		}
		o := dialect.OwnOrigin(doc, target)
		got := ownCase{o.Prefix(), o.Compared, o.Refused, o.RefusesMixed}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s with %s (-want +got):\n%s", test.target, test.config, diff)
		}
	}
}

func TestOwnOriginOfOtherPlatforms(t *testing.T) {
	doc, err := configxml.Parse("config.xml", []byte("<widget/>"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dialect.Strict, "w3c", "wp8", "no platform"} {
		if o := dialect.OwnOrigin(doc, policy.Target{Platform: name}); o.Known() {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// Where Capacitor serves the app's pages from.
func TestOwnOriginOfCapacitor(t *testing.T) {
	type want struct {
		Prefix, Refused, SchemeFrom, HostFrom string
		Mixed, Native                         bool
	}
	for _, test := range []struct {
		target, config string
		want           want
	}{
		{"capacitor-android@5.7.8", `{}`, want{Prefix: "http://localhost/"}},
		{"capacitor-android@6.0.0", `{}`, want{Prefix: "https://localhost/", Mixed: true}},
		{"capacitor-android@6.0.0", `{"server":{"androidScheme":"http","hostname":"h.example"}}`,
			want{Prefix: "http://h.example/", SchemeFrom: "server.androidScheme", HostFrom: "server.hostname"}},
		{"capacitor-android@5.0.0", `{"server":{"androidScheme":"https"}}`,
			want{Prefix: "https://localhost/", SchemeFrom: "server.androidScheme", Mixed: true}},
		{"capacitor-android@6.0.0", `{"server":{"androidScheme":"blob"}}`,
			want{Prefix: "https://localhost/", Refused: "blob", SchemeFrom: "server.androidScheme", Mixed: true}},
		{"capacitor-android@3.9.0", `{"server":{"androidScheme":"ionic"}}`,
			want{Prefix: "ionic://localhost/", SchemeFrom: "server.androidScheme"}},
		{"capacitor-android@8.4.2", `{"allowMixedContent":true}`, want{Prefix: "https://localhost/"}},
		{"capacitor-android@8.4.2", `{"server":{"url":"http://192.168.1.4:5173"}}`,
			want{Prefix: "https://localhost/"}},
		{"capacitor-android@4.3.0", `{"plugins":{"CapacitorHttp":{"enabled":true}}}`,
			want{Prefix: "http://localhost/", Native: true}},
		{"capacitor-android@4.2.0", `{"plugins":{"CapacitorHttp":{"enabled":true}}}`,
			want{Prefix: "http://localhost/"}},
		{"capacitor-ios@8.4.2", `{"server":{"androidScheme":"http"}}`, want{Prefix: "capacitor://localhost/"}},
		{"capacitor-ios@8.4.2", `{"server":{"iosScheme":"Ionic","hostname":"h"}}`,
			want{Prefix: "ionic://h/", SchemeFrom: "server.iosScheme", HostFrom: "server.hostname"}},
		{"capacitor-ios@8.4.2", `{"server":{"iosScheme":"https"},"plugins":{"CapacitorHttp":{"enabled":1}}}`,
			want{Prefix: "capacitor://localhost/", Refused: "https", SchemeFrom: "server.iosScheme", Native: true}},
	} {
		config, err := capacitor.Read("capacitor.config.json", []byte(test.config))
		if err != nil {
			t.Fatal(err)
		}
		target, err := dialect.ParseTarget(test.target)
		if err != nil {
			t.Fatal(err)
		}
		doc := configxml.Effective("capacitor.config.json", nil, configxml.Additions{Capacitor: config})
		o := dialect.OwnOrigin(doc, target)
		got := want{o.Prefix(), o.Refused, o.SchemeFrom.Name, o.HostFrom.Name, o.RefusesMixed, o.NativeRequests}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s %s:\n%s", test.target, test.config, diff)
		}
	}
}
