package export_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/golden"
	"github.com/cordon-sec/cordon/policy/export"
)

// The page of the formats is made from the same table as the exports' own
// comments.
func TestExportsPage(t *testing.T) {
	golden.Compare(t, "../../docs/reference/exports.md", []byte(exportsPage()))
}

func exportsPage() string {
	var b strings.Builder
	b.WriteString(`# What each export can say

` + "`cordon export FORMAT`" + ` writes the strict reading of config.xml in another system's words. Where a line of the policy needs what a format
cannot say, the command names the line, and says whether the export then allows more or less than it. Without such a message the export allows
exactly what the policy allows.

| capability |`)
	exporters := export.Exporters()
	for _, e := range exporters {
		b.WriteString(" " + e.Name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(exporters)) + "\n")
	for _, c := range export.Capabilities() {
		fmt.Fprintf(&b, "| %s |", c)
		for _, e := range exporters {
			if e.Can&c != 0 {
				b.WriteString(" yes |")
			} else {
				b.WriteString(" – |")
			}
		}
		b.WriteString("\n")
	}
	for _, e := range exporters {
		fmt.Fprintf(&b, "\n## %s: %s\n\n", e.Name, e.Title)
		for _, line := range e.Cannot() {
			fmt.Fprintf(&b, "- %s.\n", strings.ToUpper(line[:1])+line[1:])
		}
	}
	return b.String()
}
