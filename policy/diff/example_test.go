package diff_test

import (
	"fmt"
	"os"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
)

// What a change of the list newly lets in, each with a URL that shows it.
func Example() {
	parse := func(origin string) *configxml.Document {
		doc, err := configxml.Parse("config.xml", []byte(`<widget><access origin="`+origin+`" /></widget>`))
		if err != nil {
			panic(err)
		}
		return doc
	}
	target, err := dialect.ParseTarget("cordon")
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := diff.Documents(parse("https://api.example.com"), parse("https://*.example.com"),
		[]policy.Target{target}, diff.Options{Kinds: []policy.Kind{policy.XHR}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("wider:", report.Widens())
	if err := report.WriteText(os.Stdout, diff.View{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// wider: true
	// newly allowed (was blocked): xhr on cordon
	//   https://example.com/
	//       before  no entry of the list covers the URL
	//       now     config.xml:1:9  <access> https://*.example.com
	//
	// 1 change, 1 of them wider
}
