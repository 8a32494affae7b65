package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/project"
)

// openSide reads a config.xml that is named as a file, as a project's folder,
// or as REVISION:PATH in Git. A file of that name comes first.
func openSide(ctx context.Context, name string) (side, error) {
	if _, err := os.Stat(name); err != nil {
		if revision, path, ok := strings.Cut(name, ":"); ok && revision != "" && path != "" {
			return openRevision(ctx, name, path)
		}
	}
	doc, targets, err := openConfig(name)
	return side{name: name, doc: doc, targets: targets}, err
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
	return side{name: name, doc: doc, targets: targetNames(project.Targets(doc))}, nil
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
