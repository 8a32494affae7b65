package diff

import (
	"fmt"
	"io"
	"strings"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
)

// jsonReport is the form of --format json.
type jsonReport struct {
	Comparisons []jsonComparison `json:"comparisons"`
}

type jsonComparison struct {
	Title     string       `json:"title"`
	Widened   bool         `json:"widened"`
	Pairs     []jsonPair   `json:"pairs"`
	Changes   []jsonChange `json:"changes"`
	Undecided []jsonDoubt  `json:"undecided"`
	// Assumed are those of the targets whose version nothing names.
	Assumed []string `json:"assumed,omitempty"`
	// Unknown is what could not be established about a side.
	Unknown []jsonNote `json:"unknown,omitempty"`
}

type jsonNote struct {
	Side string `json:"side"`
	What string `json:"what"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

type jsonPair struct {
	Old string `json:"old"`
	New string `json:"new"`
}

type jsonChange struct {
	Change  string       `json:"change"`
	Widens  bool         `json:"widens"`
	URL     string       `json:"url"`
	Old     jsonDecision `json:"old"`
	New     jsonDecision `json:"new"`
	Where   []jsonWhere  `json:"where"`
	Regions int          `json:"regions"`
}

type jsonDecision struct {
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
	Element string `json:"element,omitempty"`
	Rule    string `json:"rule,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

type jsonWhere struct {
	Pairs []jsonPair `json:"pairs"`
	Kinds []string   `json:"kinds"`
}

type jsonDoubt struct {
	Pair      jsonPair `json:"pair"`
	Kinds     []string `json:"kinds"`
	Exhausted bool     `json:"exhausted"`
	Why       string   `json:"why"`
}

func (p Pair) names() jsonPair {
	return jsonPair{p.Old.Target().String(), p.New.Target().String()}
}

func decisionAsJSON(d policy.Decision) jsonDecision {
	out := jsonDecision{Verdict: d.Verdict.String(), Reason: d.Reason.String()}
	if d.Rule != nil {
		out.Element, out.Rule = d.Rule.Element, d.Rule.Text
		out.File, out.Line, out.Column = d.Rule.Place.File, d.Rule.Place.Line, d.Rule.Place.Column
	}
	return out
}

func kindTexts(kinds []policy.Kind) []string {
	texts := make([]string, len(kinds))
	for i, kind := range kinds {
		texts[i] = kind.String()
	}
	return texts
}

func (r *Report) asJSON(title string) jsonComparison {
	out := jsonComparison{Title: title, Widened: r.Widens(), Pairs: []jsonPair{}, Changes: []jsonChange{},
		Undecided: []jsonDoubt{}}
	for _, p := range r.Pairs {
		out.Pairs = append(out.Pairs, p.names())
	}
	for i := range r.Lines {
		line := &r.Lines[i]
		change := jsonChange{
			Change: line.Change.String(), Widens: line.Widens(), URL: line.URL,
			Old: decisionAsJSON(line.Old), New: decisionAsJSON(line.New), Regions: line.Regions,
		}
		for _, w := range line.Where {
			where := jsonWhere{Kinds: kindTexts(w.Kinds)}
			for _, n := range w.Pairs {
				where.Pairs = append(where.Pairs, r.Pairs[n].names())
			}
			change.Where = append(change.Where, where)
		}
		out.Changes = append(out.Changes, change)
	}
	for _, d := range r.Doubts {
		out.Undecided = append(out.Undecided,
			jsonDoubt{r.Pairs[d.Pair].names(), kindTexts(d.Kinds), d.Exhausted, d.Why})
	}
	return out
}

// Section is a report with its view; one output may hold several.
type Section struct {
	Report *Report
	View   View
}

// WriteJSON writes sections for programs.
func WriteJSON(w io.Writer, sections []Section) error {
	out := jsonReport{Comparisons: []jsonComparison{}}
	for _, s := range sections {
		made := s.Report.asJSON(s.View.Title)
		for _, t := range s.View.Assumed {
			made.Assumed = append(made.Assumed, t.String())
		}
		for _, n := range s.View.Notes {
			made.Unknown = append(made.Unknown, jsonNote{n.Side, n.What, n.Place.File, n.Place.Line})
		}
		out.Comparisons = append(out.Comparisons, made)
	}
	return output.JSON(w, 1, out)
}

// WriteText writes sections for people.
func WriteText(w io.Writer, sections []Section) error {
	for i, s := range sections {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if err := s.Report.WriteText(w, s.View); err != nil {
			return err
		}
	}
	return nil
}

// WriteMarkdown writes sections as a comment on a pull request.
func WriteMarkdown(w io.Writer, sections []Section) error {
	out := &strings.Builder{}
	for _, s := range sections {
		fmt.Fprintf(out, "### %s\n\n%s.\n\n", markdown(s.View.Title), s.Report.Summary(s.View))
		for _, h := range s.Report.headings(s.View) {
			mark := ""
			if h.lines[0].Widens() && !s.View.Sides {
				mark = "**wider** "
			}
			fmt.Fprintf(out, "%s%s\n\n| example | before | now |\n| --- | --- | --- |\n", mark, markdown(h.text))
			for i, line := range h.lines {
				if s.View.Limit > 0 && i == s.View.Limit {
					fmt.Fprintf(out, "| and %d more | | |\n", len(h.lines)-i)
					break
				}
				fmt.Fprintf(out, "| %s | %s | %s |\n", code(line.URL), code(RuleText(line.Old)),
					code(RuleText(line.New)))
			}
			out.WriteString("\n")
		}
		for _, d := range s.Report.Doubts {
			fmt.Fprintf(out, "Not decided: %s: %s.\n\n", KindNames(d.Kinds), markdown(d.Why))
		}
		for i := range s.View.Notes {
			fmt.Fprintf(out, "Not known: %s.\n\n", markdown(s.View.Notes[i].text()))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "<", "&lt;", ">",
	"&gt;", "[", `\[`)

// markdown writes a text so that it reads as itself.
func markdown(s string) string { return markdownEscapes.Replace(wording.Printable(s)) }

// code writes a text as code in a table.
func code(s string) string {
	s = strings.ReplaceAll(wording.Printable(s), "|", `\|`)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

var (
	commandEscapes  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// WriteGitHub writes sections as workflow commands, which GitHub shows beside
// the changed lines. What widens is a warning, anything else a notice.
func WriteGitHub(w io.Writer, sections []Section) error {
	out := &strings.Builder{}
	for _, s := range sections {
		for i := range s.Report.Lines {
			line := &s.Report.Lines[i]
			level := "notice"
			if line.Widens() {
				level = "warning"
			}
			fmt.Fprintf(out, "::%s %stitle=%s::%s\n", level, position(line),
				propertyEscapes.Replace("cordon diff"),
				commandEscapes.Replace(s.Report.headingOf(line, s.View)+": "+wording.Printable(line.URL)))
		}
		for _, d := range s.Report.Doubts {
			fmt.Fprintf(out, "::notice title=cordon diff::%s\n",
				commandEscapes.Replace("not decided: "+KindNames(d.Kinds)+": "+d.Why))
		}
		for j := range s.View.Notes {
			fmt.Fprintf(out, "::notice title=cordon diff::%s\n",
				commandEscapes.Replace("not known: "+s.View.Notes[j].text()))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// position is where an annotation belongs: at the rule that decides now, or
// else at the one that decided before.
func position(l *Line) string {
	rule := l.New.Rule
	if rule == nil || rule.Implicit() {
		rule = l.Old.Rule
	}
	if rule == nil || rule.Implicit() {
		return ""
	}
	return fmt.Sprintf("file=%s,line=%d,col=%d,", propertyEscapes.Replace(rule.Place.File), rule.Place.Line,
		rule.Place.Column)
}
