// Package report writes what package lint found: as text for people, as JSON and
// SARIF 2.1.0 for programs, as workflow commands for GitHub, and the reference
// page of all rules in Markdown. It decides nothing.
//
// Each function writes one format of a lint.Report to an io.Writer; its error is
// the writer's. The bytes of a finding that is marked secret are never written.
// The functions are safe for concurrent use.
package report

import (
	"encoding/json"
	"io"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/lint"
)

// jsonReport is the form of --format json. Offsets count bytes, lines and
// columns from 1.
type jsonReport struct {
	// RuleSet is the chosen rule set; findings of newer ones are new.
	RuleSet int      `json:"rule_set"`
	Targets []string `json:"targets"`
	// Assumed are those of the targets whose version nothing in the project names.
	Assumed    []string      `json:"assumed,omitempty"`
	Findings   []jsonFinding `json:"findings"`
	Suppressed []jsonFinding `json:"suppressed"`
	// Known is how many findings a baseline left out.
	Known int `json:"known"`
	// Web is the tool of a web app without a native side, and NotJudged what nothing
	// can be said about there.
	Web       string `json:"web,omitempty"`
	NotJudged string `json:"not_judged,omitempty"`
	// Unknown is what could not be established about what ships.
	Unknown []jsonUnknown `json:"unknown,omitempty"`
}

type jsonUnknown struct {
	What string `json:"what"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

type jsonFinding struct {
	Rule        string   `json:"rule"`
	Set         int      `json:"set"`
	New         bool     `json:"new,omitempty"`
	Severity    string   `json:"severity"`
	File        string   `json:"file"`
	Line        int      `json:"line"`
	Column      int      `json:"column"`
	Start       int      `json:"start"`
	End         int      `json:"end"`
	Message     string   `json:"message"`
	Targets     []string `json:"targets,omitempty"`
	Assumed     []string `json:"assumed,omitempty"`
	Plugin      string   `json:"plugin,omitempty"`
	Remedy      string   `json:"remedy"`
	Doc         string   `json:"doc"`
	Fingerprint string   `json:"fingerprint"`
	Fix         *jsonFix `json:"fix,omitempty"`
	Reason      string   `json:"reason,omitempty"`
}

type jsonFix struct {
	File    string     `json:"file"`
	Summary string     `json:"summary"`
	Edits   []jsonEdit `json:"edits"`
}

type jsonEdit struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	New   string `json:"new"`
}

// WriteJSON writes a report for programs. known is how many findings a
// baseline left out.
func WriteJSON(w io.Writer, p *app.App, r *lint.Report, known int) error {
	out := jsonReport{
		RuleSet:    r.RuleSet,
		Targets:    targetNames(r.Targets),
		Findings:   []jsonFinding{},
		Suppressed: []jsonFinding{},
		Known:      known,
		Web:        p.Web,
		NotJudged:  p.NotJudged(),
	}
	if len(p.Assumed) > 0 {
		out.Assumed = targetNames(p.Assumed)
	}
	if doc := p.Ships(); doc != nil {
		for _, u := range doc.Unknowns() {
			out.Unknown = append(out.Unknown, jsonUnknown{u.What, p.Shown(u.Place.File), u.Place.Line})
		}
	}
	for i := range r.Findings {
		f := asJSON(p, &r.Findings[i])
		f.New = r.IsNew(&r.Findings[i])
		out.Findings = append(out.Findings, f)
	}
	for i := range r.Suppressed {
		f := asJSON(p, &r.Suppressed[i].Finding)
		f.Reason = r.Suppressed[i].Reason
		out.Suppressed = append(out.Suppressed, f)
	}
	return output.JSON(w, 1, out)
}

func encode(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

func targetNames(targets []policy.Target) []string {
	list := make([]string, len(targets))
	for i, t := range targets {
		list[i] = t.String()
	}
	return list
}

func asJSON(p *app.App, f *lint.Finding) jsonFinding {
	out := jsonFinding{
		Rule: f.Rule.ID, Set: f.Set, Severity: f.Rule.Severity.String(), File: p.Shown(f.Place.File),
		Line:   f.Place.Line,
		Column: f.Place.Column, Start: f.Place.Start, End: f.Place.End, Message: f.Message, Remedy: f.Rule.Remedy,
		Doc: f.Rule.Doc(), Fingerprint: lint.Fingerprint(p, f),
	}
	if len(f.Targets) > 0 {
		out.Targets = targetNames(f.Targets)
	}
	for _, t := range f.Targets {
		if p.Assumes(t) {
			out.Assumed = append(out.Assumed, t.String())
		}
	}
	if plugin := p.PluginAt(f.Place); plugin != nil {
		out.Plugin = plugin.ID
	}
	if f.Fix != nil {
		fix := &jsonFix{File: p.Shown(f.Fix.File), Summary: f.Fix.Summary}
		for _, e := range f.Fix.Edits {
			fix.Edits = append(fix.Edits, jsonEdit(e))
		}
		out.Fix = fix
	}
	return out
}
