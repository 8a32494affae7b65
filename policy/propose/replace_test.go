package propose_test

import (
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/propose"
)

func TestReplace(t *testing.T) {
	const file = `<widget>
  <!-- everything -->
  <access origin="*" />
  <access origin="https://old.example.org"/>
  <access origin="https://api.example.org"/>
  <access origin="tel:*" launch-external="yes"/>
  <allow-intent href="mailto:*"/>
  <platform name="ios"><access origin="https://ios.example.org"/></platform>
</widget>
`
	proposed := propose.List([]propose.Observation{{Scheme: "https", Host: "api.example.org"},
		{Scheme: "wss", Host: "live.example.org"}})
	for _, test := range []struct {
		keep    bool
		dropped []int
		want    string
	}{
		{false, []int{3, 4}, "<widget>\n  <!-- everything -->\n  <access origin=\"https://api.example.org\"/>\n" +
			"  <access origin=\"tel:*\" launch-external=\"yes\"/>\n  <access origin=\"https://live.example.org\" />\n"},
		{true, []int{3}, "<widget>\n  <!-- everything -->\n  <access origin=\"https://old.example.org\"/>\n" +
			"  <access origin=\"https://api.example.org\"/>\n  <access origin=\"tel:*\" launch-external=\"yes\"/>\n" +
			"  <access origin=\"https://live.example.org\" />\n"},
	} {
		doc, err := configxml.Parse("config.xml", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		data, dropped, err := propose.Replace(doc, proposed, test.keep)
		if err != nil {
			t.Fatal(err)
		}
		rest := "  <allow-intent href=\"mailto:*\"/>\n" +
			"  <platform name=\"ios\"><access origin=\"https://ios.example.org\"/></platform>\n</widget>\n"
		if string(data) != test.want+rest {
			t.Errorf("keep %v:\n%s\nwant\n%s", test.keep, data, test.want+rest)
		}
		if len(dropped) != len(test.dropped) {
			t.Fatalf("dropped %v", dropped)
		}
		for i, number := range test.dropped {
			if dropped[i].Number != number {
				t.Errorf("dropped line %d, want %d", dropped[i].Number, number)
			}
		}
		// What was asked for passes, and what was not no longer does.
		again, err := configxml.Parse("config.xml", data)
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := dialect.Compile(again, policy.Target{Platform: dialect.Strict})
		if err != nil {
			t.Fatal(err)
		}
		for url, want := range map[string]policy.Verdict{
			"https://api.example.org/x": policy.Allow, "wss://live.example.org/": policy.Allow,
			"https://evil.example/": policy.Block, "http://api.example.org/": policy.Block,
		} {
			if got := compiled.Decide(policy.Request{URL: url, Kind: policy.AnyKind}).Verdict; got != want {
				t.Errorf("keep %v: %s: %s, want %s", test.keep, url, got, want)
			}
		}
	}
}

func TestReplaceInAnEmptyFile(t *testing.T) {
	doc, err := configxml.Parse("config.xml", []byte("<widget/>"))
	if err != nil {
		t.Fatal(err)
	}
	data, dropped, err := propose.Replace(doc, nil, false)
	if err != nil || string(data) != "<widget/>" || len(dropped) != 0 {
		t.Errorf("%q %v %v", data, dropped, err)
	}
}
