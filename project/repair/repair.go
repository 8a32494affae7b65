// Package repair mends a project: it makes the edits that findings of
// policy/lint ask for, and proves of each that it lets nothing new in before it
// is made.
//
// Edits splice bytes: what is not edited stays as it is, byte for byte. Nothing
// is written here; the caller gets the files as they were read and as they
// should be. Run repairs until nothing is left to do, so that running it again
// changes nothing.
package repair

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/project"
)

// Options say what to repair.
type Options struct {
	// Config is the config.xml's name in the folder; "" looks for it.
	Config string
	// Targets are the targets for which nothing may widen, beside the strict
	// reading; none: those of the project.
	Targets []policy.Target
	// Rules are the ids of the rules to repair; none: all.
	Rules []string
	// Origins are origins that a recording of the app proposes, beside those
	// that its sources name, to take the place of a catch-all for requests.
	Origins []string
	// AllowWidening makes repairs also where they let something new in.
	AllowWidening bool
}

// Step is one repair that was made, or why it was not.
type Step struct {
	// Rule is the rule's id.
	Rule string
	// Place is where the finding stood when it was repaired.
	Place policy.Place
	// Summary says what the repair does.
	Summary string
	// Why says why the repair was not made; "" if it was.
	Why string
	// Notes are what a person should know about it.
	Notes []string
}

// Result is what Run found to do.
type Result struct {
	// Changes are the files that change, in order of their names.
	Changes []project.Change
	Done    []Step
	Left    []Step
}

// NavigationSplit is the id of a repair that no rule of lint asks for: pages
// that access entries opened up to Android 3 get their own allow-navigation.
const NavigationSplit = "navigation-split"

// RuleError reports an unknown rule.
type RuleError struct{ ID string }

// Error names the rule and where the rules are listed.
func (e *RuleError) Error() string {
	return fmt.Sprintf("unknown rule %q; docs/reference/rules.md lists them", e.ID)
}

// maxPasses bounds how often the project is looked at: a repair may show what
// another one hid.
const maxPasses = 12

// Run repairs the project in a folder.
func Run(fsys fs.FS, o Options) (*Result, error) {
	for _, id := range o.Rules {
		if _, known := lint.RuleByID(id); !known && id != NavigationSplit {
			return nil, &RuleError{id}
		}
	}
	w := &work{options: o, files: overlay{base: fsys, changed: map[string][]byte{}}, refused: map[string]bool{},
		originals: map[string][]byte{}, result: &Result{}}
	for range maxPasses {
		// What was refused before may do no harm after another repair.
		clear(w.refused)
		w.result.Left = nil
		changed, err := w.pass()
		if err != nil {
			return nil, err
		}
		if !changed {
			break
		}
	}
	w.collect()
	return w.result, nil
}

// Count returns how many of the findings of a project that was read from the folder
// Run repairs as they stand. What only shows once those are repaired is not among
// them.
func Count(fsys fs.FS, a *app.App, findings []lint.Finding) (int, error) {
	w := &work{files: overlay{base: fsys, changed: map[string][]byte{}}, refused: map[string]bool{}, project: a,
		originals: map[string][]byte{}, result: &Result{}}
	var err error
	if w.proof, err = newProof(a, &w.files); err != nil {
		return 0, err
	}
	for _, policies := range []bool{false, true} {
		var open []choice
		for i := range findings {
			if f := &findings[i]; policies == addsPolicy(f.Rule.ID) {
				open = w.append(open, w.candidates(f))
			}
		}
		if err := w.make(open, map[string][]configxml.Edit{}); err != nil {
			return 0, err
		}
	}
	return len(w.result.Done), nil
}

// work is the state of a run.
type work struct {
	options Options
	files   overlay
	project *app.App
	proof   *proof
	// refused are the candidates that were not made in this pass, by what they
	// would do.
	refused map[string]bool
	// originals are the changed files as they were read first.
	originals map[string][]byte
	result    *Result
}

// candidate is one way to repair a finding.
type candidate struct {
	rule    string
	place   policy.Place
	summary string
	file    string
	edits   []configxml.Edit
	// dead says that the repair removes what does nothing: it must not change
	// any decision at all.
	dead  bool
	notes []string
}

// key tells candidates apart from one pass to the next.
func (c *candidate) key(content []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\x00%s\x00%s", c.rule, c.file, c.summary)
	for _, e := range c.edits {
		fmt.Fprintf(&b, "\x00%s\x01%s", content[e.Start:e.End], e.New)
	}
	return b.String()
}

func (w *work) asked(rule string) bool {
	return len(w.options.Rules) == 0 || slices.Contains(w.options.Rules, rule)
}

// pass looks at the project once and makes what can be made together.
func (w *work) pass() (changed bool, err error) {
	w.project, err = project.Read(&w.files, project.Options{Config: w.options.Config, Targets: w.options.Targets})
	if err != nil {
		return false, err
	}
	report, err := lint.Check(w.project)
	if err != nil {
		return false, err
	}
	if w.proof, err = newProof(w.project, &w.files); err != nil {
		return false, err
	}
	made := map[string][]configxml.Edit{}
	if err := w.make(w.open(report.Findings, false), made); err != nil {
		return false, err
	}
	if len(made) == 0 {
		// A page's policy is made of the list as it will be.
		if err := w.make(w.open(report.Findings, true), made); err != nil {
			return false, err
		}
	}
	for name, edits := range made {
		data, err := w.spliced(name, edits)
		if err != nil {
			return false, err
		}
		if _, again := w.originals[name]; !again {
			w.originals[name] = w.content(name)
		}
		w.files.changed[name] = data
	}
	return len(made) > 0, nil
}

// open returns what is to be repaired: the policies that pages lack, or all
// else.
func (w *work) open(findings []lint.Finding, policies bool) []choice {
	var open []choice
	for i := range findings {
		if f := &findings[i]; w.asked(f.Rule.ID) && policies == addsPolicy(f.Rule.ID) {
			open = w.append(open, w.candidates(f))
		}
	}
	if w.asked(NavigationSplit) && !policies {
		open = w.append(open, w.navigationSplit())
	}
	return open
}

// choice is the ways to repair one finding, best first.
type choice []candidate

// append adds the candidates of one finding that were not refused before. No file
// outside of the folder is changed: others may share it.
func (w *work) append(open []choice, all []candidate) []choice {
	var left choice
	for _, c := range all {
		if fs.ValidPath(c.file) && !w.refused[c.key(w.project.Content(c.file))] {
			left = append(left, c)
		}
	}
	if len(left) == 0 {
		return open
	}
	return append(open, left)
}

// make makes what is open on top of what is made. It tries all at once; where
// that would widen, it tries halves, down to single candidates.
func (w *work) make(open []choice, made map[string][]configxml.Edit) error {
	var fitting []choice
	trial := copyEdits(made)
	for _, c := range open {
		if add(trial, &c[0]) {
			fitting = append(fitting, c)
		}
	}
	if len(fitting) == 0 {
		return nil
	}
	why, err := w.judge(trial, made, fitting)
	if err != nil {
		why = err.Error()
	}
	if why == "" {
		for name, edits := range trial {
			made[name] = edits
		}
		for _, c := range fitting {
			w.result.Done = append(w.result.Done, c[0].step(""))
		}
		return nil
	}
	if len(fitting) > 1 {
		half := len(fitting) / 2
		if err := w.make(fitting[:half], made); err != nil {
			return err
		}
		return w.make(fitting[half:], made)
	}
	refused := fitting[0][0]
	w.refused[refused.key(w.project.Content(refused.file))] = true
	if rest := fitting[0][1:]; len(rest) > 0 {
		return w.make([]choice{rest}, made)
	}
	w.result.Left = append(w.result.Left, refused.step(why))
	return nil
}

func (c *candidate) step(why string) Step {
	return Step{Rule: c.rule, Place: c.place, Summary: c.summary, Why: why, Notes: c.notes}
}

// judge says why a trial must not be made, or "".
func (w *work) judge(trial, made map[string][]configxml.Edit, fitting []choice) (string, error) {
	dead := true
	for _, c := range fitting {
		dead = dead && c[0].dead
	}
	for file, edits := range trial {
		if _, err := w.spliced(file, edits); err != nil {
			return "", err
		}
	}
	if w.project.Config == nil || len(trial[w.project.Config.Name()]) == len(made[w.project.Config.Name()]) {
		return "", nil
	}
	for _, c := range fitting {
		if c[0].dead != dead {
			return "the two kinds of repair are proved apart", nil
		}
	}
	name := w.project.Config.Name()
	before, err := w.spliced(name, made[name])
	if err != nil {
		return "", err
	}
	after, err := w.spliced(name, trial[name])
	if err != nil {
		return "", err
	}
	return w.proof.check(name, before, after, dead, w.options.AllowWidening)
}

// spliced returns a file with edits made.
func (w *work) spliced(name string, edits []configxml.Edit) ([]byte, error) {
	if w.project.Config != nil && name == w.project.Config.Name() {
		return w.project.Config.Apply(edits...)
	}
	data := w.content(name)
	if data == nil {
		return nil, fmt.Errorf("%s is not part of the project", name)
	}
	return configxml.Splice(data, edits...)
}

// content returns a file as it stands in the folder: what was read of JSON has blanks
// in place of a byte order mark.
func (w *work) content(name string) []byte {
	data := w.project.Content(name)
	if whole, err := fs.ReadFile(&w.files, name); err == nil && len(whole) == len(data) {
		return whole
	}
	return data
}

func copyEdits(made map[string][]configxml.Edit) map[string][]configxml.Edit {
	all := make(map[string][]configxml.Edit, len(made))
	for name, edits := range made {
		all[name] = slices.Clone(edits)
	}
	return all
}

// add adds a candidate's edits; false if one overlaps an edit that is there.
func add(all map[string][]configxml.Edit, c *candidate) bool {
	for _, e := range c.edits {
		for _, other := range all[c.file] {
			overlaps := e.Start < other.End && other.Start < e.End
			if overlaps || e.Start == other.Start && (e.Start == e.End || other.Start == other.End) {
				return false
			}
		}
	}
	all[c.file] = append(all[c.file], c.edits...)
	return true
}

// collect lists the changed files, with what they held when they were read.
func (w *work) collect() {
	for name, data := range w.files.changed {
		if old := w.originals[name]; !bytes.Equal(old, data) {
			w.result.Changes = append(w.result.Changes, project.Change{Name: name, Old: old, New: data})
		}
	}
	slices.SortFunc(w.result.Changes, func(a, b project.Change) int { return strings.Compare(a.Name, b.Name) })
}
