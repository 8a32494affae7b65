package cordon_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
)

// docs/README.md leads to every page for users.
func TestDocsIndexIsComplete(t *testing.T) {
	index, err := os.ReadFile("docs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	for _, dir := range []string{"guide", "reference"} {
		err := fs.WalkDir(os.DirFS("docs"), dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".md") {
				return err
			}
			pages++
			if !strings.Contains(string(index), "("+name) {
				t.Errorf("docs/README.md does not lead to %s", name)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if pages == 0 {
		t.Error("no page was found")
	}
}
