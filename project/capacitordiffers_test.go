package project_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/project"
)

const androidCopy = "android/app/src/main/assets/capacitor.config.json"

// told is what is not known of a platform, without the end that each difference has.
func told(t *testing.T, platform string, files ...string) []string {
	t.Helper()
	var list []string
	for _, u := range reads(t, files...).Ships().Unknown(platform) {
		what, _, _ := strings.Cut(u.What, ", and not in ")
		list = append(list, what)
	}
	return list
}

// Each value that decides something is compared, also where the copy opens no more.
func TestCopiesAreComparedByEachValue(t *testing.T) {
	for copied, want := range map[string]string{
		`{"server":{"androidScheme":"http"}}`:                `server.androidScheme is "http" here`,
		`{"server":{"hostname":"a.test"}}`:                   `server.hostname is "a.test" here`,
		`{"server":{"cleartext":true}}`:                      `server.cleartext is true here`,
		`{"plugins":{"CapacitorHttp":{"enabled":true}}}`:     `plugins.CapacitorHttp.enabled is true here`,
		`{"plugins":{"CapacitorCookies":{"enabled":true}}}`:  `plugins.CapacitorCookies.enabled is true here`,
		`{"android":{"webContentsDebuggingEnabled":"true"}}`: `android.webContentsDebuggingEnabled is true here`,
		`{"android":{"webContentsDebuggingEnabled":1}}`:      ``,
		`{"server":{"allowNavigation":["*"]}}`:               `server.allowNavigation has "*" here`,
		`{"cordova":{"accessOrigins":["https://a"]}}`:        `cordova.accessOrigins is set here`,
		`{"appName":"x","ios":{"scheme":"y"}}`:               ``,
	} {
		got := told(t, "capacitor-android", "capacitor.config.json", "{}", androidCopy, copied)
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %q, want %q", copied, text, want)
		}
	}
}

// Of very many differences the first are told, and how many more there are.
func TestCopyOfManyEntries(t *testing.T) {
	var masks []string
	for i := range 3000 {
		masks = append(masks, fmt.Sprintf(`"h%d.example"`, i))
	}
	list := "[" + strings.Join(masks, ",") + "]"
	for _, test := range [][3]string{
		{`{"server":{"allowNavigation":` + list + `}}`, "{}", "server.allowNavigation has not 2980 more entries here"},
		{"{}", `{"server":{"allowNavigation":` + list + `}}`, "server.allowNavigation has 2980 more entries here"},
		{`{"cordova":{"accessOrigins":["https://a"]}}`, `{"cordova":{"accessOrigins":` + list + `}}`,
			"cordova.accessOrigins has 2980 more entries here"},
	} {
		got := told(t, "capacitor-android", "capacitor.config.json", test[0], androidCopy, test[1])
		if !slices.Contains(got, test[2]) || len(got) > 22 {
			t.Errorf("%d told: %q", len(got), got)
		}
	}
}

// A copy that cannot be read is said, once and with the reason.
func TestCopyThatCannotBeRead(t *testing.T) {
	large := "{" + strings.Repeat(" ", project.MaxManifest) + "}"
	for data, why := range map[string]string{
		"{": "it is not valid JSON: ", "": "it is not valid JSON: ",
		"[]":  "a Capacitor configuration must be an object",
		large: fmt.Sprintf("it has %d bytes, more than the %d that are read", len(large), project.MaxManifest),
	} {
		got := told(t, "capacitor-android", "capacitor.config.json", "{}", androidCopy, data)
		if len(got) != 1 || !strings.HasPrefix(got[0], androidCopy+" was not read") || !strings.Contains(got[0], why) {
			t.Errorf("%.10q: %q, want %s", data, got, why)
		}
	}
	if got := told(t, "capacitor-android", "capacitor.config.json", "{}", androidCopy+"/x", ""); len(got) != 1 ||
		!strings.HasSuffix(got[0], "it is a folder") {
		t.Errorf("a folder: %q", got)
	}
}

// Where a condition chooses a value, the copy may have the other one; what it says of
// other keys is told.
func TestCopyOfWhatAConditionChooses(t *testing.T) {
	const code = `export default {
  appName: x ? 'a' : 'b',
  server: { hostname: 'a.test', url: y ? 'https://a' : undefined, allowNavigation: z ? ['a'] : ['b'] },
}`
	for copied, want := range map[string]string{
		`{"server":{"hostname":"a.test","url":"https://a","allowNavigation":["a"]}}`: ``,
		`{"server":{"hostname":"a.test"}}`:                                           ``,
		`{"server":{"hostname":"b.test"}}`: "" +
			`server.hostname is "b.test" here`,
		`{"server":{"hostname":"a.test","allowNavigation":["c"]}}`: "" +
			`server.allowNavigation has "c" here`,
		`{"server":{"hostname":"a.test","url":"http://c"}}`: "" +
			`server.url is "http://c" here`,
		`{"server":{"hostname":"a.test"},"android":{"useLegacyBridge":true}}`: "" +
			`android.useLegacyBridge is true here`,
	} {
		got := told(t, "capacitor-android", "capacitor.config.ts", code, androidCopy, copied)
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %q, want %q", copied, text, want)
		}
	}
}
