package folder_test

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/project/folder"
)

func writePackage(t *testing.T, name string, pairs ...string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(f)
	for i := 0; i+1 < len(pairs); i += 2 {
		entry, err := w.Create(pairs[i])
		if err == nil {
			_, err = entry.Write([]byte(pairs[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPackageThatDeclares: App-Bound Domains and the privacy manifest of a package are
// judged by the list inside it.
func TestPackageThatDeclares(t *testing.T) {
	t.Chdir(t.TempDir())
	writePackage(t, "app.ipa",
		"Payload/Shelf.app/Info.plist", "<plist><dict><key>WKAppBoundDomains</key><array><string>shop.example.org"+
			"</string><string>other.example.net</string></array></dict></plist>",
		"Payload/Shelf.app/config.xml", `<widget><access origin="https://api.example.org"/>`+
			`<allow-navigation href="https://shop.example.org/*"/></widget>`,
		"Payload/Shelf.app/PrivacyInfo.xcprivacy", "<plist><dict><key>NSPrivacyTracking</key><true/>"+
			"<key>NSPrivacyTrackingDomains</key><array><string>api.example.org</string>"+
			"<string>ads.example.net</string></array></dict></plist>")
	app, _, err := folder.OpenBuilt("app.ipa", nil)
	if err != nil {
		t.Fatal(err)
	}
	report, err := lint.Check(app)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range report.Findings {
		if id := f.Rule.ID; strings.HasPrefix(id, "privacy-") || id == "app-bound-domains-wider" {
			got = append(got, f.Place.String()+" "+f.Message)
		}
	}
	want := `Info.plist:1:82 no rule opens pages of "example.net" inside the app, and those that get in have its ` +
		`scripts and message handlers; of "other.example.net" WebKit keeps the whole domain` + "\n" +
		`PrivacyInfo.xcprivacy:1:123 no rule lets the app reach the tracking domain "ads.example.net", nor a name ` +
		"below it"
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
}

// TestPackageBesideAProject: the package's list is compared with that of the project
// that the command runs in.
func TestPackageBesideAProject(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("config.xml", []byte(`<widget><access origin="https://new.example.org"/></widget>`),
		0o644); err != nil {
		t.Fatal(err)
	}
	writePackage(t, "app.ipa", "Payload/Shelf.app/Info.plist", "<plist><dict/></plist>", "Payload/Shelf.app/config.xml",
		`<widget><access origin="https://old.example.org"/></widget>`)
	app, base, err := folder.OpenBuilt("app.ipa", nil)
	if err != nil || filepath.ToSlash(base) != "app.ipa/Payload/Shelf.app" || app.Beside == nil {
		t.Fatalf("%v %q %v", app, base, err)
	}
	report, err := lint.Check(app)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range report.Findings {
		if f.Rule.ID == "package-differs" {
			got = append(got, f.Place.String()+" "+f.Message)
		}
	}
	want := "" +
		`config.xml:1:1 config.xml of the project has <access origin="https://new.example.org"> in line 1, and the ` +
		"package does not\n" +
		`config.xml:1:9 the package has <access origin="https://old.example.org">, ` +
		"and config.xml of the project does not"
	if strings.Join(got, "\n") != want {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestPackagesThatCannotBeRead(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("cut.apk", []byte("PK\x03\x04"), 0o644); err != nil {
		t.Fatal(err)
	}
	writePackage(t, "native.ipa", "Payload/Shelf.app/Info.plist", "<plist><dict/></plist>")
	writePackage(t, "up.aab", "../x", "")
	for name, want := range map[string]string{
		"cut.apk": "cut.apk: it is not a ZIP archive, or cut short: zip: not a valid zip file",
		"native.ipa": filepath.FromSlash("native.ipa/Payload/Shelf.app") +
			": there is no config.xml and no capacitor.config.json in it: it must be an app of Cordova or Capacitor",
		"up.aab":   `up.aab: the entry "../x": its name must be a plain path, without .. and empty parts`,
		"gone.apk": "gone.apk: no such file or folder",
	} {
		if _, _, err := folder.OpenBuilt(name, nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}
