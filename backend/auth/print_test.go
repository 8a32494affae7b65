package auth

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/identity"
)

// TestNothingPrintsSecrets prints every type that holds one in every way.
func TestNothingPrintsSecrets(t *testing.T) {
	const secret = "s3cr3t-s3cr3t"
	token := identity.ProviderToken{Provider: "p", Access: secret, ID: secret, Refresh: secret, Secret: secret}
	s := newSite(t, nil)
	base := providerBase{name: "p", secret: secret}
	values := []any{
		flow{Provider: "p", State: secret, Nonce: secret, Verifier: secret, Secret: secret},
		attempt{State: secret, Verifier: secret, Secret: secret, Extra: url.Values{}}, credentials{AccessToken: secret,
			IDToken: secret, RefreshToken: secret, AuthenticationToken: secret, AuthorizationCode: secret,
			AccessTokenSecret: secret},
		outcome{Subject: "s", Token: token},
		sessionSecrets{Access: secret, ID: secret, Refresh: secret, Secret: secret},
		loginResult{AuthenticationToken: secret}, tokenEntry{AccessToken: secret, RefreshToken: secret, IDToken: secret,
			AccessTokenSecret: secret, AuthToken: secret}, token, base, &openID{providerBase: base},
		&oauthProvider{providerBase: base}, &twitter{providerBase: base}, &development{providerBase: base},
	}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			for _, shown := range []string{fmt.Sprintf(verb, v), fmt.Sprintf(verb, []any{v}),
				fmt.Sprintf(verb, struct{ V any }{v})} {
				if strings.Contains(shown, secret) {
					t.Errorf("%s of %T: %s", verb, v, shown)
				}
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if shown := fmt.Sprintf(verb, s.Server); shown != "auth.Server ***" {
			t.Errorf("%s of the server: %.100s", verb, shown)
		}
	}
}
