package artifact

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/project"
)

func text(name, value string) attribute { return attribute{name: name, kind: valueString, text: value} }

func truth(name string, id uint32, on bool) attribute {
	a := attribute{name: name, id: id, kind: valueBool}
	if on {
		a.data = 0xFFFFFFFF
	}
	return a
}

const (
	cleartextID = 0x010104ec
	securityID  = 0x01010527
)

// manifest is a manifest that names a network security configuration. Its attributes
// go by their numbers: one has lost its name.
func manifest(config attribute) element {
	config.name, config.id, config.android = "networkSecurityConfig", securityID, true
	return element{name: "manifest", attributes: []attribute{text("package", "org.example")}, children: []element{
		{name: "application", attributes: []attribute{truth("", cleartextID, true), config}},
	}}
}

var security = element{name: "network-security-config", children: []element{
	{name: "base-config", attributes: []attribute{truth("cleartextTrafficPermitted", 0, true)}},
	{name: "domain-config", children: []element{{name: "domain", text: "old.example.org:8080"}}},
}}

var built = element{name: "widget", attributes: []attribute{text("id", "org.example")}, children: []element{
	{name: "access", attributes: []attribute{text("origin", "https://api.example.org/?a=1&b=<")}},
}}

const page = "<!DOCTYPE html><html><head></head><body></body></html>"

const cordovaJS = "// Platform: cordova-android\nvar PLATFORM_VERSION_BUILD_LABEL = '13.0.0';"

// apkOf is an Android package whose resources have lost their names, as the tools
// that shorten packages leave them.
func apkOf(t testing.TB) []byte {
	table := compileTable([]string{"xml", "bool"}, []tableEntry{
		{kind: "xml", name: "net", path: "res/a1.xml"}, {kind: "xml", name: "config", path: "res/b2.xml"},
		{kind: "bool", name: "clear", value: 0},
	})
	return zipOf(t, "AndroidManifest.xml",
		string(compileXML(manifest(attribute{kind: valueReference, data: 0x7f010000}), strings16)),
		"resources.arsc", string(table), "res/a1.xml", string(compileXML(security, strings8)),
		"res/b2.xml", string(compileXML(built, strings8)), "classes.dex", "dex",
		"assets/www/index.html", page, "assets/www/cordova.js", cordovaJS)
}

func aabOf(t testing.TB) []byte {
	return zipOf(t, "BundleConfig.pb", "", "base/manifest/AndroidManifest.xml",
		string(compileProto(manifest(attribute{kind: valueReference, text: "org.example:xml/net"}))),
		"base/res/xml/net.xml", string(compileProto(security)), "base/res/xml/config.xml", string(compileProto(built)),
		"base/assets/www/index.html", page, "base/assets/www/cordova.js", cordovaJS)
}

func open(t testing.TB, data []byte) *Package {
	t.Helper()
	p, err := Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// findings says what the rules find in a package.
func findings(t testing.TB, p *Package) []string {
	t.Helper()
	app, err := project.Read(p.FS, project.Options{Targets: p.Targets})
	if err != nil {
		t.Fatal(err)
	}
	report, err := lint.Check(app)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range report.Findings {
		list = append(list, fmt.Sprint(f.Rule.ID, " ", f.Place))
	}
	return list
}

// TestAndroidPackages: a package and a bundle of the same app come out the same.
func TestAndroidPackages(t *testing.T) {
	want := []string{
		"manifest-cleartext AndroidManifest.xml:2:16",
		"csp-missing assets/www/index.html:1:22",
		"access-no-effect res/xml/config.xml:2:3",
		"unreachable-rule res/xml/config.xml:2:3",
		"nsc-cleartext-base res/xml/net.xml:2:16",
		"nsc-domain-useless res/xml/net.xml:4:5",
	}
	for name, data := range map[string][]byte{"apk": apkOf(t), "aab": aabOf(t)} {
		p := open(t, data)
		if got := fmt.Sprint(p.Platform, p.Targets); got != "android[android@13.0.0]" {
			t.Errorf("%s: %s", name, got)
		}
		var got []string
		for _, f := range findings(t, p) {
			if !strings.HasPrefix(f, "kinds-bypass-list") {
				got = append(got, f)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		made, err := fs.ReadFile(p.FS, "res/xml/config.xml")
		const widget = `<widget xmlns:android="http://schemas.android.com/apk/res/android" id="org.example">` +
			"\n  <access origin=\"https://api.example.org/?a=1&amp;b=&lt;\"/>\n</widget>\n"
		if err != nil || string(made) != widget {
			t.Errorf("%s: %s, %v", name, made, err)
		}
		if err := fstest.TestFS(p.FS, "AndroidManifest.xml", "assets/www/index.html"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReferences: what a manifest refers to stands beside it, with the value for each
// kind of device; a network security configuration's own reader follows nothing.
func TestReferences(t *testing.T) {
	table, err := readTable(compileTable([]string{"xml", "bool", "string"}, []tableEntry{
		{kind: "xml", name: "net", path: "res/net.xml"}, {kind: "bool", name: "clear", value: 0},
		{kind: "bool", name: "other", value: 1}, {kind: "string", name: "scheme", path: "shelf & co"}}))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[uint32]string{0x7f010000: "@xml/net", 0x7f020000: "@bool/clear",
		0x7f040000: "@0x7f040000"} {
		if got := table.text(valueReference, id); got != want {
			t.Errorf("%x: %q, want %q", id, got, want)
		}
	}
	if text, err := table.valuesXML(); text != nil || err != nil {
		t.Errorf("nothing is referred to, and there is %s, %v", text, err)
	}
	for _, id := range []uint32{0x7f020000, 0x7f030000, 0x7f020000, 0x7f010000} {
		table.note(id)
	}
	// On some devices the boolean is another one's value.
	flag := table.resources[0x7f020000]
	flag.values = append(flag.values, value{kind: valueReference, data: 0x7f020001})
	const want = `<resources xmlns:android="http://schemas.android.com/apk/res/android">
  <bool name="clear">false</bool>
  <bool name="clear">@bool/other</bool>
  <string name="scheme">shelf &amp; co</string>
  <bool name="other">true</bool>
</resources>
`
	if text, err := table.valuesXML(); string(text) != want || err != nil {
		t.Errorf("%s, %v", text, err)
	}
}

// refering is an app whose manifest refers to a boolean.
func refering() element {
	cleartext := attribute{name: "usesCleartextTraffic", android: true, id: cleartextID, kind: valueReference,
		text: "bool/clear", data: 0x7f010000}
	return element{name: "manifest", children: []element{{name: "application", attributes: []attribute{cleartext}}}}
}

// TestReferencesOfPackages: the most open value that a reference has on some device is
// told; one that is not in the package is said not to be known.
func TestReferencesOfPackages(t *testing.T) {
	widget := element{name: "widget"}
	apk := func(entries ...tableEntry) []byte {
		return zipOf(t, "AndroidManifest.xml", string(compileXML(refering(), strings8)), "resources.arsc",
			string(compileTable([]string{"bool"}, entries)), "res/xml/config.xml", string(compileXML(widget, strings8)))
	}
	aab := func(values ...bool) []byte {
		return zipOf(
			t,
			"base/manifest/AndroidManifest.xml",
			string(compileProto(refering())),
			"base/resources.pb",
			string(
				compileProtoTable("bool", "clear", values...),
			),
			"base/res/xml/config.xml",
			string(compileProto(widget)),
		)
	}
	for what, test := range map[string]struct {
		data []byte
		want string
	}{
		"apk, true":  {apk(tableEntry{kind: "bool", name: "clear", value: 1}), "manifest-cleartext"},
		"apk, false": {apk(tableEntry{kind: "bool", name: "clear"}), ""},
		"apk, none":  {apk(), "facts-unknown"},
		"aab, true":  {aab(false, true), "manifest-cleartext"},
		"aab, false": {aab(false), ""},
		"aab, none":  {aab(), "facts-unknown"},
	} {
		got := ""
		for _, f := range findings(t, open(t, test.data)) {
			if id, place, _ := strings.Cut(f, " "); strings.HasPrefix(place, "AndroidManifest.xml") {
				got += id
			}
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
}

func TestIOSPackage(t *testing.T) {
	p := open(t, zipOf(
		t,
		"Payload/",
		"",
		"Payload/Shelf.app/Info.plist",
		"<plist><dict><key>NSAppTransportSecurity</key><dict><key>NSAllowsArbitraryLoads</key><true/></dict></dict>"+
			"</plist>",
		"Payload/Shelf.app/config.xml",
		"<widget/>",
		"Payload/Shelf.app/Shelf",
		"code",
		"Payload/Shelf.app/www/index.html",
		page,
		"Payload/Shelf.app/www/cordova.js",
		"PLATFORM_VERSION_BUILD_LABEL = '7.1.0'",
		"Payload/Shelf.app/PlugIns/Share.appex/Info.plist",
		"<plist><dict/></plist>",
	))
	if p.Root != "Payload/Shelf.app" || fmt.Sprint(p.Targets) != "[ios@7.1.0]" {
		t.Errorf("%q %v", p.Root, p.Targets)
	}
	got := strings.Join(findings(t, p), "\n")
	if !strings.Contains(got, "ats-arbitrary-loads Info.plist:1:") ||
		!strings.Contains(got, "csp-missing www/index.html") {
		t.Error(got)
	}
}

// A package whose cordova.js names no version that is known is one of the latest, which
// is assumed.
func TestVersionOfAPackage(t *testing.T) {
	const latest = "[ios@8.1.1]"
	for script, want := range map[string][2]string{
		"PLATFORM_VERSION_BUILD_LABEL = '7.1.0'":  {"[ios@7.1.0]", "[]"},
		"PLATFORM_VERSION_BUILD_LABEL = '99.0.0'": {latest, latest},
		"PLATFORM_VERSION_BUILD_LABEL = 'dev'":    {latest, latest},
		"":                                        {latest, latest},
	} {
		p := open(t, zipOf(t, "Payload/A.app/Info.plist", "<plist><dict/></plist>", "Payload/A.app/config.xml",
			"<widget/>", "Payload/A.app/www/cordova.js", script))
		if got := [2]string{fmt.Sprint(p.Targets), fmt.Sprint(p.Assumed)}; got != want {
			t.Errorf("%q: %q, want %q", script, got, want)
		}
	}
}

func TestCapacitorPackage(t *testing.T) {
	p := open(t, zipOf(t, "AndroidManifest.xml", string(compileXML(element{name: "manifest"}, strings8)),
		"assets/capacitor.config.json", `{"webDir": "dist", "server": {"cleartext": true}}`,
		"assets/public/index.html", page))
	if got := fmt.Sprint(p.Targets[0].Platform, len(p.Targets)); got != "capacitor-android1" ||
		!cmp.Equal(p.Targets, p.Assumed) {
		t.Errorf("targets %v, assumed %v", p.Targets, p.Assumed)
	}
	got := strings.Join(findings(t, p), "\n")
	if !strings.Contains(got, "capacitor-cleartext assets/capacitor.config.json:1:") ||
		!strings.Contains(got, "csp-missing assets/public/index.html") {
		t.Error(got)
	}
}

func TestFolders(t *testing.T) {
	files := func(names ...string) fstest.MapFS {
		m := fstest.MapFS{}
		for _, name := range names {
			m[name] = &fstest.MapFile{Data: []byte("<widget/>")}
		}
		return m
	}
	for want, fsys := range map[string]fs.FS{
		"app/src/main android config.xml": files("app/src/main/AndroidManifest.xml", "app/src/main/res/xml/config.xml"),
		". android config.xml":            files("AndroidManifest.xml", "res/xml/config.xml"),
		"Shelf ios config.xml":            files("Shelf/Shelf-Info.plist", "Shelf/config.xml", "www/index.html"),
		"App/App ios config.xml":          files("App/App/Info.plist", "App/App/config.xml"),
	} {
		p := Folder(fsys)
		if p == nil {
			t.Errorf("%s: not found", want)
			continue
		}
		name, err := project.FindConfig(p.FS)
		if got := fmt.Sprint(p.Root, " ", p.Platform, " ", name[strings.LastIndexByte(name, '/')+1:]); got != want {
			t.Errorf("%s, want %s (%v)", got, want, err)
		}
	}
	if p := Folder(files("www/index.html")); p != nil {
		t.Errorf("%+v", p)
	}
	pages, err := fs.Glob(Folder(files("S/S-Info.plist", "S/config.xml", "www/index.html")).FS, "www/*.html")
	if err != nil || len(pages) != 1 {
		t.Errorf("pages %v, %v", pages, err)
	}
}

func TestRefusedArchives(t *testing.T) {
	odd := func(change func(*zip.FileHeader), names ...string) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for _, name := range names {
			h := &zip.FileHeader{Name: name, Method: zip.Deflate}
			if change != nil {
				change(h)
			}
			f, err := w.CreateHeader(h)
			if err == nil && !strings.HasSuffix(name, "/") {
				_, err = f.Write([]byte("x"))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	whole := apkOf(t)
	bomb := zipOf(t, "AndroidManifest.xml", strings.Repeat("\x00", 4<<20))
	broken := bytes.Replace(
		odd(nil, "AndroidManifest.xml"),
		[]byte("AndroidManifest.xml"),
		[]byte("AndroidManifest.xmL"),
		1,
	)
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"absolute": {odd(nil, "/etc/passwd"), `the entry "/etc/passwd": its name must not be absolute`},
		"upwards": {odd(nil, "a/../../x"), "" +
			`the entry "a/../../x": its name must be a plain path, without .. and empty parts`},
		"backslash": {odd(nil, `a\b`), `the entry "a\\b": its name must not hold a backslash`},
		"twice":     {odd(nil, "a", "a"), `the entry "a": it occurs twice`},
		"both":      {odd(nil, "a/b", "a"), `the entry "a": it occurs twice`},
		"both ways": {odd(nil, "a", "a/b"), `the entry "a": it is a file and a folder`},
		"link": {odd(func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }, "a"),
			`the entry "a": it must not be a symbolic link`},
		"pipe": {odd(func(h *zip.FileHeader) { h.SetMode(fs.ModeNamedPipe) }, "a"),
			`the entry "a": it must be an ordinary file`},
		"control": {odd(nil, "a\nb"), `the entry "a\nb": its name must be UTF-8 without control characters`},
		"bomb": {bomb, fmt.Sprintf(""+
			`the entry "AndroidManifest.xml": it unpacks from %d to 4194304 bytes, more than 500 `+
			"times", packed(t, bomb))},
		"cut short": {whole[:len(whole)/2], "it is not a ZIP archive, or cut short: zip: not a valid zip file"},
		"empty":     {nil, "it is not a ZIP archive, or cut short: zip: not a valid zip file"},
		"other": {odd(nil, "readme.txt"), "" +
			"it holds no AndroidManifest.xml, no base/manifest/AndroidManifest.xml and no " +
			"Payload/*.app/Info.plist: it must be an .apk, .aab or .ipa"},
		"no XML": {odd(nil, "AndroidManifest.xml"), "" +
			`the entry "AndroidManifest.xml": it is damaged: a chunk is cut short`},
		"two apps": {odd(nil, "Payload/A.app/Info.plist", "Payload/B.app/Info.plist"), `the entry ` +
			`"Payload/B.app/Info.plist": there must be one app below Payload, and Payload/A.app/ is another`},
		"local name": {broken, `the entry "AndroidManifest.xml": it is damaged: a chunk is cut short`},
	} {
		_, err := Open(bytes.NewReader(test.data), int64(len(test.data)))
		var refused *Error
		if !errors.As(err, &refused) || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}

func packed(t *testing.T, data []byte) uint64 {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return r.File[0].CompressedSize64
}

// TestDamagedResources: each byte of compiled resources may be wrong, and the end may
// be missing: there is an error or a result, never a panic.
func TestDamagedResources(t *testing.T) {
	table := compileTable([]string{"xml"}, []tableEntry{{kind: "xml", name: "net", path: "res/net.xml"}})
	for _, data := range [][]byte{compileXML(security, strings8), compileXML(security, strings16), table,
		compileProto(security)} {
		for i := range data {
			changed := bytes.Clone(data)
			changed[i] ^= 0xFF
			decodeAll(changed)
			decodeAll(data[:i])
		}
	}
}

func decodeAll(data []byte) {
	made, err := readTable(data)
	if err == nil {
		_, _ = made.xmlFiles()
	}
	_, _ = decodeXML(data, made, true)
	_, _ = made.valuesXML()
	refers := map[string]bool{"bool/clear": true}
	_, _ = decodeProto(data, refers)
	_, _ = protoValues(data, refers)
}

func FuzzResources(f *testing.F) {
	f.Add(compileXML(security, strings8))
	f.Add(compileXML(manifest(attribute{kind: valueReference, data: 0x7f010000}), strings16))
	f.Add(compileTable([]string{"xml", "bool"}, []tableEntry{{kind: "xml", name: "net", path: "res/net.xml"}}))
	for flags := range byte(4) {
		f.Add(tableOf(typeChunk(flags, 5, make([]byte, 10))))
	}
	f.Add(compileProto(security))
	f.Add(compileProtoTable("bool", "clear", true, false))
	f.Fuzz(func(_ *testing.T, data []byte) { decodeAll(data) })
}

func FuzzOpen(f *testing.F) {
	f.Add(apkOf(f))
	f.Add(aabOf(f))
	f.Add(zipOf(f, "Payload/A.app/Info.plist", "x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			var refused *Error
			if !errors.As(err, &refused) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		_ = fs.WalkDir(p.FS, ".", func(name string, d fs.DirEntry, err error) error {
			if !fs.ValidPath(name) {
				t.Errorf("the name %q", name)
			}
			return err
		})
	})
}
