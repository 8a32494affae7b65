package prove_test

import (
	"fmt"
	"os"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/prove"
)

// A promise is checked for every URL there is, and refuted by one that breaks it.
func Example() {
	doc, err := configxml.Parse("config.xml", []byte(`<widget>
  <access origin="https://api.example.com" />
  <access origin="http://legacy.example.com" />
</widget>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	promises, err := prove.Parse("promises", []byte(`never allow http://* on cordon
always allow https://api.example.com/* on cordon
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := promises.Check(doc, prove.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := prove.WriteText(os.Stdout, []prove.Proof{{File: doc.Name(), Results: results}}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// config.xml
	//   refuted      never allow http://* on cordon  (promises:1)
	//                http://legacy.example.com/
	//                  allowed for xhr on cordon  config.xml:3:3  <access> http://legacy.example.com
	//   holds        always allow https://api.example.com/* on cordon  (promises:2)
	// 2 assertions: 1 hold, 1 refuted, 0 not decided
}
