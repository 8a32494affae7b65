package repair

import (
	"bytes"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/project"
)

func parse(text string) (*configxml.Document, error) { return configxml.Parse("", []byte(text)) }

// addsPolicy reports whether a rule is about a page without a policy.
func addsPolicy(rule string) bool {
	return rule == "csp-missing" || rule == "csp-not-on-start-page" || rule == "csp-missing-on-page"
}

// addPolicy writes a Content-Security-Policy made from the list into a page
// that has none. What the policy stops in the page is noted.
func (w *work) addPolicy(f *lint.Finding) []candidate {
	if w.project.Config == nil {
		return nil
	}
	for i := range w.project.Pages {
		page := &w.project.Pages[i]
		if page.Name != f.Place.File && (f.Rule.ID != "csp-not-on-start-page" || !page.Start) {
			continue
		}
		alone := *w.project
		alone.Pages = []app.Page{*page}
		exporter, ok := export.Find(export.CSP)
		if !ok {
			return nil
		}
		changes, losses, err := project.Place(&w.files, &alone, export.NewSource(w.project.Ships(), nil), exporter,
			false)
		if err != nil || len(changes) != 1 || changes[0].Name != page.Name || changes[0].Same() ||
			!bytes.Equal(changes[0].Old, page.Data) {
			return nil
		}
		c := candidate{
			summary: "add a Content-Security-Policy that says what the list says", file: page.Name,
			edits: []configxml.Edit{between(changes[0].Old, changes[0].New)},
		}
		for _, loss := range losses {
			if loss.Place.IsZero() {
				c.notes = append(c.notes, loss.Message)
			}
		}
		return []candidate{c}
	}
	return nil
}

// between is the one edit that makes the new bytes of the old ones.
func between(before, after []byte) configxml.Edit {
	start := 0
	for start < len(before) && start < len(after) && before[start] == after[start] {
		start++
	}
	b, a := before[start:], after[start:]
	end := 0
	for end < len(b) && end < len(a) && b[len(b)-1-end] == a[len(a)-1-end] {
		end++
	}
	return configxml.Edit{Start: start, End: len(before) - end, New: string(bytes.Clone(a[:len(a)-end]))}
}
