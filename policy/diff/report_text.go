package diff

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
)

// View is how a report is shown to people.
type View struct {
	// Title says what is compared, in a line.
	Title string
	// Sides words a line as "A blocks, B allows" instead of "newly allowed",
	// for platforms of which none is the older one. All pairs then have the
	// same first target.
	Sides bool
	// Limit is how many lines are shown under one heading, 0 for all.
	Limit int
	// Assumed are those of the targets whose version nothing names.
	Assumed []policy.Target
	// Notes are what a reader should know about what is compared, each a line.
	Notes []Note
}

// name is a target for people.
func (v *View) name(t policy.Target) string {
	if slices.Contains(v.Assumed, t) {
		return t.String() + " (assumed)"
	}
	return t.String()
}

// Note is something about one of the sides that could not be established, so that
// differences may be missing.
type Note struct {
	// Side is the name of the side, as a person gave it.
	Side string
	// What says it in a clause, Place where.
	What  string
	Place policy.Place
}

// text is the note in a line.
func (n *Note) text() string {
	where := n.Side
	if !n.Place.IsZero() {
		where += ": " + n.Place.String()
	}
	return wording.Printable(where + ": " + n.What)
}

// heading is lines that share what a reviewer reads first.
type heading struct {
	text  string
	lines []*Line
}

// headings groups the lines of a report.
func (r *Report) headings(v View) []heading {
	var all []heading
	numbers := map[string]int{}
	for i := range r.Lines {
		line := &r.Lines[i]
		text := r.headingOf(line, v)
		n, known := numbers[text]
		if !known {
			n = len(all)
			numbers[text] = n
			all = append(all, heading{text: text})
		}
		all[n].lines = append(all[n].lines, line)
	}
	return all
}

func (r *Report) headingOf(l *Line, v View) string {
	var where []string
	for _, w := range l.Where {
		where = append(where, r.place(w, l, v))
	}
	text := strings.Join(where, "; ")
	if v.Sides {
		return text
	}
	return fmt.Sprintf("newly %s (was %s): %s", l.Change, past[l.Old.Verdict], text)
}

var (
	past = [...]string{policy.Block: "blocked", policy.Allow: "allowed", policy.Launch: "launched",
		policy.Bypass: "never asked about"}
	present = [...]string{policy.Block: "blocks", policy.Allow: "allows", policy.Launch: "launches",
		policy.Bypass: "never asks about"}
	presentMany = [...]string{policy.Block: "block", policy.Allow: "allow", policy.Launch: "launch",
		policy.Bypass: "never ask about"}
)

func (r *Report) place(w Where, l *Line, v View) string {
	if v.Sides {
		return r.sides(w, l, v) + ": " + KindNames(w.Kinds)
	}
	var names []string
	for _, n := range w.Pairs {
		older, newer := v.name(r.Pairs[n].Old.Target()), v.name(r.Pairs[n].New.Target())
		if older != newer {
			newer = older + " -> " + newer
		}
		names = append(names, newer)
	}
	return KindNames(w.Kinds) + " on " + wording.Join(names)
}

// sides says what the first target does and what the others do.
func (r *Report) sides(w Where, l *Line, v View) string {
	var others []string
	for _, n := range w.Pairs {
		others = append(others, v.name(r.Pairs[n].New.Target()))
	}
	does := present[l.New.Verdict]
	if len(others) > 1 {
		does = presentMany[l.New.Verdict]
	}
	return fmt.Sprintf("%s %s, %s %s", v.name(r.Pairs[w.Pairs[0]].Old.Target()), present[l.Old.Verdict],
		wording.Join(others), does)
}

// KindNames writes kinds for people: "xhr, image", "every kind", "every kind
// but navigation". Who may call native code is no kind of request, and named
// apart: "every kind, bridge".
func KindNames(kinds []policy.Kind) string {
	all := slices.DeleteFunc(policy.Kinds(), policy.Kind.IsBridge)
	bridges := slices.DeleteFunc(slices.Clone(kinds), func(k policy.Kind) bool { return !k.IsBridge() })
	kinds = slices.DeleteFunc(slices.Clone(kinds), policy.Kind.IsBridge)
	named, prefix := kinds, ""
	switch {
	case len(kinds) == len(all):
		named, prefix = nil, "every kind"
		if len(bridges) > 0 {
			prefix += ", "
		}
	case len(kinds) > len(all)/2:
		prefix, named = "every kind but ", nil
		for _, kind := range all {
			if !slices.Contains(kinds, kind) {
				named = append(named, kind)
			}
		}
		if len(bridges) > 0 {
			// A list behind "but" would take them in.
			prefix, named = "", kinds
		}
	}
	named = append(slices.Clone(named), bridges...)
	texts := make([]string, len(named))
	for i, kind := range named {
		texts[i] = kind.String()
	}
	return prefix + strings.Join(texts, ", ")
}

// RuleText writes the rule of a decision with its place, or the reason where
// no rule decided.
func RuleText(d policy.Decision) string {
	switch {
	case d.Rule == nil:
		return d.Reason.Explain()
	case d.Rule.Implicit():
		return "built in: " + wording.Printable(d.Rule.Text)
	}
	return fmt.Sprintf("%s  <%s> %s", d.Rule.Place, d.Rule.Element, wording.Printable(d.Rule.Text))
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer, v View) error {
	out := &strings.Builder{}
	if v.Title != "" {
		fmt.Fprintf(out, "%s\n\n", wording.Printable(v.Title))
	}
	for _, h := range r.headings(v) {
		fmt.Fprintf(out, "%s\n", h.text)
		for i, line := range h.lines {
			if v.Limit > 0 && i == v.Limit {
				fmt.Fprintf(out, "  ... and %d more (--limit 0 or --format json shows all)\n", len(h.lines)-i)
				break
			}
			line.writeText(out, v)
		}
		fmt.Fprintln(out)
	}
	for _, d := range r.Doubts {
		fmt.Fprintf(out, "not decided: %s on %s: %s\n", KindNames(d.Kinds), r.Pairs[d.Pair].New.Target(), d.Why)
	}
	for i := range v.Notes {
		fmt.Fprintf(out, "not known: %s\n", v.Notes[i].text())
	}
	fmt.Fprintf(out, "%s\n", r.Summary(v))
	_, err := io.WriteString(w, out.String())
	return err
}

func (l *Line) writeText(out *strings.Builder, v View) {
	before, after := "before", "now   "
	if v.Sides {
		before, after = "first ", "second"
	}
	fmt.Fprintf(out, "  %s\n", wording.Printable(l.URL))
	fmt.Fprintf(out, "      %s  %s\n      %s  %s\n", before, RuleText(l.Old), after, RuleText(l.New))
}

// Summary says in a line what the report found.
func (r *Report) Summary(v View) string {
	if len(r.Lines) == 0 {
		if len(r.Doubts) > 0 {
			return "no difference found"
		}
		return "no difference"
	}
	if v.Sides {
		return wording.Count(len(r.Lines), "difference", "differences")
	}
	wider := 0
	for i := range r.Lines {
		if r.Lines[i].Widens() {
			wider++
		}
	}
	return fmt.Sprintf("%s, %d of them wider", wording.Count(len(r.Lines), "change", "changes"), wider)
}
