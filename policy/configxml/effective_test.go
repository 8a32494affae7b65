package configxml_test

import (
	"slices"
	"testing"

	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
)

func parse(t *testing.T, name, text string) *configxml.Document {
	t.Helper()
	doc, err := configxml.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// What other files add stands before what the app itself says, knows its own
// file, and is nobody's to edit.
func TestEffective(t *testing.T) {
	written := parse(t, "config.xml", `<widget>
<access origin="https://own.example"/><preference name="Scheme" value="https"/>
<platform name="ios"><allow-navigation href="https://ios.example/"/></platform>
</widget>`)
	plugin := parse(t, "plugins/x/plugin.xml", `<plugin>
<access origin="https://plugin.example"/><preference name="scheme" value="http"/>
</plugin>`).Root().Children
	npm := configxml.NewForeign("package.json", []byte("{\n  \"cordova-plugin-x\": \"1\"\n}"))
	doc := configxml.Effective("", written, configxml.Additions{
		Parts: []configxml.Part{
			{Platform: "android", Elements: plugin},
			{Elements: []*configxml.Element{npm.Element(4, 22, "plugin", "name", "cordova-plugin-x")}},
		},
		Unknown:   []configxml.Unknown{{What: "on Android"}, {What: "on iOS", Platform: "ios"}},
		Capacitor: &capacitor.Config{File: "capacitor.config.json"},
	})

	shown := func(platform string) []string {
		var list []string
		for _, e := range doc.For(platform) {
			list = append(list, e.Name+" "+e.Place().String())
		}
		return list
	}
	for platform, want := range map[string][]string{
		"": {"plugin package.json:2:3", "access config.xml:2:1", "preference config.xml:2:39"},
		"android": {"access plugins/x/plugin.xml:2:1", "preference plugins/x/plugin.xml:2:42",
			"plugin package.json:2:3", "access config.xml:2:1", "preference config.xml:2:39"},
		"ios": {"plugin package.json:2:3", "access config.xml:2:1", "preference config.xml:2:39",
			"allow-navigation config.xml:3:22"},
	} {
		if got := shown(platform); !slices.Equal(got, want) {
			t.Errorf("For(%q) = %q, want %q", platform, got, want)
		}
	}
	if value, _ := doc.Preference("android", "Scheme"); value != "https" {
		t.Errorf("Scheme is %q, want the app's own", value)
	}
	if doc.Owns(plugin[0]) || !doc.Owns(written.Root().Children[0]) {
		t.Error("an effective document must own what its file says, and that alone")
	}
	if edit := doc.Removal(plugin[0]); edit != (configxml.Edit{}) {
		t.Errorf("removing a plugin's element is %+v, want nothing", edit)
	}
	if n := len(doc.Unknown("android")); n != 1 {
		t.Errorf("%d things are unknown on Android, want 1", n)
	}
	if doc.Capacitor() == nil || written.Capacitor() != nil || len(written.For("android")) != 2 {
		t.Error("the document as written must not change")
	}
}

// An app without a config.xml has an empty document of its configuration's name.
func TestEffectiveWithoutConfig(t *testing.T) {
	doc := configxml.Effective("capacitor.config.json", nil, configxml.Additions{
		Capacitor: &capacitor.Config{File: "capacitor.config.json"}})
	if doc.Name() != "capacitor.config.json" || len(doc.For("android")) != 0 || len(doc.Bytes()) != 0 {
		t.Errorf("the document is %q with %d elements", doc.Name(), len(doc.For("android")))
	}
	if place := doc.Root().Place().String(); place != "capacitor.config.json:1:1" {
		t.Errorf("its root stands at %s", place)
	}
}

// A document with values replaced keeps its places and its bytes, and so does the one
// that it was made of.
func TestReplaced(t *testing.T) {
	const text = `<plugin><config-file target="$A"><x a="$A">$A</x></config-file></plugin>`
	doc := parse(t, "plugin.xml", text)
	made := doc.Replaced(func(e *configxml.Element, text string) string {
		if e.Name == "x" && text == "$A" {
			return "longer than it was"
		}
		return text
	})
	var got []string
	for _, d := range []*configxml.Document{doc, made} {
		file := d.Root().Children[0]
		x := file.Children[0]
		a, _ := x.Attr("a")
		got = append(got, file.Value("target"), a.Value, x.Text, d.Place(a.Start, a.End).String(), x.Place().String(),
			x.Parent.Name, x.Document().Name(), string(d.Bytes()))
	}
	want := []string{"$A", "$A", "$A", "plugin.xml:1:37", "plugin.xml:1:34", "config-file", "plugin.xml", text,
		"$A", "longer than it was", "longer than it was", "plugin.xml:1:37", "plugin.xml:1:34", "config-file",
		"plugin.xml", text}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
