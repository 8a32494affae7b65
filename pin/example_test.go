package pin_test

import (
	"fmt"
	"time"

	"github.com/cordon-sec/cordon/pin"
)

// A set of pins binds hosts to keys; a chain that shows none of them is refused.
func ExampleSet() {
	key, backup := pin.HashOf([]byte("the key of the server")), pin.HashOf([]byte("the key that lies in a safe"))
	set, err := pin.NewSet(pin.Entry{Host: "example.com", Subdomains: true, Hashes: []pin.Hash{key, backup}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, host := range []string{"api.example.com", "example.org"} {
		bound, pinned := set.For(host)
		fmt.Println(host, "is pinned:", pinned)
		if pinned {
			fmt.Println("without a certificate:", bound.Verify(nil, time.Now()) != nil)
		}
	}
	// Output:
	// api.example.com is pinned: true
	// without a certificate: true
	// example.org is pinned: false
}
