package lint

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// jsonReport is the form of --format json. Offsets count bytes, lines and
// columns from 1.
type jsonReport struct {
	Version    int           `json:"version"`
	Targets    []string      `json:"targets"`
	Findings   []jsonFinding `json:"findings"`
	Suppressed []jsonFinding `json:"suppressed"`
	// Known is how many findings a baseline left out.
	Known int `json:"known"`
}

type jsonFinding struct {
	Rule        string   `json:"rule"`
	Severity    string   `json:"severity"`
	File        string   `json:"file"`
	Line        int      `json:"line"`
	Column      int      `json:"column"`
	Start       int      `json:"start"`
	End         int      `json:"end"`
	Message     string   `json:"message"`
	Targets     []string `json:"targets,omitempty"`
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
func WriteJSON(w io.Writer, p *Project, r *Report, known int) error {
	out := jsonReport{Version: 1, Targets: targetNames(r.Targets), Findings: []jsonFinding{}, Suppressed: []jsonFinding{}, Known: known}
	for i := range r.Findings {
		out.Findings = append(out.Findings, asJSON(p, &r.Findings[i]))
	}
	for i := range r.Suppressed {
		f := asJSON(p, &r.Suppressed[i].Finding)
		f.Reason = r.Suppressed[i].Reason
		out.Suppressed = append(out.Suppressed, f)
	}
	return encode(w, out)
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

func asJSON(p *Project, f *Finding) jsonFinding {
	out := jsonFinding{
		Rule: f.Rule.ID, Severity: f.Rule.Severity.String(), File: p.shown(f.Place.File), Line: f.Place.Line, Column: f.Place.Column,
		Start: f.Place.Start, End: f.Place.End, Message: f.Message, Remedy: f.Rule.Remedy, Doc: f.Rule.Doc(), Fingerprint: p.fingerprint(f),
	}
	if len(f.Targets) > 0 {
		out.Targets = targetNames(f.Targets)
	}
	if f.Fix != nil {
		fix := &jsonFix{File: p.shown(f.Fix.File), Summary: f.Fix.Summary}
		for _, e := range f.Fix.Edits {
			fix.Edits = append(fix.Edits, jsonEdit(e))
		}
		out.Fix = fix
	}
	return out
}

var commandEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

var propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")

// WriteGitHub writes a report as workflow commands, which GitHub shows beside
// the changed lines.
func WriteGitHub(w io.Writer, p *Project, r *Report) error {
	for i := range r.Findings {
		f := &r.Findings[i]
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", githubLevel(f.Rule.Severity),
			propertyEscapes.Replace(p.shown(f.Place.File)), f.Place.Line, f.Place.Column, propertyEscapes.Replace("cordon: "+f.Rule.ID),
			commandEscapes.Replace(f.Message+". "+f.Rule.Remedy))
		if err != nil {
			return err
		}
	}
	return nil
}

func githubLevel(s Severity) string {
	switch {
	case s >= High:
		return "error"
	case s >= Low:
		return "warning"
	}
	return "notice"
}
