package export_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
)

type electronLists struct{ Requests, Navigation, External, Permissions []string }

func electronRead(t testing.TB, content []byte) electronLists {
	t.Helper()
	var l electronLists
	if err := json.Unmarshal(content, &l); err != nil {
		t.Fatalf("no JSON: %v", err)
	}
	return l
}

// electronMatches applies a match pattern: "*." covers the host itself too, "*" in the
// path is any run of characters.
func electronMatches(pattern string, u *url.URL) bool {
	scheme, rest, _ := strings.Cut(pattern, "://")
	authority, path, _ := strings.Cut(rest, "/")
	colon := strings.LastIndex(authority, ":")
	host, port := authority[:colon], authority[colon+1:]
	actual := u.Port()
	if actual == "" {
		actual = map[string]string{"http": "80", "ws": "80", "https": "443", "wss": "443"}[u.Scheme]
	}
	name := strings.TrimSuffix(u.Host, ":"+u.Port())
	if base, ok := strings.CutPrefix(host, "*."); ok {
		if name != base && !strings.HasSuffix(name, "."+base) {
			return false
		}
	} else if host != "*" && host != name {
		return false
	}
	if prefix, ok := strings.CutSuffix("/"+path, "*"); ok {
		return scheme == u.Scheme && port == actual && strings.HasPrefix(u.RequestURI(), prefix)
	}
	return scheme == u.Scheme && port == actual && u.RequestURI() == "/"+path
}

func electronAnyMatches(patterns []string, raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && slices.ContainsFunc(patterns, func(p string) bool { return electronMatches(p, u) })
}

func TestElectronLaw(t *testing.T) {
	for name, test := range map[string]struct {
		kind policy.Kind
		list func(electronLists) []string
	}{
		"requests":   {policy.XHR, func(l electronLists) []string { return l.Requests }},
		"navigation": {policy.Navigation, func(l electronLists) []string { return l.Navigation }},
	} {
		t.Run(name, func(t *testing.T) {
			law{
				Export: writerOf("electron"),
				Reader: func(t testing.TB, content []byte) func(string) bool {
					patterns := test.list(electronRead(t, content))
					return func(raw string) bool { return electronAnyMatches(patterns, raw) }
				},
				Kind: test.kind, Schemes: []string{"http", "https", "ws", "wss"},
			}.Check(t)
		})
	}
}

func TestElectronExternalAndPermissions(t *testing.T) {
	source, _ := sourceOf(t, `<allow-intent href="tel:*"/><allow-intent href="https://out.example/p"/>`)
	l := electronRead(t, writerOf("electron")(source).Content)
	want := []string{"https://out.example:443/p", "https://out.example:443/p/*", "https://out.example:443/p?*", "tel:*",
		"wss://out.example:443/p", "wss://out.example:443/p/*", "wss://out.example:443/p?*"}
	if !slices.Equal(l.External, want) || l.Permissions == nil || len(l.Permissions) != 0 || len(l.Requests) != 0 {
		t.Errorf("%+v, want external %v and no permission", l, want)
	}
}
