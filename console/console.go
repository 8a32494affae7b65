// Package console is the web page for people who run Cordon: what the policy
// says and what is wrong with it, what is being decided right now, the rows of
// the tables, and who is signed in.
//
// [New] returns one http.Handler for whatever parts a process has; a part that
// is nil hides its page. Pages are made on the server and work without
// scripts; htmx only spares reloads. Everything is served from the binary
// under a policy of default-src 'self'.
//
// The console is as strong as who can reach it: without an Authorize function
// it answers only requests for loopback names, and every change must come from
// its own pages (net/http.CrossOriginProtection).
package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
)

// Config says what a console shows.
type Config struct {
	// Base is the path under which the console is mounted, without a slash at
	// its end, such as "/console".
	Base string
	// Title names the process, such as the app's name.
	Title string
	// Policy, Traffic, Tables and People are the parts; a nil one hides its
	// page.
	Policy  Policy
	Traffic Traffic
	Tables  Tables
	People  People
	// ReadOnly says that the config.xml is not changed from here: lines are
	// proposed without a button to add them.
	ReadOnly bool
	// Problem says what is wrong at this moment, such as a config.xml that cannot
	// be read, for a banner on every page; "" or nil for nothing. It is called
	// concurrently.
	Problem func() string
	// Authorize decides whether a request may use the console when it is
	// opened wider than loopback; it answers the request itself when it returns
	// false. Nil: only requests for a loopback name are answered.
	Authorize func(http.ResponseWriter, *http.Request) bool
}

//go:embed templates static
var files embed.FS

type console struct {
	config  Config
	pages   map[string]*template.Template
	notices notices
}

// New returns the console's handler.
func New(config Config) (http.Handler, error) {
	config.Base = strings.TrimRight(config.Base, "/")
	c := &console{config: config, pages: map[string]*template.Template{}}
	if err := c.parse(); err != nil {
		return nil, err
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /{$}", c.home)
	if config.Policy != nil {
		c.policyRoutes(mux)
	}
	if config.Traffic != nil {
		mux.HandleFunc("GET /traffic", c.traffic)
	}
	if config.Tables != nil {
		c.tableRoutes(mux)
	}
	if config.People != nil {
		c.peopleRoutes(mux)
	}
	protected := http.NewCrossOriginProtection().Handler(mux)
	return http.StripPrefix(config.Base, c.guard(protected)), nil
}

func (c *console) parse() error {
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	for _, name := range names {
		page, err := template.New("layout.html").Funcs(functions).ParseFS(files, "templates/layout.html", name)
		if err != nil {
			return fmt.Errorf("console: %w", err)
		}
		c.pages[strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".html")] = page
	}
	return nil
}

// guard lets only the right requests in, and sets the headers that keep a page
// from being read, framed or fed by others.
func (c *console) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; form-action 'self'; "+
			"frame-ancestors 'none'; base-uri 'none'; object-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if c.config.Authorize != nil {
			if !c.config.Authorize(w, r) {
				return
			}
		} else if !hostname.IsLoopback(r.Host) {
			http.Error(w, "The console answers to loopback names only: open it as http://localhost.",
				http.StatusForbidden)
			return
		}
		if r.Body != nil {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		}
		next.ServeHTTP(w, r)
	})
}

// maxForm bounds the body of a change in bytes.
const maxForm = 1 << 20

// view is what every page gets.
type view struct {
	Base, Title, Page string
	Parts             []part
	Notice, Problem   string
	Data              any
}

type part struct {
	Name, Path string
	Current    bool
}

func (c *console) parts(current string) []part {
	var all []part
	add := func(shown bool, name, path string) {
		if shown {
			all = append(all, part{name, c.config.Base + path, name == current})
		}
	}
	add(c.config.Policy != nil, "Policy", "/policy")
	add(c.config.Traffic != nil, "Traffic", "/traffic")
	add(c.config.Tables != nil, "Tables", "/tables")
	add(c.config.People != nil, "People", "/people")
	return all
}

func (c *console) home(w http.ResponseWriter, r *http.Request) {
	parts := c.parts("")
	if len(parts) == 0 {
		http.Error(w, "This process has nothing to show.", http.StatusNotFound)
		return
	}
	http.Redirect(w, r, parts[0].Path, http.StatusSeeOther)
}

// render writes a whole page, or for htmx the part of it that is asked for.
func (c *console) render(w http.ResponseWriter, r *http.Request, page, current, fragment string, data any) {
	c.answer(w, r, http.StatusOK, page, current, fragment, data)
}

func (c *console) answer(w http.ResponseWriter, r *http.Request, status int, page, current, fragment string, data any) {
	v := view{Base: c.config.Base, Title: c.config.Title, Page: current, Parts: c.parts(current), Data: data}
	if id := r.URL.Query().Get("said"); id != "" {
		v.Notice = c.notices.take(id)
	}
	if c.config.Problem != nil {
		v.Problem = c.config.Problem()
	}
	name := "layout.html"
	if fragment != "" && r.Header.Get("HX-Request") == "true" {
		name = fragment
	}
	var b bytes.Buffer
	if err := c.pages[page].ExecuteTemplate(&b, name, v); err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "HX-Request")
	w.WriteHeader(status)
	// The client may be gone; there is nobody to tell.
	_, _ = b.WriteTo(w)
}

// fail answers with an error of a part, in a page with the way to the others.
// The text is for the operator, who is the one who reads it.
func (c *console) fail(w http.ResponseWriter, r *http.Request, what string, err error) {
	c.answer(w, r, http.StatusInternalServerError, "problem", "", "", "Cannot "+what+": "+err.Error())
}

// back returns to a page after a change, with what happened.
func (c *console) back(w http.ResponseWriter, r *http.Request, path, notice string) {
	http.Redirect(w, r, c.config.Base+path+"?said="+c.notices.put(notice), http.StatusSeeOther)
}
