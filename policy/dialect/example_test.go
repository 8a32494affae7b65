package dialect_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// One list means different things on different platforms: each compiles to a
// policy of its own, and a decision says which rule made it.
func Example() {
	doc, err := configxml.Parse("config.xml", []byte(`<widget>
  <access origin="https://api.example.com" />
</widget>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"cordon", "android@3.6.4", "ios@8.0.0"} {
		target, err := dialect.ParseTarget(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		compiled, err := dialect.Compile(doc, target)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, url := range []string{"https://api.example.com/v1", "https://evil.example/"} {
			d := compiled.Decide(policy.Request{URL: url, Kind: policy.XHR})
			fmt.Printf("%-14s %-28s %s (%s)\n", name, url, d.Verdict, d.Reason)
		}
	}
	// Output:
	// cordon         https://api.example.com/v1   allow (listed)
	// cordon         https://evil.example/        block (not-listed)
	// android@3.6.4  https://api.example.com/v1   allow (listed)
	// android@3.6.4  https://evil.example/        block (not-listed)
	// ios@8.0.0      https://api.example.com/v1   bypass (never-asked)
	// ios@8.0.0      https://evil.example/        bypass (never-asked)
}
