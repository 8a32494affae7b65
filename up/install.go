package up

import (
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
)

// Installation is what an app's folder needs of npm before its pages are whole.
type Installation struct {
	// Dir is the folder.
	Dir string
	// Packages says that the packages of the lock file are not installed, and Build
	// that package.json has a script of that name.
	Packages, Build bool
	// Unfinished says that a step that was begun here did not succeed.
	Unfinished bool
}

// installMark is a file of the app's folder that is there while an installation
// was begun and has not succeeded.
const installMark = ".cordon/installing"

func (n Installation) mark() string { return filepath.Join(n.Dir, filepath.FromSlash(installMark)) }

// NeededInstallation looks at a folder; without npm's lock file or a package.json ok
// is false. npm writes node_modules/.package-lock.json when an installation is
// complete (docs.npmjs.com, package-lock.json, "Hidden Lockfiles").
func NeededInstallation(dir string) (n Installation, ok bool) {
	lock, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return n, false
	}
	n = Installation{Dir: dir, Packages: true}
	if done, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil {
		n.Packages = lock.ModTime().After(done.ModTime())
	}
	if _, err := os.Stat(n.mark()); err == nil {
		n.Unfinished = true
	}
	data, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return n, false
	}
	var manifest struct {
		Scripts map[string]string `json:"scripts"`
	}
	if json.Unmarshal(data, &manifest) == nil {
		n.Build = manifest.Scripts["build"] != ""
	}
	return n, true
}

// Steps are the commands to run, each with its arguments. The packages' own scripts
// are not run; the folder's build script is.
func (n Installation) Steps() [][]string {
	var all [][]string
	if n.Packages {
		all = append(all, []string{"npm", "ci", "--ignore-scripts"})
	}
	if n.Build {
		all = append(all, []string{"npm", "run", "build"})
	}
	return all
}

// String shows the commands as a person would type them.
func (n Installation) String() string {
	var all []string
	for _, step := range n.Steps() {
		all = append(all, strings.Join(step, " "))
	}
	return strings.Join(all, " && ")
}

// InstallEvent is a step of an installation that began or ended.
type InstallEvent struct {
	// Step is the command as a person would type it.
	Step  string
	State InstallState
	// Took is how long it ran, Exit its status where it failed, and Err why it could
	// not be run.
	Took time.Duration
	Exit int
	Err  error
}

// InstallState is what became of a step.
type InstallState string

// What becomes of a step. After one that failed or could not be run nothing follows:
// the app runs as it is.
const (
	StepBegan  InstallState = "began"
	StepDone   InstallState = "done"
	StepFailed InstallState = "failed"
	StepNotRun InstallState = "not-run"
)

// InstallConfig says what to install.
type InstallConfig struct {
	// Installation is what the folder needs, as NeededInstallation says.
	Installation Installation
	// Output takes what the commands write; nil: nothing.
	Output io.Writer
	// Notify is told of each step; nil: nothing.
	Notify func(InstallEvent)
}

// stepTime bounds each command: a registry that does not answer is given up.
const stepTime = 10 * time.Minute

// Install runs the steps of an installation one after the other, each for ten
// minutes at the most. It runs what the folder's own build script says, as this user:
// whoever calls it has asked. Where a step does not succeed the next start finds the
// installation unfinished. The error is a *server.EnvironmentError: the mark in the
// folder cannot be written, or the context ended.
func Install(ctx context.Context, c InstallConfig) error {
	n, notify := c.Installation, c.Notify
	if notify == nil {
		notify = func(InstallEvent) {}
	}
	if err := os.MkdirAll(filepath.Dir(n.mark()), 0o700); err != nil {
		return environment(err)
	}
	if err := os.WriteFile(n.mark(), []byte(n.String()+"\n"), 0o600); err != nil {
		return environment(err)
	}
	for _, step := range n.Steps() {
		e := InstallEvent{Step: strings.Join(step, " "), State: StepBegan}
		notify(e)
		e.run(ctx, step, n.Dir, c.Output)
		if ctx.Err() != nil {
			return environment(fmt.Errorf("%s: %s was interrupted; the next start asks again", n.Dir, e.Step))
		}
		notify(e)
		if e.State != StepDone {
			return nil
		}
	}
	return environment(os.Remove(n.mark()))
}

// run runs a step and notes what became of it.
func (e *InstallEvent) run(ctx context.Context, step []string, dir string, output io.Writer) {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	command := exec.CommandContext(ctx, step[0], step[1:]...)
	command.Dir, command.Stdout, command.Stderr = dir, output, output
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 5 * time.Second
	began := time.Now()
	err := command.Run()
	e.Took = time.Since(began)
	var exit *exec.ExitError
	switch {
	case err == nil:
		e.State = StepDone
	case errors.As(err, &exit):
		e.State, e.Exit = StepFailed, exit.ExitCode()
	default:
		e.State, e.Err = StepNotRun, err
	}
}
