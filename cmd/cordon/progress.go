package main

import (
	"fmt"
	"io"
	"io/fs"
	"time"

	"golang.org/x/term"
)

// progress shows on a terminal how far something is, in one line that it writes
// over and over. Elsewhere only [progress.rows] says something.
type progress struct {
	w    io.Writer
	next time.Time
	used bool

	log  io.Writer
	told int
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(interface {
		Fd() uintptr
		Stat() (fs.FileInfo, error)
	})
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{log: w}
	}
	return &progress{w: w}
}

// show replaces the line, at most ten times a second.
func (p *progress) show(format string, args ...any) {
	if now := time.Now(); p.w != nil && now.After(p.next) {
		fmt.Fprintf(p.w, "\r\x1b[K"+format, args...)
		p.next, p.used = now.Add(100*time.Millisecond), true
	}
}

// end removes the line.
func (p *progress) end() {
	if p.used {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// rowsALine is after how many rows there is a line where there is no terminal.
const rowsALine = 100_000

// rows shows how many rows are done, where there is no terminal too.
func (p *progress) rows(n int) {
	p.show("%d rows", n)
	if p.log != nil && n >= p.told+rowsALine {
		p.told = n - n%rowsALine
		fmt.Fprintf(p.log, "%d rows\n", p.told)
	}
}
