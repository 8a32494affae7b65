package export_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/export"
)

func hostsReader(_ testing.TB, content []byte) func(string) bool {
	listed := map[string]bool{}
	for line := range strings.Lines(string(content)) {
		if !strings.HasPrefix(line, "#") {
			listed[strings.TrimSpace(line)] = true
		}
	}
	return func(raw string) bool {
		u, err := url.Parse(raw)
		if err != nil {
			return false
		}
		port := u.Port()
		host := strings.TrimSuffix(u.Host, ":"+port)
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		if listed[host+":"+port] || listed["*:"+port] {
			return true
		}
		for {
			_, parent, found := strings.Cut(host, ".")
			if !found {
				return false
			}
			if listed["*."+parent+":"+port] {
				return true
			}
			host = parent
		}
	}
}

func TestHostsNeverAllowsSilently(t *testing.T) {
	for _, body := range []string{
		`<access origin="*://a.example:8443"/>`,
		`<access origin="*://*.a.example:8443"/><access origin="*://10.0.0.1:8443"/>`,
	} {
		source, compiled := sourceOf(t, body)
		artifact := writerOf("hosts")(source)
		if len(artifact.Losses) != 0 {
			t.Fatalf("%s: losses %v", body, artifact.Losses)
		}
		allows := hostsReader(t, artifact.Content)
		for _, url := range world([]string{"http", "https"}, nil, nil) {
			want := compiled.Decide(policy.Request{URL: url}).Verdict == policy.Allow
			if got := allows(url); got != want {
				t.Errorf("%s: %s: %v, want %v", body, url, got, want)
			}
		}
	}
}

func TestHostsLosses(t *testing.T) {
	source, _ := sourceOf(t, `<access origin="https://a.example/p"/>`)
	var messages []string
	for _, loss := range writerOf("hosts")(source).Losses {
		if !loss.Widens {
			t.Errorf("%s: does not say that it widens", loss.Message)
		}
		messages = append(messages, loss.Message)
	}
	if all := strings.Join(messages, "\n"); !strings.Contains(all, "path") || !strings.Contains(all, "scheme") {
		t.Errorf("losses: %s", all)
	}
	for _, c := range export.Capabilities() {
		if c.String() == "" || c.Missing() == "" {
			t.Errorf("capability %d has no text", c)
		}
	}
}
