package app_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/app"
)

// What a Capacitor configuration says of where its app may go.
func ExampleReadCapacitor() {
	c, err := app.ReadCapacitor(&app.File{Name: "capacitor.config.json", Data: []byte(`{
  "appName": "Notes",
  "webDir": "dist",
  "server": { "allowNavigation": ["login.example.com"] }
}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.AppName, c.WebDir)
	for _, mask := range c.AllowNavigation {
		fmt.Println(mask.Place, mask.Host)
	}
	// Output:
	// Notes dist
	// capacitor.config.json:4:35 login.example.com
}
