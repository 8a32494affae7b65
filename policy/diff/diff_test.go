package diff_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
)

func parse(t interface{ Fatal(...any) }, name, text string) *configxml.Document {
	doc, err := configxml.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func target(t interface{ Fatal(...any) }, name string) policy.Target {
	parsed, err := dialect.ParseTarget(name)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func compare(t interface{ Fatal(...any) }, before, after string, targets ...string) *diff.Report {
	var list []policy.Target
	for _, name := range targets {
		list = append(list, target(t, name))
	}
	report, err := diff.Documents(parse(t, "old.xml", before), parse(t, "new.xml", after), list, diff.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func text(t *testing.T, r *diff.Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b, diff.View{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestChanges(t *testing.T) {
	tests := []struct {
		name          string
		before, after string
		targets       []string
		want          string
	}{
		{
			name:   "nothing changed but a comment",
			before: `<widget><access origin="https://a.example"/></widget>`,
			after:  `<widget><!-- ours --><access origin="https://a.example"/></widget>`,
			want:   "no difference\n", targets: []string{"cordon", "android", "ios", "blackberry10", "wp8"},
		},
		{
			name:   "the same said otherwise",
			before: `<widget><access origin="https://a.example"/></widget>`,
			after:  `<widget><access origin="https://a.example/*"/></widget>`,
			want:   "no difference\n", targets: []string{"cordon"},
		},
		{
			name:   "a host more, for two platforms on one line",
			before: `<widget><plugin name="cordova-plugin-whitelist"/><access origin="https://a.example"/></widget>`,
			after: `<widget><plugin name="cordova-plugin-whitelist"/><access origin="https://a.example"/><access ` +
				`origin="https://b.example/*"/></widget>`,
			targets: []string{"android@8", "android@9"},
			want: "newly allowed (was blocked): every kind but navigation, media, websocket on android@8.0.0 and " +
				"android@9.0.0\n" +
				"  https://b.example/\n" +
				"      before  no entry of the list covers the URL\n" +
				"      now     new.xml:1:86  <access> https://b.example/*\n" +
				"\n1 change, 1 of them wider\n",
		},
		{
			name:    "a catch-all replaced",
			before:  `<widget><access origin="*"/></widget>`,
			after:   `<widget><access origin="https://a.example"/></widget>`,
			targets: []string{"cordon"},
			want: "newly blocked (was allowed): every kind on cordon\n" +
				"  https://evil.example/\n" +
				"      before  old.xml:1:9  <access> *\n" +
				"      now     no entry of the list covers the URL\n" +
				"\n1 change, 0 of them wider\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := text(t, compare(t, test.before, test.after, test.targets...)); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// From android@10 on, access restricts the web view no longer: that is the
// change an upgrade has to show.
func TestVersionsShowWhatAnUpgradeChanges(t *testing.T) {
	doc := parse(t, "config.xml",
		`<widget><plugin name="cordova-plugin-whitelist"/><access origin="https://a.example"/></widget>`)
	pair, err := diff.Compile(doc, target(t, "android@9"), doc, target(t, "android@10"))
	if err != nil {
		t.Fatal(err)
	}
	report := diff.Compare([]diff.Pair{pair}, diff.Options{Kinds: []policy.Kind{policy.XHR}})
	if len(report.Lines) == 0 || len(report.Doubts) > 0 {
		t.Fatalf("got %+v", report)
	}
	line := report.Lines[0]
	if line.Change != diff.Bypassed || !line.Widens() || line.Old.Verdict != policy.Block ||
		line.New.Reason != policy.NeverAsked {
		t.Errorf("got %+v", line)
	}
}

// An expression that looks ahead is no set of URLs: what is compared is wider,
// and that is said. One that a set is for is compared exactly.
func TestExpressionsWithoutASetAreTried(t *testing.T) {
	old := `<widget><access origin="http://bank.example/"/></widget>`
	report := compare(t, old, `<widget><access origin="http://(?!a)bank\.example/"/></widget>`, "android@2.9.1")
	if len(report.Doubts) == 0 || report.Exhausted() ||
		!strings.Contains(report.Doubts[0].Why, "android@2.9.1 looks its list up by an algorithm, or by expressions") {
		t.Errorf("doubts: %+v", report.Doubts)
	}
	report = compare(t, old, `<widget><access origin="http://[^/]*+/(?i)\bBANK\b"/></widget>`, "android@2.9.1")
	if len(report.Doubts) > 0 || len(report.Lines) == 0 || !report.Widens() {
		t.Errorf("lines %+v, doubts %+v", report.Lines, report.Doubts)
	}
}

func TestAlgorithmsAreTriedAndSaidToBe(t *testing.T) {
	report := compare(t,
		`<widget><access origin="http://a.example"/></widget>`,
		`<widget><access origin="http://a.example" subdomains="true"/></widget>`, "blackberry10")
	if len(report.Lines) == 0 || !report.Widens() {
		t.Errorf("no difference was found: %+v", report)
	}
	if len(report.Doubts) == 0 || report.Exhausted() ||
		!strings.Contains(report.Doubts[0].Why, "blackberry10@3.8.0 looks its list up by an algorithm") {
		t.Errorf("doubts: %+v", report.Doubts)
	}
}

func TestABudgetThatIsUsedUpIsSaid(t *testing.T) {
	before := parse(t, "old.xml", `<widget><access origin="https://a.example"/></widget>`)
	after := parse(t, "new.xml", `<widget><access origin="https://b.example"/></widget>`)
	pair, err := diff.Compile(before, target(t, "cordon"), after, target(t, "cordon"))
	if err != nil {
		t.Fatal(err)
	}
	report := diff.Compare([]diff.Pair{pair}, diff.Options{Steps: 10})
	if !report.Exhausted() {
		t.Errorf("ten steps were enough: %+v", report)
	}
	if len(report.Lines) != 2 || !report.Widens() {
		t.Errorf("trying what differs found %+v", report.Lines)
	}
}

// The elements that generated files are made of.
var entries = []string{
	`<access origin="*"/>`, `<access origin="https://a.example"/>`, `<access origin="http://a.example/*"/>`,
	`<access origin="https://*.example"/>`, `<access origin="http://*.a.example/p/*"/>`,
	`<access origin="https://b.test:8080"/>`, `<access origin="b.test"/>`, `<access origin="*://b.test/*"/>`,
	`<access origin="a.*"/>`, `<access origin="http://a.example" subdomains="true"/>`,
	`<access origin="tel:*" launch-external="yes"/>`, `<access origin="https://l.test" launch-external="yes"/>`,
	`<access uri="http://u.test"/>`, `<allow-navigation href="https://a.example/*"/>`, `<allow-navigation href="*"/>`,
	`<allow-navigation href="http://*.b.test"/>`, `<allow-intent href="tel:*"/>`, `<allow-intent href="*"/>`,
	`<allow-intent href="https://*/*"/>`, `<content src="index.html"/>`, `<content src="https://a.example/start"/>`,
	`<plugin name="cordova-plugin-whitelist"/>`, `<preference name="scheme" value="app"/>`,
}

func drawFile(t *rapid.T, label string) string {
	picked := rapid.SliceOfN(rapid.SampledFrom(entries), 0, 5).Draw(t, label)
	return "<widget>" + strings.Join(picked, "\n") + "</widget>"
}

var (
	schemes = []string{"http", "https", "ws", "wss", "tel", "ftp", "file", "app", "x-app"}
	hosts   = []string{"a.example", "x.a.example", "b.test", "x.b.test", "l.test", "u.test", "evil.test", "a.net", "a.",
		"index.html", "127.0.0.1", "localhost"}
	ends = []string{"", "/", "/p/q", "/start", ":8080/", ":8080/p/", "/x?y=1"}
)

func drawURL(t *rapid.T) string {
	scheme := rapid.SampledFrom(schemes).Draw(t, "scheme")
	if scheme == "tel" {
		return "tel:112"
	}
	return scheme + "://" + rapid.SampledFrom(hosts).Draw(t, "host") + rapid.SampledFrom(ends).Draw(t, "end")
}

var exactTargets = []string{"cordon", "android@2.9.1", "android@3.1", "android@3.6.4", "android@4.1", "android@9",
	"android@15", "ios@3.0", "ios@3.5", "ios@4.0", "ios@8", "amazon-fireos@3.6", "w3c", "tizen"}

// Every difference that a sampled URL shows has a line with the same verdicts
// and kind, and every line's witness is decided as the line says.
func TestComparisonAgreesWithDecide(t *testing.T) {
	rapid.Check(t, agrees)
}

// It does also where only the changed rules and what touches them are looked
// at, as is done for large files: nothing is missing then.
func TestReducedComparisonSaysTheSame(t *testing.T) {
	defer diff.ReduceAbove(diff.ReduceAbove(0))
	rapid.Check(t, func(t *rapid.T) {
		before, after := parse(t, "old.xml", drawFile(t, "before")), parse(t, "new.xml", drawFile(t, "after"))
		of := target(t, rapid.SampledFrom(exactTargets).Draw(t, "target"))
		pair, err := diff.Compile(before, of, after, of)
		if err != nil {
			t.Fatal(err)
		}
		whole := verdicts(diff.Compare([]diff.Pair{pair}, diff.Options{}))
		if reduced, ok := diff.Reduced(pair); ok && fmt.Sprint(reduced) != fmt.Sprint(whole) {
			t.Fatalf("reduced %v, whole %v", reduced, whole)
		}
	})
}

// verdicts are the changes of a report, by kind.
func verdicts(r *diff.Report) map[string]bool {
	told := map[string]bool{}
	for _, line := range r.Lines {
		for _, w := range line.Where {
			for _, kind := range w.Kinds {
				told[fmt.Sprint(kind, line.Old.Verdict, line.New.Verdict)] = true
			}
		}
	}
	return told
}

func agrees(t *rapid.T) {
	before := parse(t, "old.xml", drawFile(t, "before"))
	after := parse(t, "new.xml", drawFile(t, "after"))
	from := target(t, rapid.SampledFrom(exactTargets).Draw(t, "from"))
	to := from
	if rapid.IntRange(0, 3).Draw(t, "other target") == 0 {
		to = target(t, rapid.SampledFrom(exactTargets).Draw(t, "to"))
	}
	pair, err := diff.Compile(before, from, after, to)
	if err != nil {
		t.Fatal(err)
	}
	report := diff.Compare([]diff.Pair{pair}, diff.Options{})
	told := map[string]bool{}
	for _, line := range report.Lines {
		for _, kind := range line.Where[0].Kinds {
			request := policy.Request{URL: line.URL, Kind: kind}
			old, new := pair.Old.Decide(request), pair.New.Decide(request)
			if old.Verdict != line.Old.Verdict || new.Verdict != line.New.Verdict || old.Verdict == new.Verdict {
				t.Fatalf("witness %s for %s: line says %s to %s, it is %s to %s", line.URL, kind, line.Old.Verdict,
					line.New.Verdict, old.Verdict, new.Verdict)
			}
			told[fmt.Sprint(kind, old.Verdict, new.Verdict)] = true
		}
	}
	for range 40 {
		url := drawURL(t)
		for _, kind := range policy.Kinds() {
			request := policy.Request{URL: url, Kind: kind}
			old, new := pair.Old.Decide(request), pair.New.Decide(request)
			if old.Verdict != new.Verdict && !told[fmt.Sprint(kind, old.Verdict, new.Verdict)] &&
				!excused(report, kind) {
				t.Fatalf("%s for %s goes from %s to %s, which no line says (%s, %s)", url, kind, old.Verdict,
					new.Verdict, from, to)
			}
		}
	}
}

// excused reports whether the report says that it is not sure about a kind.
func excused(r *diff.Report, kind policy.Kind) bool {
	for _, d := range r.Doubts {
		for _, each := range d.Kinds {
			if each == kind {
				return true
			}
		}
	}
	return false
}

func TestFormats(t *testing.T) {
	report := compare(t, `<widget><access origin="https://a.example"/></widget>`,
		`<widget>
<access origin="https://a.example"/>
<access origin="http://b.example|%25"/><access origin="http://*.c.example"/>
</widget>`, "cordon")
	section := []diff.Section{{Report: report, View: diff.View{Title: "old.xml -> new.xml"}}}
	for name, write := range map[string]func(*strings.Builder) error{
		`"url": "http://c.example/"`: func(b *strings.Builder) error { return diff.WriteJSON(b, section) },
		"| `http://c.example/` |":    func(b *strings.Builder) error { return diff.WriteMarkdown(b, section) },
		"::warning file=new.xml,line=3,col=40,title=cordon diff::newly allow": func(b *strings.Builder) error {
			return diff.WriteGitHub(b, section)
		},
	} {
		var b strings.Builder
		if err := write(&b); err != nil || !strings.Contains(b.String(), name) {
			t.Errorf("want %s in\n%s (%v)", name, b.String(), err)
		}
	}
}

func large(n, changed int) string {
	var b strings.Builder
	b.WriteString("<widget>\n")
	for i := range n {
		host := fmt.Sprintf("h%d.example", i)
		if i < changed {
			host = fmt.Sprintf("new%d.example", i)
		}
		fmt.Fprintf(&b, "<access origin=\"https://%s/p%d/*\"/>\n", host, i%7)
	}
	return b.String() + "</widget>"
}

func BenchmarkTenThousandRules(b *testing.B) {
	before, after := large(10_000, 0), large(10_000, 20)
	for b.Loop() {
		report, err := diff.Documents(parse(b, "old.xml", before), parse(b, "new.xml", after),
			[]policy.Target{target(b, "cordon"), target(b, "android@9"), target(b, "ios@8")}, diff.Options{})
		if err != nil || len(report.Lines) != 40 {
			b.Fatal(err, len(report.Lines))
		}
	}
}

func BenchmarkTenThousandRulesAllChanged(b *testing.B) {
	before, after := large(10_000, 0), large(10_000, 10_000)
	for b.Loop() {
		report, err := diff.Documents(parse(b, "old.xml", before), parse(b, "new.xml", after),
			[]policy.Target{target(b, "cordon")}, diff.Options{})
		if err != nil || len(report.Lines) != 20_000 {
			b.Fatal(err, len(report.Lines))
		}
	}
}
