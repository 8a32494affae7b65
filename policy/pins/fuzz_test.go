package pins_test

import (
	"testing"
	"time"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pins"
)

// FuzzPins reads the pins of any document, and adds one.
func FuzzPins(f *testing.F) {
	h := hash("key").String()
	f.Add(`<widget xmlns:cordon="urn:cordon:1"><cordon:pin host="a.example" sha256="` + h +
		`" expires="2027-06-30"/></widget>`)
	f.Add(`<w:widget xmlns:w="x"/>`)
	f.Add("<widget>\r\n\t<a/>\r\n</widget>")
	f.Add(`<widget><platform name="ios"><cordon:pin host="*.a.example" subdomains="x"/></platform></widget>`)
	f.Fuzz(func(t *testing.T, data string) {
		doc, err := configxml.Parse("config.xml", []byte(data))
		if err != nil {
			return
		}
		elements, problems := pins.Read(doc, "")
		for _, e := range elements {
			if pin.CheckHost(e.Entry.Host) != nil || len(e.Entry.Hashes) > 1 {
				t.Fatalf("entry %+v", e.Entry)
			}
			if len(e.Entry.Hashes) == 0 && len(problems) == 0 {
				t.Fatal("a pin without a hash and without a problem")
			}
		}
		if set, _ := pins.Set(doc, "", nil); set == nil && len(elements) > 0 {
			t.Fatal("elements that make no set")
		}
		added := pin.Entry{Host: "added.example", Hashes: []pin.Hash{hash("added")}, Expires: time.Unix(4e9, 0)}
		after, err := pins.Add(doc, added)
		if err != nil {
			t.Fatal(err)
		}
		again, err := configxml.Parse("config.xml", after)
		if err != nil {
			t.Fatalf("the file is broken after adding: %v\n%q", err, after)
		}
		found := 0
		now, _ := pins.Read(again, "")
		for _, e := range now {
			if e.Entry.Host == added.Host && len(e.Entry.Hashes) == 1 && e.Entry.Hashes[0] == added.Hashes[0] {
				found++
			}
		}
		if found == 0 {
			t.Fatalf("the added pin is not there: %q", after)
		}
		if twice, err := pins.Add(again, added); err != nil || string(twice) != string(after) {
			t.Fatalf("adding twice changes the file: %v\n%q", err, twice)
		}
	})
}
