package export_test

import (
	"net/url"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/dop251/goja"
)

// pacReader runs the script in a JavaScript engine, as a browser does.
func pacReader(t testing.TB, content []byte) func(string) bool {
	vm := goja.New()
	if _, err := vm.RunString(string(content)); err != nil {
		t.Fatalf("the script does not run: %v\n%s", err, content)
	}
	find, ok := goja.AssertFunction(vm.Get("FindProxyForURL"))
	if !ok {
		t.Fatal("the script has no FindProxyForURL")
	}
	return func(raw string) bool {
		host := ""
		if u, err := url.Parse(raw); err == nil {
			host = u.Hostname()
		}
		answer, err := find(goja.Undefined(), vm.ToValue(raw), vm.ToValue(host))
		if err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		switch answer.String() {
		case "DIRECT":
			return true
		case "PROXY 127.0.0.1:9":
			return false
		}
		t.Fatalf("%s: %q", raw, answer)
		return false
	}
}

func TestPACLaw(t *testing.T) {
	law{
		Export: writerOf("pac"), Reader: pacReader, Kind: policy.AnyKind,
		Schemes: []string{"http", "https", "ws", "wss"},
	}.Check(t)
}

// What a browser would never hand to the script is refused all the same.
func TestPACOddURLs(t *testing.T) {
	source, _ := sourceOf(t, `<access origin="https://a.example"/><access origin="*://*"/>`)
	allows := pacReader(t, writerOf("pac")(source).Content)
	for _, raw := range []string{
		"", "a.example", "https://", "https://a.example@evil.test:1/", "https://user@a.example/",
		`https://a.example\@evil.test/`, "https://10.0.0.1/", "https://10.0.0.1./", "ftp://a.example/",
		"https://a.example:99999/x", "https://a b.example/", "javascript:https://a.example/",
	} {
		if allows(raw) {
			t.Errorf("allows %q", raw)
		}
	}
	for _, raw := range []string{"https://a.example", "HTTPS://A.EXAMPLE/", "https://a.example./",
		"https://a.example?x", "https://a.example#x"} {
		if !allows(raw) {
			t.Errorf("refuses %q", raw)
		}
	}
}
