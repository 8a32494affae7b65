package main

import (
	"io"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/export"
)

// exportVersion is the version of the form of export's JSON.
const exportVersion = 1

type exportReport struct {
	Exports []exportedFile    `json:"exports"`
	Unknown []exportedUnknown `json:"unknown,omitempty"`
}

// exportedUnknown is a fact that could not be established, as explain writes it.
type exportedUnknown struct {
	What string `json:"what"`
	File string `json:"file"`
	Line int    `json:"line"`
}

type exportedFile struct {
	Format  string         `json:"format"`
	Path    string         `json:"path"`
	Content string         `json:"content"`
	Needs   []string       `json:"needs"`
	Losses  []exportedLoss `json:"losses"`
	// Domains are those that a declaration names, nil for other formats.
	Domains *[]exportedDomain `json:"domains,omitempty"`
}

type exportedLoss struct {
	exportedPlace
	Rule    string `json:"rule,omitempty"`
	Message string `json:"message"`
	Widens  bool   `json:"widens"`
}

type exportedPlace struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

type exportedDomain struct {
	Host       string         `json:"host"`
	Subdomains bool           `json:"subdomains"`
	Schemes    []string       `json:"schemes"`
	Encrypted  bool           `json:"encrypted"`
	Purposes   []string       `json:"purposes"`
	Tracking   bool           `json:"tracking"`
	Rules      []exportedRule `json:"rules"`
}

type exportedRule struct {
	exportedPlace
	Element string `json:"element"`
	Text    string `json:"text"`
	By      string `json:"by,omitempty"`
}

func placeOf(p policy.Place) exportedPlace {
	if p.IsZero() {
		return exportedPlace{}
	}
	return exportedPlace{p.File, p.Line, p.Column}
}

// exportJSON writes exports with what they lose for programs.
func exportJSON(w io.Writer, exporters []export.Exporter, source export.Source, unknown []configxml.Unknown) error {
	report := exportReport{}
	for _, u := range unknown {
		report.Unknown = append(report.Unknown, exportedUnknown{u.What, u.Place.File, u.Place.Line})
	}
	for _, e := range exporters {
		artifact := e.Export(source)
		file := exportedFile{Format: e.Name, Path: artifact.Path, Content: string(artifact.Content),
			Needs: append([]string{}, e.Needs(source)...), Losses: []exportedLoss{}}
		for _, loss := range artifact.Losses {
			file.Losses = append(file.Losses, exportedLoss{placeOf(loss.Place), loss.Rule, loss.Message, loss.Widens})
		}
		if e.Declares {
			domains := exportedDomains(artifact.Domains)
			file.Domains = &domains
		}
		report.Exports = append(report.Exports, file)
	}
	if err := output.JSON(w, exportVersion, report); err != nil {
		return environment(err)
	}
	return nil
}

func exportedDomains(domains []export.Domain) []exportedDomain {
	list := []exportedDomain{}
	for i := range domains {
		d := &domains[i]
		made := exportedDomain{Host: d.Host, Subdomains: d.Subdomains, Schemes: d.Schemes, Encrypted: d.Encrypted(),
			Purposes: append([]string{}, d.Purposes...), Tracking: d.Tracking, Rules: []exportedRule{}}
		for _, r := range d.Rules {
			made.Rules = append(made.Rules, exportedRule{placeOf(r.Place), r.Element, r.Text, r.By})
		}
		list = append(list, made)
	}
	return list
}
