package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cordon-sec/cordon/up"
)

// offerInstall runs what a folder needs of npm if the caller wants it, and asks
// on a terminal: a cloned folder's scripts are somebody's code. Without npm, or
// where it fails, the app runs as it is.
func offerInstall(cmd *cobra.Command, dir string, install bool) error {
	n, ok := up.NeededInstallation(dir)
	if !ok || !install && !n.Packages && !n.Unfinished || len(n.Steps()) == 0 {
		return nil
	}
	stderr := cmd.ErrOrStderr()
	if _, err := exec.LookPath("npm"); err != nil {
		fmt.Fprintf(stderr, "cordon: %s needs %s, and there is no npm on this machine: "+
			"continuing without it (Node.js 20 or newer brings npm)\n", dir, n)
		return nil
	}
	if !install && !onTerminal(cmd.InOrStdin()) {
		fmt.Fprintf(stderr, "cordon: %s; --install runs there: %s\n", missing(n), n)
		return nil
	}
	if !install {
		if ok, err := confirmed(n, cmd.InOrStdin(), stderr); err != nil || !ok {
			return err
		}
	}
	return settingsError(up.Install(cmd.Context(), up.InstallConfig{
		Installation: n, Output: stderr, Notify: func(e up.InstallEvent) { printInstall(stderr, n.Dir, e) }}))
}

// confirmed shows what would run, and asks. Only a yes is one.
func confirmed(n up.Installation, in io.Reader, out io.Writer) (bool, error) {
	state := missing(n)
	fmt.Fprintf(out, "%s. This would run there, as you:\n  %s\n", strings.ToUpper(state[:1])+state[1:], n)
	const ask = "Run it? A build script is code of whoever wrote the folder."
	answer, err := question(bufio.NewReader(in), out, ask, "no")
	return isYes(answer), err
}

// missing says what a folder lacks.
func missing(n up.Installation) string {
	if n.Packages || !n.Unfinished {
		return "the packages of " + n.Dir + " are not installed"
	}
	return "the last build of " + n.Dir + " did not finish"
}

// printInstall says which command begins in a folder, and what became of it.
func printInstall(w io.Writer, dir string, e up.InstallEvent) {
	switch e.State {
	case up.StepBegan:
		fmt.Fprintf(w, "cordon: %s: %s\n", dir, e.Step)
	case up.StepDone:
		fmt.Fprintf(w, "cordon: %s: %s: done in %.0f s\n", dir, e.Step, e.Took.Seconds())
	case up.StepFailed:
		fmt.Fprintf(w, "cordon: %s: %s failed with exit status %d; continuing without it\n", dir, e.Step, e.Exit)
	case up.StepNotRun:
		fmt.Fprintf(w, "cordon: %s: %s cannot be run (%v); continuing without it\n", dir, e.Step, e.Err)
	}
}
