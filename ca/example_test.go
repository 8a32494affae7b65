package ca_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cordon-sec/cordon/ca"
)

// A development authority is made once, and signs certificates for this machine's
// servers. Nothing is installed anywhere.
func Example() {
	dir, err := os.MkdirTemp("", "example-ca-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	authority, err := ca.Create(filepath.Join(dir, "ca"), ca.Options{
		Name: "Todo development", Permit: []string{"localhost"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	issuer, err := authority.Issuer(ca.IssuerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	leaf, err := issuer.Leaf("localhost")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(authority, leaf.Leaf.DNSNames)
	_, err = issuer.Leaf("example.com")
	fmt.Println("for others:", err != nil)
	// Output:
	// Todo development [localhost]
	// for others: true
}
