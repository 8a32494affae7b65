package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/cordon-sec/cordon/internal/lane"
)

// Every command says what it does, shows how, and explains each of its flags.
func TestEveryHelpIsWorthReading(t *testing.T) {
	for _, cmd := range documented(newRootCommand()) {
		path := cmd.CommandPath()
		if strings.HasPrefix(path, "cordon completion") || strings.HasPrefix(path, "cordon help") {
			continue // the library's own
		}
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: the short text is %q", path, cmd.Short)
		}
		if !cmd.HasSubCommands() && path != "cordon version" && cmd.Long == "" && cmd.Example == "" {
			t.Errorf("%s says no more than its short text", path)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s is not explained", path, f.Name)
			}
		})
		for _, line := range strings.Split(cmd.Long, "\n") {
			if len([]rune(line)) > 100 {
				t.Errorf("%s: a line of its help has %d characters: %s", path, len([]rune(line)), line)
			}
		}
	}
}

// The manual pages are read without a complaint, where there is a reader.
func TestManualPages(t *testing.T) {
	man, err := exec.LookPath("groff")
	if err != nil {
		if man, err = exec.LookPath("nroff"); err != nil {
			lane.Missing(t, "there is neither groff nor nroff on this machine: the manual pages were not read")
		}
	}
	for _, cmd := range documented(newRootCommand()) {
		var complaint bytes.Buffer
		reader := exec.CommandContext(t.Context(), man, "-man", "-Tutf8", "-ww")
		reader.Stdin, reader.Stderr = bytes.NewReader(manPage(cmd)), &complaint
		if err := reader.Run(); err != nil || complaint.Len() > 0 {
			t.Errorf("%s: %v %s", cmd.CommandPath(), err, complaint.String())
		}
	}
}

// Nothing but results goes to standard output, and no colours where nobody
// looks.
func TestQuietAndPlain(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) (string, string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		execute(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
		return stdout.String(), stderr.String()
	}
	if stdout, stderr := run("init", "--quiet", dir); stdout != "" || stderr != "" {
		t.Errorf("init --quiet says %q and %q", stdout, stderr)
	}
	for _, args := range [][]string{
		{"check", "../../examples/dreadful"}, {"explain", "--config", "../../examples/legacy", "https://a.example/"},
		{"export", "csp", "--project", "../../examples/clean"}, {"doctor", dir},
		{"record", "--config", "../../examples/clean", "--har", "testdata/guide/session.har"},
	} {
		stdout, stderr := run(args...)
		if strings.Contains(stdout+stderr, "\x1b") {
			t.Errorf("%v writes escapes to no terminal", args)
		}
		quiet, silence := run(append(args, "--quiet")...)
		if quiet != stdout && args[0] != "doctor" { // the clock goes on
			t.Errorf("%v --quiet prints another result", args)
		}
		if silence != "" {
			t.Errorf("%v --quiet says %q on standard error", args, silence)
		}
	}
	// An error is said all the same.
	if _, stderr := run("check", "--quiet", "nowhere"); !strings.Contains(stderr, "nowhere") {
		t.Errorf("an error is swallowed: %q", stderr)
	}
}
