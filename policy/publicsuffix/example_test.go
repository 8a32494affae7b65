package publicsuffix_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/publicsuffix"
)

// A wildcard for a public suffix lets strangers in.
func ExampleIsSuffix() {
	for _, host := range []string{"co.uk", "azurewebsites.net", "example.co.uk"} {
		fmt.Println(host, publicsuffix.IsSuffix(host))
	}
	// Output:
	// co.uk registry
	// azurewebsites.net hosting
	// example.co.uk unlisted
}
