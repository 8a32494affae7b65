package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// pasted is a command of a guide with what the guide says that it prints.
type pasted struct {
	line          int
	command, want string
}

// pastedCommands finds the blocks without a language in which lines begin with "$ ":
// what follows such a line up to the next is what the command prints.
func pastedCommands(text string) (all []pasted) {
	inBlock, fenced := false, false // fenced: a block without a language
	open := -1                      // the command that output belongs to
	for i, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			inBlock = !inBlock
			fenced = inBlock && line == "```"
			open = -1
			continue
		}
		switch command, ok := strings.CutPrefix(line, "$ "); {
		case fenced && ok:
			all = append(all, pasted{line: i + 1, command: command})
			open = len(all) - 1
		case fenced && open >= 0:
			all[open].want += line + "\n"
		}
	}
	return all
}

// changing is what no two runs print alike: times, in the forms that commands and
// rows have, and versions.
var changing = regexp.MustCompile(`\b20(2[6-9]|[3-9]\d)-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{3}Z)?|\b[A-Za-z0-9+/]{11}=`)

// TestMoveGuideIsPasted runs the commands of the guide that moves a site from Azure,
// in their order, and compares what they print with what the guide shows.
func TestMoveGuideIsPasted(t *testing.T) {
	data, err := os.ReadFile("../../docs/guide/move-from-azure.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := guideFolder(t)
	config, err := os.ReadFile(filepath.Join(dir, "azure", "cordon.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), "```yaml\n"+string(config)+"```\n") {
		t.Error("the guide's configuration must be testdata/guide/azure/cordon.yaml")
	}
	commands := pastedCommands(string(data))
	if len(commands) < 8 {
		t.Fatalf("only %d commands were found", len(commands))
	}
	for _, c := range commands {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		shell := exec.CommandContext(ctx, "sh", "-c", c.command)
		shell.Dir = dir
		shell.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir)
		out, err := shell.Output() // the comparison tells whether it failed
		cancel()
		got, want := changing.ReplaceAllString(string(out), "…"), changing.ReplaceAllString(c.want, "…")
		if got != want {
			t.Errorf("move-from-azure.md:%d: %s (%v)\nprints:\n%s\nnot:\n%s", c.line, c.command, err, got, want)
		}
	}
}
