package jsonspan

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const text = `{"a": [1, "x", {"b": true}], "c" : {"d":"e"}}`
	n, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	item := n.At("a").Items[1]
	if s, ok := item.Text(); !ok || s != "x" || text[item.Start:item.End] != `"x"` {
		t.Errorf("item %+v", item)
	}
	if b := n.At("a").Items[2].At("b"); !b.IsTrue() || text[b.Start:b.End] != "true" {
		t.Errorf("b %+v", b)
	}
	if d := n.At("c", "d"); text[d.Start:d.End] != `"e"` {
		t.Errorf("d spans %q", text[d.Start:d.End])
	}
	if m := n.At("c").Members[0]; text[m.Start:m.Value.End] != `"d":"e"` {
		t.Errorf("member spans %q", text[m.Start:m.Value.End])
	}
	for _, bad := range []string{"", "{", `{"a"}`, strings.Repeat("[", 1000), "x", "{} {}"} {
		if n, err := Parse([]byte(bad)); err == nil {
			t.Errorf("Parse(%.10q) = %+v", bad, n)
		}
	}
}

// Set changes the bytes of one value, and what comes out holds it.
func TestSet(t *testing.T) {
	for _, test := range []struct{ data, want, problem string }{
		{`{"a": {"k": 1, "x": 2}}`, `{"a": {"k": [], "x": 2}}`, ""},
		{`{"a": { "x": 2 }}`, `{"a": {"k": [],  "x": 2 }}`, ""},
		{`{"a": {}}`, `{"a": {"k": []}}`, ""},
		{`{ "b": 1 }`, `{"a": {"k": []},  "b": 1 }`, ""},
		{`{}`, `{"a": {"k": []}}`, ""},
		{`[]`, "", "the document must be an object"},
		{`{"a": 1}`, "", "a must be an object"},
		{`{`, "", "unexpected end of JSON input"},
	} {
		got, err := Set([]byte(test.data), "a", "k", "[]")
		if string(got) != test.want || (err == nil) != (test.problem == "") ||
			err != nil && err.Error() != test.problem {
			t.Errorf("%s became %s (%v), want %s", test.data, got, err, test.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a": [1, "x", {"b": true}], "c" : {"d":"e"}}`, `{"a"}`, "[[", `"\u00e9"`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := Parse(data)
		if err != nil {
			return
		}
		var whole any
		if err := json.Unmarshal(data[v.Start:v.End], &whole); err != nil {
			t.Errorf("the bytes of %q are not its value: %v", data, err)
		}
	})
}
