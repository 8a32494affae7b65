package report

import (
	"io"
	"net/url"
	"path"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/lint"
)

// The parts of SARIF 2.1.0 (OASIS, errata 01) that a report needs.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool          `json:"tool"`
	Invocations []sarifInvocation  `json:"invocations,omitempty"`
	Taxonomies  []sarifTaxonomy    `json:"taxonomies,omitempty"`
	ColumnKind  string             `json:"columnKind"`
	Results     []sarifResult      `json:"results"`
	Properties  sarifRunProperties `json:"properties"`
}

// sarifInvocation says how the run went: what it could not establish are notifications
// of the tool, which viewers show apart from its results.
type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Notifications []sarifNotification `json:"toolExecutionNotifications"`
}

type sarifNotification struct {
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
}

type sarifRunProperties struct {
	RuleSet int `json:"ruleSet"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
	// Supported are the taxonomies that rules refer to.
	Supported []sarifComponent `json:"supportedTaxonomies,omitempty"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifRule struct {
	ID               string             `json:"id"`
	ShortDescription sarifText          `json:"shortDescription"`
	FullDescription  sarifText          `json:"fullDescription"`
	Help             sarifText          `json:"help"`
	HelpURI          string             `json:"helpUri"`
	Configuration    sarifConfiguration `json:"defaultConfiguration"`
	// Relationships lead to the taxa that the rule is about.
	Relationships []sarifRelationship `json:"relationships,omitempty"`
	Properties    sarifProperties     `json:"properties"`
}

type sarifConfiguration struct {
	Level string `json:"level"`
}

type sarifProperties struct {
	Tags             []string `json:"tags"`
	SecuritySeverity string   `json:"security-severity,omitempty"`
	RuleSet          int      `json:"ruleSet"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifLocation    `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Fixes        []sarifFix         `json:"fixes,omitempty"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   *sarifNew          `json:"properties,omitempty"`
}

// sarifNew marks what a newer rule set finds, and fails nothing yet.
type sarifNew struct {
	RuleSet int  `json:"ruleSet"`
	New     bool `json:"new"`
}

type sarifLocation struct {
	Physical sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI  string `json:"uri"`
	Base string `json:"uriBaseId,omitempty"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine,omitempty"`
	StartColumn int `json:"startColumn,omitempty"`
	ByteOffset  int `json:"byteOffset"`
	ByteLength  int `json:"byteLength"`
}

type sarifFix struct {
	Description sarifText     `json:"description"`
	Changes     []sarifChange `json:"artifactChanges"`
}

type sarifChange struct {
	Artifact     sarifArtifact      `json:"artifactLocation"`
	Replacements []sarifReplacement `json:"replacements"`
}

type sarifReplacement struct {
	Deleted  sarifRegion `json:"deletedRegion"`
	Inserted *sarifText  `json:"insertedContent,omitempty"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification"`
}

const home = "https://github.com/cordon-sec/cordon"

// WriteSARIF writes a report as SARIF 2.1.0. version is Cordon's own. Findings
// that a comment answers are in it, marked as suppressed.
func WriteSARIF(w io.Writer, p *app.App, r *lint.Report, version string) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "cordon", Version: version, InformationURI: home,
			Rules: []sarifRule{}}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
		Properties: sarifRunProperties{RuleSet: r.RuleSet},
	}
	taxa := newTaxa()
	index := make(map[string]int)
	add := func(f *lint.Finding) *sarifResult {
		if _, ok := index[f.Rule.ID]; !ok {
			index[f.Rule.ID] = len(run.Tool.Driver.Rules)
			rule := asSARIFRule(f.Rule, f.Rule.Since > r.RuleSet)
			rule.Relationships, rule.Properties.Tags = taxa.of(f.Rule, rule.Properties.Tags)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
		}
		result := asSARIF(p, f, index[f.Rule.ID])
		if r.IsNew(f) {
			result.Level, result.Properties = "note", &sarifNew{RuleSet: f.Set, New: true}
		}
		run.Results = append(run.Results, result)
		return &run.Results[len(run.Results)-1]
	}
	for i := range r.Findings {
		add(&r.Findings[i])
	}
	for i := range r.Suppressed {
		add(&r.Suppressed[i].Finding).Suppressions = []sarifSuppression{{Kind: "inSource",
			Justification: r.Suppressed[i].Reason}}
	}
	run.Invocations = invocations(p)
	run.Taxonomies, run.Tool.Driver.Supported = taxa.written()
	return encode(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{run}})
}

// invocations says what could not be established about what ships, nil for nothing.
func invocations(p *app.App) []sarifInvocation {
	doc := p.Ships()
	if doc == nil || len(doc.Unknowns()) == 0 {
		return nil
	}
	made := sarifInvocation{Successful: true}
	for _, u := range doc.Unknowns() {
		n := sarifNotification{Level: "warning", Message: sarifText{Text: "not known: " + u.What}}
		if !u.Place.IsZero() {
			n.Locations = []sarifLocation{{sarifPhysical{artifact(p.Shown(u.Place.File)), regionOf(p, u.Place)}}}
		}
		made.Notifications = append(made.Notifications, n)
	}
	return []sarifInvocation{made}
}

// securitySeverity is on GitHub's scale: over 9 critical, from 7 high, from 4
// medium, else low.
var securitySeverity = [...]string{lint.Info: "", lint.Low: "3.0", lint.Medium: "5.5", lint.High: "8.0",
	lint.Critical: "9.5"}

// asSARIFRule describes a rule; one that is new fails nothing.
func asSARIFRule(r *lint.Rule, isNew bool) sarifRule {
	properties := sarifProperties{Tags: []string{"security"}, RuleSet: r.Since}
	level := "note"
	if !isNew {
		properties.SecuritySeverity = securitySeverity[r.Severity]
		level = sarifLevel(r.Severity)
	}
	return sarifRule{
		ID:               r.ID,
		ShortDescription: sarifText{Text: r.Title},
		FullDescription:  sarifText{Text: r.Explanation},
		Help: sarifText{Text: r.Remedy,
			Markdown: r.Explanation + "\n\n**What an attacker gains:** " + r.Gain + "\n\n**Remedy:** " + r.Remedy},
		HelpURI:       home + "/blob/main/" + r.Doc(),
		Configuration: sarifConfiguration{Level: level},
		Properties:    properties,
	}
}

func sarifLevel(s lint.Severity) string {
	switch {
	case s >= lint.High:
		return "error"
	case s >= lint.Low:
		return "warning"
	}
	return "note"
}

func asSARIF(p *app.App, f *lint.Finding, rule int) sarifResult {
	message := f.Message
	if len(f.Targets) > 0 {
		message += " (on " + joinTargets(p, f.Targets) + ")"
	}
	result := sarifResult{
		RuleID: f.Rule.ID, RuleIndex: rule, Level: sarifLevel(f.Rule.Severity), Message: sarifText{Text: message},
		Locations:    []sarifLocation{{sarifPhysical{artifact(p.Shown(f.Place.File)), regionOf(p, f.Place)}}},
		Fingerprints: map[string]string{"cordon/v1": lint.Fingerprint(p, f)},
	}
	if f.Fix != nil {
		change := sarifChange{Artifact: artifact(p.Shown(f.Fix.File))}
		for _, e := range f.Fix.Edits {
			replacement := sarifReplacement{Deleted: sarifRegion{ByteOffset: e.Start, ByteLength: e.End - e.Start}}
			if e.New != "" {
				replacement.Inserted = &sarifText{Text: e.New}
			}
			change.Replacements = append(change.Replacements, replacement)
		}
		result.Fixes = []sarifFix{{Description: sarifText{Text: f.Fix.Summary}, Changes: []sarifChange{change}}}
	}
	return result
}

// artifact names a file: relative to the folder that was run in, or absolute.
func artifact(name string) sarifArtifact {
	if path.IsAbs(name) {
		return sarifArtifact{URI: (&url.URL{Scheme: "file", Path: name}).String()}
	}
	return sarifArtifact{URI: (&url.URL{Path: name}).EscapedPath(), Base: "%SRCROOT%"}
}

// regionOf counts columns in code points, as the run declares.
func regionOf(p *app.App, place policy.Place) sarifRegion {
	column := place.Column
	if data := p.Content(place.File); place.Start <= len(data) && place.Column-1 <= place.Start {
		column = 1 + utf8.RuneCount(data[place.Start-(place.Column-1):place.Start])
	}
	return sarifRegion{StartLine: place.Line, StartColumn: column, ByteOffset: place.Start,
		ByteLength: place.End - place.Start}
}
