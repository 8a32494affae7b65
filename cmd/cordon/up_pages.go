package main

import (
	"bytes"
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

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/export"
	exportcsp "github.com/cordon-sec/cordon/policy/export/csp"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/project"
)

// The addresses of this machine alone.
var (
	loopback4 = netip.MustParsePrefix("127.0.0.0/8")
	loopback6 = netip.MustParsePrefix("::1/128")
)

// appFolder is an app's folder that is served from.
type appFolder struct {
	dir    string
	config string // the config.xml's name in it
	name   string // the app's name
	start  string // the start page's name below www/
}

// openAppFolder reads an app's folder.
func openAppFolder(dir string) (*appFolder, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: no such folder", dir)
	}
	app, _, err := openProject(dir, nil)
	if err != nil {
		return nil, err
	}
	if app.Config == nil {
		return nil, fmt.Errorf("%s: no config.xml; cordon init makes one", dir)
	}
	if info, err := os.Stat(filepath.Join(dir, "www")); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: no www/ folder beside config.xml; cordon init makes one", dir)
	}
	a := &appFolder{dir: dir, config: app.Config.Name(), name: "app", start: "index.html"}
	for _, e := range app.Config.For("") {
		switch text := strings.TrimSpace(e.Text); {
		case e.Name == "name" && text != "":
			a.name = text
		case e.Name == "content" && !strings.Contains(e.Value("src"), ":") && e.Value("src") != "":
			a.start = strings.TrimPrefix(path.Clean("/"+e.Value("src")), "/")
		}
	}
	return a, nil
}

// document reads the config.xml as it is now.
func (a *appFolder) document() (*configxml.Document, error) {
	return project.ReadConfig(os.DirFS(a.dir), a.config)
}

// development returns the config.xml as it is enforced in development: with
// lines for the origins, on the line of the last element, so that every other
// line keeps its number.
func (a *appFolder) development(origins []string) (*configxml.Document, error) {
	doc, err := a.document()
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	for _, origin := range origins {
		text.WriteString(" " + propose.Line{Element: "access", Origin: origin}.String())
	}
	children := doc.Root().Children
	if len(children) == 0 {
		return nil, fmt.Errorf("%s has no element", a.config)
	}
	end := children[len(children)-1].End
	data, err := doc.Apply(configxml.Edit{Start: end, End: end, New: text.String()})
	if err != nil {
		return nil, err
	}
	return configxml.Parse(a.config, data)
}

// writeDevelopment writes that config.xml for the gateway and returns its path.
func (a *appFolder) writeDevelopment(origins []string) (string, error) {
	doc, err := a.development(origins)
	if err != nil {
		return "", err
	}
	name := filepath.Join(a.dir, ".cordon", "config.xml")
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, doc.Bytes()) {
		return name, nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return "", environment(err)
	}
	if err := os.WriteFile(name, doc.Bytes(), 0o600); err != nil {
		return "", environment(err)
	}
	return name, nil
}

// appPages serves www/ with the policy of each page in a header.
type appPages struct {
	app     *appFolder
	origins []string

	mu   sync.Mutex
	made map[string]madePolicy
}

// madePolicy is the policy of a page, as long as neither file changes.
type madePolicy struct {
	config, page time.Time
	policy       string
	// data is the page without a policy of its own.
	data []byte
}

// developmentCSP are directives that browsers take from a header only.
const developmentCSP = "; frame-ancestors 'self'"

// ServeHTTP answers with a file of www/.
func (p *appPages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "The app's files are read only.", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" {
		name = p.app.start
	}
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	www := os.DirFS(filepath.Join(p.app.dir, "www"))
	info, err := fs.Stat(www, name)
	if err == nil && info.IsDir() {
		name = path.Join(name, "index.html")
		info, err = fs.Stat(www, name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && name == "cordova.js":
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		fmt.Fprint(w, cordovaStandIn)
	case err != nil || hidden(name):
		http.Error(w, "www/"+name+" is not there.", http.StatusNotFound)
	case isPage(name):
		p.servePage(w, r, name, info)
	default:
		serveFile(w, r, www, name, info)
	}
}

// hidden reports whether a file is none of the app's pages.
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
func serveFile(w http.ResponseWriter, r *http.Request, www fs.FS, name string, info fs.FileInfo) {
	data, err := fs.ReadFile(www, name)
	if err != nil {
		http.Error(w, "www/"+name+" cannot be read.", http.StatusInternalServerError)
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
func (p *appPages) servePage(w http.ResponseWriter, r *http.Request, name string, info fs.FileInfo) {
	made, err := p.page(name, info)
	if err != nil {
		http.Error(w, "The policy of this page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", made.policy)
	http.ServeContent(w, r, path.Base(name), time.Time{}, bytes.NewReader(made.data))
}

func (p *appPages) page(name string, info fs.FileInfo) (madePolicy, error) {
	config, err := os.Stat(filepath.Join(p.app.dir, filepath.FromSlash(p.app.config)))
	if err != nil {
		return madePolicy{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	made, ok := p.made[name]
	if ok && made.config.Equal(config.ModTime()) && made.page.Equal(info.ModTime()) {
		return made, nil
	}
	if made, err = p.make(name); err != nil {
		return madePolicy{}, err
	}
	made.config, made.page = config.ModTime(), info.ModTime()
	if p.made == nil {
		p.made = map[string]madePolicy{}
	}
	p.made[name] = made
	return made, nil
}

// make makes the policy of a page from the config.xml in development. A policy
// in the page itself is the same for what is shipped; it gives way, or nothing
// that is for development only would load.
func (p *appPages) make(name string) (madePolicy, error) {
	doc, err := p.app.development(p.origins)
	if err != nil {
		return madePolicy{}, err
	}
	read, err := project.Read(os.DirFS(p.app.dir), project.Options{Config: p.app.config})
	if err != nil {
		return madePolicy{}, err
	}
	page := &lint.Page{}
	for i := range read.Pages {
		if read.Pages[i].Name == "www/"+name {
			page = &read.Pages[i]
		}
	}
	made, _ := exportcsp.For(export.NewSource(doc, nil), project.CSPPage(page))
	data := page.Data
	if page.Name == "" { // larger than what is read for the policy
		if data, err = os.ReadFile(filepath.Join(p.app.dir, "www", filepath.FromSlash(name))); err != nil {
			return madePolicy{}, err
		}
	}
	for i := len(page.Tags) - 1; i >= 0; i-- {
		if tag := &page.Tags[i]; tag.Name == "meta" && strings.EqualFold(tag.Value("http-equiv"), "content-security-policy") {
			data = slices.Concat(data[:tag.Start], data[tag.End:])
		}
	}
	return madePolicy{policy: made.String() + developmentCSP, data: data}, nil
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
