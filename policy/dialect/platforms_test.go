package dialect_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy/dialect"
)

// families are the platforms whose code has another name than theirs.
var families = map[string]string{
	"amazon-fireos": "fireos", "blackberry10": "blackberry", "wp7": "windowsphone", "wp8": "windowsphone",
	"tizen": "w3c", "capacitor-android": "capacitor", "capacitor-ios": "capacitor",
}

// Each platform of the table has a file that is named after its family, and
// cases in the corpus.
func TestPlatformsHaveFilesAndCases(t *testing.T) {
	cases, err := filepath.Glob("../testdata/corpus/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var corpus strings.Builder
	for _, name := range cases {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		corpus.Write(data)
	}
	for _, p := range dialect.Platforms() {
		family := p.Name
		if other, ok := families[p.Name]; ok {
			family = other
		}
		if _, err := os.Stat(family + ".go"); err != nil {
			t.Errorf("%s has no file %s.go", p.Name, family)
		}
		// The strict reading is ours: there is no platform to ask, and its own tests
		// compare it with the parsers of browsers and of Go.
		if p.Name == dialect.Strict {
			continue
		}
		if !strings.Contains(corpus.String(), "\n"+p.Name+"@") && !strings.Contains(corpus.String(), "\n"+p.Name+"\t") {
			t.Errorf("%s has no case in the corpus", p.Name)
		}
	}
}
