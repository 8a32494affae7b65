package configxml

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestApply(t *testing.T) {
	d := mustParse(t, "<a>\r\n  <b c='1'  d=\"2\" />\r\n  <e/><f/>\n</a>")
	b, e := d.Root().Children[0], d.Root().Children[1]
	c, _ := b.Attr("c")
	attr, _ := b.Attr("d")
	tests := []struct {
		name  string
		edits []Edit
		want  string
	}{
		{"nothing", nil, "<a>\r\n  <b c='1'  d=\"2\" />\r\n  <e/><f/>\n</a>"},
		{"value", []Edit{c.SetValue("x&'\"<")},
			"<a>\r\n  <b c='x&amp;&apos;&quot;&lt;'  d=\"2\" />\r\n  <e/><f/>\n</a>"},
		{"element with its line", []Edit{d.Removal(b)}, "<a>\r\n  <e/><f/>\n</a>"},
		{"element in a line with others", []Edit{d.Removal(e)}, "<a>\r\n  <b c='1'  d=\"2\" />\r\n  <f/>\n</a>"},
		{"attribute", []Edit{d.RemoveAttr(attr)}, "<a>\r\n  <b c='1' />\r\n  <e/><f/>\n</a>"},
		{"order", []Edit{{Start: 3, End: 3, New: "2"}, {Start: 0, End: 1, New: "<"}, {Start: 3, End: 3, New: "3"},
			{Start: 3, End: 5, New: "\n"}},
			"<a>23\n  <b c='1'  d=\"2\" />\r\n  <e/><f/>\n</a>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := d.Apply(test.edits...)
			if err != nil || string(got) != test.want {
				t.Errorf("Apply = %q, %v\nwant    %q", got, err, test.want)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	d := mustParse(t, "<?xml version='1.0' encoding='us-ascii'?><abc/>")
	for name, edits := range map[string][]Edit{
		"overlapping":       {{Start: 1, End: 4}, {Start: 3, End: 5}},
		"insert in replace": {{Start: 1, End: 4}, {Start: 2, End: 2, New: "x"}},
		"outside":           {{Start: 1, End: 400}},
		"negative":          {{Start: -1, End: 1}},
		"reversed":          {{Start: 3, End: 2}},
		"encoding":          {{Start: 1, End: 1, New: "ü"}},
	} {
		if out, err := d.Apply(edits...); err == nil {
			t.Errorf("%s: Apply = %q, want an error", name, out)
		}
	}
}

// TestEscapeReadsBack: a value written with SetValue reads back the same, and
// nothing else in the file changes.
func TestEscapeReadsBack(t *testing.T) {
	d := mustParse(t, "<a>\n<b c='1' d=\"2\"/></a>")
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOf(rapid.RuneFrom([]rune("ab &<>'\"\t\n\r;#x/é€"))).Draw(t, "value")
		name := rapid.SampledFrom([]string{"c", "d"}).Draw(t, "name")
		a, _ := d.Root().Children[0].Attr(name)
		out, err := d.Apply(a.SetValue(value))
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("config.xml", out)
		if err != nil {
			t.Fatal(err)
		}
		b := again.Root().Children[0]
		if got := b.Value(name); got != value {
			t.Fatalf("wrote %q, read %q", value, got)
		}
		before, after := string(d.data[:a.ValueStart]), string(d.data[a.ValueEnd:])
		if !strings.HasPrefix(string(out), before) || !strings.HasSuffix(string(out), after) {
			t.Fatalf("other bytes changed: %q", out)
		}
	})
}

func TestIndentation(t *testing.T) {
	for text, want := range map[string]string{"<a>\n  ": "\"\\n\" \"  \"", "<a>\r\n\t": "\"\\r\\n\" \"\\t\"",
		"<a>\r ": "\"\\r\" \" \"", "<a> ": "\"\" \" \"", "  ": "\"\" \"  \"", "": "\"\" \"\"", "\n": "\"\\n\" \"\""} {
		end, blanks := Indentation([]byte(text+"<b/>"), len(text))
		if got := fmt.Sprintf("%q %q", end, blanks); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
