package project

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

func TestLiteralConfig(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		want   string   // JSON
		left   []string // "path:line"
	}{
		"ionic start": {`import type { CapacitorConfig } from '@capacitor/cli';

const config: CapacitorConfig = {
  appId: 'io.ionic.starter',
  appName: "it's \u0041",
  webDir: 'www', // built by ng
};

export default config;
`, `{"appId":"io.ionic.starter","appName":"it's A","webDir":"www"}`, nil},
		"satisfies": {`/// <reference types="@capacitor/push-notifications" />
/* import x */ import { x } from './x'
export default {
  webDir: ` + "`dist`" + `,
  server: { androidScheme: 'https', cleartext: false, allowNavigation: ['a.example', 'b.example',] as string[], },
  n: [-1.5, 2e3, null, undefined],
} satisfies CapacitorConfig;`, `{"webDir":"dist","server":{"androidScheme":"https","cleartext":false,"allowNavigation":["a.example","b.example"]},"n":[-1.5,2000,null,null]}`, nil},
		"commonjs": {`const path = require("path");
module.exports = { "webDir": 'www', 'a-b': true }`, `{"webDir":"www","a-b":true}`, nil},
		"as const": {`export const config = { webDir: 'www' } as const
export default config`, `{"webDir":"www"}`, nil},
		"computed values": {`const dev = process.env.DEV;
const config = {
  webDir: 'www',
  ...(dev ? { a: 1 } : {}),
  server: dev ? { url: 'http://10.0.0.1' } : undefined,
  ios: { scheme: ` + "`x${dev}`" + `, name: 'a' + 'b' },
  method() { return { x: ',' }; },
  plugins: { Splash: { delay: 10 } },
};
export default config;`, `{"webDir":"www","server":{"url":"http://10.0.0.1"},"ios":{"scheme":null,"name":null},"plugins":{"Splash":{"delay":10}}}`,
			[]string{"...:4", "ios.scheme:6", "ios.name:6", "...:7"}},
		"changed later": {"const config = { webDir: 'www' };\nconfig.server = { url: 'http://a' };\n" +
			"export default config;",
			`{"webDir":"www"}`, []string{"...:2"}},
		"changed under a condition": {"let config = { webDir: 'www' };\nif (x) {\n  config = other\n}\n" +
			"export default config;",
			`{"webDir":"www"}`, []string{"...:3"}},
		"changed behind the export": {"const config = { webDir: 'www' };\nexport default config;\nconfig.server = {}",
			`{"webDir":"www"}`, []string{"...:3"}},
		"given away": {"const config = { webDir: 'www' };\npatch({ config });\nexport default config",
			`{"webDir":"www"}`, []string{"...:2"}},
		"in a template": {"const config = { webDir: 'www' };\nlog(`${config.webDir = 'x'}`)\nexport default config",
			`{"webDir":"www"}`, []string{"...:2"}},
		"behind what may be a text": {"const config = { webDir: 'www' };\n/'/; config.webDir = 1\n" +
			"export default config",
			`{"webDir":"www"}`, []string{"...:2"}},
		"a quote in a regular expression": {"const config = { webDir: 'www' };\nconst r=/'/; config.server={}; " +
			"const q=/'/\nexport default config", `{"webDir":"www"}`, []string{"...:2"}},
		"a regular expression behind a bracket": {"if (a) /'/.test(b);\nexport default { webDir: 'www' }\nlog()",
			`{"webDir":"www"}`, []string{"...:1"}},
		"a division": {"const a = b / 2, c = d[0] / 1024 / e\nexport default { webDir: 'www' }", `{"webDir":"www"}`,
			nil},
		"a default besides": {"export default { webDir: 'www' };\nexports.default = { webDir: 'x' }",
			`{"webDir":"www"}`, []string{"...:2"}},
		"module.exports changed": {"module.exports = { webDir: 'www' };\nmodule.exports.webDir = 'x';",
			`{"webDir":"www"}`, []string{"...:2"}},
		"exports changed": {"module.exports = { webDir: 'www' };\nexports.webDir = 'x';",
			`{"webDir":"www"}`, []string{"...:2"}},
		"a spread is no property": {"const config = { webDir: 'www' };\nconst { server } = { ...config };\n" +
			"export default config", `{"webDir":"www"}`, []string{"...:2"}},
		"only spoken of": {"// config.server = {}\nconst a = { config: 'config', b: o.config, c: o?.config };\n" +
			"const b = [o . config, `config`];\nconst config = { webDir: 'www' } // config\nexport default config",
			`{"webDir":"www"}`, nil},
		"a comment ends a line": {"const a = 1 // no semicolon\nlet env\nlet c: string; const f: () => void = x\n" +
			"const config: Config<{a: 1}> = <Config>{ webDir: 'www' } as Partial<Config> // here\n" +
			"export default config // there",
			`{"webDir":"www"}`, nil},
		"a type before the object": {"export default <CapacitorConfig>{ webDir: 'www' }", `{"webDir":"www"}`, nil},
		"a spread first": {`export default { ...base, webDir: 'www' }`, `{"webDir":"www"}`,
			[]string{"...:1"}},
	} {
		made, left, err := literalConfig([]byte(test.source))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, made); err != nil {
			t.Errorf("%s: %v in %s", name, err, made)
		}
		var got, want any
		_ = json.Unmarshal(made, &got)
		_ = json.Unmarshal([]byte(test.want), &want)
		var listed []string
		for _, c := range left {
			listed = append(listed, fmt.Sprintf("%s:%d", c.path, c.line))
		}
		if diff := cmp.Diff(want, got) + cmp.Diff(test.left, listed); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A value stands in the JSON in the line, and here in the column, that it has in
// the source.
func TestLiteralConfigKeepsPlaces(t *testing.T) {
	const source = "const config = {\n  webDir: 'www',\n  // a comment\n  server: {\n    allowNavigation: [\n" +
		"      'a.example',\n    ],\n  },\n  plugins: { A: { list: [ 'b', 'c.example' ] } },\n};\n" +
		"export default config;\n"
	made, _, err := literalConfig([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	from, to := strings.Split(source, "\n"), strings.Split(string(made), "\n")
	for line, value := range map[int]string{2: "www", 6: "a.example", 9: "c.example"} {
		if a, b := strings.Index(from[line-1], value), strings.Index(to[line-1], value); a < 0 || b != a {
			t.Errorf("line %d: %q became %q", line, from[line-1], to[line-1])
		}
	}
}

func TestLiteralConfigRefuses(t *testing.T) {
	for source, want := range map[string]string{
		"": "line 1: the file exports no object",
		"export default make();": "line 1: what is exported must be an object that is " +
			"written out",
		"const c = make();\nexport default c": "line 2: what is exported must be an object that is " +
			"written out",
		"export default { a: 1 }.frozen()":             "line 1: something is done to the object",
		"export default { a: { b: 1 ":                  "line 1: an object is not closed",
		"export default { a: [ ) ] }":                  "line 1: an entry of a list is expected here",
		"export default { ) }":                         "line 1: a member of an object is expected here",
		"exports.default = {}":                         "line 1: the file exports no object",
		"module.exports.a = 1":                         "line 1: module.exports must be assigned once",
		"export default " + strings.Repeat("{a:", 100): "line 1: the configuration nests too deep",
	} {
		made, _, err := literalConfig([]byte(source))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: %s %v, want %s", source, made, err, want)
		}
	}
}

// The work grows with the file alone: what is computed is looked at once, and
// listed to a bound. (With one look from the top for each value, this would take
// minutes.)
func TestLiteralConfigIsLinear(t *testing.T) {
	source := "export default { list: [" + strings.Repeat("f(), ", 200_000) + "] }"
	_, left, err := literalConfig([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(left), maxComputed+1; got != want || left[maxComputed].path != "..." {
		t.Errorf("%d values listed, the last %q; want %d, the last ...", got, left[len(left)-1].path, want)
	}
}

// Choices are read where they stand: each costs what it is long, and there are not more
// than are listed. (With a copy of what stands before it for each, this would take
// minutes.)
func TestChoicesAreLinear(t *testing.T) {
	source := "export default { list: [" + strings.Repeat("a ? 1 : 1, ", 100_000) + "] }"
	_, left, chosen, err := readLiteral([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if len(chosen) != maxComputed || len(left) != maxComputed+1 || left[maxComputed].path != "..." {
		t.Errorf("%d chosen and %d computed, the last %v", len(chosen), len(left), left[len(left)-1])
	}
}

// Where a copy counts, because something else is computed, no chosen value is judged.
func TestChosenValueBesideACopy(t *testing.T) {
	const copied = "android/app/src/main/assets/capacitor.config.json"
	files := fstest.MapFS{"capacitor.config.ts": &fstest.MapFile{
		Data: []byte("export default {\n appName: x ? 'a' : 'b', webDir: make() }")}}
	for _, judged := range []string{"what opens more", "the copy " + copied} {
		p, err := Read(files, Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := `appName is "a" or "b", as a condition says; ` + judged + " is judged"
		if len(p.Switched) != 1 || p.Switched[0].What != want || p.Switched[0].Place.Line != 2 {
			t.Errorf("%+v, want %s", p.Switched, want)
		}
		files[copied] = &fstest.MapFile{Data: []byte("{}")}
	}
}

// Which of the configurations counts, and what is said of one that is computed.
func TestCapacitorConfiguration(t *testing.T) {
	const computedConfig = "export default { webDir: process.env.OUT }"
	for name, test := range map[string]struct {
		files   map[string]string
		want    string // the name that it was read from
		skipped string
	}{
		"ts before json": {map[string]string{"capacitor.config.ts": "export default { webDir: 'a' }",
			"capacitor.config.json": "{}"}, "capacitor.config.ts", ""},
		"js": {map[string]string{"capacitor.config.js": "module.exports = { webDir: 'a' }"},
			"capacitor.config.js", ""},
		"computed, with copy": {map[string]string{"capacitor.config.ts": computedConfig,
			"ios/App/App/capacitor.config.json": "{}"}, "ios/App/App/capacitor.config.json", ""},
		"computed, no copy": {map[string]string{"capacitor.config.ts": computedConfig}, "capacitor.config.ts",
			"line 1: webDir is computed; run npx cap copy"},
		"a function, no copy": {map[string]string{"capacitor.config.ts": "export default make()",
			"config.xml": "<widget><name>a</name></widget>"}, "capacitor.config.ts",
			"line 1: what is exported must be an object"},
		"nothing but the copy": {map[string]string{"android/app/src/main/assets/capacitor.config.json": "{}",
			"config.xml": "<widget><name>a</name></widget>"}, "android/app/src/main/assets/capacitor.config.json", ""},
	} {
		fsys := fstest.MapFS{}
		for file, text := range test.files {
			fsys[file] = &fstest.MapFile{Data: []byte(text)}
		}
		p, err := Read(fsys, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said := ""
		for _, s := range p.Skipped {
			if strings.HasPrefix(s.Name, "capacitor") {
				said = s.Why
			}
		}
		if p.Capacitor.Name != test.want || !strings.HasPrefix(said, test.skipped) ||
			(said == "") != (test.skipped == "") {
			t.Errorf("%s: read %s, and said %q", name, p.Capacitor.Name, said)
		}
	}
}

// What code does to the configuration is said with its line.
func TestCapacitorConfigurationThatIsChanged(t *testing.T) {
	fsys := fstest.MapFS{"capacitor.config.ts": &fstest.MapFile{
		Data: []byte("const c = { webDir: 'www' };\nif (dev) {\n  c.server = {};\n}\nexport default c")}}
	p, err := Read(fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "line 3: code adds to the configuration or changes it; " + runCapCopy
	if len(p.Skipped) != 1 || p.Skipped[0].Why != want {
		t.Errorf("%v, want %s", p.Skipped, want)
	}
}

// A copy stands in for what is computed, which is said, and where the platforms' copies
// differ that is said of the other one.
func TestCapacitorCopiesOfWhatIsComputed(t *testing.T) {
	const android, ios = "android/app/src/main/assets/capacitor.config.json", "ios/App/App/capacitor.config.json"
	const stale = "server is computed, so that its value is not known; the copy " + android +
		" counts, which may be older than the code: run npx cap copy"
	for name, test := range map[string]struct {
		ios  string
		want []configxml.Unknown
	}{
		"same": {`{"packageClassList":["A"],"server":{}}`, []configxml.Unknown{
			{What: stale, Place: policy.Place{File: "capacitor.config.ts", Line: 1, Column: 1}}}},
		"wider": {`{"server":{"allowNavigation":["*"]}}`, []configxml.Unknown{
			{What: ios + " differs from " + android + ", which counts for both platforms; run npx cap copy",
				Place: policy.Place{File: ios, Line: 1, Column: 1}, Platform: "capacitor-ios"},
			{What: stale, Place: policy.Place{File: "capacitor.config.ts", Line: 1, Column: 1}}}},
	} {
		p, err := Read(fstest.MapFS{
			"capacitor.config.ts": &fstest.MapFile{Data: []byte("export default { server: make() }")},
			android:               &fstest.MapFile{Data: []byte(`{"server":{}}`)},
			ios:                   &fstest.MapFile{Data: []byte(test.ios)},
		}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, p.Ships().Unknowns()); diff != "" || p.Capacitor.Name != android {
			t.Errorf("%s: read %s: %s", name, p.Capacitor.Name, diff)
		}
	}
}

// Without a config.xml, a configuration that only running it would tell is a project
// of which that is not known.
func TestCapacitorConfigurationThatCannotBeRead(t *testing.T) {
	fsys := fstest.MapFS{"capacitor.config.ts": &fstest.MapFile{Data: []byte("export default make()")}}
	p, err := Read(fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "capacitor.config.ts is code, so that the app's configuration is not known: line 1: what is " +
		"exported " +
		"must be an object that is written out; run npx cap copy, then the copy below android/ or ios/ is read"
	if list := p.Ships().Unknowns(); len(list) != 1 || list[0].What != want || list[0].Place.Line != 1 {
		t.Errorf("%v, want %s", list, want)
	}
}

// A value that a condition chooses is the one that opens more, and both are listed.
func TestCapacitorConfigurationThatChooses(t *testing.T) {
	for _, test := range []struct{ code, made, said string }{
		{"{server: {url: x ? 'https://b' : 'http://b'}}", `{"server":{"url":"http://b"}}`,
			`server.url is "https://b" or "http://b", as a condition says; what opens more is judged`},
		{"{server: {allowNavigation: x ? ['b'] : ['c']}}", `{"server":{"allowNavigation":["b","c"]}}`,
			`server.allowNavigation is ["b"] or ["c"], as a condition says; what opens more is judged`},
		{"{server: {allowNavigation: x ? ['b'] : undefined}}", `{"server":{"allowNavigation":["b"]}}`,
			`server.allowNavigation is ["b"] or null, as a condition says; what opens more is judged`},
		{"{allowMixedContent: x === 'y' ? true : false, b: 1}", `{"allowMixedContent":true,"b":1}`,
			`allowMixedContent is true or false, as a condition says; what opens more is judged`},
		{"{server: x ? {url: 'http://c'} : {cleartext: true}}", `{"server":{"cleartext":true,"url":"http://c"}}`,
			`server is {"url":"http://c"} or {"cleartext":true}, as a condition says; what opens more is judged`},
		{"{server: {url: x ? undefined : 'http://b'}}", `{"server":{"url":"http://b"}}`,
			`server.url is null or "http://b", as a condition says; what opens more is judged`},
		{"{ios: {limitsNavigationsToAppBoundDomains: x ? true : undefined}}",
			`{"ios":{"limitsNavigationsToAppBoundDomains":false}}`,
			`ios.limitsNavigationsToAppBoundDomains is true or null, as a condition says; what opens more is judged`},
		{"{appName: x ? 'a' : 'b'}", `{"appName":"a"}`,
			`appName is "a" or "b", as a condition says; what opens more is judged`},
		{"{server: {hostname: x ? 'localhost' : 'evil.test'}}", `{"server":{"hostname":null}}`,
			"server.hostname is computed"},
		{"{server: {androidScheme: x ? 'https' : undefined}}", `{"server":{"androidScheme":null}}`,
			"server.androidScheme is computed"},
		{"{server: {url: x ? 'https://a' : 'http://b'}}", `{"server":{"url":null}}`, "server.url is computed"},
		{"{server: {allowNavigation: [x ? 'a' : 'b']}}", `{"server":{"allowNavigation":[null]}}`,
			"server.allowNavigation[0] is computed"},
		{"{cordova: {accessOrigins: x ? null : ['https://a']}}", `{"cordova":{"accessOrigins":null}}`,
			"cordova.accessOrigins is computed"},
		{"{server: x ? {hostname: 'b'} : {cleartext: true}}", `{"server":{"cleartext":true,"hostname":null}}`,
			`server is {"hostname":"b"} or {"cleartext":true}, as a condition says; what opens more is judged` +
				"server.hostname is computed"},
		{"{android: x ? {allowMixedContent: false} : {}}", `{"android":{"allowMixedContent":null}}`,
			`android is {"allowMixedContent":false} or {}, as a condition says; what opens more is judged` +
				"android.allowMixedContent is computed"},
		{"{android: x ? {allowMixedContent: false} : {allowMixedContent: true}}",
			`{"android":{"allowMixedContent":true}}`,
			`android is {"allowMixedContent":false} or {"allowMixedContent":true}, as a condition says; ` +
				"what opens more is judged"},
		{"{android: {allowMixedContent: x ? true : undefined}}", `{"android":{"allowMixedContent":true}}`,
			"android.allowMixedContent is true or null, as a condition says; what opens more is judged"},
		{"{android: {allowMixedContent: x ? false : undefined}}", `{"android":{"allowMixedContent":null}}`,
			"android.allowMixedContent is computed"},
		{"{hostname: x ? (y ? 'a' : 'a') : 'b'}", `{"hostname":null}`, "hostname is computed"},
		{"{server: {hostname: x ? y ? 'a' : 'a' : 'b'}}", `{"server":{"hostname":null}}`,
			"server.hostname is computed"},
		{"{a: x ? f() : 'b'}", `{"a":null}`, "a is computed"},
		{"{a: x ?? 'b'}", `{"a":null}`, "a is computed"},
	} {
		made, left, chosen, err := readLiteral([]byte("export default " + test.code))
		if err != nil {
			t.Errorf("%s: %v", test.code, err)
			continue
		}
		said := ""
		for i := range chosen {
			said += chosen[i].said(whatOpensMore)
		}
		for _, c := range left {
			said += c.path + " is computed"
		}
		if got := strings.Join(strings.Fields(string(made)), ""); got != test.made || said != test.said {
			t.Errorf("%s is %s: %s\nwant %s: %s", test.code, got, said, test.made, test.said)
		}
	}
}

func FuzzLiteralConfig(f *testing.F) {
	for _, seed := range []string{
		"export default { a: 'b', c: [1, true], d: { e: null } } satisfies X<Y>;",
		"const c: T = <T>{ a: `x${y}` };\nc.b = `${c}`\nexport default c",
		"module.exports = { ...a, 'b': 1 + 2 }; exports.x = 1", "export default { a: [ ) ] }",
		"/* */ // x\nimport a from 'b';let b\nexport default{a:1,}",
		"export default {'\\u0041': '\\x41\\n'}", "export default {a:/[/]/}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		made, _, err := literalConfig(data)
		if err == nil && !json.Valid(made) {
			t.Errorf("%q became %q, which is not JSON", data, made)
		}
	})
}
