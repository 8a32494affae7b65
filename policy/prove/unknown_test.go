package prove_test

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/prove"
)

// What a plugin adds that is named and not there may break a promise: it is not
// decided, on the platforms that it matters to. What is refuted stays so.
func TestUnknownIsNoProof(t *testing.T) {
	written := parse(t, `<widget><access origin="https://a.example"/><allow-intent href="tel:*"/></widget>`)
	doc := configxml.Effective("", written, configxml.Additions{
		Unknown: []configxml.Unknown{{What: "the plugin x is named and not there", Platform: "android"}, {What: "y",
			Platform: "android"}}})
	f, err := prove.Parse("a", []byte(
		"never navigate https://evil.test/* on android@15\nnever navigate https://evil.test/* on ios@8\n"+
			"never launch tel:* on android@15\n"))
	if err != nil {
		t.Fatal(err)
	}
	results, err := f.Check(doc, prove.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []prove.Outcome{prove.NotDecided, prove.Holds, prove.Refuted} {
		if results[i].Outcome != want {
			t.Errorf("%s: %s, want %s", results[i].Assertion.Text, results[i].Outcome, want)
		}
	}
	const why = "nothing that is known breaks it, but the plugin x is named and not there (and 1 more that is " +
		"not known)"
	if got := results[0].Cases[0].Why; !strings.Contains(got, why) {
		t.Errorf("why: %q, want %q", got, why)
	}
}

// The strict reading is about the app on each platform: what one of them may let in
// besides doubts it. How a platform reads what is there does not.
func TestUnknownOfAPlatformDoubtsTheStrictReading(t *testing.T) {
	written := parse(t, `<widget><access origin="https://a.example"/></widget>`)
	for _, test := range []struct {
		unknown configxml.Unknown
		want    prove.Outcome
	}{
		{configxml.Unknown{What: "x", Platform: "android"}, prove.NotDecided},
		{configxml.Unknown{What: "x"}, prove.NotDecided},
		{configxml.Unknown{What: "x", Platform: "android", Reading: true}, prove.Holds},
	} {
		f, err := prove.Parse("a", []byte("never navigate https://evil.test/*"))
		if err != nil {
			t.Fatal(err)
		}
		results, err := f.Check(configxml.Effective("", written, configxml.Additions{
			Unknown: []configxml.Unknown{test.unknown}}), prove.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if results[0].Outcome != test.want {
			t.Errorf("%+v: %s, want %s", test.unknown, results[0].Outcome, test.want)
		}
	}
}

// An entry that cannot be read is named with its file: it may stand in a plugin.xml.
func TestUnreadableEntryOfAnotherFile(t *testing.T) {
	plugin, err := configxml.Parse("plugins/x/plugin.xml", []byte("<plugin>\n<access origin=\"https://[a\"/></plugin>"))
	if err != nil {
		t.Fatal(err)
	}
	doc := configxml.Effective("", parse(t, "<widget/>"), configxml.Additions{
		Parts: []configxml.Part{{Elements: plugin.Root().Children}}})
	f, err := prove.Parse("a", []byte("never navigate https://evil.test/* on ios@2.9"))
	if err != nil {
		t.Fatal(err)
	}
	results, err := f.Check(doc, prove.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const why = "how the platform reads plugins/x/plugin.xml:2:1 could not be established: "
	if cases := results[0].Cases; len(cases) != 1 || !strings.HasPrefix(cases[0].Why, why) {
		t.Errorf("%+v, want %s", cases, why)
	}
}

// What a platform does could not be established is no promise kept, for any kind;
// what is known of the same list is.
func TestUnverifiedIsNoProof(t *testing.T) {
	const unread = `<access origin="^https?://(?&lt;!x)\p{IsGreek}evil.*"/>`
	tests := []struct {
		assertion, body string
		want            prove.Outcome
	}{
		{"never allow https:* on android@2.9.1", unread, prove.NotDecided},
		{"never navigate https://evil.test/* on android@2.9.1", unread, prove.NotDecided},
		{"only navigate ms-appx:* ms-appx-web:* on windows", ``, prove.NotDecided},
		{"always block navigation https://evil.test/* on tizen", ``, prove.NotDecided},
		{"never navigate https://evil.test/* on android@2.9.1", `<access origin="https://a.example"/>`, prove.Holds},
		{"never navigate https://evil.test/* on windows", ``, prove.NotDecided},
		{"never navigate https://evil.test/* on tizen", ``, prove.NotDecided},
		{"never allow xhr https://evil.test/* on tizen", ``, prove.Holds},
		{"never allow xhr https://evil.test/* on w3c", ``, prove.Holds},
		{"never allow xhr x-other:* on w3c", ``, prove.NotDecided},
		{"never navigate https://evil.test/* on ios@2.9", `<access origin="https://[a"/>`, prove.NotDecided},
		{"never navigate https://evil.test/* on ios@2.9", `<access origin="https://a.example"/>`, prove.Holds},
		{"never allow media https://evil.test/* on blackberry10", ``, prove.NotDecided},
		{"same navigation https://* on tizen windows@7", ``, prove.NotDecided},
	}
	for _, test := range tests {
		if r := check(t, test.assertion, "<widget>"+test.body+"</widget>"); r.Outcome != test.want {
			t.Errorf("%s with %s: %s, want %s: %+v", test.assertion, test.body, r.Outcome, test.want, r.Cases)
		}
	}
}
