package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project/folder"
)

// openSide reads a config.xml that is named as a file, as a project's folder,
// or as REVISION:PATH in Git. A file of that name comes first.
func openSide(ctx context.Context, name string) (side, error) {
	if _, err := os.Stat(name); err != nil {
		if revision, path, ok := strings.Cut(name, ":"); ok && revision != "" && path != "" {
			return openRevision(ctx, name, path)
		}
	}
	read, err := openConfig(name)
	if err != nil {
		return side{}, err
	}
	return sideOf(name, read), nil
}

func sideOf(name string, read *app.App) side {
	return side{name: name, app: read, doc: read.Ships(), targets: targetNames(read.Targets)}
}

// gitTime is how long Git may take for one file.
const gitTime = 30 * time.Second

// openRevision reads a file of a revision. Git names paths from the top of the
// repository, or with ./ from the current folder.
func openRevision(ctx context.Context, name, path string) (side, error) {
	if strings.HasPrefix(name, "-") {
		return side{}, fmt.Errorf("%s: a revision does not begin with -", name)
	}
	ctx, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", "cat-file", "blob", name)
	cmd.Stdout, cmd.Stderr = &limited{w: &out, left: configxml.MaxSize}, &limited{w: &complaint, left: 4096}
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return side{},
			environment(fmt.Errorf("%s: no such file, and git is not installed to look for a revision", name))
	case errors.Is(err, errTooMuch):
		return side{}, fmt.Errorf("%s: larger than the %d bytes that are read", name, configxml.MaxSize)
	case ctx.Err() != nil:
		return side{}, environment(fmt.Errorf("%s: git did not answer within %s", name, gitTime))
	case err != nil:
		said, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		return side{}, fmt.Errorf("%s: neither a file nor a file in Git: %s", name,
			wording.Printable(strings.TrimPrefix(said, "fatal: ")))
	}
	doc, err := configxml.Parse(path, out.Bytes())
	if err != nil {
		return side{}, fmt.Errorf("%s: %w", name, err)
	}
	read, err := folder.Around(doc, folderOf(ctx, path), nil)
	if err != nil {
		return side{}, fmt.Errorf("%s: %w", name, err)
	}
	return sideOf(name, read), nil
}

// folderOf is where the folder of a file of a revision is on this machine, as it is
// now: what plugins add to the file is read there.
func folderOf(ctx context.Context, path string) string {
	dir := filepath.FromSlash(filepath.Dir(path))
	if strings.HasPrefix(path, "./") || strings.HasPrefix(path, "../") {
		return dir
	}
	up, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-cdup").Output()
	if err != nil {
		return dir
	}
	return filepath.Join(strings.TrimSpace(string(up)), dir)
}

// limited writes at most so many bytes, and fails beyond.
type limited struct {
	w    io.Writer
	left int
}

var errTooMuch = errors.New("more than is read")

// Write writes p if there is room for it.
func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, errTooMuch
	}
	l.left -= len(p)
	return l.w.Write(p)
}
