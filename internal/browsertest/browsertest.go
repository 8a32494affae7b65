// Package browsertest drives Chromium in tests, with a guard: a page error, a
// console error, a resource that fails or is refused, or an error that is shown
// to the user fails the test unless it was announced.
//
//	func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }
//
//	func TestPage(t *testing.T) {
//		p := browsertest.Open(t, browsertest.Proxy(gateway))
//		p.Expect(browsertest.Failed("https://not-listed.example/*"))
//		p.Navigate(site)
//		p.Click("#ask")
//		p.WaitFor(browsertest.Shows("#answer", "It was refused"))
//	}
//
// One browser serves all tests of a package; each page that [Open] returns has
// cookies, storage and a proxy of its own. [Main] ends it. A test without a
// browser on its machine skips and says so, or fails where CORDON_REQUIRE_ALL
// is set. CHROMIUM names the browser to use, and
// CORDON_SCREENSHOTS a folder for [Page.Screenshot].
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/cordon-sec/cordon/internal/lane"
)

// Main runs a package's tests and then ends its browsers. It returns the exit
// status.
func Main(m interface{ Run() int }) int {
	browsers.mu.Lock()
	browsers.open = true
	browsers.mu.Unlock()
	code := m.Run()
	browsers.mu.Lock()
	defer browsers.mu.Unlock()
	for _, p := range browsers.all {
		p.end()
	}
	return code
}

// browsers are the running ones, by the flags that they were started with.
var browsers struct {
	mu   sync.Mutex
	open bool
	all  map[string]*process
}

// process is one running browser.
type process struct {
	ctx  context.Context
	stop []func()
	dir  string
}

// end closes the browser and removes what it kept.
func (p *process) end() {
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	_ = chromedp.Cancel(ctx) // waits for the browser's end
	cancel()
	for _, stop := range slices.Backward(p.stop) {
		stop()
	}
	_ = os.RemoveAll(p.dir)
}

// Option changes how a page is opened.
type Option func(*options)

type options struct {
	proxy string
	flags []string
	limit time.Duration
}

// Proxy makes a proxy at host:port the page's only way out, to loopback too.
func Proxy(address string) Option { return func(o *options) { o.proxy = address } }

// Flag gives the browser another command-line flag, as in
// "ignore-certificate-errors-spki-list=…"; a browser of those flags is started.
func Flag(flag string) Option { return func(o *options) { o.flags = append(o.flags, flag) } }

// Limit bounds how long the page may be used; two minutes unless it is called.
func Limit(d time.Duration) Option { return func(o *options) { o.limit = d } }

// Find returns the path of the browser. Without one the test ends: it skips, or
// fails where a browser is required.
func Find(t testing.TB) string {
	t.Helper()
	names := []string{os.Getenv("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome",
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			return name
		}
	}
	const missing = "no Chromium on this machine (Debian: apt-get install chromium): the browser test did not run"
	lane.Missing(t, missing)
	return ""
}

// commonFlags are for every browser: no errands of its own, names below .test
// are this machine, and media plays unasked.
var commonFlags = []string{
	"disable-quic", "disable-component-update", "autoplay-policy=no-user-gesture-required",
	"webrtc-ip-handling-policy=disable_non_proxied_udp", "host-resolver-rules=MAP *.test 127.0.0.1",
	"disable-features=Translate,HttpsUpgrades,LocalNetworkAccessChecks,OptimizationHints,MediaRouter",
}

// start returns the running browser with these flags, and starts it if there is
// none.
func start(t testing.TB, flags []string) (*process, error) {
	path := Find(t)
	key := strings.Join(flags, " ")
	browsers.mu.Lock()
	defer browsers.mu.Unlock()
	if !browsers.open {
		return nil, errors.New("the package's TestMain must call browsertest.Main, which ends the browser")
	}
	if p := browsers.all[key]; p != nil && p.ctx.Err() == nil {
		return p, nil
	}
	dir, err := os.MkdirTemp("", "browsertest-")
	if err != nil {
		return nil, err
	}
	allocator := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.UserDataDir(dir))
	if len(flags) == 0 {
		allocator = append(allocator, chromedp.IgnoreCertErrors)
	}
	for _, flag := range slices.Concat(commonFlags, flags) {
		name, value, ok := strings.Cut(flag, "=")
		if !ok {
			allocator = append(allocator, chromedp.Flag(name, true))
			continue
		}
		allocator = append(allocator, chromedp.Flag(name, value))
	}
	p := &process{dir: dir}
	ctx, stopAllocator := chromedp.NewExecAllocator(context.Background(), allocator...)
	ctx, stopBrowser := chromedp.NewContext(ctx)
	p.ctx, p.stop = ctx, []func(){stopAllocator, stopBrowser}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		p.end()
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	if browsers.all == nil {
		browsers.all = map[string]*process{}
	}
	browsers.all[key] = p
	return p, nil
}

// Page is one page of the browser, under guard. Its methods fail the test when
// they cannot do what they say. It is for one goroutine.
type Page struct {
	// Context is the page for chromedp's own calls.
	Context context.Context

	t     testing.TB
	guard *guard
}

// Open opens an empty page with cookies and storage of its own. Certificates are
// not checked unless a flag says which ones are trusted.
func Open(t testing.TB, choices ...Option) *Page {
	t.Helper()
	o := options{limit: 2 * time.Minute}
	for _, choose := range choices {
		choose(&o)
	}
	browser, err := start(t, o.flags)
	if err != nil {
		t.Fatal(err)
	}
	limited, stop := context.WithTimeout(browser.ctx, o.limit)
	g := newGuard()
	own := chromedp.WithNewBrowserContext(func(p *target.CreateBrowserContextParams) {
		if o.proxy != "" {
			p.ProxyServer, p.ProxyBypassList = "http://"+o.proxy, "<-loopback>"
		}
	})
	ctx, cancel := chromedp.NewContext(limited, chromedp.WithListener(g.hear), own)
	p := &Page{Context: ctx, t: t, guard: g}
	t.Cleanup(func() {
		t.Helper()
		p.check()
		g.report(t)
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("open a page: %v", err)
	}
	if err := watch(ctx); err != nil {
		t.Fatalf("watch a page: %v", err)
	}
	p.guardOpened()
	return p
}

// guardOpened puts every page that this one opens under the same guard. What
// such a page did before is told on enabling the domains.
func (p *Page) guardOpened() {
	own := chromedp.FromContext(p.Context).BrowserContextID
	var opened sync.Map
	err := chromedp.ListenBrowser(p.Context, func(ev any) {
		created, ok := ev.(*target.EventTargetCreated)
		if !ok || created.TargetInfo.Type != "page" || created.TargetInfo.OpenerID == "" ||
			created.TargetInfo.BrowserContextID != own {
			return
		}
		if _, twice := opened.LoadOrStore(created.TargetInfo.TargetID, true); twice {
			return
		}
		p.guard.running.Go(func() {
			ctx, cancel := chromedp.NewContext(p.Context, chromedp.WithTargetID(created.TargetInfo.TargetID),
				chromedp.WithListener(p.guard.hear), chromedp.WithDetachOnCancel())
			defer cancel()
			// It may be closed before anybody has looked at it.
			if gone, err := attach(ctx); err == nil {
				select {
				case <-gone:
				case <-p.guard.done:
				case <-ctx.Done():
				}
			}
		})
	})
	if err != nil {
		p.t.Fatalf("watch for pages that open: %v", err)
	}
}

func attach(ctx context.Context) (<-chan struct{}, error) {
	if _, err := chromedp.Run(ctx, chromedp.Location()); err != nil {
		return nil, err
	}
	if err := watch(ctx); err != nil {
		return nil, err
	}
	return chromedp.Detached(ctx)
}

// For returns the same page for a test within the one that opened it.
func (p *Page) For(t testing.TB) *Page {
	return &Page{Context: p.Context, t: t, guard: p.guard}
}

// Screenshot keeps a picture of the page, where CORDON_SCREENSHOTS names a
// folder.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	dir := os.Getenv("CORDON_SCREENSHOTS")
	if dir == "" {
		return
	}
	data, err := chromedp.Run(p.Context, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}
