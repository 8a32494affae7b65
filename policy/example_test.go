package policy_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// A decision says what happens, by which rule, and why.
func ExamplePolicy_Decide() {
	doc, err := configxml.Parse("config.xml", []byte(`<widget>
  <access origin="https://api.example.com" />
  <allow-intent href="tel:*" />
</widget>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	compiled, err := dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range []policy.Request{
		{URL: "https://api.example.com/v1", Kind: policy.XHR},
		{URL: "tel:112", Kind: policy.Navigation},
		{URL: "https://evil.example/", Kind: policy.Image},
	} {
		d := compiled.Decide(r)
		fmt.Printf("%s: %s (%s)\n", r.URL, d.Verdict, d.Reason.Explain())
		if d.Rule != nil {
			fmt.Println("  by", d.Rule.Place, d.Rule.Text)
		}
	}
	// The zero value blocks.
	fmt.Println(policy.Decision{}.Verdict)
	// Output:
	// https://api.example.com/v1: allow (an entry of the file covers the URL)
	//   by config.xml:2:3 https://api.example.com
	// tel:112: launch (an entry for other apps covers the URL)
	//   by config.xml:3:3 tel:*
	// https://evil.example/: block (no entry of the list covers the URL)
	// block
}
