package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/watch"
	"github.com/cordon-sec/cordon/internal/wording"
)

// upEvents passes on what was decided with places of the user's own file, and
// tells the terminal of each change of the rules.
type upEvents struct {
	app   *appFolder
	sinks []event.Sink
	quiet bool
	// warnings are those of the rules in force.
	warnings func() []string

	mu       sync.Mutex
	terminal io.Writer
	digest   [sha256.Size]byte // of the rules that were spoken of last
	trouble  string            // why the file cannot be read, "" if it can
	warned   []string
}

// Record is part of event.Sink.
func (u *upEvents) Record(e *event.Event) {
	if e.Type == event.Notice && e.Reason == "reloaded" {
		u.app.enforce()
	}
	shown := *e
	shown.Place = u.app.policy().place(e.Place)
	for _, sink := range u.sinks {
		copied := shown
		sink.Record(&copied)
	}
	if e.Type == event.Notice {
		u.notice(e)
	}
}

// notice prints one line for each reload, good or broken; a reload that changes
// nothing is none.
func (u *upEvents) notice(e *event.Event) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch e.Reason {
	case "reload-failed":
		if e.Detail != u.trouble {
			u.trouble = e.Detail
			u.say("%s; the last good rules stay in force", wording.Printable(e.Detail))
		}
	case "reloaded":
		digest := u.app.policy().digest
		if digest == u.digest && u.trouble == "" {
			return
		}
		u.digest, u.trouble = digest, ""
		u.say("%s was read again: its rules are in force", wording.Printable(u.app.Rules))
		now := u.fresh()
		for _, warning := range now {
			if !slices.Contains(u.warned, warning) {
				fmt.Fprintf(u.terminal, "warning: %s\n", wording.Printable(warning))
			}
		}
		u.warned = now
	}
}

// say prints a line, also where only results are wanted if something is wrong.
func (u *upEvents) say(format string, args ...any) {
	if !u.quiet || u.trouble != "" {
		fmt.Fprintf(u.terminal, "cordon: "+format+"\n", args...)
	}
}

// fresh returns the warnings about the user's own file.
func (u *upEvents) fresh() []string {
	rules := u.app.policy()
	all := slices.Clone(rules.notes)
	for _, warning := range u.warnings() {
		if own := rules.warning(strings.TrimPrefix(warning, u.app.Name+": ")); own != "" {
			all = append(all, own)
		}
	}
	return all
}

// problem says what is wrong with the app's file now, "" if it can be read.
func (u *upEvents) problem() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.trouble == "" {
		return ""
	}
	return u.trouble + ". The last good rules stay in force."
}

// watchEvery is how often the app's rules are looked at between requests.
const watchEvery = 500 * time.Millisecond

// watch reads the rules again when their file changes, until the context ends.
func (u *upStack) watch(ctx context.Context) {
	watch.Every(ctx, watchEvery, u.refresh)
}

// refresh reads the rules again if their file looks different. One that is
// missing for a moment is being replaced; one that stays away is told once.
func (u *upStack) refresh() {
	u.reloading.Lock()
	defer u.reloading.Unlock()
	now := watch.Look(u.app.Rules)
	switch {
	case now == u.seen:
		return
	case now.Exists():
		u.missing = time.Time{}
	case u.missing.IsZero():
		u.missing = time.Now()
		return
	case time.Since(u.missing) < 2*watchEvery:
		return
	}
	u.seen = now
	_ = u.gateway.Reload() // a broken file is a notice; the old rules stay
}
