package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/cordon-sec/cordon/policy/lint"
)

// WriteReference writes the reference page of all rules in Markdown:
// docs/reference/rules.md.
func WriteReference(w io.Writer) error {
	var b bytes.Buffer
	all := lint.Rules()
	fmt.Fprintf(&b, `<!-- Made from the table of rules in policy/lint by make update; do not edit. -->

# The rules of cordon check

%d rules. A severity says how much a finding matters; %s, %s, %s, %s and %s, from least to most.
How to run, silence and baseline them: [the guide](../guide/check.md).

| rule | severity | what is wrong |
|---|---|---|
`, len(all), lint.Info, lint.Low, lint.Medium, lint.High, lint.Critical)
	for i := range all {
		r := &all[i]
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, markdown(r.Title))
	}
	for _, topic := range lint.Topics() {
		fmt.Fprintf(&b, "\n## %s\n", topic)
		for i := range all {
			if all[i].Topic == topic {
				writeRule(&b, &all[i])
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func writeRule(b *bytes.Buffer, r *lint.Rule) {
	fmt.Fprintf(b, "\n### %s\n\n**%s** (%s). %s\n\n", r.ID, markdown(r.Title), r.Severity, markdown(r.Explanation))
	fmt.Fprintf(b, "*What an attacker gains:* %s\n\n", markdown(r.Gain))
	for _, e := range r.Effects {
		fmt.Fprintf(b, "- %s: %s.\n", markdown(e.Platforms), markdown(strings.TrimSuffix(e.Text, ".")))
	}
	fmt.Fprintf(b, "\n*Remedy:* %s\n", markdown(r.Remedy))
}

// markdown keeps the text from being read as markup.
func markdown(s string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "|", `\|`, "_", `\_`).Replace(s)
}
