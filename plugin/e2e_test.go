package plugin_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/lane"
)

const appConfig = `<?xml version='1.0' encoding='utf-8'?>
<widget id="org.example.app" version="1.0.0" xmlns="http://www.w3.org/ns/widgets" xmlns:cordon="urn:cordon:1">
    <name>App</name>
    <author email="dev@example.org" href="https://example.org">Dev</author>
    <content src="index.html" />
    <access origin="https://api.example.org" />
    <access origin="https://*.cdn.example.org" />
    <access origin="http://plain.example.org" />
    <allow-intent href="https://*/*" />
    <cordon:pin host="api.example.org" sha256="C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=" expires="2099-06-30" />
    <cordon:pin host="api.example.org" sha256="diGVwiVYbubAI3RW4hB9xU8e/CH2GnkuvVFZE8zmgzI=" expires="2099-06-30" />
    %s
</widget>
`

const connect = "connect-src 'self' https://api.example.org wss://api.example.org https://cdn.example.org " +
	"https://*.cdn.example.org wss://cdn.example.org wss://*.cdn.example.org http://plain.example.org " +
	"ws://plain.example.org"

// One project with the real tools: what prepare leaves is right, and a second
// prepare leaves the same.
func TestPrepare(t *testing.T) {
	lane.Real(t)
	t.Parallel()
	tc := newToolchain(t)
	app := tc.newApp(t, platformReleases)
	write(t, app, "config.xml", fmt.Sprintf(appConfig, ""))
	tc.must(t, app, "prepare")
	first := digest(t, app+"/platforms")
	t.Run("csp", func(t *testing.T) {
		for _, page := range []string{"platforms/android/app/src/main/assets/www/index.html",
			"platforms/ios/www/index.html", "platforms/browser/www/index.html", "platforms/electron/www/index.html"} {
			text := read(t, app, page)
			// The template has data: in its default-src.
			if strings.Count(text, "Content-Security-Policy") != 1 || !strings.Contains(text, connect+" data:;") ||
				strings.Contains(text, "unsafe-eval';") && !strings.Contains(text, "wasm-unsafe-eval") {
				t.Errorf("%s:\n%s", page, text)
			}
		}
	})
	t.Run("android", func(t *testing.T) { checkAndroid(t, app) })
	t.Run("ios", func(t *testing.T) { checkIOS(t, app) })
	t.Run("settings", func(t *testing.T) { checkSettings(t, app) })
	t.Run("again", func(t *testing.T) {
		tc.must(t, app, "prepare")
		second := digest(t, app+"/platforms")
		for _, name := range slices.Sorted(maps.Keys(second)) {
			if first[name] != second[name] {
				t.Errorf("the second prepare changed %s", name)
			}
		}
		if len(first) != len(second) {
			t.Errorf("%d files after the first prepare, %d after the second", len(first), len(second))
		}
	})
	t.Run("bad", func(t *testing.T) { checkBadConfig(t, tc, app) })
	t.Run("release", func(t *testing.T) {
		write(t, app, "config.xml", fmt.Sprintf(appConfig, `<preference name="CordonExplain" value="never" />`))
		tc.must(t, app, "prepare")
		if text := read(t, app, "platforms/browser/www/index.html"); strings.Contains(text, "unsafe-eval") {
			t.Error("without the engine in the app its pages need no WebAssembly")
		}
		for name := range digest(t, app+"/platforms") {
			if strings.HasSuffix(name, ".wasm") {
				t.Errorf("%s is left", name)
			}
		}
	})
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := decoder.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
}

func checkAndroid(t *testing.T, app string) {
	manifest := read(t, app, "platforms/android/app/src/main/AndroidManifest.xml")
	wellFormed(t, manifest)
	if strings.Count(manifest, `android:networkSecurityConfig="@xml/network_security_config"`) != 1 {
		t.Errorf("the manifest does not name the configuration once:\n%s", manifest)
	}
	nsc := read(t, app, "platforms/android/app/src/main/res/xml/network_security_config.xml")
	var file struct {
		Base struct {
			Cleartext bool `xml:"cleartextTrafficPermitted,attr"`
		} `xml:"base-config"`
		Domains []struct {
			Cleartext bool   `xml:"cleartextTrafficPermitted,attr"`
			Domain    string `xml:"domain"`
			Pins      struct {
				Expiration string   `xml:"expiration,attr"`
				Pins       []string `xml:"pin"`
			} `xml:"pin-set"`
		} `xml:"domain-config"`
	}
	if err := xml.Unmarshal([]byte(nsc), &file); err != nil {
		t.Fatal(err)
	}
	if file.Base.Cleartext || len(file.Domains) != 2 {
		t.Fatalf("%+v", file)
	}
	api, plain := file.Domains[0], file.Domains[1]
	if api.Domain != "api.example.org" || api.Cleartext || len(api.Pins.Pins) != 2 ||
		api.Pins.Expiration != "2099-06-30" {
		t.Errorf("%+v", api)
	}
	if plain.Domain != "plain.example.org" || !plain.Cleartext || len(plain.Pins.Pins) != 0 {
		t.Errorf("%+v", plain)
	}
}

func checkIOS(t *testing.T, app string) {
	plist := read(t, app, "platforms/ios/App/App-Info.plist")
	wellFormed(t, plist)
	_, ats, _ := strings.Cut(plist, "<key>NSAppTransportSecurity</key>")
	flat := regexp.MustCompile(`\s+`).ReplaceAllString(ats, "")
	for _, part := range []string{
		"<key>NSAllowsArbitraryLoads</key><false/>",
		"<key>plain.example.org</key><dict><key>NSIncludesSubdomains</key><false/>" +
			"<key>NSExceptionAllowsInsecureHTTPLoads</key><true/>",
		"<key>NSPinnedDomains</key><dict><key>api.example.org</key>",
		"<string>C5+lpZ7tcVwmwQIMcRtPbsQtWLABXhQzejna0wHFr8M=</string>",
		"<string>diGVwiVYbubAI3RW4hB9xU8e/CH2GnkuvVFZE8zmgzI=</string>",
	} {
		if !strings.Contains(flat, part) {
			t.Errorf("Info.plist lacks %s:\n%s", part, ats)
		}
	}
}

func checkSettings(t *testing.T, app string) {
	for platform, want := range map[string]string{
		"android/app/src/main/assets": `"enforced":"native"`, "ios": `"enforced":"unverified"`,
		"browser": `"enforced":"none"`, "electron": `"enforced":"none"`,
	} {
		text := read(t, app, path.Join("platforms", platform, "www/plugins/cordova-plugin-cordon/www/settings.js"))
		for _, part := range []string{want, `"debug":false`,
			`{"host":"api.example.org","subdomains":false,"expires":"2099-06-30"}`,
			`cordova.define("cordova-plugin-cordon.settings"`} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the settings lack %s:\n%s", platform, part, text)
			}
		}
		if strings.Contains(text, "dev@example.org") {
			t.Errorf("%s: the settings hold more of config.xml than its list:\n%s", platform, text)
		}
	}
}

// checkBadConfig tries the Whitelist Guide's own example, on which cordova-ios
// fails with "Invalid URL" and no word of where.
func checkBadConfig(t *testing.T, tc toolchain, app string) {
	before := digest(t, app+"/platforms")
	write(t, app, "config.xml", fmt.Sprintf(appConfig, `<access origin="*.google.*" />`))
	out, err := tc.cordova(t, app, "prepare")
	if err == nil {
		t.Fatalf("prepare went on:\n%s", out)
	}
	for _, part := range []string{"config.xml:12:5: high:", "*.google.*", "[prepare-fails]", "remedy: "} {
		if !strings.Contains(out, part) {
			t.Errorf("the message lacks %q:\n%s", part, out)
		}
	}
	if strings.Contains(out, "    at ") {
		t.Errorf("the message has a stack:\n%s", out)
	}
	if after := digest(t, app+"/platforms"); !maps.Equal(before, after) {
		t.Error("the failed prepare changed the platforms")
	}
}
