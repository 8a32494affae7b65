package project

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy/native"
)

// settingsOf lists the settings that a reader finds: NAME=value:line.
func settingsOf(read func(set func(string, native.Given))) []string {
	var list []string
	read(func(name string, g native.Given) {
		list = append(list, name+"="+g.Text+":"+strings.TrimPrefix(g.Place.String(), "f:"))
	})
	return list
}

func TestXCConfig(t *testing.T) {
	const text = "#include \"other.xcconfig\"\n// A = 0\nA = 1 // one\n  B=$(A) x;\nC[sdk=*][arch=arm64] = 2\n" +
		"D[config=Debug] = 3\nE =\n = 4\nF: 5\n"
	got := settingsOf(func(set func(string, native.Given)) { readXCConfig("f", []byte(text), set) })
	want := []string{"A=1:3:1", "B=$(A) x:4:1", "C=2:5:1", "E=:7:1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPBXProject(t *testing.T) {
	const text = `// !$*UTF8*$!
{
	archiveVersion = 1; /* a comment */
	objects = {
		"1" = { isa = XCBuildConfiguration; buildSettings = {
			ATS = YES;
			"HOST[sdk=iphoneos*]" = "a \"b\"";
			FLAGS = ("$(inherited)", "-x", );
		}; name = Release; };
		2 /* Debug */ = { isa = XCBuildConfiguration; buildSettings = { ATS = NO; }; name = "Debug-Live"; };
		3 = { isa = PBXGroup; buildSettings = { ATS = NEVER; }; name = Release; };
	};
}
`
	got := settingsOf(func(set func(string, native.Given)) {
		if err := readPBXProject("f", []byte(text), set); err != nil {
			t.Fatal(err)
		}
	})
	want := []string{"ATS=YES:6:10", `HOST=a "b":7:28`, "FLAGS=$(inherited) -x:8:12"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"":                        "it is not a project of Xcode",
		"{":                       "it is not a project of Xcode",
		"{ a }":                   "it is not a project of Xcode",
		"{ a = b }":               "it is not a project of Xcode",
		`{ a = "b }`:              "it is not a project of Xcode",
		strings.Repeat("(", 1000): "it is not a project of Xcode that is read: it nests too deep, or is too large",
	} {
		if err := readPBXProject("f", []byte(text), func(string, native.Given) {}); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}

func FuzzXcode(f *testing.F) {
	f.Add([]byte("{ objects = { 1 = { isa = XCBuildConfiguration; buildSettings = { A = (b, \"c\"); }; }; }; }"))
	f.Add([]byte("A[sdk=*] = $(B) // c\n#include \"x\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set := func(name string, g native.Given) {
			if name == "" && g.Place.Start > len(data) {
				t.Fatalf("%q: %+v", name, g)
			}
		}
		readXCConfig("f", data, set)
		_ = readPBXProject("f", data, set) // what cannot be read is an error, never a panic
	})
}
