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

// A package is one that the app or its build depends on.
func ExampleApp_Dependency() {
	found := app.App{Package: app.File{Name: "package.json",
		Data: []byte("{\n  \"devDependencies\": {\n    \"@capacitor/ios\": \"7.0.0\"\n  }\n}")}}
	fmt.Println(found.Dependency("@capacitor/ios"))
	_, is := found.Dependency("@capacitor/android")
	fmt.Println(is)
	// Output:
	// package.json:3:5 true
	// false
}
