package settings_test

import (
	"fmt"

	"github.com/cordon-sec/cordon/settings"
)

// What is misspelt, and what does not fit together, is an error with its place.
func ExampleParse() {
	_, err := settings.Parse("cordon.yaml", []byte("server: { listen: \"127.0.0.1:8443\", lsten: 1 }\n"))
	fmt.Println(err)
	s, err := settings.Parse("cordon.yaml", []byte("server: { listen: \"0.0.0.0:8443\", tls: off }\n"))
	if err == nil {
		err = s.Check()
	}
	fmt.Println(err)
	// Output:
	// cordon.yaml:1:37: unknown field "lsten"
	//   1 | server: { listen: "127.0.0.1:8443", lsten: *** }
	//     |                                     ^
	// cordon.yaml:1:35: server.tls off must stay on loopback: server.listen can be reached from outside
	//   1 | server: { listen: "0.0.0.0:8443", tls: off }
	//     |                                   ^
	// cordon.yaml: identity.signing_key is missing: it signs the session tokens (openssl rand -hex 32)
}
