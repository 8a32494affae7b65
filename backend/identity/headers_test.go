package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSetHeaders(t *testing.T) {
	h := http.Header{"X-Ms-Client-Principal": {"forged"}, "X_MS_TOKEN_AAD_ACCESS_TOKEN": {"forged"},
		"x-ms-client-principal-roles": {"forged"}, "X-Ms-Version": {"kept"}}
	p := &Principal{User: User{ID: "sid:1", Provider: "aad", Name: "ann@example.org",
		Claims: []Claim{{ClaimMail, "ann@example.org"}}}}
	SetHeaders(h, p)
	principal, _ := base64.StdEncoding.DecodeString(h.Get("X-MS-CLIENT-PRINCIPAL"))
	want := `{"auth_typ":"aad","claims":[{"typ":"` + ClaimMail + `","val":"ann@example.org"}],"name_typ":"` +
		ClaimMail + `","role_typ":"` + ClaimRole + `"}`
	if string(principal) != want {
		t.Errorf("got %s, want %s", principal, want)
	}
	h.Del("X-MS-CLIENT-PRINCIPAL")
	if diff := cmp.Diff(http.Header{"X-Ms-Client-Principal-Id": {"sid:1"},
		"X-Ms-Client-Principal-Name": {"ann@example.org"}, "X-Ms-Client-Principal-Idp": {"aad"},
		"X-Ms-Version": {"kept"}}, h); diff != "" {
		t.Error(diff)
	}
	SetHeaders(h, &Principal{})
	if diff := cmp.Diff(http.Header{"X-Ms-Version": {"kept"}}, h); diff != "" {
		t.Errorf("an anonymous caller: %s", diff)
	}
}

func TestSetHeadersOfOddNames(t *testing.T) {
	h := http.Header{}
	SetHeaders(h, &Principal{User: User{ID: "a\r\nX-Evil: 1", Provider: "p", Name: "Zoë"}})
	if got := h.Get("X-MS-CLIENT-PRINCIPAL-NAME"); got != "=?utf-8?b?Wm/Dqw==?=" {
		t.Errorf("name %q", got)
	}
	if got := h.Get("X-MS-CLIENT-PRINCIPAL-ID"); got != "a%0D%0AX-Evil:%201" {
		t.Errorf("id %q", got)
	}
}

func TestSetTokenHeaders(t *testing.T) {
	h := http.Header{}
	SetTokenHeaders(h, ProviderToken{Provider: "my-idp", Access: "a", ID: "i", Refresh: "r\nx",
		Expires: time.Unix(1e9, 0)})
	want := http.Header{"X-Ms-Token-My-Idp-Access-Token": {"a"}, "X-Ms-Token-My-Idp-Id-Token": {"i"},
		"X-Ms-Token-My-Idp-Expires-On": {"2001-09-09T01:46:40Z"}}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func TestContext(t *testing.T) {
	if p, err := FromContext(context.Background()); p.Authenticated() || err != nil {
		t.Errorf("got %v, %v", p, err)
	}
	ann := &Principal{User: User{ID: "sid:1"}}
	if p, err := FromContext(NewContext(context.Background(), ann, nil)); p != ann || err != nil {
		t.Errorf("got %v, %v", p, err)
	}
	broken := errors.New("broken")
	if p, err := FromContext(NewContext(context.Background(), ann, broken)); p.Authenticated() || err != broken {
		t.Errorf("got %v, %v", p, err)
	}
}
