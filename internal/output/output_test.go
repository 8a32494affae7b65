package output

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestJSON(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{struct{}{}, "{\n  \"version\": 3\n}\n"},
		{map[string]any{"rows": []int{1}, "text": "a<b"},
			"{\n  \"version\": 3,\n  \"rows\": [\n    1\n  ],\n  \"text\": \"a<b\"\n}\n"},
	} {
		var out strings.Builder
		if err := JSON(&out, 3, test.value); err != nil || out.String() != test.want {
			t.Errorf("%v: %q (%v), want %q", test.value, out.String(), err, test.want)
		}
		if !json.Valid([]byte(out.String())) {
			t.Errorf("%v: not valid JSON", test.value)
		}
	}
	for _, value := range []any{[]int{1}, "text", nil, func() {}} {
		if err := JSON(&strings.Builder{}, 1, value); err == nil {
			t.Errorf("%T was written", value)
		}
	}
}

func TestCheckFormat(t *testing.T) {
	if err := CheckFormat("json", "text", "json"); err != nil {
		t.Error(err)
	}
	for want, known := range map[string][]string{
		`--format "xml": it must be text`:                known[:1],
		`--format "xml": it must be text or json`:        known[:2],
		`--format "xml": it must be text, json or jsonl`: known[:3],
	} {
		if err := CheckFormat("xml", known...); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

var known = []string{"text", "json", "jsonl"}
