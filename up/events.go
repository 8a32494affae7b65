package up

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/watch"
)

// NoticeKind says what a Notice is about.
type NoticeKind string

// The kinds of notices.
const (
	// RulesInForce: the file of the rules was read again, and is in force.
	RulesInForce NoticeKind = "rules-in-force"
	// RulesRefused: the file of the rules cannot be used as it is now; the last good
	// rules stay in force.
	RulesRefused NoticeKind = "rules-refused"
	// Warned: something about the rules in force that was not there before.
	Warned NoticeKind = "warned"
	// DatabaseNewer: what opening the app's database has found, such as that a newer
	// version has added to it.
	DatabaseNewer NoticeKind = "database-newer"
	// EventsLost: the log beside the app cannot be written.
	EventsLost NoticeKind = "events-lost"
)

// Notice is what a person who works on the app should know when it happens.
type Notice struct {
	Kind NoticeKind
	// File is that of the rules, for RulesInForce.
	File string
	// Text is what is wrong, for all others. It may hold what a file says: a
	// terminal gets it through wording.Printable.
	Text string
}

// upEvents passes on what was decided with places of the user's own file, and
// tells of each change of the rules.
type upEvents struct {
	app    *appFolder
	sinks  []event.Sink
	notify func(Notice)
	// warnings are those of the rules in force.
	warnings func() []string

	mu      sync.Mutex
	digest  [sha256.Size]byte // of the rules that were spoken of last
	trouble string            // why the file cannot be read, "" if it can
	warned  []string
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

// notice tells of each reload once, good or broken; a reload that changes nothing
// is none.
func (u *upEvents) notice(e *event.Event) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch e.Reason {
	case "reload-failed":
		if e.Detail != u.trouble {
			u.trouble = e.Detail
			u.notify(Notice{Kind: RulesRefused, Text: e.Detail})
		}
	case "reloaded":
		digest := u.app.policy().digest
		if digest == u.digest && u.trouble == "" {
			return
		}
		u.digest, u.trouble = digest, ""
		u.notify(Notice{Kind: RulesInForce, File: u.app.Rules})
		now := u.fresh()
		for _, warning := range now {
			if !slices.Contains(u.warned, warning) {
				u.notify(Notice{Kind: Warned, Text: warning})
			}
		}
		u.warned = now
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

// begin notes what the rules in force were at the start, and what is to be known of
// them.
func (u *upEvents) begin(warnings func() []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.digest, u.warnings = u.app.policy().digest, warnings
	u.warned = u.fresh()
}

// watchEvery is how often the app's rules are looked at between requests.
const watchEvery = 500 * time.Millisecond

// watch reads the rules again when their file changes, until the context ends.
func (a *App) watch(ctx context.Context) {
	watch.Every(ctx, watchEvery, a.refresh)
}

// refresh reads the rules again if their file looks different. One that is
// missing for a moment is being replaced; one that stays away is told once.
func (a *App) refresh() {
	a.reloading.Lock()
	defer a.reloading.Unlock()
	now := watch.Look(a.folder.Rules)
	switch {
	case now == a.seen:
		return
	case now.Exists():
		a.missing = time.Time{}
	case a.missing.IsZero():
		a.missing = time.Now()
		return
	case time.Since(a.missing) < 2*watchEvery:
		return
	}
	a.seen = now
	_ = a.gateway.Reload() // a broken file is a notice; the old rules stay
}
