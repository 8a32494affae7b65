package enforced

import (
	"strconv"
	"strings"
	"testing"
)

func TestWarningsAreFew(t *testing.T) {
	var rules strings.Builder
	for i := range 1000 {
		rules.WriteString(`<access origin="http://h` + strconv.Itoa(i) + `.test/p"/>`)
	}
	list, err := Compile("config.xml", []byte("<widget>"+rules.String()+"</widget>"), Options{Platform: "cordon"})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Warnings) != 2*notesOfASort+2 ||
		!strings.Contains(strings.Join(list.Warnings, "\n"), "and 990 more rules that allow cleartext") {
		t.Errorf("%d warnings: %q", len(list.Warnings), list.Warnings)
	}
}
