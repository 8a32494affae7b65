package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Kind is what can go wrong in a page.
type Kind string

// The kinds of faults.
const (
	// PageFault is an exception or a rejection that nobody handled.
	PageFault Kind = "page error"
	// ConsoleFault is what a script wrote by console.error or console.assert, or
	// the browser itself as an error.
	ConsoleFault Kind = "console error"
	// ResourceFault is a resource that failed, was refused by a policy, or got a
	// status from 400 on.
	ResourceFault Kind = "failed resource"
	// VisibleFault is a text that tells the user of an error.
	VisibleFault Kind = "visible error"
)

// Expectation announces a fault.
type Expectation struct {
	kind    Kind
	pattern *regexp.Regexp
	text    string
	may     bool
	seen    bool
}

// glob is a pattern in which "*" stands for any text.
func glob(text string, whole bool) *regexp.Regexp {
	expression := strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, `.*`)
	if whole {
		expression = "^" + expression + "$"
	}
	return regexp.MustCompile("(?s)" + expression)
}

// Failed announces that resources fail or are refused; "*" in the URL stands for
// any text.
func Failed(url string) *Expectation {
	return &Expectation{kind: ResourceFault, pattern: glob(url, true), text: url}
}

// ConsoleError announces an error in the console that contains a text.
func ConsoleError(text string) *Expectation {
	return &Expectation{kind: ConsoleFault, pattern: glob(text, false), text: text}
}

// PageError announces an exception that contains a text.
func PageError(text string) *Expectation {
	return &Expectation{kind: PageFault, pattern: glob(text, false), text: text}
}

// VisibleError announces an error that the user is shown and that contains a
// text.
func VisibleError(text string) *Expectation {
	return &Expectation{kind: VisibleFault, pattern: glob(text, false), text: text}
}

// Maybe says that the fault may also stay away, which takes a reason for whoever
// reads the test.
func (e *Expectation) Maybe(reason string) *Expectation {
	e.may = reason != ""
	return e
}

// Expect announces faults before they happen. One that never happens fails the
// test too.
func (p *Page) Expect(announced ...*Expectation) {
	p.guard.mu.Lock()
	defer p.guard.mu.Unlock()
	p.guard.expected = append(p.guard.expected, announced...)
}

// fault is one thing that went wrong.
type fault struct {
	kind Kind
	// what is the text or URL that is compared, and more what else is known.
	what, more string
}

// guard collects the faults of a page and of those that it opens.
type guard struct {
	running sync.WaitGroup
	done    chan struct{}

	mu       sync.Mutex
	expected []*Expectation
	faults   []fault
	// requests are the URLs that were asked for, by their ids.
	requests map[network.RequestID]string
}

func newGuard() *guard {
	return &guard{done: make(chan struct{}), requests: map[network.RequestID]string{}}
}

// note adds a fault unless it was announced.
func (g *guard) note(f fault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.expected {
		if e.kind == f.kind && e.pattern.MatchString(f.what) {
			e.seen = true
			return
		}
	}
	if !slices.Contains(g.faults, f) {
		g.faults = append(g.faults, f)
	}
}

// hear takes the events of a page.
func (g *guard) hear(ev any) {
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		g.note(fault{PageFault, exceptionText(ev.ExceptionDetails), ev.ExceptionDetails.URL})
	case *runtime.EventConsoleAPICalled:
		if ev.Type == "error" || ev.Type == "assert" {
			g.note(fault{ConsoleFault, argumentsText(ev.Args), ""})
		}
	case *runtime.EventBindingCalled:
		if ev.Name == watcher {
			g.told(ev.Payload)
		}
	case *log.EventEntryAdded:
		g.entry(ev.Entry)
	case *network.EventRequestWillBeSent:
		g.asked(ev.RequestID, ev.Request.URL)
	case *network.EventWebSocketCreated:
		g.asked(ev.RequestID, ev.URL)
	case *network.EventResponseReceived:
		if ev.Response.Status >= 400 {
			g.note(fault{ResourceFault, ev.Response.URL, fmt.Sprintf("status %d", ev.Response.Status)})
		}
	case *network.EventLoadingFailed:
		url := g.url(ev.RequestID)
		// What a policy stops before it is a request, and what began before the
		// page was watched, is told in the log with its URL, and here without.
		if !ev.Canceled && url != "" {
			g.note(fault{ResourceFault, url, ev.ErrorText + " " + string(ev.BlockedReason)})
		}
	case *network.EventWebSocketFrameError:
		g.note(fault{ResourceFault, g.url(ev.RequestID), ev.ErrorMessage})
	}
}

func (g *guard) asked(id network.RequestID, url string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests[id] = url
}

func (g *guard) url(id network.RequestID) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests[id]
}

// address is a URL in a message of the browser.
var address = regexp.MustCompile(`(?:https?|wss?|data|blob):[^\s'"]+`)

// entry takes a message of the browser itself. One about a resource is a fault
// of that resource: the message names it before it speaks of the rule.
func (g *guard) entry(e *log.Entry) {
	if e.Level != "error" {
		return
	}
	subject, _, _ := strings.Cut(e.Text, " violates ")
	subject, _, _ = strings.Cut(subject, " because ")
	found := strings.TrimRight(address.FindString(subject), ".,;")
	switch {
	case found != "":
		g.note(fault{ResourceFault, found, e.Text})
	case e.Source == "network" && e.URL != "":
		g.note(fault{ResourceFault, e.URL, e.Text})
	default:
		g.note(fault{ConsoleFault, e.Text, e.URL})
	}
}

func exceptionText(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Text + " " + d.Exception.Description
	}
	if d.Exception != nil && len(d.Exception.Value) > 0 {
		return d.Text + " " + string(d.Exception.Value)
	}
	return d.Text
}

func argumentsText(args []*runtime.RemoteObject) string {
	var parts []string
	for _, a := range args {
		switch {
		case len(a.Value) > 0:
			parts = append(parts, strings.Trim(string(a.Value), `"`))
		default:
			parts = append(parts, a.Description)
		}
	}
	return strings.Join(parts, " ")
}

// visibleErrors are the texts that a user is shown as an error: what is marked
// up as one, and the words of an exception that came through to the page.
const visibleErrors = `(() => {
  const seen = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const marked = [...document.querySelectorAll('[role=alert], .error, [aria-invalid=true]')]
    .filter((e) => seen(e) && (e.innerText || e.value || '').trim())
    .map((e) => (e.innerText || e.value).trim());
  const words = new RegExp('is not a function|is not defined|undefined|\\[object |\\bNaN\\b|' +
    'TypeError|ReferenceError|SyntaxError|Cannot read prop');
  const told = (document.body ? document.body.innerText : '').split('\n').filter((line) => words.test(line));
  return [...marked, ...told];
})()`

// The watcher of each document tells of errors by a function of this name, which
// it takes away before the page's own scripts run. (A world of its own would be
// mistaken for the page by chromedp 0.23, whose target.go keeps one context a
// frame.)
const watcher = "browsertestTell"

// watchErrors tells of visible errors as they appear, also of one that goes
// again, or whose document goes. Before its style sheets are there, a document
// shows nothing.
const watchErrors = `(() => {
  const send = globalThis.` + watcher + `;
  delete globalThis.` + watcher + `;
  const told = new Set();
  let waiting = false;
  const shown = () => document.readyState !== 'loading' &&
    [...document.querySelectorAll('link[rel=stylesheet]')].every((link) => link.disabled || link.sheet);
  let last = -Infinity; // when it was looked
  const tell = () => {
    waiting = false;
    last = performance.now();
    if (!shown()) return;
    const texts = ` + visibleErrors + `.filter((text) => !told.has(text));
    texts.forEach((text) => told.add(text));
    if (texts.length > 0) send(JSON.stringify(texts));
  };
  const later = () => { if (!waiting) { waiting = true; setTimeout(tell, 10); } };
  // What changes is looked at before anything else runs, or soon after where much
  // changes: what goes again has been seen then, however busy the machine is.
  const changed = () => { performance.now() - last > 10 ? tell() : later(); };
  new MutationObserver(changed).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  addEventListener('DOMContentLoaded', later);
  addEventListener('load', later);
  addEventListener('pagehide', tell);
  later();
})()`

// watch makes every document of a page, and of the frames in it, tell of visible
// errors. Workers, and frames of other sites, are processes of their own and are
// not watched.
func watch(ctx context.Context) error {
	binding := runtime.AddBindingParams{Name: watcher}
	if _, err := chromedp.Call(ctx, runtime.AddBinding, binding); err != nil {
		return err
	}
	immediately := true
	script := page.AddScriptToEvaluateOnNewDocumentParams{Source: watchErrors, RunImmediately: &immediately}
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, script)
	return err
}

// told takes what a watcher tells.
func (g *guard) told(payload string) {
	var texts []string
	if err := json.Unmarshal([]byte(payload), &texts); err != nil {
		texts = []string{payload}
	}
	for _, text := range texts {
		g.note(fault{VisibleFault, text, ""})
	}
}

// check looks for errors that the page shows now.
func (p *Page) check() {
	ctx, cancel := context.WithTimeout(p.Context, 5*time.Second)
	defer cancel()
	texts, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](visibleErrors))
	if err != nil {
		return // the page is gone, or its browser, which the steps have said
	}
	for _, text := range texts {
		p.guard.note(fault{VisibleFault, text, ""})
	}
}

// report fails the test for what was not announced, and for what was and did not
// happen.
func (g *guard) report(t testing.TB) {
	t.Helper()
	close(g.done)
	g.running.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range g.faults {
		t.Errorf("%s: %s (%s)", f.kind, f.what, strings.TrimSpace(f.more))
	}
	for _, e := range g.expected {
		if !e.seen && !e.may {
			t.Errorf("the %s %q was announced and did not happen", e.kind, e.text)
		}
	}
}
