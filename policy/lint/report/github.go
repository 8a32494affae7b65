package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/lint"
)

var commandEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

var propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")

// WriteGitHub writes a report as workflow commands, which GitHub shows beside
// the changed lines.
func WriteGitHub(w io.Writer, p *app.App, r *lint.Report) error {
	for i := range r.Findings {
		f := &r.Findings[i]
		level, remedy := githubLevel(f.Rule.Severity), f.Rule.Remedy
		if r.IsNew(f) {
			level, remedy = "notice", remedy+" "+newNote(f)
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", level,
			propertyEscapes.Replace(p.Shown(f.Place.File)), f.Place.Line, f.Place.Column,
			propertyEscapes.Replace("cordon: "+f.Rule.ID), commandEscapes.Replace(f.Message+". "+remedy))
		if err != nil {
			return err
		}
	}
	return writeUnknown(w, p, r)
}

// writeUnknown says what could not be established and is no finding, such as what a
// plugin adds that is named and not there.
func writeUnknown(w io.Writer, p *app.App, r *lint.Report) error {
	doc := p.Ships()
	if doc == nil {
		return nil
	}
	for _, u := range doc.Unknowns() {
		if slices.ContainsFunc(r.Findings, func(f lint.Finding) bool { return f.Place == u.Place }) {
			continue
		}
		where := ""
		if !u.Place.IsZero() {
			where = fmt.Sprintf("file=%s,line=%d,col=%d,", propertyEscapes.Replace(p.Shown(u.Place.File)), u.Place.Line,
				u.Place.Column)
		}
		_, err := fmt.Fprintf(w, "::notice %stitle=%s::%s\n", where, propertyEscapes.Replace("cordon: not known"),
			commandEscapes.Replace(u.What))
		if err != nil {
			return err
		}
	}
	return nil
}

func githubLevel(s lint.Severity) string {
	switch {
	case s >= lint.High:
		return "error"
	case s >= lint.Low:
		return "warning"
	}
	return "notice"
}
