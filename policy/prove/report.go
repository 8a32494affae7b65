package prove

import (
	"fmt"
	"io"
	"strings"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/diff"
)

// Proof is the results for one config.xml.
type Proof struct {
	// File is the config.xml's name.
	File    string
	Results []Result
}

// Count returns how many assertions were refuted, and how many not decided.
func (p *Proof) Count() (refuted, undecided int) {
	for i := range p.Results {
		switch p.Results[i].Outcome {
		case Refuted:
			refuted++
		case NotDecided:
			undecided++
		}
	}
	return refuted, undecided
}

// WriteText writes proofs for people: a line for each assertion, with the
// witnesses below it.
func WriteText(w io.Writer, proofs []Proof) error {
	out := &strings.Builder{}
	for i := range proofs {
		p := &proofs[i]
		fmt.Fprintf(out, "%s\n", wording.Printable(p.File))
		for j := range p.Results {
			p.Results[j].writeText(out)
		}
		refuted, undecided := p.Count()
		noun := "assertions"
		if len(p.Results) == 1 {
			noun = "assertion"
		}
		fmt.Fprintf(out, "%d %s: %d hold, %d refuted, %d not decided\n", len(p.Results), noun,
			len(p.Results)-refuted-undecided, refuted, undecided)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r *Result) writeText(out *strings.Builder) {
	fmt.Fprintf(out, "  %-12s %s  (%s:%d)\n", r.Outcome, wording.Printable(r.Assertion.Text), r.Assertion.Place.File,
		r.Assertion.Place.Line)
	for i := range r.Cases {
		c := &r.Cases[i]
		const indent = "               "
		if c.Outcome == NotDecided {
			fmt.Fprintf(out, "%s%s on %s: not decided: %s\n", indent, c.Kind, c.Target, c.Why)
			continue
		}
		fmt.Fprintf(out, "%s%s\n", indent, wording.Printable(c.URL))
		fmt.Fprintf(out, "%s  %s for %s on %s  %s\n", indent, past[c.Decision.Verdict], c.Kind, c.Target,
			diff.RuleText(c.Decision))
		if c.Other.Platform != "" {
			fmt.Fprintf(out, "%s  %s for %s on %s  %s\n", indent, past[c.OtherDecision.Verdict], c.Kind, c.Other,
				diff.RuleText(c.OtherDecision))
		}
	}
	if len(r.Assumed) > 0 {
		fmt.Fprintf(out, "               assumed: %s\n", wording.Join(assumedNames(r.Assumed)))
	}
	if r.Note != "" {
		fmt.Fprintf(out, "               %s\n", r.Note)
	}
}

// jsonProof is the form of --format json.
type jsonProof struct {
	Files []jsonFile `json:"files"`
}

type jsonFile struct {
	File    string       `json:"file"`
	Results []jsonResult `json:"results"`
}

type jsonResult struct {
	Assertion string     `json:"assertion"`
	File      string     `json:"file"`
	Line      int        `json:"line"`
	Outcome   string     `json:"outcome"`
	Cases     []jsonCase `json:"cases"`
	// Assumed are the targets whose version nothing names.
	Assumed []string `json:"assumed,omitempty"`
	Note    string   `json:"note,omitempty"`
}

type jsonCase struct {
	Outcome  string        `json:"outcome"`
	Platform string        `json:"platform"`
	Kind     string        `json:"kind"`
	URL      string        `json:"url,omitempty"`
	Decision *jsonDecision `json:"decision,omitempty"`
	Other    string        `json:"other,omitempty"`
	Differs  *jsonDecision `json:"other_decision,omitempty"`
	Why      string        `json:"why,omitempty"`
}

type jsonDecision struct {
	Verdict string `json:"verdict"`
	Reason  string `json:"reason"`
	Rule    string `json:"rule,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
}

func asJSON(d policy.Decision) *jsonDecision {
	out := &jsonDecision{Verdict: d.Verdict.String(), Reason: d.Reason.String()}
	if d.Rule != nil {
		out.Rule, out.File, out.Line = d.Rule.Text, d.Rule.Place.File, d.Rule.Place.Line
	}
	return out
}

// WriteJSON writes proofs for programs.
func WriteJSON(w io.Writer, proofs []Proof) error {
	out := jsonProof{Files: []jsonFile{}}
	for _, p := range proofs {
		file := jsonFile{File: p.File, Results: []jsonResult{}}
		for _, r := range p.Results {
			result := jsonResult{
				Assertion: r.Assertion.Text, File: r.Assertion.Place.File, Line: r.Assertion.Place.Line,
				Outcome: r.Outcome.String(), Cases: []jsonCase{}, Assumed: assumedNames(r.Assumed), Note: r.Note,
			}
			for _, c := range r.Cases {
				result.Cases = append(result.Cases, c.asJSON())
			}
			file.Results = append(file.Results, result)
		}
		out.Files = append(out.Files, file)
	}
	return output.JSON(w, 1, out)
}

func (c *Case) asJSON() jsonCase {
	out := jsonCase{Outcome: c.Outcome.String(), Platform: c.Target.String(), Kind: c.Kind.String(), URL: c.URL,
		Why: c.Why}
	if c.Outcome == Refuted {
		out.Decision = asJSON(c.Decision)
	}
	if c.Other.Platform != "" {
		out.Other = c.Other.String()
		if c.Outcome == Refuted {
			out.Differs = asJSON(c.OtherDecision)
		}
	}
	return out
}

func assumedNames(targets []policy.Target) []string {
	var names []string
	for _, t := range targets {
		names = append(names, t.String())
	}
	return names
}
