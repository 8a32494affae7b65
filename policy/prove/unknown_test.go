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
