package configxml

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t testing.TB, data string) *Document {
	t.Helper()
	d, err := Parse("config.xml", []byte(data))
	if err != nil {
		t.Fatalf("Parse(%q): %v", data, err)
	}
	return d
}

func TestParseReadsWhatIsOutThere(t *testing.T) {
	tests := []struct{ name, file, want string }{
		{"plain", `<widget><access origin="https://a"/></widget>`, `https://a`},
		{"byte-order mark", "\xEF\xBB\xBF<?xml version='1.0'?><widget><access origin='https://a'/></widget>",
			`https://a`},
		{"comment before declaration",
			"<!-- c --><?xml version=\"1.0\"?>\n<widget><access origin='https://a'/></widget>", `https://a`},
		{"blank before declaration", "\n \t<?xml version=\"1.0\" encoding=\"UTF-8\" standalone='yes' ?>\n" +
			"<widget><access origin='https://a'/></widget>", `https://a`},
		{"undeclared prefix", `<widget><rim:permit a:b="1"/><access origin="https://a"/></widget>`, `https://a`},
		{"references", `<widget><access origin="https://a/?x=1&amp;y=&#x41;&#66;&lt;&gt;&quot;&apos;"/></widget>`,
			`https://a/?x=1&y=AB<>"'`},
		{"line ends in a value", "<widget><access origin=\"a\r\nb\tc\rd\ne&#10;f\"/></widget>", "a b c d e\nf"},
		{"trailing blanks", `<widget><access   origin = "https://a "   /></widget>`, `https://a `},
		{"declared other encoding, pure ASCII",
			`<?xml version="1.0" encoding="ISO-8859-1"?><widget><access origin="https://a"/></widget>`, `https://a`},
		{"declaration in a comment",
			`<!-- <?xml version="1.0" encoding="utf-16"?> --><widget><access origin="https://ä"/></widget>`,
			`https://ä`},
		{"document type", `<!DOCTYPE widget PUBLIC "-//[W]//" 'x>y'><widget><access origin="https://a"/></widget>`,
			`https://a`},
		{"instruction", `<?xml-stylesheet href="a"?><widget><?php x ?><access ` +
			`origin="https://a"/></widget><!-- end -->`, `https://a`},
		{"other namespace", `<w:widget xmlns:w="urn:w"><w:access origin="https://a"></w:access></w:widget>`,
			`https://a`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := mustParse(t, test.file)
			got := ""
			for _, e := range d.For("") {
				if e.Name == "access" {
					got = e.Value("origin")
				}
			}
			if got != test.want {
				t.Errorf("origin = %q, want %q", got, test.want)
			}
			checkSpans(t, d)
		})
	}
}

func TestParseRefuses(t *testing.T) {
	deep := strings.Repeat("<a>", MaxDepth+1)
	tests := []struct {
		name, file   string
		line, column int
		msg          string
	}{
		{"empty", "", 1, 1, "the file is empty"},
		{"blank", " \n ", 1, 1, "the file is empty"},
		{"garbage", "PK\x03\x04", 1, 1, "begins with the byte 0x50"},
		{"text", "hello", 1, 1, "not an XML file"},
		{"no element", "<!-- x -->", 1, 11, "the file contains no element"},
		{"UTF-16", "\xFF\xFE<\x00w\x00", 1, 1, "UTF-16 (little-endian)"},
		{"UTF-16 without mark", "<\x00w\x00", 1, 1, "UTF-16 (little-endian)"},
		{"declared encoding", `<?xml version="1.0" encoding="Shift_JIS"?><a/>`, 1, 1,
			`the encoding "Shift_JIS" is not read`},
		{"umlaut in Latin-1", "<?xml version='1.0' encoding='iso-8859-1'?>\n<a>\xFC</a>", 2, 4,
			"0xFC is not valid UTF-8"},
		{"umlaut in UTF-8 declared Latin-1", "<?xml version='1.0' encoding='iso-8859-1'?>\n<a>ü</a>", 2, 4,
			`declares encoding "iso-8859-1"`},
		{"NUL", "<a>\n\x00</a>", 2, 1, "0x00"},
		{"control character", "<a>\n x\x0b</a>", 2, 3, "control character 0x0B"},
		{"noncharacter", "<a>\uFFFF</a>", 1, 4, "U+FFFF"},
		{"unclosed", "<a>\n  <b>\n</a>", 3, 1, "</a> closes <b>, opened in line 2"},
		{"never closed", "<a>\n<b/>", 1, 1, "<a> is never closed"},
		{"unclosed tag", "<a\n<b/></a>", 1, 1, "the tag is never closed"},
		{"closes nothing", "<a/></b>", 1, 5, "closes nothing"},
		{"two roots", "<a/>\n<b/>", 2, 1, "a second root element"},
		{"text after", "<a/>\nx", 2, 1, "text outside the root element"},
		{"CDATA outside", "<a/><![CDATA[x]]>", 1, 5, "CDATA section outside"},
		{"CDATA open", "<a><![CDATA[x</a>", 1, 4, "CDATA section is never closed"},
		{"comment open", "<a><!-- x </a>", 1, 4, "comment is never closed"},
		{"double hyphen", "<a><!-- x -- y --></a>", 1, 11, "-- inside a comment"},
		{"entities defined", "<!DOCTYPE a [\n<!ENTITY x 'y'>]><a>&x;</a>", 1, 13, "definitions of its own"},
		{"entity undefined", "<a b='&nbsp;'/>", 1, 7, "the entity &nbsp; is not defined"},
		{"bare ampersand", "<a b='x&y'/>", 1, 8, "& begins no reference"},
		{"ampersand then semicolon", "<a b='x& y;'/>", 1, 8, "& begins no reference"},
		{"bad number", "<a>&#0;</a>", 1, 4, "cannot stand in XML"},
		{"huge number", "<a>&#99999999999999999999;</a>", 1, 4, "cannot stand in XML"},
		{"twins", "<a\n b='1' c='2' b='3'/>", 2, 14, "b is given twice"},
		{"no value", "<a b/>", 1, 4, "b has no value"},
		{"no quotes", "<a b=c/>", 1, 4, "not in quotes"},
		{"open quote", "<a b='c/>", 1, 4, "never closed"},
		{"less-than in value", "<a b='<c>'/>", 1, 7, "< inside the value"},
		{"no blank", "<a b='1'c='2'/>", 1, 9, `unexpected "c" in a tag`},
		{"plain less-than", "<a> 1 < 2 </a>", 1, 8, "a name of an element was expected"},
		{"declaration", "<?xml foo?><a/>", 1, 1, "declaration is malformed"},
		{"second declaration", "<?xml version='1.0'?>\n<?xml version='1.0'?><a/>", 2, 1, "in the middle of the file"},
		{"CDATA end", "<a>]]></a>", 1, 4, "]]> outside"},
		{"colon", "<:a/>", 1, 2, "begins or ends with a colon"},
		{"deep", deep, 1, 3*MaxDepth + 1, "nested deeper than 128"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := Parse("config.xml", []byte(test.file))
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("Parse returned %v, %v, want a *SyntaxError", d, err)
			}
			if syntax.Remedy == "" {
				t.Errorf("no remedy in %v", err)
			}
			if syntax.Place.Line != test.line || syntax.Place.Column != test.column ||
				!strings.Contains(syntax.Msg, test.msg) {
				t.Errorf("got %v, want %d:%d: …%s…", err, test.line, test.column, test.msg)
			}
		})
	}
}

func TestParseRefusesTooMuch(t *testing.T) {
	if _, err := Parse("config.xml", make([]byte, MaxSize+1)); err == nil ||
		!strings.Contains(err.Error(), "more than the") {
		t.Errorf("oversized file: %v", err)
	}
	var b strings.Builder
	b.WriteString("<a")
	for i := range MaxAttrs + 1 {
		fmt.Fprintf(&b, " a%d=''", i)
	}
	b.WriteString("/>")
	if _, err := Parse("config.xml", []byte(b.String())); err == nil ||
		!strings.Contains(err.Error(), "more attributes") {
		t.Errorf("many attributes: %v", err)
	}
}

func TestElements(t *testing.T) {
	const file = "<widget xmlns='urn:w' xmlns:gap='urn:g'>\r\n" +
		"  <name>A &amp; B<!-- x --><![CDATA[ <C> ]]>&#33;</name>\r\n" +
		"  <gap:plugin name='p' gap:name='q'/>\r\n</widget>"
	d := mustParse(t, file)
	name, plugin := d.Root().Children[0], d.Root().Children[1]
	if name.Text != "A & B <C> !" {
		t.Errorf("text = %q", name.Text)
	}
	if plugin.Prefix != "gap" || plugin.Name != "plugin" || plugin.Space != "urn:g" || name.Space != "urn:w" {
		t.Errorf("plugin = %+v", plugin)
	}
	if got := plugin.Value("name"); got != "p" {
		t.Errorf("name without prefix = %q, want p", got)
	}
	if got := string(d.Bytes()[plugin.Start:plugin.End]); got != "<gap:plugin name='p' gap:name='q'/>" {
		t.Errorf("plugin spans %q", got)
	}
	if place := d.Place(plugin.Start, plugin.End); place.String() != "config.xml:3:3" {
		t.Errorf("plugin at %v", place)
	}
	if got := d.Comments(); len(got) != 1 || got[0].Text != " x " {
		t.Errorf("comments = %+v", got)
	}
}

const scoped = `<widget>
  <preference name="A" value="1"/>
  <platform name="ios"><preference name="a" value="2"/><access origin="i"/></platform>
  <access origin="both"/>
  <platform name="android"><access origin="a"/></platform>
  <preference name="A" value="3"/>
</widget>`

func TestForPlatform(t *testing.T) {
	d := mustParse(t, scoped)
	for platform, want := range map[string][]string{"": {"both"}, "ios": {"both", "i"}, "android": {"both", "a"},
		"wp8": {"both"}} {
		var got []string
		for _, e := range d.For(platform) {
			if e.Name == "access" {
				got = append(got, e.Value("origin"))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("For(%q): %s", platform, diff)
		}
	}
	for platform, want := range map[string]string{"": "3", "ios": "2", "android": "3"} {
		if got, ok := d.Preference(platform, "a"); !ok || got != want {
			t.Errorf("Preference(%q, a) = %q, %v, want %q", platform, got, ok, want)
		}
	}
	if _, ok := d.Preference("", "b"); ok {
		t.Error("found a preference that is not there")
	}
}

// What is appended to the elements of a platform is in no document.
func TestForIsNotAppendedTo(t *testing.T) {
	d, err := Parse("config.xml", []byte(`<widget><a/><b/><c/></widget>`))
	if err != nil {
		t.Fatal(err)
	}
	one, other := d.For("ios"), d.For("android")
	one, other = append(one, one[0]), append(other, other[1])
	if one[3].Name != "a" || other[3].Name != "b" || len(d.Root().Children) != 3 || len(d.For("")) != 3 {
		t.Errorf("%s, %s, %d elements", one[3].Name, other[3].Name, len(d.For("")))
	}
}

func TestPlace(t *testing.T) {
	d := mustParse(t, "\xEF\xBB\xBF<a>\r\n<b/>\r<c/>\n</a>")
	for i, want := range map[int]string{0: "f:1:1", 3: "f:1:1", 4: "f:1:2", 8: "f:2:1", 13: "f:3:1", 18: "f:4:1",
		999: "f:4:5"} {
		d.name = "f"
		if got := d.Place(i, i).String(); got != want {
			t.Errorf("Place(%d) = %s, want %s", i, got, want)
		}
	}
}

// TestRealConfigs reads the files of other people's projects that
// CORDON_REAL_CONFIGS names.
func TestRealConfigs(t *testing.T) {
	dir := os.Getenv("CORDON_REAL_CONFIGS")
	if dir == "" {
		t.Skip("CORDON_REAL_CONFIGS is not set: no folder of real config.xml files to read")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Parse(filepath.Base(file), data)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		checkSpans(t, d)
	}
}

// checkSpans checks that every attribute's bytes, read alone, give the same
// value, and that applying nothing changes nothing.
func checkSpans(t testing.TB, d *Document) {
	t.Helper()
	d.Root().Walk(func(e *Element) bool {
		if e.Start >= e.TagEnd || e.TagEnd > e.End || e.End > len(d.data) || d.data[e.Start] != '<' ||
			d.data[e.End-1] != '>' {
			t.Fatalf("element %s spans %d, %d, %d", e.Name, e.Start, e.TagEnd, e.End)
		}
		for _, a := range e.Attrs {
			alone, err := Parse("", []byte("<x "+string(d.data[a.Start:a.End])+"/>"))
			if err != nil {
				t.Fatalf("attribute %q alone: %v", d.data[a.Start:a.End], err)
			}
			again := alone.Root().Attrs[0]
			if again.Value != a.Value || again.Name != a.Name || again.Prefix != a.Prefix {
				t.Fatalf("attribute %q reads %q, alone %q", d.data[a.Start:a.End], a.Value, again.Value)
			}
			if a.ValueEnd+1 != a.End || a.Start >= a.ValueStart {
				t.Fatalf("attribute %+v: value outside", a)
			}
		}
		return true
	})
	same, err := d.Apply()
	if err != nil || !bytes.Equal(same, d.data) {
		t.Fatalf("Apply() without edits changed the file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		scoped, "<a b='&#x41;&amp;' c=\"d\r\ne\"/>",
		"\xEF\xBB\xBF<!-- a --><?xml version='1.0' encoding='utf-8'?><a:b xmlns:a='c'><![CDATA[]]></a:b>",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a b='1' b='2'/>", "<a><b></a>", "<?xml encoding='utf-16'?><a/>",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse("config.xml", data)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) || syntax.Place.Line < 1 || syntax.Msg == "" {
				t.Fatalf("error %#v", err)
			}
			return
		}
		checkSpans(t, d)
		e := d.Root()
		changed, err := d.Apply(d.Removal(e))
		if err != nil || len(changed) >= len(data) {
			t.Fatalf("removing the root: %v", err)
		}
	})
}

func BenchmarkParseMillionEntries(b *testing.B) {
	var file bytes.Buffer
	file.WriteString("<widget>\n")
	for i := range 1_000_000 {
		fmt.Fprintf(&file, "  <access origin=\"https://host%d.example.com\" />\n", i)
	}
	file.WriteString("</widget>\n")
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("config.xml", file.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
}
