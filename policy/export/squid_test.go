package export_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/proctest"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/export"
)

// squidStart runs squid itself with the exported rules, or skips the test.
func squidStart(t *testing.T, rules []byte) (address string) {
	t.Helper()
	program := "/usr/sbin/squid"
	if _, err := os.Stat(program); err != nil {
		lane.Missing(t, "squid is not installed (apt-get install squid): its rules are not tried")
	}
	dir, err := os.MkdirTemp("", "cordon-squid")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	address = proctest.FreeAddress(t)
	var names strings.Builder
	for _, raw := range world([]string{"http"}, []string{""}, []string{"/"}) {
		if u, err := url.Parse(raw); err == nil && net.ParseIP(u.Hostname()) == nil {
			fmt.Fprintf(&names, "127.0.0.1 %s\n", u.Hostname())
		}
	}
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	hosts := write("hosts", names.String())
	config := write("squid.conf", fmt.Sprintf(`http_port %s
pid_filename none
cache deny all
access_log none
cache_log %s/cache.log
coredump_dir %s
hosts_file %s
dns_nameservers 127.0.0.1
dns_timeout 1 second
connect_timeout 1 second
connect_retries 0
shutdown_lifetime 0 seconds
include %s
`, address, dir, dir, hosts, write("rules.conf", string(rules))))
	squid := proctest.Start(t, exec.Command(program, "-N", "-f", config))
	squid.Listens(address)
	return address
}

// squidPasses asks squid: a refusal is 403, anything else means that it went on to
// look for the host.
func squidPasses(t *testing.T, proxy, raw string) bool {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.DialTimeout("tcp", proxy, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	authority := u.Host
	head := "GET " + raw
	if u.Scheme != "http" {
		if u.Port() == "" {
			authority += map[string]string{"https": ":443", "wss": ":443", "ws": ":80"}[u.Scheme]
		}
		head = "CONNECT " + authority
	}
	fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", head, authority)
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	response.Body.Close()
	return response.StatusCode != http.StatusForbidden
}

func TestSquidSquidObeys(t *testing.T) {
	for _, body := range []string{
		``,
		`<access origin="https://a.example"/><access origin="https://*.b.a.example"/><access ` +
			`origin="http://*.a.example"/><access origin="https://10.0.0.1"/>`,
		`<access origin="*://*.a.example:8443"/><access origin="https://b.a.example"/><access ` +
			`origin="https://localhost"/>`,
		`<access origin="https://*"/><access origin="http://c.example:8443"/>`,
	} {
		source, compiled := sourceOf(t, body)
		artifact := writerOf("squid")(source)
		if slices.ContainsFunc(artifact.Losses, func(l export.Loss) bool { return l.Widens }) {
			t.Fatalf("%s: losses %v", body, artifact.Losses)
		}
		proxy := squidStart(t, artifact.Content)
		for _, raw := range world([]string{"http", "https", "wss"}, []string{"", ":8443"}, []string{"/p"}) {
			want := compiled.Decide(policy.Request{URL: raw}).Verdict == policy.Allow
			if got := squidPasses(t, proxy, raw); got != want {
				t.Errorf("%s\n%s: passes %v, want %v\n%s", body, raw, got, want, artifact.Content)
			}
		}
	}
}

// A tunnel to port 80 could hold anything, so a line for ws alone opens none.
func TestSquidWebSocketsWithoutTLS(t *testing.T) {
	source, _ := sourceOf(t, `<access origin="ws://a.example"/>`)
	artifact := writerOf("squid")(source)
	if strings.Contains(string(artifact.Content), "http_access allow") || len(artifact.Losses) == 0 {
		t.Errorf("losses %v\n%s", artifact.Losses, artifact.Content)
	}
}
