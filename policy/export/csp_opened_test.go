package export_test

import (
	"slices"
	"testing"

	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/export"
)

// What the new policy lets in and the page's own keeps out is named, code by its hash
// included; what the page's own lets in by other words is not.
func TestOpened(t *testing.T) {
	source, _ := sourceOf(t, `<access origin="https://api.example"/>`)
	const hash = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
	for own, want := range map[string][]string{
		"":                                  nil,
		"connect-src 'none'":                {"'self'", "https://api.example", "wss://api.example"},
		"connect-src *":                     nil,
		"script-src 'self'":                 {hash},
		"script-src 'none'":                 {"'self'", hash},
		"script-src 'self' 'unsafe-inline'": nil,
		"script-src 'self' 'nonce-a'":       nil,
		"script-src 'self' 'unsafe-inline' 'sha256-AAAA'": {hash},
		"script-src 'self' " + hash:                       nil,
		"form-action 'self'":                              {"https://api.example"},
		"base-uri 'none'; object-src 'none'":              nil,
	} {
		_, losses := export.PagePolicy(source,
			export.Page{Existing: csp.Parse(own), InlineScripts: []string{"alert(1)"}})
		var got []string
		for _, loss := range losses {
			if loss.Opens != "" {
				got = append(got, loss.Opens)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q is let in, want %q", own, got, want)
		}
	}
}
