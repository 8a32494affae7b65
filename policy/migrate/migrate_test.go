package migrate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
	"github.com/cordon-sec/cordon/policy/migrate"
)

type fataler interface {
	Fatal(...any)
	Fatalf(string, ...any)
}

func target(t fataler, name string) policy.Target {
	if name == migrate.Capacitor {
		return policy.Target{Platform: name}
	}
	parsed, err := dialect.ParseTarget(name)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func parse(t fataler, text string) *configxml.Document {
	doc, err := configxml.Parse("config.xml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func run(t fataler, from, to, text string, o migrate.Options) *migrate.Result {
	o.From, o.To = target(t, from), target(t, to)
	result, err := migrate.File(parse(t, text), o)
	if err != nil {
		t.Fatalf("%s to %s: %v\n%s", from, to, err, text)
	}
	return result
}

const plugin = `<plugin name="cordova-plugin-whitelist"/>`

// migrations are the cases of the guide, and of the platforms' own changes.
var migrations = []struct {
	name, from, to string
	options        migrate.Options
	before, after  string
	note           string
}{
	{
		name: "no protocol", from: "ios@3.0", to: "ios@3.1", before: `<access origin="apache.org"/>`,
		after: "<access origin=\"http://apache.org/*\"/>\n<access origin=\"https://apache.org/*\"/>\n" +
			"<access origin=\"ftp://apache.org/*\"/>\n<access origin=\"ftps://apache.org/*\"/>",
	},
	{
		name: "top-level domains", from: "ios@3.0", to: "ios@3.1",
		options: migrate.Options{TopLevel: []string{"org", "co.uk"}}, before: `<access origin="http://apache.*"/>`,
		after: "<access origin=\"http://apache.org/*\"/>\n<access origin=\"http://apache.co.uk/*\"/>",
	},
	{
		name: "top-level domains that nobody named", from: "ios@3.0", to: "ios@3.1",
		before: "\n  <access origin=\"http://apache.*\"/>\n", after: "\n", note: "name one with --tld or --host",
	},
	{
		name: "below any domain", from: "ios@3.0", to: "ios@3.9", options: migrate.Options{TopLevel: []string{"com"}},
		before: `<access origin="https://*.google.*"/>`, after: `<access origin="https://*.google.com/*"/>`,
	},
	{
		name: "a wildcard inside a name", from: "ios@3.0", to: "ios@3.1",
		options: migrate.Options{TopLevel: []string{"org", "com"}}, before: `<access origin="http://apache.o*g"/>`,
		after: `<access origin="http://apache.org/*"/>`,
	},
	{
		name: "a wildcard and the hosts it stands for", from: "ios@3.0", to: "ios@3.1",
		options: migrate.Options{Hosts: []string{"192.168.1.7", "192.168.2.1"}},
		before:  `<access origin="http://192.168.1.*"/>`, after: `<access origin="http://192.168.1.7/*"/>`,
	},
	{
		name: "wildcards everywhere", from: "ios@3.0", to: "ios@3.1",
		options: migrate.Options{Hosts: []string{"apache.org"}}, before: `<access origin="h*t*://ap*he.o*g"/>`,
		after: "<access origin=\"http://apache.org/*\"/>\n<access origin=\"https://apache.org/*\"/>",
	},
	{
		name: "a path that played no part", from: "ios@3.0", to: "ios@3.1",
		before: `<access origin="http://apache.org/p"/>`, after: `<access origin="http://apache.org/*"/>`,
	},
	{
		name: "a port that played no part", from: "ios@3.0", to: "ios@3.1",
		before: `<access origin="http://apache.org:8080"/>`, after: `<access origin="http://apache.org/*"/>`,
	},
	{
		name: "what both read alike stays", from: "ios@3.0", to: "ios@3.1",
		before: `<access  origin='http://apache.org' /><!-- x -->`,
		after:  `<access  origin='http://apache.org' /><!-- x -->`,
	},
	{
		name: "one list becomes two", from: "android@3.5.1", to: "android@9",
		before: plugin + `<access origin="https://a.example/p/*"/>` + ``, after: plugin +
			"<access origin=\"https://a.example/p/*\"/>\n<allow-navigation href=\"https://a.example/p/*\"/>\n" +
			"<allow-intent href=\"tel:*\"/>\n<allow-intent href=\"geo:*\"/>\n<allow-intent href=\"mailto:*\"/>\n" +
			"<allow-intent href=\"sms:*\"/>\n<allow-intent href=\"market:*\"/>",
	},
	{
		name: "launch-external", from: "android@3.6.4", to: "android@15",
		before: `<access origin="tel:*" launch-external="yes"/>`, after: `<allow-intent href="tel:*"/>`,
	},
	{
		name: "launch-external of the plugin", from: "android@9", to: "android@10",
		before: plugin + "\n\t" + `<access origin="http://x.example" launch-external="yes" />`,
		after:  "\n\t" + `<allow-intent href="http://x.example" />`, note: "the list is built in",
	},
	{
		name: "the plugin that the list needs", from: "android@3.7", to: "android@9",
		before: `<access origin="tel:*" launch-external="no"/>`,
		after:  "<allow-intent href=\"tel:*\"/>\n<plugin name=\"cordova-plugin-whitelist\"/>",
	},
	{
		name: "BlackBerry's subdomains", from: "blackberry10@3.6", to: "android@3.6",
		before: `<access origin="http://a.example" subdomains="true"/>`,
		after:  "<access origin=\"http://*.a.example/*\"/>\n<access origin=\"*\" launch-external=\"yes\"/>",
	},
	{
		name: "BlackBerry's uri", from: "blackberry10@3.0", to: "ios@3.9",
		before: `<access uri="http://a.example/p" subdomains="false"/>`,
		after:  `<access origin="http://a.example/p/*"/>`,
	},
	{
		name: "to BlackBerry", from: "android@3.7", to: "blackberry10@3.0", before: `<access origin="*.a.example"/>`,
		after: "<access uri=\"http://a.example\" subdomains=\"true\"/>\n" +
			"<access uri=\"https://a.example\" subdomains=\"true\"/>",
	},
	{
		name: "W3C to Cordova", from: "w3c", to: "android@15",
		before: `<access origin="https://a.example" subdomains="true"/>`,
		after:  `<access origin="https://*.a.example/*"/>`,
	},
	{
		name: "Cordova to the strict reading", from: "android@15", to: "cordon",
		before: `<allow-navigation href="http://*.a.example/*"/>`,
		after:  `<allow-navigation href="http://*.a.example/*"/>`,
	},
	{
		name: "iOS to two lists", from: "ios@3.9", to: "ios@4.5", before: `<access origin="https://a.example"/>`,
		after: "<access origin=\"https://a.example\"/>\n<allow-navigation href=\"https://a.example\"/>\n" +
			"<allow-intent href=\"tel:*\"/>\n<allow-intent href=\"geo:*\"/>\n<allow-intent href=\"mailto:*\"/>\n" +
			"<allow-intent href=\"sms:*\"/>\n<allow-intent href=\"market:*\"/>",
	},
}

func TestMigrations(t *testing.T) {
	for _, test := range migrations {
		t.Run(test.name, func(t *testing.T) {
			result := run(t, test.from, test.to, "<widget>"+test.before+"</widget>", test.options)
			got := strings.TrimSuffix(strings.TrimPrefix(string(result.Data), "<widget>"), "</widget>")
			if got != test.after {
				t.Errorf("got\n%s\nwant\n%s", got, test.after)
			}
			notes := ""
			for _, note := range result.Notes {
				notes += note.Message + "\n"
			}
			if !strings.Contains(notes, test.note) {
				t.Errorf("notes %q, want %q", notes, test.note)
			}
		})
	}
}

// What every link did before Android 3.5.1 takes a list from then on.
func TestEmptyFileGetsWhatThePlatformDidByItself(t *testing.T) {
	for before, after := range map[string]string{
		`<widget/>`: "<widget>\n  <access origin=\"*\" launch-external=\"yes\"/>\n</widget>",
		"<w:widget xmlns:w=\"x\"/>": "<w:widget xmlns:w=\"x\">\n" +
			"  <access origin=\"*\" launch-external=\"yes\"/>\n</w:widget>",
		"<widget>\n  <name/>\n</widget>": "<widget>\n  <name/>\n  <access origin=\"*\" launch-external=\"yes\"/>\n" +
			"</widget>",
	} {
		if got := string(run(t, "android@3.1", "android@3.6", before, migrate.Options{}).Data); got != after {
			t.Errorf("got %q, want %q", got, after)
		}
	}
}

func TestCapacitor(t *testing.T) {
	result := run(t, "android@15", "capacitor", `<widget id="org.example.app"><name>Ours</name>
  <allow-navigation href="https://*.a.example/*"/><allow-navigation href="http://localhost"/>
  <access origin="https://api.example"/><allow-intent href="tel:*"/>
  <preference name="hostname" value="app.example"/><preference name="Fullscreen" value="true"/>
</widget>`, migrate.Options{})
	var got struct {
		AppID  string `json:"appId"`
		Server struct {
			Hostname        string
			AllowNavigation []string
		}
		Cordova struct {
			AccessOrigins []string
			Preferences   map[string]string
		}
	}
	if err := json.Unmarshal(result.Data, &got); err != nil {
		t.Fatal(err)
	}
	if got.AppID != "org.example.app" || got.Server.Hostname != "app.example" ||
		strings.Join(got.Server.AllowNavigation, " ") != "a.example *.a.example" ||
		strings.Join(got.Cordova.AccessOrigins, " ") != "https://api.example" ||
		got.Cordova.Preferences["Fullscreen"] != "true" {
		t.Errorf("got %s", result.Data)
	}
	if len(result.Notes) != 5 {
		t.Errorf("notes %+v", result.Notes)
	}
	launched := false
	for _, line := range result.Report.Lines {
		deep := strings.HasSuffix(line.URL, ".a.example/") && strings.Count(line.URL, ".") == 3
		launched = launched || deep && line.Old.Verdict == policy.Allow && line.New.Verdict == policy.Launch
	}
	if !launched {
		t.Error("two levels below a host are no loss")
	}
	if result.Lossless() {
		t.Error("Capacitor asks no list about requests, and no loss is reported")
	}
}

var parts = []string{
	`<access origin="*"/>`, `<access origin="https://a.example"/>`, `<access origin="http://a.example/p/*" />`,
	`<access origin="*.b.example"/>`, `<access origin="*://c.example"/>`, `<access origin="http://d.*"/>`,
	`<access origin="http://x*y.example"/>`, `<access origin="https://e.example:8443"/>`,
	`<access origin="localhost:3000"/>`, `<access origin="tel:*" launch-external="yes"/>`,
	`<access origin="https://l.example" launch-external="no"/>`, `<access uri="http://u.example/x" subdomains="true"/>`,
	`<access origin="http://s.example" subdomains="true"/>`, `<access/>`,
	`<allow-navigation href="https://a.example/*"/>`, `<allow-navigation href="*"/>`,
	`<allow-navigation href="http://*.n.example"/>`, `<allow-intent href="*"/>`, `<allow-intent href="https://*/*"/>`,
	`<allow-intent href="mailto:*" />`, `<content src="index.html"/>`, `<!-- ours -->`,
	`<plugin name="cordova-plugin-whitelist" spec="1"/>`,
	`<platform name="android"><access origin="https://p.example"/></platform>`,
	`<platform name="ios"><allow-navigation href="https://q.example"/></platform>`, `<name>a&#38;b</name>`,
	`<preference name="scheme" value="app"/>`,
}

var targets = []string{
	"cordon", "android@2.9.1", "android@3.1", "android@3.5.1", "android@3.6.4", "android@4.1", "android@9",
	"android@10", "android@15", "ios@2.9", "ios@3.1", "ios@3.9", "ios@4.0", "ios@7", "ios@8", "amazon-fireos@3.5",
	"amazon-fireos@3.6", "blackberry10@3.0", "blackberry10@3.8", "wp8", "w3c", "tizen", "windows", migrate.Capacitor,
}

// consistent checks that a comparison of the two files says what migrate said,
// line by line, and that migrating the result to where it is changes nothing.
func consistent(t fataler, from, to, text string) {
	result := run(t, from, to, text, migrate.Options{TopLevel: []string{"org"}})
	if to == migrate.Capacitor {
		return
	}
	before, after := parse(t, text), parse(t, string(result.Data))
	pair, err := diff.Compile(before, target(t, from), after, target(t, to))
	if err != nil {
		t.Fatal(err)
	}
	report := diff.Compare([]diff.Pair{pair}, diff.Options{})
	if len(report.Lines) != len(result.Report.Lines) {
		t.Fatalf("%s to %s: diff has %d lines, migrate %d\n%s\n%s", from, to, len(report.Lines),
			len(result.Report.Lines), text, result.Data)
	}
	for i := range report.Lines {
		x, y := &report.Lines[i], &result.Report.Lines[i]
		if x.URL != y.URL || x.Change != y.Change || x.Old.Verdict != y.Old.Verdict || x.New.Verdict != y.New.Verdict {
			t.Fatalf("%s to %s: diff says %+v, migrate %+v", from, to, x, y)
		}
	}
	if len(before.Comments()) != len(after.Comments()) {
		t.Fatalf("%s to %s: comments are gone\n%s\n%s", from, to, text, result.Data)
	}
	again := run(t, to, to, string(result.Data), migrate.Options{})
	for i := range again.Report.Lines {
		if again.Report.Lines[i].Widens() {
			t.Fatalf("%s to itself widens: %+v\n%s\n%s", to, again.Report.Lines[i], result.Data, again.Data)
		}
	}
}

func TestMigrateSaysWhatDiffSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		picked := rapid.SliceOfN(rapid.SampledFrom(parts), 0, 6).Draw(t, "parts")
		from := rapid.SampledFrom(targets[:len(targets)-1]).Draw(t, "from")
		to := rapid.SampledFrom(targets).Draw(t, "to")
		consistent(t, from, to, "<widget>\n  "+strings.Join(picked, "\n  ")+"\n</widget>")
	})
}

// A migration to the target that a file is written for leaves it alone.
func TestNothingToDo(t *testing.T) {
	for _, name := range []string{"android@9", "android@15", "ios@8", "cordon", "ios@3.9"} {
		text := "<widget>\n  <plugin name=\"x\"/><!-- a -->\n  <access origin=\"https://a.example\"/>\n" +
			"  <access origin=\"http://*.b.example/*\"/>\n</widget>"
		result := run(t, name, name, text, migrate.Options{})
		if string(result.Data) != text || !result.Lossless() {
			t.Errorf("%s: %s, %+v", name, result.Data, result.Report.Lines)
		}
	}
}

func TestRealConfigs(t *testing.T) {
	dir := os.Getenv("CORDON_REAL_CONFIGS")
	if dir == "" {
		t.Skip("CORDON_REAL_CONFIGS names no folder of config.xml files of real apps")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := configxml.Parse(name, data); err != nil {
			t.Logf("%s cannot be read: %v", name, err)
			continue
		}
		for _, from := range []string{"android@3.6.4", "android@9", "ios@3.0", "ios@3.9", "blackberry10", "w3c"} {
			for _, to := range []string{"android@15", "android@9", "ios@3.9", "ios@8", "blackberry10@3.8", "cordon",
				"capacitor"} {
				consistent(t, from, to, string(data))
			}
		}
	}
}

// No origin makes a migration fail, and no result is unreadable.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{"apache.org", "http://apache.*", "h*t*://ap*he.o*g", "sms:*",
		"https://a.example:8443/p/*", "*://*", "[::1]", "http://[::1]:80/", "a:b:c", "//x", "http://u@h"} {
		f.Add(seed, uint8(0), uint8(5))
	}
	f.Fuzz(func(t *testing.T, origin string, from, to uint8) {
		text := `<widget><access origin="` + configxml.Escape(origin) + `"/></widget>`
		doc, err := configxml.Parse("config.xml", []byte(text))
		if err != nil {
			return
		}
		o := migrate.Options{From: target(t, targets[int(from)%(len(targets)-1)]),
			To: target(t, targets[int(to)%len(targets)]), TopLevel: []string{"org"}}
		result, err := migrate.File(doc, o)
		if err != nil || len(result.Data) == 0 {
			t.Fatalf("%q: %v", origin, err)
		}
	})
}
