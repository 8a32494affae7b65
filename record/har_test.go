package record

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
)

func TestReadHAR(t *testing.T) {
	const har = `{"log":{"entries":[
	 {"_resourceType":"fetch","request":{"url":"https://API.example.org/v1?secret=x","headers":[]}},
	 {"_resourceType":"other","request":{"url":"https://cdn.example.net:8443/a.png","headers":[{"name":"sec-fetch-dest","value":"image"}]}},
	 {"request":{"url":"wss://live.example.org/socket","headers":null}},
	 {"request":{"url":"https://bücher.example/"}},
	 {"request":{"url":"http://[2001:db8::1]:80/x"}},
	 {"request":{"url":"data:text/plain,hello"}}, {"request":{"url":"https://:99999/"}}, {"request":{"url":"::"}}, {}
	]}}`
	seen, err := ReadHAR(strings.NewReader(har))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, o := range seen {
		fmt.Fprintf(&got, "%s %s %d %s %s\n", o.Scheme, o.Host, o.Port, o.Path, o.Kind)
	}
	want := `https api.example.org 0 /v1 xhr
https cdn.example.net 8443 /a.png image
wss live.example.org 0 /socket websocket
https xn--bcher-kva.example 0 / 
http 2001:db8::1 80 /x 
`
	if got.String() != want {
		t.Errorf("read\n%swant\n%s", got.String(), want)
	}
	for _, bad := range []string{"", "{}", "[]", `{"log":{}}`, `{"log":{"entries":{}}}`, "<har/>"} {
		if _, err := ReadHAR(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is taken for a HAR file", bad)
		}
	}
}

func FuzzReadHAR(f *testing.F) {
	f.Add([]byte(`{"log":{"entries":[{"request":{"url":"https://a.example:1/p?q","headers":[{"name":"Sec-Fetch-Dest",` +
		`"value":"image"}]}}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		seen, err := ReadHAR(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, o := range seen {
			if o.Host == "" || o.Port < 0 || o.Port > 65535 || strings.ContainsAny(o.Host, "/?#@ \"<>") ||
				strings.ContainsAny(o.Path, "?#") {
				t.Errorf("observed %+v", o)
			}
			if o.Kind != "" && harKinds[o.Kind] == policy.AnyKind && o.Kind != "style" && o.Kind != "navigation" {
				t.Errorf("kind %q", o.Kind)
			}
		}
	})
}

func TestHARThatGoesOn(t *testing.T) {
	const whole = `{"log":{"entries":[]}}`
	if _, err := ReadHAR(strings.NewReader(whole + "\n ")); err != nil {
		t.Error(err)
	}
	for _, text := range []string{whole + " trailing garbage", whole + whole, whole + "]"} {
		if _, err := ReadHAR(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), "not a HAR file") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
