package explanation_test

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/plugin/engine/explanation"
)

const config = "<widget>\n<access origin=\"https://a.example\"/>\n<allow-intent href=\"tel:*\"/>\n</widget>"

func TestOf(t *testing.T) {
	for _, test := range []struct{ url, kind, platform, want string }{
		{"https://a.example/x", "", "",
			`"kind":"xhr","verdict":"allow","rule":"https://a.example","line":2,"reason":"listed"`},
		{"https://b.example/", "image", "",
			`"kind":"image","verdict":"block","rule":"","line":0,"reason":"not-listed"`},
		{"tel:1", "navigation", "", `"verdict":"launch","rule":"tel:*","line":3`},
		{"https://b.example/", "xhr", "android@15.1.0", `"platform":"android@15.1.0","kind":"xhr","verdict":"bypass"`},
		{"https://a.example/", "nonsense", "", `{"error":`},
		{"https://a.example/", "", "nowhere", `{"error":`},
	} {
		if got := string(explanation.Encode(explanation.Of([]byte(config), test.url, test.kind,
			test.platform))); !strings.Contains(got, test.want) {
			t.Errorf("%s as %s on %s: %s, want %s", test.url, test.kind, test.platform, got, test.want)
		}
	}
	if got := string(explanation.Encode(explanation.Of([]byte("<widget>"), "https://a.example/", "",
		""))); !strings.Contains(got, `{"error":`) {
		t.Error(got)
	}
}
