package host_test

import (
	"os"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// What the strict reading allows can be dialled: for each host of the table the
// list, the dialer and the pins agree whether it is one.
func TestEveryReaderAgrees(t *testing.T) {
	data, err := os.ReadFile("testdata/hosts.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		at := strings.LastIndex(line, "  ")
		written := strings.TrimSpace(line[:at])
		n, err := host.Parse(written)
		listed := err == nil
		if got := allowed(t, written); got != listed {
			t.Errorf("%s: listed and asked for, the strict reading allows it: %v; it is a host: %v (%v)", written, got,
				listed, err)
		}
		if !listed {
			continue
		}
		if got, addr, err := egress.ParseHost(n.String()); err != nil || got != n.String() || addr != n.Addr() {
			t.Errorf("%s: the dialer takes %s for %q, %v", written, n, got, err)
		}
		if err := pin.CheckHost(n.String()); (err == nil) == n.Addr().IsValid() {
			t.Errorf("%s: pins say %v", written, err)
		}
	}
}

// allowed reports whether a list of that host alone allows a URL of it.
func allowed(t *testing.T, written string) bool {
	t.Helper()
	doc, err := configxml.Parse("config.xml",
		[]byte(`<widget xmlns="http://www.w3.org/ns/widgets"><access origin="https://`+configxml.Escape(written)+
			`"/></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	if err != nil {
		t.Fatal(err)
	}
	return p.Decide(policy.Request{URL: "https://" + written + "/", Kind: policy.XHR}).Verdict == policy.Allow
}
