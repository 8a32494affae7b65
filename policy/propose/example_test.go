package propose_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/propose"
)

// Requests that were observed become a line for each host.
func ExampleList() {
	for _, p := range propose.List([]propose.Observation{
		{Scheme: "https", Host: "api.example.org", Path: "/items", Kind: "xhr", Count: 7},
		{Scheme: "wss", Host: "api.example.org", Kind: "websocket"},
		{Scheme: "http", Host: "cdn.example.net", Path: "/logo.png", Kind: "image"},
	}) {
		fmt.Println(p.Line, p.Kinds, p.Count, len(p.Warnings))
	}
	// Output:
	// <access origin="https://api.example.org" /> [websocket xhr] 8 0
	// <access origin="http://cdn.example.net" /> [image] 1 1
}
