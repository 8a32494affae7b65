package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/project/artifact"
	"github.com/cordon-sec/cordon/project/folder"
	"github.com/cordon-sec/cordon/project/repair"
	"github.com/spf13/cobra"
)

// fixOptions are the flags of cordon fix.
type fixOptions struct {
	rules         []string
	platforms     []string
	har           []string
	dryRun        bool
	allowWidening bool
	undo          bool
}

func newFixCommand() *cobra.Command {
	var o fixOptions
	cmd := &cobra.Command{
		Use:   "fix [flags] [PATH]",
		Short: "Repair what cordon check finds, without letting anything new in",
		Long: `Fix repairs what cordon check finds, shows each change as a diff, and writes it.
PATH is the project's folder or a config.xml; the current folder without it.

Edits splice bytes: comments, spacing and line ends stay as they are. Before a
repair of the list is made, it is proved for every platform of the project, and for
the strict reading, that it lets nothing new in; a repair that would is left out and
reported with an example (--allow-widening makes it all the same). Running fix again
changes nothing. A file that changed in the meantime is not written.

What a run changes is kept in .cordon/ of the project's folder, for one run. With
--undo the last run is taken back: each file that is still as the run left it becomes
what it was; one that has changed since is left and named.

docs/guide/fix.md says which rules have a repair. Beside them there is
navigation-split: pages that access entries opened up to Android 3 get an
allow-navigation of their own.

Exit status: 0 if all repairs that were asked for are made or none is needed, also
when some findings have no repair; 2 if the project cannot be read, a file changed
underneath, or --undo left a file or found no run; 3 if it cannot be written.`,
		Example: `  cordon fix --dry-run
  cordon fix --rule duplicate-rule,shadowed-rule ./app
  cordon fix --platform android@9,ios@8 config.xml
  cordon fix --undo`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "."
			if len(args) > 0 {
				path = args[0]
			}
			return o.run(cmd, path)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.rules, "rule", nil, "repair only what these rules find; repeat or separate with commas")
	flags.StringSliceVarP(&o.platforms, "platform", "p",
		nil, "target for which nothing may widen, platform[@version[/system]]; repeat or separate with commas "+
			"(default: the project's own)")
	flags.StringArrayVar(&o.har, "har", nil,
		"take the hosts of this HAR file too where a catch-all for requests is replaced; may be repeated")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show the changes and write nothing")
	flags.BoolVar(&o.undo, "undo", false, "take the last run back")
	flags.BoolVar(&o.allowWidening, "allow-widening", false, "make repairs also where they let something new in")
	for _, other := range []string{"rule", "platform", "har", "allow-widening"} {
		cmd.MarkFlagsMutuallyExclusive("undo", other)
	}
	return cmd
}

func (o *fixOptions) run(cmd *cobra.Command, path string) error {
	targets, err := parseTargets(o.platforms)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return wording.FileError(path, err)
	}
	dir := path
	if !info.IsDir() {
		dir = filepath.Dir(path)
		if artifact.IsPackage(path) {
			return fmt.Errorf("%s is a package, which is not repaired: repair the project that it is built from, and "+
				"build it again", path)
		}
	}
	if o.undo {
		return o.takeBack(cmd, dir)
	}
	options := repair.Options{Targets: targets, Rules: o.rules, AllowWidening: o.allowWidening}
	for _, name := range o.har {
		seen, err := readHAR(name)
		if err != nil {
			return err
		}
		for _, p := range propose.List(seen) {
			if !slices.Contains(options.Origins, p.Line.Origin) {
				options.Origins = append(options.Origins, p.Line.Origin)
			}
		}
	}
	if !info.IsDir() {
		options.Config = filepath.Base(path)
	}
	result, err := repair.Run(folder.FS(dir), options)
	var unknown *repair.RuleError
	if errors.As(err, &unknown) {
		return fmt.Errorf("--rule: %w", err)
	}
	if err != nil {
		return folder.Error(path, err)
	}
	if _, err := showChanges(cmd.OutOrStdout(), result.Changes); err != nil {
		return err
	}
	if !o.dryRun {
		if err := folder.Remember(dir, result.Changes); err != nil {
			return environment(err)
		}
		if err := writeChanges(dir, result.Changes); err != nil {
			return err
		}
	}
	return o.report(cmd.ErrOrStderr(), result)
}

// takeBack takes the last run back.
func (o *fixOptions) takeBack(cmd *cobra.Command, dir string) error {
	last, err := folder.LastRun(dir)
	if err != nil {
		return err
	}
	if _, err := showChanges(cmd.OutOrStdout(), last.Changes); err != nil {
		return err
	}
	did := "to be taken back"
	if !o.dryRun {
		did = "taken back"
		if err := writeChanges(dir, last.Changes); err != nil {
			return err
		}
		if err := last.Forget(); err != nil {
			return environment(err)
		}
	}
	if _, err := fmt.Fprintf(cmd.ErrOrStderr(), "%d %s %s\n", len(last.Changes),
		wording.Plural(len(last.Changes), "file", "files"), did); err != nil {
		return environment(fmt.Errorf("write the report: %w", err))
	}
	if len(last.Changed) > 0 {
		return fmt.Errorf("left as %s: %s changed after the last run; take that back by hand",
			wording.Plural(len(last.Changed), "it is", "they are"), wording.Join(last.Changed))
	}
	return nil
}

// report says on standard error what was done and what was not.
func (o *fixOptions) report(w io.Writer, result *repair.Result) error {
	for _, step := range result.Done {
		fmt.Fprintf(w, "%s: %s: %s\n", step.Place, step.Rule, step.Summary)
		for _, note := range step.Notes {
			fmt.Fprintf(w, "    note: %s\n", wording.Printable(note))
		}
	}
	for _, step := range result.Left {
		fmt.Fprintf(w, "%s: %s: left: %s: %s\n", step.Place, step.Rule, step.Summary, step.Why)
	}
	did := "written"
	if o.dryRun {
		did = "to be written"
	}
	if _, err := fmt.Fprintf(w, "%d repairs in %d files %s, %d left\n", len(result.Done), len(result.Changes), did,
		len(result.Left)); err != nil {
		return environment(fmt.Errorf("write the report: %w", err))
	}
	return nil
}
