// Package answer answers what the Cordova plugin asks: what is wrong with a
// project, and what its policy changes in the prepared platforms. Questions and answers are JSON, files come as a
// [Folder], so that the same code runs inside WebAssembly and in tests.
//
// The package is pure: it opens nothing and reads no clock.
package answer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/policy/pins"
	"github.com/cordon-sec/cordon/project"
)

// Question is what a hook may ask along with the files. What it leaves out the
// project's preferences say, see [Preferences].
type Question struct {
	// FailOn is the lowest severity that stops the build, "never" for none.
	FailOn string `json:"failOn"`
	// Platforms are targets to look at; none: the project's own.
	Platforms []string `json:"platforms"`
	// Build is "debug" or "release" where that is certain, else "".
	Build string `json:"build"`
	// Folders are where Capacitor keeps its platforms ("android", "ios"), from the
	// project's folder on: the files are named so. Without it the configuration says it.
	Folders map[string]string `json:"folders"`
	// Now is the time in seconds since 1970, for what expires.
	Now int64 `json:"now"`
}

// time is Now, zero if it was not given.
func (q *Question) time() time.Time {
	if q.Now == 0 {
		return time.Time{}
	}
	return time.Unix(q.Now, 0).UTC()
}

// Finding is one finding of a check.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity string   `json:"severity"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	Message  string   `json:"message"`
	Remedy   string   `json:"remedy"`
	Targets  []string `json:"targets,omitempty"`
	// Stops says that the finding is at or above FailOn.
	Stops bool `json:"stops"`
}

// Checked is the answer of Check.
type Checked struct {
	Findings []Finding `json:"findings"`
	// Suppressed is how many findings a comment answers.
	Suppressed int `json:"suppressed"`
	// Targets are the targets that were looked at.
	Targets []string `json:"targets"`
}

// errNoPolicy is a project without a config.xml. Capacitor needs none, and its own
// configuration says nothing about what pages may ask for.
var errNoPolicy = errors.New("there is no config.xml in the project's folder: it lists the hosts that the app may " +
	"reach, and without it no page gets a policy; make one with: cordon init")

// Check looks at a project as cordon check does. A config.xml that cannot be
// read is a finding, too: it stops the build. Without one there is no policy to make
// true, which is an error.
func Check(files fs.FS, q Question) (Checked, error) {
	var targets []policy.Target
	for _, name := range q.Platforms {
		target, err := dialect.ParseTarget(name)
		if err != nil {
			return Checked{}, err
		}
		targets = append(targets, target)
	}
	read, err := project.Read(files, project.Options{Targets: targets, Now: q.time(), Folders: q.Folders})
	var syntax *configxml.SyntaxError
	if errors.As(err, &syntax) {
		return Checked{Findings: []Finding{{
			Rule: "config-not-read", Severity: lint.High.String(), File: syntax.Place.File, Line: syntax.Place.Line,
			Column: syntax.Place.Column, Message: syntax.Msg, Remedy: syntax.Remedy, Stops: true,
		}}, Targets: []string{}}, nil
	}
	if err = noPolicy(read, err); err != nil {
		return Checked{}, err
	}
	stops, err := threshold(q.FailOn, read.Config)
	if err != nil {
		return Checked{}, err
	}
	report, err := lint.Check(read)
	if err != nil {
		return Checked{}, err
	}
	if report.RuleSet, err = ruleSet(read.Config); err != nil {
		return Checked{}, err
	}
	out := Checked{Findings: []Finding{}, Suppressed: len(report.Suppressed), Targets: names(report.Targets)}
	for i := range report.Findings {
		f := &report.Findings[i]
		out.Findings = append(out.Findings, Finding{
			Rule: f.Rule.ID, Severity: f.Rule.Severity.String(), File: f.Place.File, Line: f.Place.Line,
			Column: f.Place.Column, Message: f.Message, Remedy: f.Rule.Remedy, Targets: names(f.Targets),
			Stops: stops(f.Rule.Severity) && !report.IsNew(f),
		})
	}
	return out, nil
}

// noPolicy is the error of reading a project, or errNoPolicy for one without a list.
func noPolicy(read *app.App, err error) error {
	var missing *project.NotFoundError
	if errors.As(err, &missing) || err == nil && read.Config == nil {
		return errNoPolicy
	}
	return err
}

// ruleSet is the rule set that the preference chooses, else this release's.
func ruleSet(config *configxml.Document) (int, error) {
	text := ReadPreferences(config, "").Rules
	if text == "" {
		return lint.CurrentSet, nil
	}
	set, err := strconv.Atoi(text)
	if err == nil {
		err = lint.CheckSet(set)
	}
	if err != nil {
		return 0, fmt.Errorf(
			"the preference %s: it must be a rule set from 1 to %d: %w",
			prefRules,
			lint.LatestSet,
			err,
		)
	}
	return set, nil
}

// threshold says which severities stop the build: what was asked for, else the
// preference, else high.
func threshold(name string, config *configxml.Document) (func(lint.Severity) bool, error) {
	if name == "" {
		name = ReadPreferences(config, "").FailOn
	}
	if name == "never" {
		return func(lint.Severity) bool { return false }, nil
	}
	lowest, err := lint.ParseSeverity(name)
	if err != nil {
		return nil, fmt.Errorf("the preference %s: %w, or never", prefFailOn, err)
	}
	return func(s lint.Severity) bool { return s >= lowest }, nil
}

func names(targets []policy.Target) []string {
	list := make([]string, len(targets))
	for i, t := range targets {
		list[i] = t.String()
	}
	return list
}

// Failure is the answer where there is none: what went wrong, and where.
type Failure struct {
	Error string `json:"error"`
	File  string `json:"file,omitempty"`
	Line  int    `json:"line,omitempty"`
}

// Encode writes an answer, or the error in its place, as JSON.
func Encode(value any, err error) []byte {
	if err != nil {
		value = failure(err)
	}
	data, failed := json.Marshal(value)
	if failed != nil {
		data, _ = json.Marshal(Failure{Error: "the answer cannot be written: " + failed.Error()})
	}
	return data
}

func failure(err error) Failure {
	f := Failure{Error: err.Error()}
	var (
		syntax  *configxml.SyntaxError
		problem *pins.Problem
		owned   *project.OwnedError
	)
	switch {
	case errors.As(err, &syntax):
		f.File, f.Line = syntax.Place.File, syntax.Place.Line
	case errors.As(err, &owned):
		f.Error = fmt.Sprintf("%s: %s was not written by this plugin; move what it says into config.xml, take the "+
			"format out of the preference %s, or replace it with <preference name=%q value=\"true\" />",
			owned.Name, owned.What, prefExports, prefForce)
	case errors.As(err, &problem):
		f.File, f.Line = problem.Place.File, problem.Place.Line
		if problem.File != "" {
			f.File = problem.File
		}
	}
	return f
}
