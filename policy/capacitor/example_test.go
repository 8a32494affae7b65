package capacitor_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/capacitor"
)

// What a Capacitor configuration says of where its app may go.
func ExampleRead() {
	c, err := capacitor.Read("capacitor.config.json", []byte(`{
  "appName": "Notes",
  "webDir": "dist",
  "server": { "allowNavigation": ["login.example.com"] }
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.AppName.Value, c.WebDir.Value)
	for _, mask := range c.Server.AllowNavigation {
		fmt.Println(mask.Place, mask.Value)
	}
	// Output:
	// Notes dist
	// capacitor.config.json:4:35 login.example.com
}
