package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/policy/csp"
)

// What cordon up answers itself at the app's address; no file of an app is
// served from a folder whose name begins with a dot.
const (
	reportsPath = "/.cordon/reports"
	consoleLink = "/.cordon/console"
	// reportGroup is the name of the endpoint in Reporting-Endpoints.
	reportGroup = "cordon"
)

// maxReports bounds the body of a report in bytes.
const maxReports = 64 << 10

// pageReports takes what browsers report that a page's own policy refused. It
// never reaches the gateway, and is shown beside what did.
type pageReports struct {
	app    string
	events *event.Recorder

	mu    sync.Mutex
	known map[csp.Violation]time.Time
}

// A browser tells of one refusal twice: at once for report-uri, and up to a
// minute later for report-to. Within this time the same one is not shown again.
const (
	sameReport = 2 * time.Minute
	mostKnown  = 4096
)

// repeated reports whether a violation was told before, and remembers it. A page
// that does the same thing over and over is shown once in that time.
func (p *pageReports) repeated(v csp.Violation, now time.Time) bool {
	// What the two ways say differently does not tell one refusal from another.
	v.Column = 0
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.known[v]; ok && now.Sub(last) < sameReport {
		return true
	}
	if len(p.known) >= mostKnown {
		clear(p.known)
	}
	if p.known == nil {
		p.known = map[csp.Violation]time.Time{}
	}
	p.known[v] = now
	return false
}

// ServeHTTP takes one report of report-uri, or a batch of the Reporting API.
func (p *pageReports) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "Browsers post reports of Content-Security-Policy here.", http.StatusMethodNotAllowed)
		return
	}
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "Reports of other sites are not taken.", http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReports))
	if err != nil {
		status := http.StatusBadRequest
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "The report cannot be read.", status)
		return
	}
	violations, err := csp.ParseReports(r.Header.Get("Content-Type"), body)
	if err != nil {
		http.Error(w, "The report cannot be read: "+err.Error()+".", http.StatusBadRequest)
		return
	}
	for i := range violations {
		if violations[i].Enforced && !p.repeated(violations[i], time.Now()) {
			p.events.Record(p.event(&violations[i]))
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// event is a violation as one of the decisions that Traffic shows.
func (p *pageReports) event(v *csp.Violation) *event.Event {
	e := &event.Event{Type: event.Decision, Source: "page", App: p.app, Verdict: event.Denied, Reason: "page-policy",
		Kind: v.Kind()}
	where := pathOf(v.Document)
	if v.Source != "" {
		where += fmt.Sprintf(" (%s:%d)", pathOf(v.Source), v.Line)
	}
	to, err := url.Parse(v.Blocked)
	if err != nil || to.Host == "" {
		e.Detail = fmt.Sprintf("%s on %s was refused by %s: %s", blockedWords(v.Blocked), where, v.Directive,
			remedyOf(v.Blocked))
		return e
	}
	e.Scheme, e.Host, e.Path = to.Scheme, strings.ToLower(to.Hostname()), to.EscapedPath()
	if port, err := strconv.ParseUint(to.Port(), 10, 16); err == nil {
		e.Port = uint16(port)
	}
	e.Detail = fmt.Sprintf("%s of the page's policy refused it on %s", v.Directive, where)
	return e
}

// pathOf is what a developer calls a page or script: its path.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Path == "" {
		return address
	}
	return u.EscapedPath()
}

// blockedWords says what a keyword of blocked-uri stands for (Content Security
// Policy Level 3, section 2.4.2).
func blockedWords(blocked string) string {
	switch blocked {
	case "inline":
		return "inline code or style"
	case "eval":
		return "eval"
	case "wasm-eval":
		return "compiling WebAssembly"
	}
	return "a " + blocked + ": resource"
}

// remedyOf says what to do about a refusal that no line of config.xml allows.
func remedyOf(blocked string) string {
	switch blocked {
	case "inline":
		return "move it into a file of the app"
	case "eval":
		return "use a library that does without eval"
	}
	return "keep it in a file of the app"
}
