package clienttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
)

// page serves what a browser needs and collects what its scripts report.
type page struct {
	server   *httptest.Server
	mu       sync.Mutex
	outcomes []outcome
	done     chan struct{}
	once     sync.Once
}

func newPage(t *testing.T, files http.Handler) *page {
	p := &page{done: make(chan struct{})}
	mux := http.NewServeMux()
	mux.Handle("/", files)
	mux.HandleFunc("POST /outcome", func(w http.ResponseWriter, r *http.Request) {
		var o outcome
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		p.outcomes = append(p.outcomes, o)
		p.mu.Unlock()
		if o.Done {
			p.once.Do(func() { close(p.done) })
		}
	})
	p.server = httptest.NewServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

// visit opens the page in the browser and waits for its end. The clients try what
// the backend refuses: those answers are no fault of the page.
func (p *page) visit(t *testing.T, path string, limit time.Duration, announced ...*browsertest.Expectation) []outcome {
	t.Helper()
	site := strings.Replace(p.server.URL, "127.0.0.1", "localhost", 1)
	tab := browsertest.Open(t, browsertest.Limit(limit))
	tab.Expect(announced...)
	tab.Navigate(site + path)
	select {
	case <-p.done:
	case <-tab.Context.Done():
		t.Errorf("the page %s did not come to its end in %v", path, limit)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.outcomes
}

// bundle puts a script and what it requires into one file.
func bundle(t *testing.T, modules, script string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bundle.js")
	pack := exec.CommandContext(t.Context(), filepath.Join(modules, ".bin", "browserify"), script, "-o", out,
		"--noparse="+filepath.Join(modules, "sql.js", "dist", "sql-asm.js"))
	pack.Env = append(os.Environ(), "NODE_PATH="+modules)
	if text, err := pack.CombinedOutput(); err != nil {
		t.Fatalf("browserify: %v\n%s", err, text)
	}
	return out
}

// refusals announce that the backend refuses some of what the clients try on
// purpose.
func refusals(address string) []*browsertest.Expectation {
	return []*browsertest.Expectation{
		browsertest.Failed(address + "/*").Maybe("which scenarios are refused depends on the suite")}
}

func TestBrowser(t *testing.T) {
	lane.Real(t)
	dir := modules(t)
	browsertest.Find(t)
	file := bundle(t, dir, "browser.js")
	databases(t, func(t *testing.T, database string) {
		mux := http.NewServeMux()
		mux.HandleFunc("/bundle.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script `+
				`src="/bundle.js"></script>`)
		})
		p := newPage(t, mux)
		address := backend(t, database, scenarioTables, "localhost")
		report(t, p.visit(t, "/?url="+url.QueryEscape(address), 4*time.Minute, refusals(address)...), scenarios)
	})
}
