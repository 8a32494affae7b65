package native

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func plist(body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN"
			"http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n" +
		`<plist version="1.0">` + body + `</plist>`
}

func info(t testing.TB, body string) *Set {
	t.Helper()
	return Merge([]*Fragment{file(t, Info, "ios/App/App/Info.plist", plist("<dict>"+body+"</dict>"))})
}

func TestPropertyListErrors(t *testing.T) {
	for body, want := range map[string]string{
		"":                                "<plist> must hold one value",
		"<dict/><dict/>":                  "<plist> must hold one value",
		"<dict><key>a</key></dict>":       `the key "a" has no value`,
		"<dict><string>a</string></dict>": "<dict> must hold a <key> here, not <string>",
		"<list/>":                         "<list> is not a value of a property list",
		"<string><b/></string>":           "<string> must hold no element",
		strings.Repeat("<array>", 130) + strings.Repeat("</array>", 130): "" +
			"elements nested deeper than 128; flatten the file",
	} {
		_, err := ParsePropertyList("Info.plist", []byte(plist(body)))
		var problem *Problem
		if !errors.As(err, &problem) || problem.Msg != want {
			t.Errorf("%.60q: %v, want %q", body, err, want)
		}
	}
}

func TestTrueAsFoundationReadsIt(t *testing.T) {
	for body, want := range map[string]bool{"<true/>": true, "<false/>": false, "<integer>1</integer>": true,
		"<integer>0</integer>": false, "<string>YES</string>": true, "<string>no</string>": false,
		"<string> 00</string>": false, "<string>-3</string>": true, "<array/>": false, "<real>0.0</real>": false,
		"<string></string>": false} {
		v, err := ParsePropertyList("x", []byte(plist(body)))
		if err != nil || v.True() != want {
			t.Errorf("%s: %v, %v", body, v.True(), err)
		}
	}
}

func TestTransport(t *testing.T) {
	s := info(t, `<key>NSAppTransportSecurity</key><dict><key>NSAllowsArbitraryLoads</key><true/>
		<key>NSAllowsArbitraryLoadsInMedia</key><false/><key>NSAllowArbitraryLoads</key><true/>
		<key>NSExceptionDomains</key><dict>
		<key>a.example</key><dict><key>NSTemporaryExceptionAllowsInsecureHTTPLoads</key><true/>
			<key>NSIncludesSubdomains</key><true/><key>NSThirdPartyExceptionRequiresForwardSecrecy</key><false/></dict>
		<key>A.example:80</key><dict><key>NSExceptionMinimumTLSVersion</key><string>TLSv1.0</string></dict>
		<key>B.example</key><dict/><key>10.0.0.2</key><dict/><key>::1</key><dict/><key>*.c.example</key><true/>
		</dict></dict>`)
	var got []string
	for _, tr := range s.Transports() {
		for _, x := range tr.Settings {
			got = append(got, fmt.Sprint(x.Name, " ", x.On))
		}
		for _, x := range tr.Exceptions {
			got = append(got, fmt.Sprint(x.Host, " ", x.Below, len(x.Insecure), len(x.Weak), " ", x.Never))
		}
		for _, x := range tr.Wrong {
			got = append(got, x.Msg)
		}
	}
	want := []string{"NSAllowsArbitraryLoads true", "NSAllowsArbitraryLoadsForMedia false",
		"a.example true 1 1 ", "A.example:80 false 0 1 a port is not part of a name",
		"B.example false 0 0 keys are compared in lower case", "10.0.0.2 false 0 0 ",
		"::1 false 0 0 an IPv6 address is not a key",
		`there is no key "NSAllowArbitraryLoads" in NSAppTransportSecurity`,
		`the exception of "*.c.example" must be a dictionary`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !s.Narrowed() {
		t.Error("a narrower key, with any value, makes iOS ignore the wide one")
	}
}

func TestSchemes(t *testing.T) {
	s := info(t, `<key>CFBundleURLTypes</key><array><dict><key>CFBundleURLSchemes</key><array><string>shelf</string>
		</array></dict></array><key>LSApplicationQueriesSchemes</key><array><string>tel</string></array>`)
	if a, b := s.Schemes(), s.Queried(); len(a) != 1 || a[0].Text != "shelf" || len(b) != 1 || b[0].Text != "tel" {
		t.Errorf("%v %v", a, b)
	}
}

// binaryOf writes a binary property list of objects that are encoded already;
// the first one is the top.
func binaryOf(objects ...string) []byte {
	out := []byte("bplist00")
	var offsets []byte
	for _, o := range objects {
		offsets = binary.BigEndian.AppendUint16(offsets, uint16(len(out)))
		out = append(out, o...)
	}
	table := len(out)
	out = append(append(out, offsets...), 0, 0, 0, 0, 0, 0, 2, 1)
	for _, n := range []int{len(objects), 0, table} {
		out = binary.BigEndian.AppendUint64(out, uint64(n))
	}
	return out
}

func TestBinaryPropertyList(t *testing.T) {
	data := binaryOf(
		"\xd2\x01\x02\x03\x04",
		"\x5f\x10\x16NSAppTransportSecurity",
		"\x51k",
		"\xd1\x05\x06",
		"\xa7\x07\x08\x09\x0a\x0b\x0c\x0d",
		"\x5f\x10\x16NSAllowsArbitraryLoads",
		"\x09",
		"\x10\x07",
		"\x13\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x23\x3f\xf8\x00\x00\x00\x00\x00\x00",
		"\x33\x00\x00\x00\x00\x00\x00\x00\x00",
		"\x42\x01\x02",
		"\x61\x00\xfc",
		"\x80\x05",
	)
	f, err := NewFile(Info, "Info.plist", data)
	if err != nil {
		t.Fatal(err)
	}
	s := Merge([]*Fragment{f})
	if setting, ok := s.Transports()[0].Setting(ArbitraryLoads); !ok || !setting.On || setting.Place.Start == 0 {
		t.Errorf("%+v", setting)
	}
	var got []string
	for _, v := range s.Key("k")[0].Value.Items {
		got = append(got, fmt.Sprint(v.Type, " ", v.Text))
	}
	want := []string{"3 7", "3 -1", "3 1.5", "4 2001-01-01T00:00:00Z", "5 AQI=", "1 ü", "3 5"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBinaryPropertyListDamaged(t *testing.T) {
	loop := binaryOf("\xa2\x00\x00") // an array that holds itself twice
	wide := binaryOf("\xa8\x01\x01\x01\x01\x01\x01\x01\x01", "\xa8\x02\x02\x02\x02\x02\x02\x02\x02",
		"\xa8\x03\x03\x03\x03\x03\x03\x03\x03", "\xa8\x04\x04\x04\x04\x04\x04\x04\x04",
		"\xa8\x05\x05\x05\x05\x05\x05\x05\x05", "\xa8\x06\x06\x06\x06\x06\x06\x06\x06", "\x09")
	version := binaryOf("\x09")
	version[7] = '5'
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"short":       {[]byte("bplist00"), "it is cut short"},
		"version":     {version, `its version must be 00, not "05"`},
		"loop":        {loop, "values must not be nested deeper than 128"},
		"wide":        {wide, "it comes to more than 65536 values"},
		"missing":     {binaryOf("\xa1\x07"), "an object is missing"},
		"cut object":  {binaryOf("\x5f\x10\x20abc", "\x52"), "an object is cut short"},
		"long length": {binaryOf("\x5f\x13\xff\xff\xff\xff\xff\xff\xff\xff"), "a length is larger than the file"},
		"key":         {binaryOf("\xd1\x01\x01", "\x09"), "a key must be a string"},
		"marker":      {binaryOf("\x5f\x51a"), "a length must be an integer"},
		"kind":        {binaryOf("\x70"), "an object of the kind 0x7 is not known"},
		"null":        {binaryOf("\x00"), "its object 0x00 is not known"},
		"number":      {binaryOf("\x1f"), "a number has too many bytes"},
		"real":        {binaryOf("\x20\x00"), "a number has the wrong size"},
	} {
		_, err := ParsePropertyList("Info.plist", test.data)
		var problem *Problem
		if !errors.As(err, &problem) || problem.Msg != "the binary property list is damaged: "+test.want {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// TestBinaryPropertyListShared: a string that is named often is one string, and strings
// that overlap in the file come to no more than maxMade bytes.
func TestBinaryPropertyListShared(t *testing.T) {
	long := "\x5f\x11\x04\x00" + strings.Repeat("a", 1024)
	v, err := ParsePropertyList("Info.plist", binaryOf("\xaf\x11\xff\x00"+strings.Repeat("\x01", 0xff00), long))
	if err != nil || len(v.Items) != 0xff00 {
		t.Fatal(err)
	}
	for i, item := range v.Items {
		if item != v.Items[0] {
			t.Fatalf("the string %d is a copy", i)
		}
	}
	const each = 0x10000 // as text, twice as much is allowed for
	data := []byte("bplist00\xaf\x10\x64")
	for i := range 100 {
		data = append(data, byte(i+1))
	}
	at := len(data)
	data = append(data, append([]byte("\x5f\x12\x00\x01\x00\x00"), make([]byte, each)...)...)
	for count, want := range map[int]string{64: "", 65: "the binary property list is damaged: " +
		"its strings and data come to more than 8388608 bytes"} {
		made := append(bytes.Clone(data), 0, 0)
		made[10] = byte(count)
		table := len(made)
		made = append(made, 0, 8)
		for range count {
			made = binary.BigEndian.AppendUint16(made, uint16(at))
		}
		made = append(made, 0, 0, 0, 0, 0, 0, 2, 1)
		for _, n := range []int{count + 1, 0, table} {
			made = binary.BigEndian.AppendUint64(made, uint64(n))
		}
		got := ""
		if _, err := ParsePropertyList("Info.plist", made); err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, want) || want == "" && got != "" {
			t.Errorf("%d strings: %q, want %q", count, got, want)
		}
	}
}

func FuzzPropertyList(f *testing.F) {
	f.Add([]byte(plist("<dict><key>a</key><array><true/><string>x</string></array></dict>")))
	f.Add(binaryOf("\xd1\x01\x02", "\x51k", "\xa2\x03\x04", "\x09", "\x33\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(binaryOf("\xa2\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fragment, err := NewFile(Info, "Info.plist", data)
		if err != nil {
			var problem *Problem
			if !errors.As(err, &problem) || problem.Place.Start > len(data) {
				t.Fatalf("error %v", err)
			}
			return
		}
		s := Merge([]*Fragment{fragment})
		s.Transports()
		s.Schemes()
		s.Queried()
	})
}

func FuzzAndroid(f *testing.F) {
	f.Add([]byte(`<network-security-config><domain-config><domain>a</domain><pin-set expiration="2027-01-01"><pin
		digest="SHA-256">` + pinA + `</pin></pin-set></domain-config></network-security-config>`))
	f.Add(
		[]byte(
			`<manifest><application android:debuggable="0x1"><activity>
			<intent-filter/></activity></application></manifest>`,
		),
	)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []Kind{Manifest, Security} {
			fragment, err := NewFile(kind, "res/xml/a.xml", data)
			if err != nil || fragment == nil {
				continue
			}
			s := Merge([]*Fragment{fragment})
			s.Components()
			for _, c := range s.Configs {
				c.Permits(c.For("a.example"))
				c.PinsOf(c.For("a.example"))
			}
			if doc := fragment.Document; doc != nil {
				Carried(doc)
			}
		}
	})
}
