package project_test

import (
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
)

// What only a built config.xml lets in is not known to be kept out: not for the
// platform that was built, whether the pages are read or not.
func TestBuiltEntryIsUnknown(t *testing.T) {
	const built = "platforms/android/app/src/main/res/xml/config.xml"
	files := fstest.MapFS{
		"config.xml": {Data: []byte(`<widget><access origin="https://a.example"/></widget>`)},
		built: {Data: []byte("<widget>\n<access origin=\"https://a.example\"/>\n" +
			"<allow-navigation href=\"https://*.left.example/*\"/>\n</widget>")},
	}
	ships, err := project.ReadShips(files, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := project.Read(files, project.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `<allow-navigation> "https://*.left.example/*" stands in the built file ` + built +
		":3 and nowhere in the project"
	for _, doc := range []*configxml.Document{ships.Effective, whole.Effective} {
		unknown := doc.Unknown("android")
		if len(unknown) != 1 || unknown[0].What != want || unknown[0].Place.Line != 3 {
			t.Errorf("got %+v, want %s", unknown, want)
		}
		if other := doc.Unknown("ios"); len(other) > 0 {
			t.Errorf("ios: %+v", other)
		}
		if entries := doc.For("android"); len(entries) != 1 || !doc.Owns(entries[0]) {
			t.Errorf("the document itself was changed: %v", entries)
		}
	}
}
