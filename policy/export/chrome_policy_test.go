package export_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
)

var chromeFilter = regexp.MustCompile(`^(https?)://(\.?)(\[[^\]]*\]|[^:/]+):([0-9]+)(/.*)?$`)

// chromeReader applies the filter format as Chromium documents it: a host covers
// what is below it unless a dot stands before it, a path is a prefix.
func chromeReader(t testing.TB, content []byte) func(string) bool {
	var policies struct{ URLBlocklist, URLAllowlist []string }
	if err := json.Unmarshal(content, &policies); err != nil {
		t.Fatalf("no JSON: %v", err)
	}
	if len(policies.URLBlocklist) != 1 || policies.URLBlocklist[0] != "*" {
		t.Fatalf("the block list is %v, want everything", policies.URLBlocklist)
	}
	return func(raw string) bool {
		u, err := url.Parse(raw)
		if err != nil {
			return false
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		host := u.Host
		if u.Port() != "" {
			host = strings.TrimSuffix(host, ":"+u.Port())
		}
		for _, entry := range policies.URLAllowlist {
			m := chromeFilter.FindStringSubmatch(entry)
			if m == nil {
				t.Fatalf("filter %q is not in the format", entry)
			}
			named := host == m[3] || m[2] == "" && strings.HasSuffix(host, "."+m[3]) || m[3] == "*"
			if m[1] == u.Scheme && named && m[4] == port && strings.HasPrefix(u.Path, m[5]) {
				return true
			}
		}
		return false
	}
}

func TestChromeLaw(t *testing.T) {
	law{
		Export: writerOf("chrome-policy"), Reader: chromeReader, Kind: policy.Navigation,
		Schemes: []string{"http", "https"},
	}.Check(t)
}
