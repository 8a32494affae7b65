package main

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// newApp is what cordon init writes.
type newApp struct {
	Name, ID string
	Hosts    []string
	Tables   []string
	// Capacitor is the name of the folder's Capacitor configuration, "" without one.
	Capacitor string
}

func newInitCommand() *cobra.Command {
	var a newApp
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a minimal, safe config.xml, cordon.yaml and page",
		Long: `Init writes what an app begins with, in DIR (the current folder by default):

  config.xml       lists the hosts that you name and nothing else
  cordon.yaml      a backend with sign-in for development, and the tables you name
  www/             a page that signs in, lists the rows of the first table and
                   calls the first host

On a terminal it asks for what no flag says: name, id, hosts and tables. A file
that is there already stays as it is, and a folder with a package.json or pages
of its own gets none.

In a Capacitor or Ionic project it writes a config.xml alone (and a cordon.yaml, if
you name tables), with the hosts that the app's pages may reach and the settings of
the npm plugin. What the Capacitor configuration says is not said again: who the app
is, and in server.allowNavigation which pages open inside it.`,
		Example: `  cordon init my-app
  cordon init --name Tickets --id com.example.tickets --host api.example.com --table ticket my-app`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return runInit(cmd, a, dir)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&a.Name, "name", "", "the app's name (default: the folder's)")
	flags.StringVar(&a.ID, "id", "", "the app's id, as in com.example.tickets")
	flags.StringSliceVar(&a.Hosts, "host", nil,
		"a host that the app may reach over https; repeat or separate with commas")
	flags.StringSliceVar(&a.Tables, "table", nil,
		"a table for signed-in users' own rows; repeat or separate with commas")
	return cmd
}

func runInit(cmd *cobra.Command, a newApp, dir string) error {
	if err := a.adopt(dir); err != nil {
		return err
	}
	if onTerminal(cmd.InOrStdin()) {
		if err := a.ask(cmd.InOrStdin(), cmd.ErrOrStderr(), dir); err != nil {
			return err
		}
	}
	return a.write(cmd, dir)
}

// offerInit makes an app in a folder without one, if the caller agrees.
func offerInit(cmd *cobra.Command, dir string, yes bool) error {
	_, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && !yes {
		return fmt.Errorf("%s: no such folder. Make an app there with: cordon init %s", dir, dir)
	}
	if err == nil && !missingApp(dir) {
		return nil
	}
	if yes {
		var a newApp
		if err := a.adopt(dir); err != nil {
			return err
		}
		return a.write(cmd, dir)
	}
	if !onTerminal(cmd.InOrStdin()) {
		return fmt.Errorf("%s: there is no config.xml here. Make one with: cordon init %s", dir, dir)
	}
	in := bufio.NewReader(cmd.InOrStdin())
	answer, err := question(in, cmd.ErrOrStderr(), "There is no app in "+dir+". Make one?", "yes")
	if err != nil {
		return err
	}
	if !isYes(answer) {
		return fmt.Errorf("%s: there is no config.xml here", dir)
	}
	return runInit(cmd, newApp{}, dir)
}

// missingApp reports whether a folder has neither a config.xml nor a Capacitor
// configuration.
func missingApp(dir string) bool {
	var missing *project.NotFoundError
	_, _, err := folder.Open(dir, nil)
	return errors.As(err, &missing)
}

// onTerminal reports whether a person can answer questions.
func onTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// ask asks for what is missing. An answer that would not work is asked for
// again, with the reason.
func (a *newApp) ask(r io.Reader, w io.Writer, dir string) error {
	in := bufio.NewReader(r)
	for _, q := range []struct {
		wanted         bool
		text, fallback string
		take           func(answer string) error
	}{
		{a.Name == "", "The app's name", folderName(dir), func(answer string) error { a.Name = answer; return nil }},
		{a.ID == "", "Its id, as in com.example.tickets", "",
			func(answer string) error { a.ID = answer; return checkID(answer) }},
		{a.Hosts == nil, "Hosts that it may reach over https, with blanks between", "none",
			func(answer string) (err error) {
				a.Hosts, err = cleanHosts(wordsOf(answer))
				return err
			}},
		{a.Tables == nil, "Tables for signed-in users' own rows, with blanks between", a.firstTable(),
			func(answer string) error {
				a.Tables = wordsOf(answer)
				return checkTables(a.Tables)
			}},
	} {
		if !q.wanted {
			continue
		}
		if q.fallback == "" {
			q.fallback = idOf(a.Name)
		}
		for {
			answer, err := question(in, w, q.text, q.fallback)
			if err != nil {
				return err
			}
			if err = q.take(answer); err == nil {
				break
			}
			fmt.Fprintf(w, "%v\n", err)
		}
	}
	return nil
}

// wordsOf takes a list apart; "none" is an empty one.
func wordsOf(answer string) []string {
	if answer == "none" {
		return []string{}
	}
	return strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

// question asks for one line; an empty one is the default.
func question(in *bufio.Reader, w io.Writer, text, fallback string) (string, error) {
	fmt.Fprintf(w, "%s [%s]: ", text, fallback)
	line, err := in.ReadString('\n')
	if line = strings.TrimSpace(line); line != "" {
		return line, nil
	}
	if err != nil {
		return "", fmt.Errorf("no answer to %q: %w", text, err)
	}
	return fallback, nil
}

// isYes reports whether an answer is a yes; anything else is none.
func isYes(answer string) bool {
	return strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")
}

func folderName(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "App"
	}
	return filepath.Base(abs)
}

var notInID = regexp.MustCompile(`[^a-z0-9]+`)

// idOf makes an id of a name.
func idOf(name string) string {
	word := notInID.ReplaceAllString(strings.ToLower(name), "")
	if word == "" || word[0] >= '0' && word[0] <= '9' {
		word = "app" + word
	}
	return "com.example." + word
}

var (
	appID     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)
	tableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,62}$`)
)

// complete fills in what was not said, and refuses what would not work.
func (a *newApp) complete(dir string) error {
	if a.Name == "" {
		a.Name = folderName(dir)
	}
	if a.ID == "" {
		a.ID = idOf(a.Name)
	}
	if err := checkID(a.ID); err != nil {
		return fmt.Errorf("--id: %w", err)
	}
	var err error
	if a.Hosts, err = cleanHosts(a.Hosts); err != nil {
		return fmt.Errorf("--host: %w", err)
	}
	if err := checkTables(a.Tables); err != nil {
		return fmt.Errorf("--table: %w", err)
	}
	return nil
}

func checkID(id string) error {
	if !appID.MatchString(id) {
		return fmt.Errorf("%q: an id must be words with dots between, as in com.example.tickets", id)
	}
	return nil
}

// cleanHosts writes hosts as browsers and config.xml do, each once: in lower
// case, other alphabets in their ASCII form. Addresses are refused: certificates
// and the platforms' lists are about names.
func cleanHosts(hosts []string) ([]string, error) {
	clean := make([]string, 0, len(hosts))
	for _, written := range hosts {
		text := strings.TrimSpace(written)
		if len(text) > len("https://") && strings.EqualFold(text[:len("https://")], "https://") {
			text = text[len("https://"):]
		}
		name, port, hasPort := strings.Cut(strings.TrimSuffix(text, "/"), ":")
		read, err := host.Parse(name)
		made := read.String()
		if number, wrong := strconv.ParseUint(port, 10, 16); hasPort && (wrong != nil || number == 0) {
			err = strconv.ErrRange
		} else if hasPort && number != 443 {
			made += ":" + strconv.FormatUint(number, 10)
		}
		if err != nil || read.Addr().IsValid() || !propose.Listable(made) {
			return nil, fmt.Errorf(
				"%q: it must be a host's name, as in api.example.com, optionally with a port",
				written,
			)
		}
		clean = append(clean, made)
	}
	slices.Sort(clean)
	return slices.Compact(clean), nil
}

func checkTables(tables []string) error {
	for _, table := range tables {
		if !tableName.MatchString(table) {
			return fmt.Errorf("%q: a table's name must be letters, digits and underscores", table)
		}
	}
	return nil
}

func escaped(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	return b.String()
}

// write writes the files that are not there yet.
func (a newApp) write(cmd *cobra.Command, dir string) error {
	if err := a.complete(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return environment(err)
	}
	files, err := a.files(dir)
	if err != nil {
		return err
	}
	for _, file := range files {
		name := filepath.Join(dir, filepath.FromSlash(file.Name))
		if _, err := os.Stat(name); err == nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s is there already and stays\n", name)
			continue
		}
		if err := writeChanges(dir, []project.Change{file}); err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "wrote %s\n", name)
	}
	if cmd.Name() == "init" {
		a.teach(cmd.ErrOrStderr(), dir)
	}
	return nil
}

// files are those that an app begins with. A folder that has pages of its own, or
// builds them, gets none.
func (a newApp) files(dir string) ([]project.Change, error) {
	if a.Capacitor != "" {
		files := []project.Change{{Name: "config.xml", New: []byte(capacitorXML(a.Capacitor, a.accessLines()))}}
		if len(a.Tables) > 0 {
			files = append(files, project.Change{Name: "cordon.yaml", New: []byte(a.settings())})
		}
		return files, nil
	}
	files := []project.Change{
		{Name: "config.xml", New: []byte(a.configXML())},
		{Name: "cordon.yaml", New: []byte(a.settings())},
	}
	for _, own := range []string{"package.json", "www/index.html"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(own))); err == nil {
			return files, nil
		}
	}
	for _, page := range []struct {
		to   string
		make func() ([]byte, error)
	}{
		{"www/index.html", func() ([]byte, error) { return a.page("index.html") }},
		{"www/js/app.js", func() ([]byte, error) { return a.page("app.js") }},
		{"www/css/app.css", func() ([]byte, error) { return newAppFiles.ReadFile("newapp/app.css") }},
		{"www/icon.svg", func() ([]byte, error) { return newAppFiles.ReadFile("newapp/icon.svg") }},
	} {
		data, err := page.make()
		if err != nil {
			return nil, err
		}
		files = append(files, project.Change{Name: page.to, New: data})
	}
	return files, nil
}

func (a newApp) configXML() string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<widget id="%s" version="1.0.0" xmlns="http://www.w3.org/ns/widgets">
    <name>%s</name>

    <!-- the hosts that the app may reach; no others -->
%s
    <engine name="android" spec="^15.0.0" />
    <engine name="ios" spec="^8.0.0" />
</widget>
`, escaped(a.ID), escaped(a.Name), a.accessLines())
}

func (a newApp) settings() string {
	var tables strings.Builder
	for _, name := range a.Tables {
		if tables.Len() == 0 {
			tables.WriteString("\ntables:\n")
		}
		fmt.Fprintf(&tables, "  %s: { columns: { text: string }, access: authenticated, per_user: true, soft_delete: "+
			"true }\n", name)
	}
	return fmt.Sprintf(`# What cordon serve and cordon up run; cordon config schema explains every key.
app: { name: %q }
server: { listen: "127.0.0.1:8443" }

# Signs anybody in: for this machine only. Name a real provider before anybody
# else can reach the server.
identity: { providers: { development: { type: development } } }
%s`, a.Name, tables.String())
}
