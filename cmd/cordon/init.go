package main

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/project"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// newApp is what cordon init writes.
type newApp struct {
	Name, ID string
	Hosts    []string
	Tables   []string
}

func newInitCommand() *cobra.Command {
	var a newApp
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a minimal, safe config.xml, cordon.yaml and page",
		Long: `Init writes what an app begins with, in DIR (the current folder by default):

  config.xml       lists the hosts that you name and nothing else
  cordon.yaml      a backend with sign-in for development, and the tables you name
  www/index.html   a page to begin with

On a terminal it asks for what no flag says. A file that is there already stays
as it is.`,
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
	flags.StringSliceVar(&a.Hosts, "host", nil, "a host that the app may reach over https; repeat or separate with commas")
	flags.StringSliceVar(&a.Tables, "table", nil, "a table for signed-in users' own rows; repeat or separate with commas")
	return cmd
}

func runInit(cmd *cobra.Command, a newApp, dir string) error {
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
		return newApp{}.write(cmd, dir)
	}
	if !onTerminal(cmd.InOrStdin()) {
		return fmt.Errorf("%s: there is no config.xml here. Make one with: cordon init %s", dir, dir)
	}
	in := bufio.NewReader(cmd.InOrStdin())
	answer, err := question(in, cmd.ErrOrStderr(), "There is no app in "+dir+". Make one?", "yes")
	if err != nil {
		return err
	}
	if !strings.HasPrefix(strings.ToLower(answer), "y") {
		return fmt.Errorf("%s: there is no config.xml here", dir)
	}
	return runInit(cmd, newApp{}, dir)
}

// onTerminal reports whether a person can answer questions.
func onTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// ask asks for what is missing.
func (a *newApp) ask(r io.Reader, w io.Writer, dir string) error {
	in := bufio.NewReader(r)
	var err error
	if a.Name == "" {
		if a.Name, err = question(in, w, "The app's name", folderName(dir)); err != nil {
			return err
		}
	}
	if a.ID == "" {
		if a.ID, err = question(in, w, "Its id", idOf(a.Name)); err != nil {
			return err
		}
	}
	if a.Hosts == nil {
		hosts, err := question(in, w, "Hosts that it may reach over https, with blanks between", "none")
		if err != nil {
			return err
		}
		if hosts != "none" {
			a.Hosts = strings.Fields(hosts)
		}
	}
	return nil
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
	if !appID.MatchString(a.ID) {
		return fmt.Errorf("--id %q: an id is words with dots between, as in com.example.tickets", a.ID)
	}
	for i, host := range a.Hosts {
		host = strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(host)), "https://"), "/")
		if !listable(host) {
			return fmt.Errorf("--host %q: a host's name, as in api.example.com, optionally with a port", a.Hosts[i])
		}
		a.Hosts[i] = host
	}
	slices.Sort(a.Hosts)
	a.Hosts = slices.Compact(a.Hosts)
	for _, table := range a.Tables {
		if !tableName.MatchString(table) {
			return fmt.Errorf("--table %q: a table's name is letters, digits and underscores", table)
		}
	}
	return nil
}

// listable reports whether a line for the host lets just that host in.
func listable(host string) bool {
	name, _, _ := strings.Cut(host, ":")
	if _, err := netip.ParseAddr(name); err == nil || strings.ContainsAny(host, `*/"<>&'`) || host == "" {
		return false
	}
	doc, err := configxml.Parse("config.xml", []byte(`<widget><access origin="https://`+host+`"/></widget>`))
	if err != nil {
		return false
	}
	compiled, err := dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	return err == nil && compiled.Decide(policy.Request{URL: "https://" + host + "/", Kind: policy.XHR}).Verdict == policy.Allow
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
	files := []project.Change{
		{Name: "config.xml", New: []byte(a.configXML())},
		{Name: "cordon.yaml", New: []byte(a.settings())},
		{Name: "www/index.html", New: []byte(a.page())},
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
		fmt.Fprintf(cmd.ErrOrStderr(), "Run it with: cordon up %s\n", dir)
	}
	return nil
}

func (a newApp) configXML() string {
	var lines strings.Builder
	for _, host := range a.Hosts {
		fmt.Fprintf(&lines, "    <access origin=\"https://%s\" />\n", escaped(host))
	}
	if len(a.Hosts) == 0 {
		lines.WriteString("    <!-- <access origin=\"https://api.example.com\" /> lets the app reach that host -->\n")
	}
	return fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<widget id="%s" version="1.0.0" xmlns="http://www.w3.org/ns/widgets">
    <name>%s</name>

    <!-- where the app may go: nowhere but here -->
%s
    <engine name="android" spec="^15.0.0" />
    <engine name="ios" spec="^8.0.0" />
</widget>
`, escaped(a.ID), escaped(a.Name), lines.String())
}

func (a newApp) settings() string {
	var tables strings.Builder
	for _, name := range a.Tables {
		if tables.Len() == 0 {
			tables.WriteString("\ntables:\n")
		}
		fmt.Fprintf(&tables, "  %s: { columns: { text: string }, access: authenticated, per_user: true, soft_delete: true }\n", name)
	}
	return fmt.Sprintf(`# What cordon serve and cordon up run; cordon config schema explains every key.
app: { name: %q }
server: { listen: "127.0.0.1:8443" }

# Signs anybody in: for this machine only. Name a real provider before anybody
# else can reach the server.
identity: { providers: { development: { type: development } } }
%s`, a.Name, tables.String())
}

func (a newApp) page() string {
	csp := "default-src 'self'; object-src 'none'; base-uri 'none'"
	if len(a.Hosts) > 0 {
		hosts := " https://" + strings.Join(a.Hosts, " https://")
		csp = "default-src 'self'; connect-src 'self'" + hosts + "; img-src 'self'" + hosts + "; object-src 'none'; base-uri 'none'"
	}
	return fmt.Sprintf(`<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="%s">
    <title>%s</title>
</head>
<body>
    <h1>%s</h1>
    <p>This page may reach what config.xml lists, and nothing else.</p>
    <script src="cordova.js"></script>
</body>
</html>
`, csp, escaped(a.Name), escaped(a.Name))
}
