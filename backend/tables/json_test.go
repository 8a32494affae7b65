package tables

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// FuzzObject compares the reader of bodies with encoding/json: both take the
// same texts, but for what no column can hold.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"a":1,"b":"x","c":null,"d":true,"e":-1.5e-3}`,
		`{"a":"\ud83d\ude00\ud800\n\/"}`, `{"a":{"b":[1,{}]}}`, `[1]`, `{"a":01}`, "{\"a\":\"\\u0000\"}", ` { } x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		props, err := parseObject(body)
		var want map[string]any
		ours, theirs := err == nil,
			json.Unmarshal(body, &want) == nil && want != nil || len(strings.Trim(string(body), " \t\r\n")) == 0
		if ours && !theirs {
			t.Fatalf("%q was taken", body)
		}
		if !ours && theirs && utf8.Valid(body) && !strings.Contains(string(body), `\u0000`) &&
			strings.Count(string(body), "[")+strings.Count(string(body), "{") < maxNesting &&
			!strings.ContainsAny(string(body), "eE.0123456789") {
			t.Fatalf("%q was refused: %v", body, err)
		}
		for _, p := range props {
			if p.nested {
				continue
			}
			back, err := json.Marshal(want[p.name])
			if last := lastOf(props, p.name); err == nil && last == p && p.value.Type == odata.String &&
				string(back) != stringJSON(p.value.Text) {
				t.Errorf("%q: %s is %q, want %s", body, p.name, p.value.Text, back)
			}
		}
	})
}

func lastOf(props []property, name string) (last property) {
	for _, p := range props {
		if p.name == name {
			last = p
		}
	}
	return last
}

func stringJSON(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// FuzzString checks that what is written is JSON and reads back.
func FuzzString(f *testing.F) {
	for _, seed := range []string{"", "a\"\\\n\x00\x1f\u2028", "é😀", "\xff\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(appendJSONString(nil, s), &back); err != nil ||
			back != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Errorf("%q became %q, %v", s, back, err)
		}
	})
}
