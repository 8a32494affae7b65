package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
	"github.com/cordon-sec/cordon/project"
	"github.com/spf13/cobra"
)

// diffOptions are the flags of cordon diff.
type diffOptions struct {
	platforms []string
	kinds     []string
	from, to  string
	between   []string
	versions  string
	failOn    []string
	format    string
	limit     int
}

func newDiffCommand() *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff [flags] OLD NEW | FILE --between A,B | FILE --versions PLATFORM",
		Short: "Say what a change of the list newly lets in, with an example of each",
		Long: `Diff compares what two config.xml files decide, not their lines: what is newly
allowed, launched, blocked or no longer asked about, on which platforms and for
which kinds of request, each with a URL that both sides were asked about and the
rules that decide it.

OLD and NEW are files, project folders, or files in Git as REVISION:PATH. Without
--platform the platforms of both projects are compared, and the strict reading
("cordon"); where NEW names another version of a platform, each side is read by
its own. So it is where --platform, --from, --to or --between name a platform without
a version.

  --from A --to B      read OLD as A and NEW as B: what a migration kept
  --between A,B        where platforms disagree about the same file
  --versions PLATFORM  what each new version of a platform changes for the file

Exit status: 0, or 1 if a change is among those of --fail-on; 2 if a side cannot
be read. If a comparison had to be given up, --fail-on is met: what is missing
may be what it asks for.`,
		Example: `  cordon diff HEAD:config.xml config.xml --fail-on widened
  cordon diff old/ new/ --platform android@9,ios@8 --format markdown
  cordon diff config.xml --between android@15,ios@8
  cordon diff config.xml --versions android --kind xhr`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.platforms, "platform", "p", nil,
		"target to compare, platform[@version[/system]]; repeat or separate with commas (default: the projects' own)")
	flags.StringSliceVarP(&o.kinds, "kind", "k", nil, "kind of request (default: all): "+kindList())
	flags.StringVar(&o.from, "from", "", "read OLD as this target; with --to")
	flags.StringVar(&o.to, "to", "", "read NEW as this target; with --from")
	flags.StringSliceVar(&o.between, "between", nil, "compare these targets with the first of them, for one file")
	flags.StringVar(&o.versions, "versions", "", "walk through the versions of this platform, for one file")
	flags.StringSliceVar(&o.failOn, "fail-on", nil, "exit with 1 on: "+strings.Join(failWords, ", "))
	flags.StringVarP(&o.format, "format", "f", "text",
		"text, json, markdown (a pull request's comment), or github (workflow annotations)")
	flags.IntVar(&o.limit, "limit", 10, "how many examples text and markdown show under one heading, 0 for all")
	return cmd
}

// failWords are what --fail-on takes.
var failWords = []string{"widened", "narrowed", "changed", "allowed", "bypassed", "launched", "blocked", "undecided"}

func (o *diffOptions) run(cmd *cobra.Command, args []string) error {
	if err := output.CheckFormat(o.format, "text", "json", "markdown", "github"); err != nil {
		return err
	}
	write := diffFormats[o.format]
	for _, word := range o.failOn {
		if !slices.Contains(failWords, word) {
			return fmt.Errorf("unknown word %q in --fail-on (known: %s)", word, strings.Join(failWords, ", "))
		}
	}
	kinds, err := parseKindNames(o.kinds)
	if err != nil {
		return err
	}
	sections, err := o.compare(cmd, args, diff.Options{Kinds: kinds})
	if err != nil {
		return err
	}
	if err := write(cmd.OutOrStdout(), sections); err != nil {
		return environment(fmt.Errorf("write the report: %w", err))
	}
	for _, s := range sections {
		if o.fails(s) {
			return found()
		}
	}
	return nil
}

var diffFormats = map[string]func(io.Writer, []diff.Section) error{
	"text": diff.WriteText, "json": diff.WriteJSON, "markdown": diff.WriteMarkdown, "github": diff.WriteGitHub,
}

func parseKindNames(names []string) ([]policy.Kind, error) {
	var kinds []policy.Kind
	for _, name := range names {
		kind, err := policy.ParseKind(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// compare makes the comparisons that the flags ask for.
func (o *diffOptions) compare(cmd *cobra.Command, args []string, options diff.Options) ([]diff.Section, error) {
	alone := len(o.between) > 0 || o.versions != ""
	switch {
	case len(o.between) > 0 && o.versions != "":
		return nil, errors.New("--between and --versions ask different questions: give one of them")
	case alone && len(args) != 1:
		return nil, errors.New("--between and --versions are about one file")
	case (o.from == "") != (o.to == ""):
		return nil, errors.New("--from and --to go together")
	case (alone || o.from != "") && len(o.platforms) > 0, alone && o.from != "":
		return nil,
			errors.New("--platform, --from with --to, --between and --versions each name the targets: give one of them")
	case !alone && len(args) != 2:
		return nil, errors.New("name two files to compare, or one with --between or --versions")
	}
	first, err := openSide(cmd.Context(), args[0])
	if err != nil {
		return nil, err
	}
	switch {
	case len(o.between) > 0:
		return o.acrossPlatforms(first, options)
	case o.versions != "":
		return o.acrossVersions(first, options)
	}
	second, err := openSide(cmd.Context(), args[1])
	if err != nil {
		return nil, err
	}
	return o.acrossFiles(first, second, options)
}

func (o *diffOptions) acrossFiles(older, newer side, options diff.Options) ([]diff.Section, error) {
	steps, err := o.targets(older, newer)
	if err != nil {
		return nil, err
	}
	var pairs []diff.Pair
	for _, step := range steps {
		pair, err := diff.Compile(older.doc, step[0], newer.doc, step[1])
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	view := o.view(older.name+" -> "+newer.name, pairs, older, newer)
	return []diff.Section{{Report: diff.Compare(pairs, options), View: view}}, nil
}

// view is how a comparison is shown: with what could not be established about the sides
// on the platforms that are compared, and which of their versions are assumed.
func (o *diffOptions) view(title string, pairs []diff.Pair, older, newer side) diff.View {
	v := diff.View{Title: title, Limit: o.limit}
	add := func(s side, t policy.Target) {
		if s.app.Assumes(t) && !slices.Contains(v.Assumed, t) {
			v.Assumed = append(v.Assumed, t)
		}
		for _, u := range dialect.Unknown(s.doc, t.Platform) {
			n := diff.Note{Side: s.name, What: u.What, Place: u.Place}
			if !slices.Contains(v.Notes, n) {
				v.Notes = append(v.Notes, n)
			}
		}
	}
	for _, pair := range pairs {
		add(older, pair.Old.Target())
		add(newer, pair.New.Target())
	}
	return v
}

// targets pairs the targets of two projects by platform.
func (o *diffOptions) targets(older, newer side) ([][2]policy.Target, error) {
	if o.from != "" {
		from, err := older.own([]string{o.from})
		if err != nil {
			return nil, err
		}
		to, err := newer.own([]string{o.to})
		if err != nil {
			return nil, err
		}
		return [][2]policy.Target{{from[0], to[0]}}, nil
	}
	var steps [][2]policy.Target
	for _, name := range o.platforms {
		from, err := older.own([]string{name})
		if err != nil {
			return nil, err
		}
		to, err := newer.own([]string{name})
		if err != nil {
			return nil, err
		}
		steps = append(steps, [2]policy.Target{from[0], to[0]})
	}
	if len(steps) > 0 {
		return steps, nil
	}
	before, err := parseTargets(older.targets)
	if err != nil {
		return nil, err
	}
	after, err := parseTargets(newer.targets)
	if err != nil {
		return nil, err
	}
	strict := policy.Target{Platform: dialect.Strict}
	steps = [][2]policy.Target{{strict, strict}}
	known := map[string]bool{dialect.Strict: true}
	for _, t := range after {
		from := t
		if i := slices.IndexFunc(before, func(b policy.Target) bool { return b.Platform == t.Platform }); i >= 0 {
			from = before[i]
		}
		if !known[t.Platform] {
			steps = append(steps, [2]policy.Target{from, t})
		}
		known[t.Platform] = true
	}
	for _, t := range before {
		if !known[t.Platform] {
			steps = append(steps, [2]policy.Target{t, t})
		}
		known[t.Platform] = true
	}
	return steps, nil
}

func (o *diffOptions) acrossPlatforms(file side, options diff.Options) ([]diff.Section, error) {
	targets, err := file.own(o.between)
	if err != nil {
		return nil, err
	}
	if len(targets) < 2 {
		return nil, errors.New("--between needs two targets, such as android@15,ios@8")
	}
	var pairs []diff.Pair
	for _, t := range targets[1:] {
		pair, err := diff.Compile(file.doc, targets[0], file.doc, t)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	view := o.view(file.name+" on "+strings.Join(targetNames(targets), ", "), pairs, file, file)
	view.Sides = true
	return []diff.Section{{Report: diff.Compare(pairs, options), View: view}}, nil
}

func (o *diffOptions) acrossVersions(file side, options diff.Options) ([]diff.Section, error) {
	platform, ok := dialect.Lookup(o.versions)
	if !ok {
		_, err := dialect.ParseTarget(o.versions)
		return nil, err
	}
	if len(platform.Breaks) == 0 {
		return nil, fmt.Errorf("%s has no versions to walk through", platform.Name)
	}
	var sections []diff.Section
	steps := diff.Versions(platform)
	for i := 1; i < len(steps); i++ {
		pair, err := diff.Compile(file.doc, steps[i-1], file.doc, steps[i])
		if err != nil {
			return nil, err
		}
		title := fmt.Sprintf("%s from %s to %s: %s", file.name, steps[i-1], steps[i], platform.Breaks[i].Change)
		pairs := []diff.Pair{pair}
		sections = append(sections, diff.Section{
			Report: diff.Compare(pairs, options), View: o.view(title, pairs, file, file),
		})
	}
	if len(sections) == 0 {
		return nil, fmt.Errorf("%s decides alike in all of its versions", platform.Name)
	}
	return sections, nil
}

// fails reports whether a report has what --fail-on names.
func (o *diffOptions) fails(s diff.Section) bool {
	r := s.Report
	asked := func(word string) bool { return slices.Contains(o.failOn, word) }
	if len(o.failOn) > 0 && r.Exhausted() || asked("undecided") && len(r.Doubts)+len(s.View.Notes) > 0 {
		return true
	}
	return slices.ContainsFunc(r.Lines, func(l diff.Line) bool {
		return asked("changed") || asked(l.Change.String()) || asked("widened") && l.Widens() ||
			asked("narrowed") && diff.Narrows(l.Old.Verdict, l.New.Verdict)
	})
}

// own reads targets as a person names them; a platform alone has the side's own version.
func (s side) own(names []string) ([]policy.Target, error) {
	asked, err := parseTargets(names)
	if err != nil {
		return nil, err
	}
	list, _ := project.Own(asked, s.app.Targets, s.app.Assumed)
	return list, nil
}

// side is one of the files that are compared.
type side struct {
	name string
	app  *app.App
	// doc is what ships.
	doc     *configxml.Document
	targets []string
}
