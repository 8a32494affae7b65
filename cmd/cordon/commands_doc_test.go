package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/golden"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The page of the commands is made from the commands' own help.
func TestCommandsPage(t *testing.T) {
	golden.Compare(t, "../../docs/reference/commands.md", []byte(commandsPage()))
}

func commandsPage() string {
	var b strings.Builder
	root := newRootCommand()
	b.WriteString("# The commands\n\n" + prose(root.Long) + "\n\n| command | what it does |\n|---|---|\n")
	var all []*cobra.Command
	for _, cmd := range documented(root) {
		path := cmd.CommandPath()
		if cmd == root || strings.HasPrefix(path, "cordon completion") || strings.HasPrefix(path, "cordon help") {
			continue // the library's own
		}
		all = append(all, cmd)
		anchor := strings.ReplaceAll(path, " ", "-")
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", path, anchor, cell(cmd.Short))
	}
	b.WriteString("\nEvery command also takes:\n\n")
	writeFlags(&b, root.PersistentFlags())
	for _, cmd := range all {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", cmd.CommandPath(), prose(cmd.Short))
		if cmd.Runnable() {
			fmt.Fprintf(&b, "\n    %s\n", cmd.UseLine())
		}
		if cmd.Long != "" {
			fmt.Fprintf(&b, "\n```text\n%s\n```\n", strings.TrimSpace(cmd.Long))
		}
		if cmd.Example != "" {
			fmt.Fprintf(&b, "\nFor example:\n\n```sh\n%s\n```\n", unindent(cmd.Example))
		}
		if cmd.LocalNonPersistentFlags().HasAvailableFlags() {
			b.WriteString("\n")
			writeFlags(&b, cmd.LocalNonPersistentFlags())
		}
	}
	return b.String()
}

func writeFlags(b *strings.Builder, flags *pflag.FlagSet) {
	b.WriteString("| flag | meaning |\n|---|---|\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			name += " " + value
		}
		standard := ""
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" && f.DefValue != "0s" {
			standard = " (default `" + f.DefValue + "`)"
		}
		fmt.Fprintf(b, "| `%s` | %s%s |\n", name, cell(usage), standard)
	})
}

// prose and cell write help text as Markdown: what looks like a tag is text,
// and a bar ends no cell.
func prose(s string) string { return strings.ReplaceAll(s, "<", "&lt;") }

func cell(s string) string {
	return strings.NewReplacer("<", "&lt;", "|", `\|`, "\n", " ").Replace(s)
}

func unindent(s string) string {
	lines := strings.Split(strings.Trim(s, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
