package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// installation is what a folder needs of npm before its pages are whole.
type installation struct {
	dir string
	// packages says that the packages of the lock file are not installed, and
	// build that package.json has a script of that name.
	packages, build bool
	// unfinished says that a command that was begun here did not succeed.
	unfinished bool
}

// installMark is a file of the app's folder that is there while an installation
// was begun and has not succeeded.
const installMark = ".cordon/installing"

func (n installation) mark() string { return filepath.Join(n.dir, filepath.FromSlash(installMark)) }

// neededInstallation looks at a folder with npm's lock file. npm writes
// node_modules/.package-lock.json when an installation is complete
// (docs.npmjs.com, package-lock.json, "Hidden Lockfiles").
func neededInstallation(dir string) (n installation, ok bool) {
	lock, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return n, false
	}
	n = installation{dir: dir, packages: true}
	if done, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil {
		n.packages = lock.ModTime().After(done.ModTime())
	}
	if _, err := os.Stat(n.mark()); err == nil {
		n.unfinished = true
	}
	data, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return n, false
	}
	var manifest struct {
		Scripts map[string]string `json:"scripts"`
	}
	if json.Unmarshal(data, &manifest) == nil {
		n.build = manifest.Scripts["build"] != ""
	}
	return n, true
}

// steps are the commands to run. The packages' own scripts are not run; the
// folder's build script is.
func (n installation) steps() [][]string {
	var all [][]string
	if n.packages {
		all = append(all, []string{"npm", "ci", "--ignore-scripts"})
	}
	if n.build {
		all = append(all, []string{"npm", "run", "build"})
	}
	return all
}

// String shows the commands as a person would type them.
func (n installation) String() string {
	var all []string
	for _, step := range n.steps() {
		all = append(all, strings.Join(step, " "))
	}
	return strings.Join(all, " && ")
}

// offerInstall runs what a folder needs of npm if the caller wants it, and asks
// on a terminal: a cloned folder's scripts are somebody's code. Without npm, or
// where it fails, the app runs as it is.
func offerInstall(cmd *cobra.Command, dir string, install bool) error {
	n, ok := neededInstallation(dir)
	if !ok || !install && !n.packages && !n.unfinished || len(n.steps()) == 0 {
		return nil
	}
	stderr := cmd.ErrOrStderr()
	if _, err := exec.LookPath("npm"); err != nil {
		fmt.Fprintf(stderr, "cordon: %s needs %s, and there is no npm on this machine: "+
			"continuing without it (Node.js 20 or newer brings npm)\n", dir, n)
		return nil
	}
	if !install && !onTerminal(cmd.InOrStdin()) {
		fmt.Fprintf(stderr, "cordon: %s; --install runs there: %s\n", n.state(), n)
		return nil
	}
	if !install {
		if ok, err := n.confirmed(cmd.InOrStdin(), stderr); err != nil || !ok {
			return err
		}
	}
	return n.run(cmd)
}

// confirmed shows what would run, and asks. Only a yes is one.
func (n installation) confirmed(in io.Reader, out io.Writer) (bool, error) {
	state := n.state()
	fmt.Fprintf(out, "%s. This would run there, as you:\n  %s\n", strings.ToUpper(state[:1])+state[1:], n)
	answer, err := question(bufio.NewReader(in), out, "Run it? A build script is code of whoever wrote the folder.",
		"no")
	return isYes(answer), err
}

// state says what is missing.
func (n installation) state() string {
	if n.packages || !n.unfinished {
		return "the packages of " + n.dir + " are not installed"
	}
	return "the last build of " + n.dir + " did not finish"
}

// installTime bounds each command: a registry that does not answer is given up.
const installTime = 10 * time.Minute

// run runs the commands one after the other, with their output. Where one does
// not succeed, the next start offers them again.
func (n installation) run(cmd *cobra.Command) error {
	stderr := cmd.ErrOrStderr()
	if err := os.MkdirAll(filepath.Dir(n.mark()), 0o700); err != nil {
		return environment(err)
	}
	if err := os.WriteFile(n.mark(), []byte(n.String()+"\n"), 0o600); err != nil {
		return environment(err)
	}
	for _, step := range n.steps() {
		shown := strings.Join(step, " ")
		fmt.Fprintf(stderr, "cordon: %s: %s\n", n.dir, shown)
		began := time.Now()
		ctx, cancel := context.WithTimeout(cmd.Context(), installTime)
		command := exec.CommandContext(ctx, step[0], step[1:]...)
		command.Dir, command.Stdout, command.Stderr = n.dir, stderr, stderr
		command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
		command.WaitDelay = 5 * time.Second
		err := command.Run()
		cancel()
		if cmd.Context().Err() != nil {
			return environment(fmt.Errorf("%s: %s was interrupted; the next start asks again", n.dir, shown))
		}
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			fmt.Fprintf(stderr, "cordon: %s: %s failed with exit status %d; continuing without it\n", n.dir, shown,
				exit.ExitCode())
			return nil
		case err != nil:
			fmt.Fprintf(stderr, "cordon: %s: %s cannot be run (%v); continuing without it\n", n.dir, shown, err)
			return nil
		}
		fmt.Fprintf(stderr, "cordon: %s: %s: done in %.0f s\n", n.dir, shown, time.Since(began).Seconds())
	}
	if err := os.Remove(n.mark()); err != nil {
		return environment(err)
	}
	return nil
}
