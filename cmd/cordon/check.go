package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/policy/lint/report"
	"github.com/cordon-sec/cordon/project/folder"
	"github.com/cordon-sec/cordon/project/repair"
	"github.com/cordon-sec/cordon/survey"
)

// checkOptions are the flags of cordon check.
type checkOptions struct {
	format        string
	failOn        string
	platforms     []string
	baseline      string
	writeBaseline bool
	online        bool
	authority     string
	ruleSet       int
}

// defaultBaseline is the baseline file's name where none is given.
const defaultBaseline = "cordon-baseline.json"

func newCheckCommand() *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "check [flags] [PATH]",
		Short: "Find what is wrong with a project's policy",
		Long: `Check looks at a whole project: the list in config.xml (found as the platforms
find it), the Content-Security-Policy of the pages in www/, native settings,
plugins, package.json, capacitor.config.json, and what the app's own scripts do.
PATH is the project's folder or a config.xml; the current folder without it.

A web app that has neither a config.xml nor a Capacitor configuration (Vite,
Angular, React and others, by its package.json) is judged by its built pages: those
in the folder that its tool's configuration names, or in the usual one.

PATH may also be an app as it ships, an .apk, .aab or .ipa, or the folder that the
tools built (platforms/android): then the list, the pages, the manifest, the network
security configuration and the Info.plist inside are judged. Run in the project's
folder, check also says where the package's list differs from the project's.

Each finding names its rule; docs/reference/rules.md explains every rule, what an
attacker gains and what to do. A comment in config.xml answers a finding:

  <!-- cordon:ignore RULE-ID the reason why it does not matter here -->

before an element, or after it on its line, for that element; before <widget> for
the whole project. For legacy projects, --write-baseline notes what there is, and
--baseline then reports only what is new.

Rules belong to sets. A release of the same major version fails only on what the
rules of its set find; what newer ones find is shown as new, and fails from the next
major version on, or with --rules.

Exit status: 0 without findings of at least the --fail-on level that are not new, 1
with, 2 if the project cannot be read.`,
		Example: `  cordon check
  cordon check --format sarif ./app > cordon.sarif
  cordon check --platform android@9,ios@8 --fail-on high config.xml
  cordon check app-release.apk`,
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
	flags.StringVarP(&o.format, "format", "f", "text", "text, json, sarif, or github (workflow annotations)")
	flags.StringVar(&o.failOn, "fail-on", "low",
		"lowest severity that fails: info, low, medium, high, critical, or never")
	flags.IntVar(&o.ruleSet, "rules", lint.CurrentSet,
		"the rule set whose findings count; those of newer sets are shown as new and fail nothing")
	flags.StringSliceVarP(&o.platforms, "platform", "p", nil,
		"target to look at, platform[@version[/system]]; repeat or separate with commas (default: the project's own)")
	flags.StringVar(&o.baseline, "baseline", "", "leave out the findings that this file notes")
	flags.BoolVar(&o.writeBaseline, "write-baseline", false,
		"note the findings in the --baseline file (default "+defaultBaseline+") instead of reporting them")
	flags.BoolVar(&o.online, "online", false, "ask pinned hosts for their certificates, and compare")
	flags.StringVar(&o.authority, "ca", "",
		"with --online, trust the authorities in this PEM file as well as the system's")
	return cmd
}

// run is the command with its flags read.
func (o *checkOptions) run(cmd *cobra.Command, path string) error {
	if err := refuseEmptyLists(cmd); err != nil {
		return err
	}
	write, err := o.writer(cmd, path)
	if err != nil {
		return err
	}
	fails, err := o.threshold()
	if err != nil {
		return err
	}
	if err := lint.CheckSet(o.ruleSet); err != nil {
		return fmt.Errorf("--rules: %w", err)
	}
	targets, err := parseTargets(o.platforms)
	if err != nil {
		return err
	}
	read, dir, err := folder.OpenBuilt(path, targets)
	if err != nil {
		return err
	}
	read.Base = filepath.ToSlash(dir)
	if o.online {
		asked, err := survey.New(survey.Options{Authority: o.authority, Timeout: onlineTimeout, Now: time.Now()})
		if err != nil {
			return err
		}
		var unreached []error
		read.Served, unreached = asked.Served(cmd.Context(), read)
		for _, failed := range unreached {
			fmt.Fprintf(cmd.ErrOrStderr(), "cordon: not compared with its pins: %v\n", failed)
		}
	}
	result, err := lint.CheckContext(cmd.Context(), read)
	if errors.Is(err, context.Canceled) {
		return environment(errors.New("interrupted"))
	}
	if err != nil {
		return err
	}
	result.RuleSet = o.ruleSet
	if o.writeBaseline {
		return o.note(cmd, read, result)
	}
	known, err := o.subtract(read, result)
	if err != nil {
		return err
	}
	if err := write(cmd.OutOrStdout(), read, result, known); err != nil {
		return environment(fmt.Errorf("write the report: %w", err))
	}
	for i := range result.Findings {
		if f := &result.Findings[i]; fails(f.Rule.Severity) && !result.IsNew(f) {
			return found()
		}
	}
	return nil
}

// onlineTimeout bounds what is asked of one server.
const onlineTimeout = 10 * time.Second

// writer returns the function that writes a report in the chosen format.
func (o *checkOptions) writer(
	cmd *cobra.Command,
	path string,
) (func(io.Writer, *app.App, *lint.Report, int) error, error) {
	switch o.format {
	case "text":
		colour := wantsColour(cmd.OutOrStdout())
		return func(w io.Writer, p *app.App, r *lint.Report, known int) error {
			return report.WriteText(w, p, r,
				report.TextOptions{Colour: colour, Known: known, Repairable: repairable(path, p, r)})
		}, nil
	case "json":
		return report.WriteJSON, nil
	case "sarif":
		return func(w io.Writer, p *app.App, r *lint.Report, _ int) error {
			return report.WriteSARIF(w, p, r, version())
		}, nil
	case "github":
		return func(w io.Writer, p *app.App, r *lint.Report, _ int) error { return report.WriteGitHub(w, p, r) }, nil
	}
	return nil, output.CheckFormat(o.format, "text", "json", "sarif", "github")
}

// countedSize is the largest config.xml, in bytes, whose repairs are counted: they are
// counted by trying them, which takes longer than the check itself on long lists.
const countedSize = 1 << 20

// repairable is how many of the findings cordon fix repairs, 0 where that cannot be
// said, and for a package, which is not repaired.
func repairable(path string, p *app.App, r *lint.Report) int {
	if len(r.Findings) == 0 || p.Artifact || p.Web != "" || p.Config != nil && len(p.Config.Bytes()) > countedSize {
		return 0
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	n, err := repair.Count(folder.FS(path), p, r.Findings)
	if err != nil {
		return 0
	}
	return n
}

// threshold says which severities make the command fail.
func (o *checkOptions) threshold() (func(lint.Severity) bool, error) {
	if o.failOn == "never" {
		return func(lint.Severity) bool { return false }, nil
	}
	lowest, err := lint.ParseSeverity(o.failOn)
	if err != nil {
		return nil, fmt.Errorf("--fail-on: %w, or never", err)
	}
	return func(s lint.Severity) bool { return s >= lowest }, nil
}

// parseTargets reads targets as people write them. One that names no version has none
// here: it is the project's own, see project.Own.
func parseTargets(names []string) ([]policy.Target, error) {
	var list []policy.Target
	for _, name := range names {
		name = strings.TrimSpace(name)
		t, err := dialect.ParseTarget(name)
		if err != nil {
			return nil, err
		}
		if !strings.Contains(name, "@") {
			t.Version = policy.Version{}
		}
		list = append(list, t)
	}
	return list, nil
}

// subtract takes the findings that a baseline notes out of the report and
// returns how many.
func (o *checkOptions) subtract(p *app.App, r *lint.Report) (known int, err error) {
	if o.baseline == "" {
		return 0, nil
	}
	data, err := os.ReadFile(o.baseline)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%s: no such baseline; write it with cordon check --write-baseline --baseline %s",
			o.baseline, o.baseline)
	}
	if err != nil {
		return 0, wording.FileError(o.baseline, err)
	}
	baseline, err := lint.ParseBaseline(data)
	if err != nil {
		return 0, fmt.Errorf("%s: %w; write it again with --write-baseline", o.baseline, err)
	}
	r.Findings, known = baseline.New(p, r.Findings)
	return known, nil
}

// note writes the baseline file.
func (o *checkOptions) note(cmd *cobra.Command, p *app.App, r *lint.Report) error {
	name := o.baseline
	if name == "" {
		name = defaultBaseline
	}
	data, err := lint.NewBaseline(p, r.Findings).Encode()
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		return environment(fmt.Errorf("write the baseline: %w", err))
	}
	_, err = fmt.Fprintf(cmd.ErrOrStderr(),
		"%d findings noted in %s; check with --baseline %s reports what is new\n", len(r.Findings), name, name)
	return err
}

// wantsColour reports whether a person is looking and has not declined colours
// (no-color.org).
func wantsColour(w io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
