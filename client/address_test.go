package client

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Each spelling of an address that the list reads is open to the dialer, and
// nothing that only holds one in its text.
func TestNamedAddresses(t *testing.T) {
	doc, err := configxml.Parse("config.xml", []byte(`<widget xmlns="http://www.w3.org/ns/widgets">
<access origin="10.0.0.5"/><access origin="*://10.0.0.6"/><access origin="10.0.0.7:8443"/><access origin="https://[fd00::1]"/>
<access origin="https://[::ffff:10.0.0.8]"/><access origin="https://a.example/10.0.0.9"/><access origin="https://*"/>
<allow-intent href="https://10.0.0.10"/></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	p, err := dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, private := range named(p) {
		if private.Host != private.Range.Addr().String() || private.Range.Bits() != private.Range.Addr().BitLen() {
			t.Errorf("%s opens %s", private.Host, private.Range)
		}
		got = append(got, private.Host)
	}
	if diff := cmp.Diff([]string{"10.0.0.5", "10.0.0.6", "10.0.0.7", "fd00::1", "10.0.0.8"}, got); diff != "" {
		t.Error(diff)
	}
}
