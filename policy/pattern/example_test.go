package pattern_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/pattern"
)

// https is the URLs of the hosts over https, on its own port.
func https(hosts pattern.Language) pattern.Pattern {
	return pattern.Pattern{
		Scheme: pattern.Exactly("https"), Host: hosts, Port: pattern.NoPort, Path: pattern.Any(),
	}
}

// A set tells which pattern covers a URL that a dialect has taken apart.
func ExampleSet_Match() {
	set := pattern.NewSet([]pattern.Pattern{
		https(pattern.Exactly("api.example.org")),
		https(pattern.Below("example.net")),
	})
	entry, ok := set.Match(&pattern.URL{
		Scheme: "https", Host: "img.example.net", Path: "/logo.png", Port: -1,
		Has: pattern.HasScheme | pattern.HasHost | pattern.HasPath,
	})
	fmt.Println(entry, ok)
	// Output: 1 true
}

// What does a new list let in that the old one did not? A witness is a URL of
// the difference.
func ExampleURLSet_Witness() {
	before := pattern.Covered(pattern.WebHosts, []pattern.Pattern{https(pattern.Exactly("example.org"))})
	after := pattern.Covered(pattern.WebHosts, []pattern.Pattern{https(pattern.Below("example.org"))})
	url, outcome := after.Minus(before).Witness(pattern.DefaultSteps)
	fmt.Println(url, outcome)
	_, outcome = before.Minus(after).Witness(pattern.DefaultSteps)
	fmt.Println(outcome)
	// Output:
	// https://www.example.org/ found
	// empty
}
