package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
	"github.com/cordon-sec/cordon/policy/migrate"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
	"github.com/spf13/cobra"
)

// migrateOptions are the flags of cordon migrate.
type migrateOptions struct {
	from, to string
	topLevel []string
	hosts    []string
	failOn   []string
	limit    int
	write    bool
}

func newMigrateCommand() *cobra.Command {
	var o migrateOptions
	cmd := &cobra.Command{
		Use:   "migrate --from TARGET --to TARGET [flags] FILE",
		Short: "Rewrite a list so that another platform or version decides as before",
		Long: `Migrate rewrites the list of a config.xml that was written for one platform and
version in the language of another, so that the same URLs are decided the same way,
as closely as the new language can say it. Elements that both read alike, comments
and all other bytes stay.

The new file, alone, goes to standard output, or with --write in the place of the
old one. The report on standard error lists every class of URLs that is decided
differently, with an example that both sides were asked about: nothing is dropped
silently.

A final ".*" of iOS up to 3.0 (http://apache.*) becomes a line for each top-level
domain given with --tld, any other wildcard inside a name a line for each host that
--host or another entry names. --to capacitor writes a capacitor.config.json, and
--from capacitor-android or capacitor-ios a config.xml of a Capacitor project, whose
folder is FILE then.

Exit status: 0 also with losses, or 1 with --fail-on loss if there are any; 2 if the
file cannot be read.`,
		Example: `  cordon migrate --from ios@3.0 --to ios@3.9 --tld org --tld com config.xml
  cordon migrate --from android@9 --to android@15 --write config.xml
  cordon migrate --from blackberry10 --to android config.xml > new.xml
  cordon migrate --from android --to capacitor config.xml > capacitor.config.json
  cordon migrate --from capacitor-android --to android --write .`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.from, "from", "",
		"the target that the file is written for, platform[@version[/system]]; without a version the project's own")
	flags.StringVar(&o.to, "to", "", "the target to write it for, or capacitor")
	flags.StringSliceVar(&o.topLevel, "tld", nil,
		"top-level domain that a final .* stands for; repeat or separate with commas")
	flags.StringSliceVar(&o.hosts, "host", nil,
		"host that a wildcard inside a name stands for; repeat or separate with commas")
	flags.StringSliceVar(&o.failOn, "fail-on", nil, "exit with 1 on: loss (any difference), widened")
	flags.IntVar(&o.limit, "limit", 10, "how many examples the report shows under one heading, 0 for all")
	flags.BoolVar(&o.write, "write", false, "write the file in place, or the one of another name beside it")
	return cmd
}

func (o *migrateOptions) run(cmd *cobra.Command, path string) error {
	options, err := o.options()
	if err != nil {
		return err
	}
	read, err := folder.OpenShips(path, nil)
	if err != nil {
		return err
	}
	own, _ := project.Own([]policy.Target{options.From}, read.Targets, read.Assumed)
	options.From = own[0]
	result, err := migrated(path, read, options)
	if err != nil {
		return err
	}
	if o.write {
		if err := writeMigrated(path, read, result); err != nil {
			return err
		}
	} else if _, err := cmd.OutOrStdout().Write(result.Data); err != nil {
		return environment(fmt.Errorf("write the file: %w", err))
	}
	if err := o.report(cmd.ErrOrStderr(), result, fmt.Sprintf("%s from %s to %s", path, o.from, o.to)); err != nil {
		return err
	}
	if err := sayBrought(cmd.ErrOrStderr(), read, options.From.Platform, options.To.Platform); err != nil {
		return err
	}
	lost := slices.Contains(o.failOn, "loss") && !result.Lossless()
	if lost || slices.Contains(o.failOn, "widened") && (result.Report.Widens() || result.Report.Exhausted()) {
		return found()
	}
	return nil
}

// migrated is the list of an app in the words of another platform.
func migrated(path string, read *app.App, options migrate.Options) (*migrate.Result, error) {
	if strings.HasPrefix(options.From.Platform, "capacitor-") && read.Ships() != nil {
		return migrate.FromCapacitor(read.Ships(), options)
	}
	if read.Config == nil {
		return nil, fmt.Errorf("%s: no config.xml that could be rewritten; of a Capacitor project one is written with "+
			"--from capacitor-android or --from capacitor-ios", path)
	}
	return migrate.File(read.Config, options)
}

// writeMigrated writes a file in the place of the one that was read, or one of another
// name beside it.
func writeMigrated(path string, read *app.App, result *migrate.Result) error {
	dir, name := filepath.Split(path)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		dir, name = path, result.Name
	}
	change := project.Change{Name: result.Name, New: result.Data}
	if read.Config != nil && result.Name == read.Config.Name() && !result.Made {
		change = project.Change{Name: name, Old: read.Config.Bytes(), New: result.Data}
	} else if _, err := os.Lstat(filepath.Join(dir, result.Name)); err == nil {
		return fmt.Errorf("%s is already there: leave out --write and merge the output into it", result.Name)
	}
	return writeChanges(filepath.Clean(dir), []project.Change{change})
}

func (o *migrateOptions) options() (migrate.Options, error) {
	for _, word := range o.failOn {
		if word != "loss" && word != "widened" {
			return migrate.Options{}, fmt.Errorf("unknown word %q in --fail-on (known: loss, widened)", word)
		}
	}
	if o.from == "" || o.to == "" {
		return migrate.Options{},
			fmt.Errorf("--from and --to name the targets, such as --from android@9 --to android@15")
	}
	from, err := parseTargets([]string{o.from})
	if err != nil {
		return migrate.Options{}, fmt.Errorf("--from: %w", err)
	}
	to := policy.Target{Platform: migrate.Capacitor}
	if o.to != migrate.Capacitor {
		if to, err = dialect.ParseTarget(o.to); err != nil {
			return migrate.Options{}, fmt.Errorf("--to: %w", err)
		}
	}
	for _, domain := range o.topLevel {
		if !isName(strings.Trim(domain, ".")) {
			return migrate.Options{}, fmt.Errorf("--tld: %q must be a domain", domain)
		}
	}
	for _, host := range o.hosts {
		if !isName(host) {
			return migrate.Options{}, fmt.Errorf("--host: %q must be a host", host)
		}
	}
	return migrate.Options{From: from[0], To: to, TopLevel: o.topLevel, Hosts: o.hosts}, nil
}

// sayBrought names the entries that plugins add and that are no part of the file: they
// are decided by the new platform as they stand.
func sayBrought(w io.Writer, read *app.App, platforms ...string) error {
	said := map[policy.Place]bool{}
	for _, platform := range platforms {
		for _, e := range read.Ships().Added(platform) {
			place := e.Place()
			plugin := read.PluginAt(place)
			if said[place] || plugin == nil || !slices.Contains([]string{"access", "allow-navigation", "allow-intent"},
				e.Name) {
				continue
			}
			said[place] = true
			_, err := fmt.Fprintf(w, "%s: <%s> %s: the plugin %s adds it, so that it stays as it is\n", place, e.Name,
				wording.Printable(e.Value("origin")+e.Value("href")), wording.Printable(plugin.ID))
			if err != nil {
				return environment(fmt.Errorf("write the report: %w", err))
			}
		}
	}
	for _, u := range read.Ships().Unknowns() {
		if _, err := fmt.Fprintf(w, "not known: %s\n", sayUnknown(u)); err != nil {
			return environment(fmt.Errorf("write the report: %w", err))
		}
	}
	return nil
}

// isName reports whether a text is a host name or a part of one.
func isName(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-.") == ""
}

// report writes what the new file says differently.
func (o *migrateOptions) report(w io.Writer, result *migrate.Result, title string) error {
	for _, note := range result.Notes {
		if _, err := fmt.Fprintf(w,
			"%s: %s: %s\n", note.Place, wording.Printable(note.Text), note.Message); err != nil {
			return environment(fmt.Errorf("write the report: %w", err))
		}
	}
	view := diff.View{Title: title, Limit: o.limit}
	if err := result.Report.WriteText(w, view); err != nil {
		return environment(fmt.Errorf("write the report: %w", err))
	}
	return nil
}
