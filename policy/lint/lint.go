// Package lint says what is wrong with a project's policy: with the list in
// its config.xml, with the Content-Security-Policy of its pages, with its
// native settings and plugins, and with what its own scripts do.
//
// [Check] runs every rule of one table over an [app.App], which package project
// fills, and returns [Finding]s: stable in id and order, each with its place,
// and where it is safe with a [Fix]. A fix never widens what the app may
// reach.
//
// Rules reason through the engine: they ask the compiled policies of the
// project's targets, and of the strict reading, rather than read patterns
// again. Does this entry, as this version reads it, cover a host that nobody
// lists, or http://HOST.evil.test/? Which flaw did the dialect note? The text
// of an entry is read only where it is the subject: a public suffix, an
// address, mixed scripts. So a finding names the targets for which it is true,
// and a new version of a platform changes findings without a change in the
// rules. A project that names no platform is looked at as current Android and
// iOS.
//
// The package is pure, and its functions are safe for concurrent use on
// different projects.
package lint

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/pattern"
	"github.com/cordon-sec/cordon/policy/script"
)

// Severity says how much a finding matters.
type Severity uint8

// The severities. Info is worth knowing and fails nothing by default.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// String returns info, low, medium, high or critical.
func (s Severity) String() string {
	if int(s) < len(severityNames) {
		return severityNames[s]
	}
	return "invalid-severity"
}

// ParseSeverity returns the severity of that name.
func ParseSeverity(name string) (Severity, error) {
	for i, each := range severityNames {
		if each == name {
			return Severity(i), nil
		}
	}
	return Info, fmt.Errorf("unknown severity %q (known: %s)", name, strings.Join(severityNames[:], ", "))
}

// Finding is one thing that a rule has to say.
type Finding struct {
	Rule *Rule
	// Set is the rule set from which on it is found: the rule's, or a later one.
	Set int
	// Place is where the finding stands.
	Place policy.Place
	// Message says what is wrong here, in one sentence.
	Message string
	// Targets are the targets that the finding is about; empty for all.
	Targets []policy.Target
	// Secret says that the bytes at Place must not be printed.
	Secret bool
	// Witness shows that the finding is true where it says what the list lets
	// in; nil where it says something else.
	Witness *Witness
	// Fix repairs it, or is nil.
	Fix *Fix
}

// Fix is an edit of one file that removes a finding. It never widens what the
// app may reach.
type Fix struct {
	// File is the file's name in the project.
	File string
	// Edits are to be applied with configxml.Splice to the file's bytes.
	Edits []configxml.Edit
	// Summary says what the edit does.
	Summary string
}

// Suppressed is a finding that a comment in config.xml answers.
type Suppressed struct {
	Finding
	// Reason is the comment's reason.
	Reason string
}

// Report is the result of Check.
type Report struct {
	// Findings are ordered by file, offset and rule id.
	Findings []Finding
	// Suppressed are the findings that a comment answers, in the same order.
	Suppressed []Suppressed
	// Targets are the targets that were looked at.
	Targets []policy.Target
	// RuleSet is the chosen rule set. Findings of newer ones are new (IsNew). Check
	// chooses CurrentSet.
	RuleSet int
}

// Check runs all rules over a project. It fails only if a target cannot be
// compiled.
func Check(p *app.App) (*Report, error) { return CheckContext(context.Background(), p) }

// CheckContext is Check for lists of a million entries: it stops between two
// rules, with the context's error, once the context ends.
func CheckContext(ctx context.Context, p *app.App) (*Report, error) {
	r, err := newRun(ctx, p)
	if err != nil {
		return nil, err
	}
	for i := range rules {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.rule = &rules[i]
		if r.rule.check != nil {
			r.rule.check(r)
		}
	}
	report := &Report{Targets: p.Targets, RuleSet: CurrentSet}
	r.suppress(report)
	sortFindings(report.Findings)
	sort.SliceStable(report.Suppressed, func(i, j int) bool {
		return before(&report.Suppressed[i].Finding, &report.Suppressed[j].Finding)
	})
	return report, nil
}

func sortFindings(list []Finding) {
	sort.SliceStable(list, func(i, j int) bool { return before(&list[i], &list[j]) })
}

func before(a, b *Finding) bool {
	if a.Place.File != b.Place.File {
		return a.Place.File < b.Place.File
	}
	if a.Place.Start != b.Place.Start {
		return a.Place.Start < b.Place.Start
	}
	if a.Rule.ID != b.Rule.ID {
		return a.Rule.ID < b.Rule.ID
	}
	return a.Message < b.Message
}

// run is one pass over a project.
type run struct {
	project  *app.App
	targets  []*reading // the project's targets
	strict   *reading   // the strict reading
	readings []*reading // the targets, then the strict reading
	entries  []*entry   // the list's elements, in file order, then those that other files add
	own      int        // how many of the entries stand in config.xml
	rule     *Rule      // the rule that is running
	// ofCapacitor is what capacitorReadings returns, once readCapacitor is set.
	ofCapacitor   []*reading
	readCapacitor bool
	findings      []Finding
	plugins       []plugin
	sources       []*script.Source
	usedURLs      []usedURL
	lines         map[string][]int // where the lines of a file begin
	said          map[string]bool  // what was said about native files, see told
}

// reading is the list as one target reads it.
type reading struct {
	target policy.Target
	policy *policy.Policy
	rules  [][]*policy.Rule // what each entry became, by its index
	probes [2]pattern.URL   // webProbes, taken apart
	own    dialect.AppOrigin
	// findsElsewhere says that it finds a host in the middle of another one's URL.
	findsElsewhere bool
}

func newRun(ctx context.Context, p *app.App) (*run, error) {
	r := &run{project: p}
	r.plugins = findPlugins(p)
	r.sources = script.Read(p)
	r.usedURLs = r.findURLs()
	if p.Config == nil {
		return r, nil
	}
	r.entries, r.own = findEntries(p.Config, p.Ships())
	strict, err := r.read(policy.Target{Platform: dialect.Strict})
	if err != nil {
		return nil, err
	}
	r.strict = strict
	for _, target := range p.Targets {
		if target.Platform == dialect.Strict {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		reading, err := r.read(target)
		if err != nil {
			return nil, err
		}
		r.targets = append(r.targets, reading)
	}
	r.readings = append(slices.Clone(r.targets), strict)
	return r, nil
}

// read compiles the list for a target and says which rules each entry became.
func (r *run) read(target policy.Target) (*reading, error) {
	compiled, err := dialect.Compile(r.project.Ships(), target)
	if err != nil {
		return nil, err
	}
	reading := &reading{target: compiled.Target(), policy: compiled, rules: make([][]*policy.Rule, len(r.entries)),
		own: dialect.OwnOrigin(r.project.Ships(), compiled.Target())}
	for i, probe := range webProbes {
		reading.probes[i] = compiled.Split(probe)
	}
	reading.findsElsewhere = reading.looksElsewhere()
	r.assign(reading)
	return reading, nil
}

// assign gives each entry the rules that it became, mostly one. Rules stand in
// file order, so that the entry of one is mostly the next after the last one's.
func (r *run) assign(rd *reading) {
	all, next := rd.policy.Rules(), 0
	single := make([]*policy.Rule, len(all))
	for i := range all {
		rule := &all[i]
		if rule.Implicit() {
			continue
		}
		e := r.ownAt(next, rule.Place)
		if e == nil {
			e = r.entryAt(rule)
		}
		if e == nil {
			continue
		}
		next = e.index + 1
		if rd.rules[e.index] == nil {
			single[i] = rule
			rd.rules[e.index] = single[i : i+1 : i+1]
		} else {
			rd.rules[e.index] = append(rd.rules[e.index], rule)
		}
	}
}

// entryAt returns the entry that a rule was made from. Those that a plugin is known
// to add stand at one place, where it is named: their text tells them apart.
func (r *run) entryAt(rule *policy.Rule) *entry {
	place := rule.Place
	own := r.entries[:r.own] // sorted by their offsets
	i := sort.Search(len(own), func(i int) bool { return own[i].element.End > place.Start })
	if e := r.ownAt(i, place); e != nil {
		return e
	}
	for _, e := range r.entries[r.own:] { // of plugins, which have few
		if e.element.Start == place.Start && e.element.Document().Name() == place.File && e.text == rule.Text {
			return e
		}
	}
	return nil
}

// ownAt returns the entry of config.xml with that number if the place is in its
// element, or nil.
func (r *run) ownAt(i int, place policy.Place) *entry {
	if i >= r.own || place.File != r.project.Config.Name() {
		return nil
	}
	if e := r.entries[i]; e.element.Start <= place.Start && place.Start < e.element.End {
		return e
	}
	return nil
}

// all returns the project's targets and the strict reading.
func (r *run) all() []*reading { return r.readings }

// option changes a finding that is being reported.
type option func(*Finding)

// on limits a finding to targets. The strict reading is not named: it is no
// platform that an app ships to.
func on(readings []*reading) option {
	return func(f *Finding) {
		for _, each := range readings {
			if each.target.Platform != dialect.Strict {
				f.Targets = append(f.Targets, each.target)
			}
		}
	}
}

// fixed attaches a fix of config.xml.
func (r *run) fixed(summary string, edits ...configxml.Edit) option {
	return func(f *Finding) {
		f.Fix = &Fix{File: r.project.Config.Name(), Edits: edits, Summary: summary}
	}
}

// secret keeps the bytes from being printed.
func secret(f *Finding) { f.Secret = true }

// report adds a finding of the running rule.
func (r *run) report(place policy.Place, options []option, format string, args ...any) {
	f := Finding{Rule: r.rule, Set: r.rule.Since, Place: place, Message: withoutPassword(fmt.Sprintf(format, args...))}
	for _, change := range options {
		change(&f)
	}
	if f.Fix != nil && f.Fix.File != place.File {
		f.Fix = nil // what a plugin brings is not ours to edit
	}
	r.findings = append(r.findings, f)
}

// at returns the place of an element's start tag.
func (r *run) at(e *configxml.Element) policy.Place {
	return e.Place()
}

// atValue returns the place of the value of an element's attribute.
func (r *run) atValue(e *configxml.Element, a configxml.Attr) policy.Place {
	return e.Document().Place(a.ValueStart, a.ValueEnd)
}

// placeIn returns the place of a span. A bundle may have many findings, so the
// lines of each file are counted once.
func (r *run) placeIn(f *app.File, s app.Span) policy.Place {
	starts, ok := r.lines[f.Name]
	if !ok {
		starts = []int{0}
		for i, c := range f.Data {
			if c == '\n' {
				starts = append(starts, i+1)
			}
		}
		if r.lines == nil {
			r.lines = make(map[string][]int)
		}
		r.lines[f.Name] = starts
	}
	line := sort.SearchInts(starts, s.Start+1)
	return policy.Place{File: f.Name, Line: line, Column: s.Start - starts[line-1] + 1, Start: s.Start, End: s.End}
}

// names joins targets for a message: "android@15.1.0 and ios@8.1.1".
func names(readings []*reading) string {
	list := make([]string, len(readings))
	for i, each := range readings {
		list[i] = each.target.String()
		if each.target.Platform == dialect.Strict {
			list[i] = "the strict reading"
		}
	}
	return wording.Join(list)
}
