package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/pins"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
)

type exportOptions struct {
	project  string
	write    bool
	force    bool
	format   string
	tracking []string
}

func newExportCommand() *cobra.Command {
	var o exportOptions
	names := formatNames()
	cmd := &cobra.Command{
		Use:   "export [flags] FORMAT...",
		Short: "Write the policy in another system's words",
		Long: `Export writes what config.xml says, in the strict reading, in the words of the
systems that enforce it. What a format cannot express is said on standard
error, line by line, and in the export's own comments.

Without --write the export is printed. With it the project is edited in place:
a diff is shown, every other byte stays, and a second run changes nothing. What
a person wrote is replaced only with --force: a file, a value of the manifest, and
a page's Content-Security-Policy, unless the new one allows all that it does and
nothing that it keeps out.

privacy-manifest and data-safety list the domains that the app contacts, with the
lines that say so. Which of them track is your statement: --tracking, else the
preference CordonTracking in config.xml, else what the privacy manifest has already.

` + formatTable(),
		Example: `  cordon export csp
  cordon export android-nsc ios-ats --write
  cordon export pac --project app > proxy.pac
  cordon export privacy-manifest --tracking ads.example.org
  cordon export data-safety --format json`,
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("no format given (known: %s)", strings.Join(names, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refuseEmptyLists(cmd); err != nil {
				return err
			}
			return runExport(cmd, &o, args)
		},
	}
	cmd.Flags().StringVar(&o.project, "project", "", "the app's folder or its config.xml (default: the current folder)")
	cmd.Flags().BoolVarP(&o.write, "write", "w", false, "edit the project in place")
	cmd.Flags().BoolVar(&o.force, "force", false, "with --write, replace what a person wrote")
	cmd.Flags().StringVarP(&o.format, "format", "f", "text", "text (the exports as they are) or json")
	cmd.Flags().StringSliceVar(&o.tracking, "tracking", nil,
		"the `DOMAINS` that track, for privacy-manifest and data-safety")
	return cmd
}

func formatNames() []string {
	var names []string
	for _, e := range export.Exporters() {
		names = append(names, e.Name)
	}
	return names
}

func formatTable() string {
	var b strings.Builder
	b.WriteString("Formats:\n")
	for _, e := range export.Exporters() {
		fmt.Fprintf(&b, "  %-21s %s\n", e.Name, e.Title)
	}
	return strings.TrimRight(b.String(), "\n")
}

func runExport(cmd *cobra.Command, o *exportOptions, names []string) error {
	exporters, err := pickExporters(names)
	if err != nil {
		return err
	}
	if err := output.CheckFormat(o.format, "text", "json"); err != nil {
		return err
	}
	if o.write && o.format != "text" {
		return fmt.Errorf("--write shows what changes: it must stand without --format %s", o.format)
	}
	app, dir, err := folder.Open(o.project, nil)
	if err != nil {
		return err
	}
	source, err := exportSource(app, dir, exporters)
	if err != nil {
		return err
	}
	for _, u := range app.Ships().Unknowns() {
		fmt.Fprintf(cmd.ErrOrStderr(), "cordon: not known, so that the export may say less than what ships: %s\n",
			sayUnknown(u))
	}
	unread, err := readTracking(&source, app, o.tracking)
	if err != nil {
		return err
	}
	declares := slices.ContainsFunc(exporters, func(e export.Exporter) bool { return e.Declares })
	for _, line := range unread {
		if !declares { // no other format says who tracks
			break
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "cordon: %s\n", line)
	}
	switch {
	case o.write:
		return writeExports(cmd, o, exporters, app, dir, source)
	case o.format == "json":
		return exportJSON(cmd.OutOrStdout(), exporters, source, app.Ships().Unknowns())
	}
	for i, e := range exporters {
		if err := printExport(cmd, e, source, i, len(exporters)); err != nil {
			return err
		}
	}
	return nil
}

func pickExporters(names []string) ([]export.Exporter, error) {
	var picked []export.Exporter
	for _, name := range names {
		e, ok := export.Find(name)
		if !ok {
			return nil, fmt.Errorf("unknown format %q (known: %s)", name, strings.Join(formatNames(), ", "))
		}
		picked = append(picked, e)
	}
	return picked, nil
}

// exportSource reads the lines and the pins of an app. A pin that cannot be
// read ends the command: an export without it would say less than the file.
func exportSource(app *app.App, dir string, exporters []export.Exporter) (export.Source, error) {
	if app.Config == nil {
		return capacitorSource(app, dir, exporters)
	}
	files, err := project.Certificates(os.DirFS(dir))
	if err != nil {
		return export.Source{}, err
	}
	set, problems := pins.Set(app.Config, "", files)
	if len(problems) > 0 {
		return export.Source{}, problems[0]
	}
	source := inCapacitor(export.NewSource(app.Ships(), set), app)
	source.Own, source.By = ownHosts(app), broughtBy(app)
	source.Page, err = project.AllPages(app)
	return source, err
}

func printExport(cmd *cobra.Command, e export.Exporter, source export.Source, index, count int) error {
	artifact := e.Export(source)
	out := cmd.OutOrStdout()
	if count > 1 {
		if index > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "==> %s: %s <==\n", e.Name, artifact.Path)
	}
	if _, err := out.Write(artifact.Content); err != nil {
		return environment(fmt.Errorf("write the export: %w", err))
	}
	printLosses(cmd.ErrOrStderr(), e.Format, source, artifact.Losses)
	return nil
}

// printLosses says what the policy needs and the format lacks, and then line by
// line what the export does not say.
func printLosses(w io.Writer, f export.Format, source export.Source, losses []export.Loss) {
	if needs := f.Needs(source); len(needs) > 0 {
		fmt.Fprintf(w, "cordon: %s: the policy needs more than this format can do: %s\n", f.Name,
			strings.Join(needs, "; "))
	}
	for _, loss := range losses {
		where, effect := "", ""
		switch {
		case loss.Place.IsZero():
		case loss.Widens:
			where, effect = loss.Place.String()+": ", " (allows more than the line)"
		default:
			where, effect = loss.Place.String()+": ", " (allows less than the line)"
		}
		rule := ""
		if loss.Rule != "" {
			rule = wording.Printable(loss.Rule) + ": "
		}
		fmt.Fprintf(w, "cordon: %s: %s%s%s%s\n", f.Name, where, rule, wording.Printable(loss.Message), effect)
	}
}

func writeExports(cmd *cobra.Command, o *exportOptions, exporters []export.Exporter, app *app.App, dir string,
	source export.Source) error {
	var all []project.Change
	for _, e := range exporters {
		changes, losses, err := project.Place(os.DirFS(dir), app, source, e, o.force)
		var owned *project.OwnedError
		if err == nil || errors.As(err, &owned) { // what would be lost says why the work is in the way
			printLosses(cmd.ErrOrStderr(), e.Format, source, losses)
		}
		if err != nil {
			return err
		}
		all = append(all, changes...)
	}
	count, err := showChanges(cmd.OutOrStdout(), all)
	if err != nil {
		return err
	}
	if err := writeChanges(dir, all); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "cordon: %d of %d files changed\n", count, len(all))
	return nil
}
