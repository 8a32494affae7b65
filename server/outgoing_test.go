package server

import (
	"net/url"
	"testing"
)

// What the operator names is allowed by the name that the dialer compares.
func TestEverywhere(t *testing.T) {
	for text, want := range map[string]string{"https://IDP.example.:8443": "idp.example",
		"https://bücher.example": "xn--bcher-kva.example", "http://[::1]:80": "::1", "http://127.1": "",
		"https://a..b": "", "http://[::1%25lo]": ""} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if all := everywhere(u); len(all) == 2 && all[0].Host == all[1].Host {
			got = all[0].Host
		}
		if got != want {
			t.Errorf("%s allows %q, want %q", text, got, want)
		}
	}
}
