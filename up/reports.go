package up

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/event"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/project"
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
	app    *appFolder
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
	e := &event.Event{Type: event.Decision, Source: "page", App: p.app.Name, Verdict: event.Blocked, Kind: v.Kind(),
		Reason: event.ReasonPageFixed}
	where := pathOf(v.Document)
	if v.Source != "" {
		where += fmt.Sprintf(" (%s:%d)", pathOf(v.Source), v.Line)
	}
	to, err := url.Parse(v.Blocked)
	var at hostname.Authority
	if err == nil {
		at, err = hostname.ParseAuthority(to.Host)
	}
	if err != nil {
		e.Detail = fmt.Sprintf("%s on %s was refused by %s: %s", blockedWords(v.Blocked), where, v.Directive,
			remedyOf(v.Directive, v.Blocked, p.app.setting(v.Directive, v.Blocked)))
		return e
	}
	e.Scheme, e.Host, e.Port, e.Path = to.Scheme, at.Host.String(), at.Port, to.EscapedPath()
	e.Detail = fmt.Sprintf("%s of the page's policy refused it on %s", v.Directive, where)
	if p.app.liftedByLine(v, to.Scheme, at) {
		e.Reason = event.ReasonPagePolicy
		return e
	}
	e.Detail += ": " + remedyOfDirective(v.Directive)
	return e
}

// liftedByLine reports whether a line for the host in the app's rules would let
// through what a page's policy refused. The policy that the page would have then
// is asked: for scripts, say, a line counts only where the page's own markup
// names them.
func (a *appFolder) liftedByLine(v *csp.Violation, scheme string, at hostname.Authority) bool {
	seen := propose.Observation{Scheme: "https", Host: at.Host.String(), Port: int(at.Port)}
	if scheme == "http" || scheme == "ws" {
		seen.Scheme = "http"
	}
	line := propose.List([]propose.Observation{seen})[0].Line
	more, err := newAppPolicy(a.policy().pages, []string{line.Origin}, nil, nil)
	if err != nil {
		return false
	}
	page, err := url.Parse(v.Document)
	if err != nil {
		return false
	}
	// A page that cannot be read here (a development server's) names no scripts.
	name, data := a.readPage(page.Path)
	shared, _ := a.needs(more)
	made, _ := more.pagePolicy(name, data, shared, false)
	made = made.Set("frame-ancestors", frameAncestors)
	return made.Allows(v.Directive, v.Blocked, page.Scheme+"://"+page.Host+"/")
}

// readPage reads the built page that a path of the site leads to.
func (a *appFolder) readPage(requested string) (name string, data []byte) {
	root, err := a.openPages()
	if err != nil {
		return "", nil
	}
	defer func() { _ = root.Close() }()
	name, info, err := a.find(root.FS(), requested)
	if err != nil || !isPage(name) || info.Size() > project.MaxFile {
		return name, nil
	}
	if data, err = root.ReadFile(name); err != nil {
		return name, nil
	}
	return name, data
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
	return "what a " + blocked + ": URL holds"
}

// remedyOf says what to do about a refusal that no line of config.xml about hosts
// allows, and the setting that allows it all the same.
func remedyOf(directive, blocked, setting string) string {
	remedy := "keep it in a file of the app"
	switch {
	case blocked == "eval":
		remedy = "use a library that does without eval"
	case blocked == "wasm-eval":
		remedy = "keep to JavaScript"
	case strings.HasPrefix(directive, "style-src"):
		remedy = "move it into a style sheet of the app"
	case blocked == "inline":
		remedy = "move it into a file of the app"
	}
	if setting != "" {
		remedy += ", or " + setting
	}
	return remedy
}

// remedyOfDirective says what to do about the refusal of a URL where a line in
// the app's rules would change nothing.
func remedyOfDirective(directive string) string {
	switch directive {
	case "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem", "style-src-attr":
		return "name it in the page's own markup and list its host, or keep a copy among the app's files"
	case "worker-src":
		return "a worker must be a file of the app"
	case "form-action":
		return "the target of a form must be listed with allow-navigation"
	case "base-uri":
		return "the page's base must stay at the app"
	case "object-src":
		return "plug-ins are never loaded: use an element of HTML"
	case "frame-ancestors":
		return "no other site may frame the app's pages"
	}
	return "no line of the app's rules changes that"
}
