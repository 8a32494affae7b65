package project

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/lint"
)

func TestReadPage(t *testing.T) {
	tests := []struct {
		name, html string
		tags       string // name, whether in the head, attributes
		inline     string
	}{
		{"quotes", `<meta a="1" B='2' c=3 d>`, `meta true a="1" b="2" c="3" d=""`, ""},
		{"entities", `<meta content="a&quot;b &amp; c">`, `meta true content="a\"b & c"`, ""},
		{"comment", `<!-- <meta a="1"> --><script src=x></script>`, `script true src="x"`, ""},
		{"raw text", `<script>"<meta a=1>"</script><style><meta></style><title><meta></title>`,
			"script true|style true", `"<meta a=1>"`},
		{"other types", `<script type="text/template"><img src=x></script><script type=module>1</script>`,
			`script true type="text/template"|script true type="module"`, "1"},
		{"head ends", `<head><meta a=1></head><meta b=2>`, `head true|meta true a="1"|meta false b="2"`, ""},
		{"head ends by body", `<meta a=1><div><meta b=2>`, `meta true a="1"|meta false b="2"`, ""},
		{"self closing", `<img src=a/><img src="b"/>`, `img false src="a/"|img false src="b"`, ""},
		{"odd", `< img src=a><img src="b>`, `img false src="b>"`, ""},
		{"end tag with case", `<SCRIPT>1</Script ><IMG SRC=x>`, `script true|img false src="x"`, "1"},
		{"open script", `<script>1`, "script true", "1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := ReadPage(app.File{Name: "x.html", Data: []byte(test.html)})
			var tags, inline []string
			for _, tag := range page.Tags {
				s := fmt.Sprintf("%s %v", tag.Name, tag.InHead)
				for _, a := range tag.Attrs {
					s += fmt.Sprintf(" %s=%q", a.Name, a.Value)
				}
				tags = append(tags, s)
			}
			for _, span := range page.Inline {
				inline = append(inline, test.html[span.Start:span.End])
			}
			if got := strings.Join(tags, "|"); got != test.tags {
				t.Errorf("tags  %s\nwant  %s", got, test.tags)
			}
			if got := strings.Join(inline, "|"); got != test.inline {
				t.Errorf("inline %q, want %q", got, test.inline)
			}
		})
	}
}

// FuzzReadPage: no page makes the scanner panic or leave its bytes, and every
// tag begins where one begins.
func FuzzReadPage(f *testing.F) {
	for _, seed := range []string{
		`<!DOCTYPE html><html><head><meta http-equiv="Content-Security-Policy" content="default-src ` +
			`'self'"></head><body onload="x"><script>1</script>`,
		"<!--", "<script", "<a href='", "<a =b c==d>", "</", "<title></titl", "<img src=x/>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		page := ReadPage(app.File{Name: "x.html", Data: data})
		for _, tag := range page.Tags {
			if data[tag.Start] != '<' || tag.End > len(data) || tag.End <= tag.Start {
				t.Fatalf("tag %+v", tag)
			}
			for _, a := range tag.Attrs {
				if a.ValueStart < tag.Start || a.ValueEnd < a.ValueStart || a.ValueEnd > tag.End {
					t.Fatalf("attribute %+v of %+v", a, tag)
				}
			}
		}
		for _, span := range page.Inline {
			if span.Start > span.End || span.End > len(data) {
				t.Fatalf("span %+v", span)
			}
		}
		if _, err := lint.Check(&app.App{Pages: []app.Page{page}}); err != nil {
			t.Fatal(err)
		}
	})
}
