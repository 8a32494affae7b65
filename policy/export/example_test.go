package export_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/export"
)

// Capacitor's list knows hosts alone: what it covers beyond a line is a loss with
// the line's place.
func Example() {
	doc, err := configxml.Parse("config.xml", []byte(`<widget>
  <access origin="https://api.example.com" />
  <access origin="https://media.example.com:8443" />
</widget>`))
	if err != nil {
		fmt.Println(err)
		return
	}
	format, ok := export.Find("capacitor")
	if !ok {
		return
	}
	artifact := format.Export(export.NewSource(doc, nil))
	fmt.Printf("%s:\n%s", artifact.Path, artifact.Content)
	for _, loss := range artifact.Losses {
		fmt.Printf("%s: %s\n", loss.Place, loss.Message)
	}
	// Output:
	// capacitor.cordon.json:
	// {
	//   "server": {
	//     "allowNavigation": [
	//       "api.example.com",
	//       "media.example.com"
	//     ],
	//     "cleartext": false
	//   }
	// }
	// config.xml:2:3: the scheme is not expressed: http and https are covered alike
	// config.xml:3:3: the port 8443 is not expressed: all ports of the host are covered
	// config.xml:3:3: the scheme is not expressed: http and https are covered alike
}
