package dialect

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// TestCompileAll: it is Compile for each target, in their order.
func TestCompileAll(t *testing.T) {
	doc, err := configxml.Parse("config.xml", []byte(`<widget><access origin="https://a.example"/></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	targets := []policy.Target{{Platform: "ios"}, {Platform: Strict}, {Platform: "android"}}
	all, err := CompileAll(t.Context(), doc, targets)
	if err != nil {
		t.Fatal(err)
	}
	for i, target := range targets {
		one, err := Compile(doc, target)
		if err != nil {
			t.Fatal(err)
		}
		if all[i].Target() != one.Target() || !reflect.DeepEqual(all[i].Rules(), one.Rules()) {
			t.Errorf("%s: %v", target, all[i].Rules())
		}
	}
	_, err = CompileAll(t.Context(), doc, []policy.Target{{Platform: "ios"}, {Platform: "amiga"}})
	if _, alone := Compile(doc, policy.Target{Platform: "amiga"}); err == nil || err.Error() != alone.Error() {
		t.Errorf("an unknown platform: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := CompileAll(ended, doc, targets); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}
