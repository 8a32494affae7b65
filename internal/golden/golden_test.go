package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type recorder struct {
	testing.TB
	failed []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failed = append(r.failed, format)
}

func TestCompare(t *testing.T) {
	name := filepath.Join(t.TempDir(), "testdata", "page.md")
	compare := func(made string) string {
		r := &recorder{TB: t}
		Compare(r, name, []byte(made))
		return strings.Join(r.failed, "\n")
	}
	if got := compare("one"); !strings.Contains(got, "is not there") {
		t.Errorf("without the file: %q", got)
	}
	*update = true
	if got := compare("one"); got != "" {
		t.Errorf("with -update: %q", got)
	}
	*update = false
	if got := compare("one"); got != "" {
		t.Errorf("the same: %q", got)
	}
	if got := compare("two"); !strings.Contains(got, "is not current") {
		t.Errorf("another: %q", got)
	}
	if data, err := os.ReadFile(name); err != nil || string(data) != "one" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}
