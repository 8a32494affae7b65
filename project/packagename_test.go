package project

import (
	"testing"
	"testing/fstest"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/native"
)

// The name that a widget has on Android alone is what its manifest is built with, and what
// plugins' variables are given.
func TestPackageNames(t *testing.T) {
	for root, want := range map[string][2]string{
		`<widget id="a.b" android-packageName="a.droid" ios-CFBundleIdentifier="a.apple"/>`: {"a.droid", "a.apple"},
		`<widget id="a.b"/>`: {"a.b", "a.b"},
		`<widget/>`:          {"", ""},
	} {
		doc, err := configxml.Parse("config.xml", []byte(root))
		if err != nil {
			t.Fatal(err)
		}
		r := &reader{fsys: fstest.MapFS{}, project: &app.App{Config: doc}}
		given := r.packageNames()
		if len(given) != 2 || given[0].value != want[0] || given[1].value != want[1] {
			t.Errorf("%s: variables %+v", root, given)
		}
		v := &valueReader{nativeReader: &nativeReader{reader: r}}
		m := v.lookup(native.Name{Kind: native.OfGradle, Text: "applicationId"})
		text := ""
		if len(m.Texts) > 0 {
			text = m.Texts[0].Text
		}
		if len(m.Texts) > 1 || text != want[0] {
			t.Errorf("%s: ${applicationId} is %+v, want %q", root, m, want[0])
		}
	}
}
