package csp_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/csp"
)

// A policy answers for a URL as a browser does, fallbacks included.
func ExamplePolicy_Allows() {
	p := csp.Parse("default-src 'self'; img-src https://*.example.com")
	const self = "https://app.example.com/"
	fmt.Println(p.Allows("img-src", "https://cdn.example.com/a.png", self))
	fmt.Println(p.Allows("connect-src", "https://cdn.example.com/a.json", self))
	fmt.Println(p.Set("connect-src", "'self'", "https://api.example.com"))
	// Output:
	// true
	// false
	// default-src 'self'; img-src https://*.example.com; connect-src 'self' https://api.example.com
}
