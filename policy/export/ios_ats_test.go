package export_test

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy"
)

// atsNode is one element of a property list.
type atsNode struct {
	XMLName xml.Name
	Text    string    `xml:",chardata"`
	Nodes   []atsNode `xml:",any"`
}

// value turns a property list element into maps, lists, strings and booleans.
func (n atsNode) value(t testing.TB) any {
	switch n.XMLName.Local {
	case "dict":
		if len(n.Nodes)%2 != 0 {
			t.Fatal("a dictionary with a key without a value")
		}
		m := map[string]any{}
		for i := 0; i < len(n.Nodes); i += 2 {
			key := n.Nodes[i].Text
			if n.Nodes[i].XMLName.Local != "key" || m[key] != nil {
				t.Fatalf("dictionary: <%s> %q is no key, or stands twice", n.Nodes[i].XMLName.Local, key)
			}
			m[key] = n.Nodes[i+1].value(t)
		}
		return m
	case "array":
		var list []any
		for _, each := range n.Nodes {
			list = append(list, each.value(t))
		}
		return list
	case "string":
		return n.Text
	case "true", "false":
		return n.XMLName.Local == "true"
	}
	t.Fatalf("element <%s> is not expected", n.XMLName.Local)
	return nil
}

func atsRead(t testing.TB, content []byte) map[string]any {
	t.Helper()
	var root atsNode
	if err := xml.Unmarshal(content, &root); err != nil {
		t.Fatalf("no property list: %v\n%s", err, content)
	}
	return root.Nodes[0].value(t).(map[string]any)["NSAppTransportSecurity"].(map[string]any)
}

// atsReader applies the precedence that Apple documents: a listed domain is not
// affected by the arbitrary loads; addresses have no exceptions.
func atsReader(t testing.TB, content []byte) func(string) bool {
	ats := atsRead(t, content)
	domains, _ := ats["NSExceptionDomains"].(map[string]any)
	return func(raw string) bool {
		u, err := url.Parse(raw)
		if err != nil {
			return false
		}
		host := u.Hostname()
		best := -1
		permitted := ats["NSAllowsArbitraryLoads"].(bool)
		for name, value := range domains {
			exception := value.(map[string]any)
			covers := name == host || exception["NSIncludesSubdomains"].(bool) && strings.HasSuffix(host, "."+name)
			if covers && len(name) > best {
				best, permitted = len(name), exception["NSExceptionAllowsInsecureHTTPLoads"].(bool)
			}
		}
		return permitted
	}
}

func TestATSLaw(t *testing.T) {
	law{Export: writerOf("ios-ats"), Reader: atsReader, Kind: policy.AnyKind, Schemes: []string{"http"},
		Ports: []string{""}, Paths: []string{"/"}}.Check(t)
}

// An https wildcard leaves transport security on, and a line that launches
// other apps opens nothing: cordova-ios 8 gets both wrong.
func TestATSNoCleartextWithoutHTTP(t *testing.T) {
	source, _ := sourceOf(t,
		`<access origin="https://*/*"/><access origin="*"/><access origin="http://out.example" launch-external="yes"/>`)
	ats := atsRead(t, writerOf("ios-ats")(source).Content)
	if ats["NSAllowsArbitraryLoads"] != false || ats["NSExceptionDomains"] != nil {
		t.Errorf("%v", ats)
	}
}

func TestATSPins(t *testing.T) {
	hash := pin.HashOf([]byte("key"))
	pins, err := pin.NewSet(pin.Entry{Host: "a.example", Subdomains: true,
		Hashes: []pin.Hash{hash, pin.HashOf([]byte("backup"))}})
	if err != nil {
		t.Fatal(err)
	}
	source, _ := sourceOf(t, `<access origin="https://a.example"/>`)
	source.Pins = pins
	pinned := atsRead(t,
		writerOf("ios-ats")(source).Content)["NSPinnedDomains"].(map[string]any)["a.example"].(map[string]any)
	identities := pinned["NSPinnedLeafIdentities"].([]any)
	if pinned["NSIncludesSubdomains"] != true || len(identities) != 2 ||
		identities[0].(map[string]any)["SPKI-SHA256-BASE64"] != hash.String() {
		t.Errorf("%v", pinned)
	}
}

// The elements say what a pin is of; the lists of iOS must both match where
// both are there.
func TestATSAuthorityPins(t *testing.T) {
	leaf, authority := pin.HashOf([]byte("leaf")), pin.HashOf([]byte("authority"))
	pins, err := pin.NewSet(
		pin.Entry{Host: "ca.example", Hashes: []pin.Hash{authority}, Authority: true},
		pin.Entry{Host: "both.example", Hashes: []pin.Hash{authority}, Authority: true},
		pin.Entry{Host: "both.example", Hashes: []pin.Hash{leaf}},
	)
	if err != nil {
		t.Fatal(err)
	}
	source, _ := sourceOf(t, "")
	source.Pins = pins
	artifact := writerOf("ios-ats")(source)
	domains := atsRead(t, artifact.Content)["NSPinnedDomains"].(map[string]any)
	ca, both := domains["ca.example"].(map[string]any), domains["both.example"].(map[string]any)
	if ca["NSPinnedLeafIdentities"] != nil || len(ca["NSPinnedCAIdentities"].([]any)) != 1 {
		t.Errorf("%v", ca)
	}
	if both["NSPinnedCAIdentities"] != nil || len(both["NSPinnedLeafIdentities"].([]any)) != 1 {
		t.Errorf("%v", both)
	}
	if len(artifact.Losses) != 1 || artifact.Losses[0].Rule != "both.example" || artifact.Losses[0].Widens {
		t.Errorf("losses %+v", artifact.Losses)
	}
}
