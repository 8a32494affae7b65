package pins_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pins"
)

// The pins of a config.xml bind its hosts; what cannot be read is a problem.
func ExampleSet() {
	doc, err := configxml.Parse("config.xml", []byte(`<widget xmlns:cordon="urn:cordon:1">
  <cordon:pin host="api.example.org" sha256="AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=" />
  <cordon:pin host="img.example.org" sha256="too short" />
</widget>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	set, problems := pins.Set(doc, "", nil)
	_, pinned := set.For("api.example.org")
	fmt.Println(pinned)
	for _, problem := range problems {
		fmt.Println(problem)
	}
	// Output:
	// true
	// config.xml:3:3: pin "too short" is not base64
}
