package browsertest

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// stepTime bounds each step, and waitTime each WaitFor.
const (
	stepTime = 30 * time.Second
	waitTime = 15 * time.Second
)

// Do runs steps of chromedp in the page.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.Context, stepTime)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fatal("%v", err)
	}
}

// Navigate opens a URL, once what the page shows now was checked.
func (p *Page) Navigate(url string) {
	p.t.Helper()
	p.check()
	p.Do(chromedp.Navigate(url))
}

// Click clicks on what a CSS selector finds, once it can be seen.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.Do(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

// Type types into what a CSS selector finds; "\r" is the Enter key.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	p.Do(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Eval evaluates an expression in the page, and waits where it is a promise.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.Context, stepTime+waitTime)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.fatal("%.200s: %v", expression, err)
	}
	return got
}

// WaitFor waits until an expression is true in the page, also over navigations.
// The page itself watches; nothing sleeps here.
func (p *Page) WaitFor(expression string) {
	p.t.Helper()
	Await[bool](p, "Boolean("+expression+")")
}

// watchTime bounds one stretch of watching: a page that goes to another one may
// take its promise with it.
const watchTime = time.Second

// Await waits until an expression has a value that is true, and returns it.
func Await[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.Context, waitTime)
	defer cancel()
	for ctx.Err() == nil {
		stretch, end := context.WithTimeout(ctx, 2*watchTime)
		got, err := chromedp.Run(stretch,
			chromedp.Poll[T](expression, chromedp.WithPollingInterval(50*time.Millisecond),
				chromedp.WithPollingTimeout(watchTime)))
		if err != nil && stretch.Err() == nil {
			// The page may have gone to another one: it is asked once that is there.
			_ = chromedp.Do(stretch, chromedp.WaitReady(chromedp.CSS("html")))
		}
		end()
		if err == nil {
			return got
		}
	}
	p.fatal("it never came true: %s", expression)
	panic("unreachable: fatal ends the test")
}

// Shows is an expression for WaitFor: an element shows a text.
func Shows(selector, text string) string {
	return fmt.Sprintf("(document.querySelector(%q)?.textContent ?? '').includes(%q)", selector, text)
}

// Popup does something that opens another page, and returns that page once its
// address is of the kind that is waited for (all of them with nil).
func (p *Page) Popup(open func(), address func(url string) bool) *Page {
	p.t.Helper()
	listening, stop := context.WithCancel(p.Context)
	defer stop()
	own := chromedp.FromContext(p.Context).Target.TargetID
	opened := make(chan target.ID, 1)
	err := chromedp.ListenBrowser(listening, func(ev any) {
		var info *target.Info
		switch ev := ev.(type) {
		case *target.EventTargetCreated:
			info = ev.TargetInfo
		case *target.EventTargetInfoChanged:
			info = ev.TargetInfo
		default:
			return
		}
		if info.OpenerID == own && info.Type == "page" && (address == nil || address(info.URL)) {
			select {
			case opened <- info.TargetID:
			default: // it was found before
			}
		}
	})
	if err != nil {
		p.fatal("watch for a page that opens: %v", err)
	}
	open()
	limit := time.NewTimer(waitTime)
	defer limit.Stop()
	select {
	case id := <-opened:
		ctx, cancel := chromedp.NewContext(p.Context, chromedp.WithTargetID(id), chromedp.WithDetachOnCancel())
		p.t.Cleanup(cancel)
		// The first call decides how long the page is held: it has no limit of
		// its own. A page that has closed itself says so at the first step.
		_ = chromedp.Do(ctx)
		return &Page{Context: ctx, t: p.t, guard: p.guard}
	case <-limit.C:
		p.fatal("no page opened")
		return nil
	}
}

// ClickAway clicks on what closes its own page, so that the click itself may not
// be answered.
func (p *Page) ClickAway(selector string) {
	p.t.Helper()
	p.Do(chromedp.WaitVisible(chromedp.CSS(selector)))
	p.check()
	ctx, cancel := context.WithTimeout(p.Context, stepTime)
	defer cancel()
	_ = chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
}

// Close closes the page as a person does.
func (p *Page) Close() {
	p.t.Helper()
	p.check()
	id := chromedp.FromContext(p.Context).Target.TargetID
	if _, err := chromedp.CallBrowser(p.Context, target.CloseTarget,
		target.CloseTargetParams{TargetID: id}); err != nil {
		p.fatal("close the page: %v", err)
	}
}

// Offline takes the page's network away, or gives it back.
func (p *Page) Offline(off bool) {
	p.t.Helper()
	conditions := []*network.Conditions{{Offline: off, DownloadThroughput: -1, UploadThroughput: -1}}
	_, err := chromedp.Call(p.Context, network.EmulateNetworkConditionsByRule,
		network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: conditions})
	if err == nil {
		_, err = chromedp.Call(p.Context, network.OverrideNetworkState,
			network.OverrideNetworkStateParams{Offline: off, DownloadThroughput: -1, UploadThroughput: -1})
	}
	if err != nil {
		p.fatal("take the network away: %v", err)
	}
}

// Look sets the size of the window in pixels, and the colour scheme: "light" or
// "dark".
func (p *Page) Look(width, height int64, scheme string) {
	p.t.Helper()
	_, err := chromedp.Call(p.Context, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	if err != nil {
		p.fatal("set the colour scheme: %v", err)
	}
	p.Do(chromedp.EmulateViewport(width, height))
}

// fatal ends the test with what the page shows.
func (p *Page) fatal(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s\nthe page says:\n%s", fmt.Sprintf(format, args...), p.text())
}

// text is what the page shows.
func (p *Page) text() string {
	ctx, cancel := context.WithTimeout(p.Context, 2*time.Second)
	defer cancel()
	const shown = `location.href + "\n" + (document.body ? document.body.innerText : "")`
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](shown))
	if err != nil {
		return "(it cannot be read: " + err.Error() + ")"
	}
	return text
}
