package up

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/needs"
	"github.com/cordon-sec/cordon/project"
)

// The addresses of this machine alone.
var (
	loopback4 = netip.MustParsePrefix("127.0.0.0/8")
	loopback6 = netip.MustParsePrefix("::1/128")
)

// appPages serves the app's built pages with the policy of each in a header.
type appPages struct {
	app *appFolder

	mu   sync.Mutex
	made map[string]madePolicy
}

// madePolicy is the policy of a page, as long as neither the rules nor the page
// nor what the app's scripts need change.
type madePolicy struct {
	rules  [sha256.Size]byte
	needs  [sha256.Size]byte
	page   time.Time
	policy csp.Policy
	// data is the page without a policy of its own.
	data []byte
}

// ServeHTTP answers with a file of the app.
func (p *appPages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The app's files are read only.", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	root, err := p.app.openPages()
	if err != nil {
		http.Error(w, p.app.Pages+" cannot be opened.", http.StatusNotFound)
		return
	}
	defer func() { _ = root.Close() }()
	web := root.FS()
	name, info, err := p.app.find(web, r.URL.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == "cordova.js":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		fmt.Fprint(w, cordovaStandIn)
	case err != nil || hidden(name):
		http.Error(w, path.Join(p.app.Pages, name)+" is not there.", http.StatusNotFound)
	case isPage(name):
		p.servePage(w, r, web, name, info)
	default:
		p.serveFile(w, r, web, name, info)
	}
}

// openPages opens the folder of the app's pages. A link in it that leads out of it
// cannot be followed, and one in its place must stay within the app's folder.
func (a *appFolder) openPages() (*os.Root, error) {
	app, err := os.OpenRoot(a.Dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = app.Close() }()
	return app.OpenRoot(filepath.FromSlash(a.Pages))
}

// find returns the file that a path of the site leads to.
func (a *appFolder) find(web fs.FS, requested string) (name string, info fs.FileInfo, err error) {
	if name = strings.TrimPrefix(path.Clean("/"+requested), "/"); name == "" {
		name = a.Start
	}
	info, err = fs.Stat(web, name)
	if err == nil && info.IsDir() {
		name = path.Join(name, "index.html")
		info, err = fs.Stat(web, name)
	}
	if errors.Is(err, fs.ErrNotExist) && a.Routes && path.Ext(name) == "" && !hidden(name) {
		name = a.Start
		info, err = fs.Stat(web, name)
	}
	return name, info, err
}

// hidden reports whether a file belongs to none of the app's pages.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// serveFile answers with a file under its own name: http.ServeFileFS would send
// requests for index.html elsewhere.
func (p *appPages) serveFile(w http.ResponseWriter, r *http.Request, web fs.FS, name string, info fs.FileInfo) {
	data, err := fs.ReadFile(web, name)
	if err != nil {
		http.Error(w, path.Join(p.app.Pages, name)+" cannot be read.", http.StatusInternalServerError)
		return
	}
	http.ServeContent(w, r, path.Base(name), info.ModTime(), bytes.NewReader(data))
}

// cordovaStandIn is what a page gets for cordova.js outside a device: the event
// that it waits for.
const cordovaStandIn = `// cordon up: on a device the platform's own cordova.js stands here.
addEventListener("DOMContentLoaded", function () { document.dispatchEvent(new Event("deviceready")); });
`

func isPage(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".html" || ext == ".htm"
}

// servePage answers with a page under the policy that is exported for it.
func (p *appPages) servePage(w http.ResponseWriter, r *http.Request, web fs.FS, name string, info fs.FileInfo) {
	made, err := p.page(web, name, info)
	if err != nil {
		http.Error(w, path.Join(p.app.Pages, name)+" cannot be read.", http.StatusInternalServerError)
		return
	}
	setPolicy(w.Header(), made.policy)
	http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(made.data))
}

// frameAncestors is who may frame a page of the app.
const frameAncestors = "'self'"

// setPolicy puts a page's policy into the header, with the directives that
// browsers take from a header only, and where to report what it refuses.
//
// The policy is there twice, with a comma between: a browser that knows report-to looks away from
// report-uri in the same policy, and Chromium keeps what goes to report-to for
// up to a minute, while what goes to report-uri is there at once.
func setPolicy(h http.Header, made csp.Policy) {
	made = made.Set("frame-ancestors", frameAncestors)
	h.Set("Content-Security-Policy",
		made.Set("report-uri", reportsPath).String()+", "+made.Set("report-to", reportGroup).String())
	h.Set("Reporting-Endpoints", reportGroup+`="`+reportsPath+`"`)
}

func (p *appPages) page(web fs.FS, name string, info fs.FileInfo) (madePolicy, error) {
	rules := p.app.policy()
	shared, stamp := p.app.needs(rules)
	p.mu.Lock()
	defer p.mu.Unlock()
	made, ok := p.made[name]
	if ok && made.rules == rules.digest && made.needs == stamp && made.page.Equal(info.ModTime()) {
		return made, nil
	}
	data, err := fs.ReadFile(web, name)
	if err != nil {
		return madePolicy{}, err
	}
	made = madePolicy{rules: rules.digest, needs: stamp, page: info.ModTime()}
	made.policy, made.data = rules.pagePolicy(name, data, shared, false)
	if p.made == nil {
		p.made = map[string]madePolicy{}
	}
	p.made[name] = made
	return made, nil
}

// pagePolicy makes the policy of a page, and the page without one of its own:
// that one is for what is shipped, and nothing that is for development only
// would load under it. With styles, what a development server's scripts put into
// the page as style elements is let in, as no hash of it can be known.
func (p *appPolicy) pagePolicy(name string, data []byte, shared project.Shared, styles bool) (csp.Policy, []byte) {
	page := readPage(name, data)
	seen := project.CSPPage(&page, shared)
	if styles {
		seen.InlineStyles, seen.StyleAttributes = nil, nil // beside a hash, browsers ignore 'unsafe-inline'
	}
	made, _ := export.PagePolicy(export.NewSource(p.pages, nil), seen)
	if d, ok := made.Get("style-src"); styles && ok {
		made.Directives = slices.DeleteFunc(made.Directives, func(d csp.Directive) bool {
			return strings.HasPrefix(d.Name, "style-src-")
		})
		if !d.Has(needs.UnsafeInline) {
			made = made.Set("style-src", append(slices.Clone(d.Sources), needs.UnsafeInline)...)
		}
	}
	for i := len(page.Tags) - 1; i >= 0; i-- {
		tag := &page.Tags[i]
		if tag.Name == "meta" && strings.EqualFold(tag.Value("http-equiv"), "content-security-policy") {
			data = slices.Concat(data[:tag.Start], data[tag.End:])
		}
	}
	return made, data
}

// makePolicy makes the policy of a built page, and says what it costs the page.
func (p *appPolicy) makePolicy(name string, data []byte, shared project.Shared) (csp.Policy, []export.Loss) {
	page := readPage(name, data)
	return export.PagePolicy(export.NewSource(p.pages, nil), project.CSPPage(&page, shared))
}

// readPage takes a page apart; of one that is too large nothing is known.
func readPage(name string, data []byte) app.Page {
	page := app.Page{File: app.File{Name: name, Data: data}}
	if len(data) <= project.MaxFile {
		page = project.ReadPage(page.File)
	}
	return page
}

// ownedByBackend reports whether a path is the backend's, in any letter case.
func ownedByBackend(requested, auth string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(requested, "/"), "/")
	for _, own := range []string{"tables", "api", "push", "swagger", ".well-known", strings.TrimPrefix(auth, "/")} {
		if strings.EqualFold(first, own) {
			return true
		}
	}
	return false
}
