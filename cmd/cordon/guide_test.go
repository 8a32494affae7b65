package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// guideCommand is one command, or one session, that a guide shows.
type guideCommand struct {
	line    int
	text    string
	session bool // a whole block for a shell
}

// guideCommands finds the commands of a guide: blocks marked sh as sessions, and
// in blocks without a language, fenced or indented, the lines that begin with
// cordon.
func guideCommands(text string) []guideCommand {
	var all []guideCommand
	fence, inFence, began := "", false, 0
	var block strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if language, ok := strings.CutPrefix(line, "```"); ok {
			if inFence && fence == "sh" {
				all = append(all, guideCommand{began, block.String(), true})
			}
			inFence, fence, began = !inFence, language, i+2
			block.Reset()
			continue
		}
		indented := strings.HasPrefix(line, "    ") && !inFence
		switch {
		case inFence && fence == "sh":
			block.WriteString(line + "\n")
		case inFence && fence == "" || indented:
			command := strings.TrimPrefix(strings.TrimSpace(line), "$ ")
			if strings.HasPrefix(command, "cordon ") && !strings.HasPrefix(command, "cordon:") {
				all = append(all, guideCommand{i + 1, command, false})
			}
		}
	}
	return all
}

// TestGuides pastes every command that docs/guide shows, each guide in a folder
// of its own with what testdata/guide has. What runs until it is stopped is
// stopped and has to end well; what names another machine may fail to reach it;
// nothing may be wrong usage.
func TestGuides(t *testing.T) {
	guides, err := filepath.Glob("../../docs/guide/*.md")
	if err != nil || len(guides) < 5 {
		t.Fatalf("the guides are not there: %v %v", guides, err)
	}
	count := 0
	for _, guide := range guides {
		data, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}
		commands := guideCommands(string(data))
		count += len(commands)
		t.Run(strings.TrimSuffix(filepath.Base(guide), ".md"), func(t *testing.T) {
			dir := guideFolder(t)
			for _, c := range commands {
				runGuideCommand(t, dir, filepath.Base(guide), c)
			}
		})
	}
	if count < 20 {
		t.Errorf("the guides show %d commands only: the test does not find them", count)
	}
}

func guideFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/guide")); err != nil {
		t.Fatal(err)
	}
	for _, example := range []string{"todo", "clean", "template", "legacy"} {
		from := os.DirFS(filepath.Join("../../examples", example))
		if err := os.CopyFS(filepath.Join(dir, "examples", example), from); err != nil {
			t.Fatal(err)
		}
		_ = os.RemoveAll(filepath.Join(dir, "examples", example, ".cordon"))
	}
	builtApp(t, dir)
	// Guides compare with what is in Git.
	for _, args := range [][]string{{"init", "-q"}, {"add", "config.xml"}, {"commit", "-q", "-m", "first"},
		{"update-ref", "refs/remotes/origin/main", "HEAD"}} {
		git := exec.CommandContext(t.Context(), "git", args...)
		git.Dir = dir
		git.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
			"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.org", "GIT_COMMITTER_NAME=Ann",
			"GIT_COMMITTER_EMAIL=ann@example.org")
		if out, err := git.CombinedOutput(); err != nil {
			t.Logf("git %v: %v %s", args, err, out)
		}
	}
	return dir
}

// builtApp writes what guides check as a package and as a platform's folder.
func builtApp(t *testing.T, dir string) {
	t.Helper()
	list, err := os.ReadFile(filepath.Join(dir, "config.xml"))
	if err != nil {
		t.Fatal(err)
	}
	const page = "<!DOCTYPE html><title>Notes</title>"
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, f := range [][2]string{
		{"Info.plist", "<plist version=\"1.0\"><dict><key>CFBundleName</key><string>App</string></dict></plist>"},
		{"config.xml", string(list)}, {"www/index.html", page},
	} {
		file, err := w.Create("Payload/App.app/" + f[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(file, f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	const built = "platforms/android/app/src/main/"
	for name, text := range map[string]string{
		"App.ipa": packed.String(), built + "res/xml/config.xml": string(list), built + "assets/www/index.html": page,
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// runs reports whether a command runs until it is stopped.
func (c guideCommand) runs() bool {
	verb := strings.Fields(c.text)[1]
	return !c.session && (verb == "up" || verb == "gateway" && !strings.Contains(c.text, "--check") ||
		verb == "serve" && !strings.Contains(c.text, "--check") ||
		verb == "record" && !strings.Contains(c.text, "--har") && !strings.Contains(c.text, " -- "))
}

// elsewhere reports whether a command names another machine.
func (c guideCommand) elsewhere() bool {
	return strings.Contains(c.text, "postgres://") || strings.Contains(c.text, ":443") ||
		strings.Contains(c.text, "--online") ||
		strings.Contains(c.text, ":config.xml") && !haveGit()
}

func haveGit() bool {
	_, err := exec.LookPath("git")
	return err == nil
}

func runGuideCommand(t *testing.T, dir, guide string, c guideCommand) {
	t.Helper()
	text := strings.ReplaceAll(c.text, "/backups/", dir+"/backups/")
	if strings.Contains(c.text, "/backups/") {
		if err := os.MkdirAll(filepath.Join(dir, "backups"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-e", "-c", text)
	if c.runs() {
		shell = exec.CommandContext(ctx, "sh", "-c", "exec "+text)
	}
	shell.Dir = dir
	shell.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir)
	if cache, err := os.UserCacheDir(); err == nil { // what npm fetched for another test counts here too
		shell.Env = append(shell.Env, "npm_config_cache="+filepath.Join(cache, "cordon-tests", "npm"),
			"npm_config_prefer_offline=true")
	}
	shell.WaitDelay = 5 * time.Second
	read, write := io.Pipe()
	out := newWords(read)
	shell.Stdout, shell.Stderr = write, write
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	if c.runs() {
		signs := []string{"Ctrl-C", "gateway for", "Data in "}
		if verb := strings.Fields(c.text)[1]; verb != "up" { // which speaks before it runs
			signs = append(signs, "cordon: ")
		}
		out.wait(signs...)                       // it runs, or has ended
		_ = shell.Process.Signal(syscall.SIGINT) // it may have failed by now; Wait says so
	}
	err := shell.Wait()
	_ = write.Close()
	<-out.done
	status := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		status = exit.ExitCode()
	case err != nil:
		t.Errorf("%s:%d: %s: %v", guide, c.line, c.text, err)
		return
	}
	busy := strings.Contains(out.text(), "address already in use")
	switch {
	case status == 0, status == exitFindings && !c.session && !c.runs():
	case status == exitEnvironment && c.elsewhere():
		t.Logf("%s:%d: another machine was not reached: %s", guide, c.line, c.text)
	case status == exitEnvironment && busy:
		t.Logf("%s:%d: a port is in use on this machine, so it did not run: %s", guide, c.line, c.text)
	default:
		t.Errorf("%s:%d: %s\nexit status %d:\n%s", guide, c.line, c.text, status, out.text())
	}
}
