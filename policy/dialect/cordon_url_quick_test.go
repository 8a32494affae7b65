package dialect

import (
	"testing"

	"github.com/cordon-sec/cordon/policy/pattern"
	"pgregory.net/rapid"
)

// The quick way must be the careful way, or no way.
func TestQuickSplitIsTheCarefulOne(t *testing.T) {
	pieces := []string{
		"https://", "http://", "wss://", "ws://", "HTTPS://", "tel:", "a.example", "A", ".", "..", "/", "//", ":",
		":80", ":443", ":8443", ":0", ":99999", "?q=1", "#f", "%41", "%2f", "\\", "@", "é", "\x00", " ",
		"xn--bcher-kva", "x--y", "1.2.3.4", "0x7f", "_s", "-", "[::1]", "9", "\xff", "~!$&'()*+,;=", "\x7f",
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := ""
		for _, piece := range rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 9).Draw(t, "pieces") {
			raw += piece
		}
		quickAgrees(t, "https://"+raw)
		quickAgrees(t, raw)
	})
}

func FuzzQuickSplit(f *testing.F) {
	for _, raw := range []string{
		"https://api.example.org/v1/x?y=1#z", "http://h", "ws://h:80/", "wss://h:8443", "https://h./",
		"https://h/a/./b", "https://h/%41", "https://1.2.3.4/", "https://h:/", "https://h?x",
		"https://h/?%zz \\", "https://h.1x/",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) { quickAgrees(t, raw) })
}

func quickAgrees(t interface{ Fatalf(string, ...any) }, raw string) {
	var quick pattern.URL
	if !quickStrict(raw, &quick) {
		return
	}
	if careful := splitCarefully(raw); quick != careful {
		t.Fatalf("%q:\nquick   %+v\ncareful %+v", raw, quick, careful)
	}
}

func TestQuickSplitTakesTheCommonSpelling(t *testing.T) {
	for _, raw := range []string{"https://api.example.org/v1/x?y=%20#z", "http://localhost:3000", "wss://a_b.example/",
		"ws://A.example:80/p.q"} {
		var u pattern.URL
		if !quickStrict(raw, &u) {
			t.Errorf("%s is left to the careful way", raw)
		}
	}
}
