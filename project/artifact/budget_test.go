package artifact

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

func openError(data []byte) string {
	if _, err := Open(bytes.NewReader(data), int64(len(data))); err != nil {
		return err.Error()
	}
	return ""
}

// TestTextInAll: files that are small and come to much text each are refused for what
// all of them come to.
func TestTextInAll(t *testing.T) {
	large := element{name: "a"}
	for range 125 {
		large.children = append(large.children, element{name: "b", text: strings.Repeat("x", 32_000)})
	}
	data := string(compileXML(large, strings16))
	pairs := []string{"AndroidManifest.xml", string(compileXML(element{name: "manifest"}, strings8))}
	for i := range 8 {
		pairs = append(pairs, fmt.Sprintf("res/xml/f%d.xml", i), data)
	}
	if got := openError(zipOf(t, pairs...)); got != "" {
		t.Error(got)
	}
	got := openError(zipOf(t, append(pairs, "res/xml-v24/f8.xml", data)...))
	if want := `the entry "res/xml/f7.xml": the package's XML comes to more than the 33554432 bytes of text that ` +
		"are read"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestManyFiles: how many XML resources there are is bounded, in a bundle too.
func TestManyFiles(t *testing.T) {
	for below, manifest := range map[string][2]string{
		"":      {"AndroidManifest.xml", string(compileXML(element{name: "manifest"}, strings8))},
		"base/": {"base/manifest/AndroidManifest.xml", string(compileProto(element{name: "manifest"}))},
	} {
		pairs := manifest[:]
		for i := range MaxXML {
			pairs = append(pairs, fmt.Sprintf("%sres/xml/f%04d.xml", below, i), manifest[1])
		}
		if got := openError(zipOf(t, pairs...)); got != "" {
			t.Errorf("%q: %s", below, got)
		}
		got := openError(zipOf(t, append(pairs, below+"res/xml/g.xml", manifest[1])...))
		want := fmt.Sprintf("the entry %q: the package has more than the 2000 XML resources that are read",
			below+"res/xml/g.xml")
		if got != want {
			t.Errorf("%q: %q, want %q", below, got, want)
		}
	}
}

// TestUnpackedInAll: what is unpacked is counted over all entries.
func TestUnpackedInAll(t *testing.T) {
	data := zipOf(t, "a", "12345")
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	b := budget{unpacked: MaxUnpacked - 5}
	if _, err := b.unpack(archive.File[0]); err != nil {
		t.Error(err)
	}
	_, err = b.unpack(archive.File[0])
	if want := `the entry "a": with it, what is read of the package comes to more than 134217728 bytes`; err == nil ||
		err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestStringsInAll: strings that are named again and again are counted over all files of
// a package, those of a package without a table too.
func TestStringsInAll(t *testing.T) {
	long := element{
		name:       "a",
		attributes: []attribute{{name: "b", kind: valueString, text: strings.Repeat("x", 30_000)}},
	}
	for range 7 {
		long.attributes = append(long.attributes, long.attributes[0])
	}
	data := string(compileXML(long, strings16)) // which comes to 8 times 60,000 bytes
	pairs := []string{"AndroidManifest.xml", string(compileXML(element{name: "manifest"}, strings8))}
	table := compileTable([]string{"xml"}, []tableEntry{{kind: "xml", name: "net", path: "res/net.xml"}})
	for range MaxUnpacked/(8*60_000) + 1 {
		pairs = append(pairs, fmt.Sprintf("res/xml/f%03d.xml", len(pairs)/2), data)
	}
	if got := openError(zipOf(t, pairs[:len(pairs)-4]...)); got != "" {
		t.Errorf("with fewer: %s", got)
	}
	for _, more := range [][]string{nil, {"resources.arsc", string(table)}} {
		got := openError(zipOf(t, append(more, pairs...)...))
		if !strings.HasSuffix(got, "its strings come to more than 134217728 bytes") {
			t.Errorf("with %d entries more: %q", len(more)/2, got)
		}
	}
}

// TestAttributesThatRepeat: the names that references stand for are counted, those of
// attributes that are there twice as well.
func TestAttributesThatRepeat(t *testing.T) {
	table, err := readTable(
		compileTable([]string{"xml"}, []tableEntry{{kind: "xml", name: strings.Repeat("n", 120)}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	many := element{name: "a"}
	for range 40_000 {
		many.attributes = append(many.attributes, attribute{name: "b", kind: valueReference, data: 0x7f010000})
	}
	_, err = decodeXML(compileXML(many, strings8), table, false)
	if err == nil || err.Error() != "it is damaged: its attributes come to more than 4194304 bytes" {
		t.Error(err)
	}
}

// TestZerosThatNobodyReads: an entry that is packed too well is refused when it is
// opened, and does not keep the others from being read.
func TestZerosThatNobodyReads(t *testing.T) {
	p := open(t, zipOf(t, "AndroidManifest.xml", string(compileXML(element{name: "manifest"}, strings8)),
		"classes.dex", strings.Repeat("\x00", 4<<20), "assets/zeros.bin", strings.Repeat("\x00", 4<<20)))
	if _, err := fs.ReadFile(p.FS, "assets/zeros.bin"); err == nil ||
		!strings.HasSuffix(err.Error(), "to 4194304 bytes, more than 500 times") {
		t.Error(err)
	}
}

// TestResourcesOfDevices: a resource for a kind of device keeps its own folder, and
// one whose file's name was shortened gets one.
func TestResourcesOfDevices(t *testing.T) {
	table := compileTable([]string{"xml"}, []tableEntry{{kind: "xml", name: "config", path: "res/xml-v24/config.xml"},
		{kind: "xml", name: "config", path: "res/xml/config.xml"}, {kind: "xml", name: "config", path: "res/z.xml"},
		{kind: "xml", name: "only", path: "res/xml-de/only.xml"}})
	data := string(compileXML(built, strings8))
	p := open(t, zipOf(
		t,
		"AndroidManifest.xml",
		string(compileXML(element{name: "manifest"}, strings8)),
		"resources.arsc",
		string(table),
		"res/xml-v24/config.xml",
		data,
		"res/xml/config.xml",
		data,
		"res/z.xml",
		data,
		"res/xml-de/only.xml",
		data,
	))
	got, err := fs.Glob(p.FS, "res/*/*.xml")
	want := "[res/xml/config.xml res/xml/only.xml res/xml-v24/config.xml res/xml-x1/config.xml]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, want %s (%v)", got, want, err)
	}
}

// TestConfigOfDevices: what a config.xml for some kinds of devices lets in is judged,
// and that there is one is a finding by itself or among what is not known.
func TestConfigOfDevices(t *testing.T) {
	wide := element{name: "widget", children: []element{
		{name: "allow-navigation", attributes: []attribute{text("href", "*")}},
	}}
	p := open(t, zipOf(t, "AndroidManifest.xml", string(compileXML(element{name: "manifest"}, strings8)),
		"res/xml/config.xml", string(compileXML(built, strings8)),
		"res/xml-v24/config.xml", string(compileXML(wide, strings8)), "assets/www/index.html", page))
	got := strings.Join(findings(t, p), "\n")
	for _, want := range []string{"navigation-catch-all res/xml-v24/config.xml:2:3",
		"facts-unknown res/xml-v24/config.xml:1:1"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}
