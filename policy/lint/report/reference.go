package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
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

Every rule belongs to a rule set. This major release takes set %d; what a rule of a newer set finds is shown as
new and fails nothing until the next major release, or until `+"`cordon check --rules %d`"+` chooses it.

| rule | severity | set | what is wrong |
|---|---|---|---|
`, len(all), lint.Info, lint.Low, lint.Medium, lint.High, lint.Critical,
		lint.CurrentSet, lint.LatestSet)
	for i := range all {
		r := &all[i]
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %d | %s |\n", r.ID, r.ID, r.Severity, r.Since, markdown(r.Title))
	}
	for _, topic := range lint.Topics() {
		fmt.Fprintf(&b, "\n## %s\n", topic)
		for i := range all {
			if all[i].Topic == topic {
				writeRule(&b, &all[i])
			}
		}
	}
	writeCatalogues(&b, all)
	_, err := w.Write(b.Bytes())
	return err
}

// writeCatalogues lists what rules are about in public catalogues, from there to
// the rules.
func writeCatalogues(b *bytes.Buffer, all []lint.Rule) {
	b.WriteString("\n## Rules by public catalogues\n\n`cordon check --format sarif` carries these for each rule.\n")
	catalogues := lint.Catalogues()
	for i := range catalogues {
		c := &catalogues[i]
		fmt.Fprintf(
			b,
			"\n### %s\n\n[%s](%s) %s.\n\n| id | what it is | rules |\n|---|---|---|\n",
			c.Name,
			c.Title,
			c.Page,
			c.Version,
		)
		entries := make(map[string]lint.Entry)
		rules := make(map[string][]string)
		for j := range all {
			for _, e := range c.Entries(&all[j]) {
				entries[e.ID] = e
				rules[e.ID] = append(rules[e.ID], fmt.Sprintf("[%s](#%s)", all[j].ID, all[j].ID))
			}
		}
		ids := slices.Collect(maps.Keys(entries))
		slices.SortFunc(
			ids,
			func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) },
		)
		for _, id := range ids {
			fmt.Fprintf(
				b,
				"| [%s](%s) | %s | %s |\n",
				id,
				entries[id].Page,
				markdown(strings.TrimSuffix(entries[id].Title, ".")),
				strings.Join(rules[id], ", "),
			)
		}
	}
}

func writeRule(b *bytes.Buffer, r *lint.Rule) {
	fmt.Fprintf(b, "\n### %s\n\n**%s** (%s). %s\n\n", r.ID, markdown(r.Title), r.Severity, markdown(r.Explanation))
	fmt.Fprintf(b, "*What an attacker gains:* %s\n\n", markdown(r.Gain))
	for _, e := range r.Effects {
		fmt.Fprintf(b, "- %s: %s.\n", markdown(e.Platforms), markdown(strings.TrimSuffix(e.Text, ".")))
	}
	fmt.Fprintf(b, "\n*Remedy:* %s\n", markdown(r.Remedy))
	var about []string
	catalogues := lint.Catalogues()
	for i := range catalogues {
		for _, e := range catalogues[i].Entries(r) {
			about = append(about, fmt.Sprintf("[%s](%s)", e.ID, e.Page))
		}
	}
	if len(about) > 0 {
		fmt.Fprintf(b, "\n*See also:* %s\n", strings.Join(about, ", "))
	}
}

// markdown keeps the text from being read as markup.
func markdown(s string) string {
	return strings.NewReplacer("<", "&lt;", "*", `\*`, "|", `\|`, "_", `\_`).Replace(s)
}
