package app_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/app"
)

// Places in an app's files are written with the folder that the user named.
func ExampleApp_Shown() {
	found := app.App{
		Base:    "mobile",
		Package: app.File{Name: "package.json", Data: []byte("{\n  \"name\": \"notes\"\n}")},
	}
	fmt.Println(found.Shown(found.Package.Name))
	fmt.Println(found.Package.Place(4, 10))
	// Output:
	// mobile/package.json
	// package.json:2:3
}
