package auth_test

import (
	"fmt"
	"log"
	"net/url"

	"github.com/cordon-sec/cordon/backend/auth"
)

// What is wrong with a configuration is said with the keys that hold it.
func ExampleConfig_Check() {
	public, err := url.Parse("https://app.example.org")
	if err != nil {
		log.Fatal(err)
	}
	config := auth.Config{SigningKey: "env:CORDON_KEY", Providers: map[string]auth.ProviderConfig{
		"corp": {Type: "oidc", ClientID: "app", Issuer: "http://idp.example.org"},
	}}
	for _, p := range config.Check(public, false) {
		fmt.Println(p.Path, p.Msg)
	}
	// Output:
	// [providers corp issuer] must be an https URL (http on loopback only)
}
