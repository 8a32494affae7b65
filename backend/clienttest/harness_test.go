package clienttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/server"

	"github.com/cordon-sec/cordon/backend/store/storetest/pgtest"
	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/settings"
)

// browsers ends the browser of the tests.
type browsers struct{ m *testing.M }

// Run runs the tests.
func (b browsers) Run() int { return browsertest.Main(b.m) }

func TestMain(m *testing.M) {
	if config := os.Getenv(serveEnv); config != "" {
		fmt.Fprintln(os.Stderr, serveChild(config))
		os.Exit(3)
	}
	os.Exit(pgtest.Main(browsers{m}))
}

//go:embed package.json
var packages []byte

// modules installs the npm packages into the cache, once for each package.json,
// and returns their folder.
func modules(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			lane.Missing(t, "there is no "+tool+" on this machine")
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		lane.Missing(t, "there is no cache folder: "+err.Error())
	}
	sum := sha256.Sum256(packages)
	dir := filepath.Join(cache, "cordon", "clienttest-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return filepath.Join(dir, "node_modules")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), packages, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		lane.Missing(t, fmt.Sprintf("npm install: %v\n%s", err, out))
	}
	if err := os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "node_modules")
}

// databases runs a test on each database.
func databases(t *testing.T, run func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) {
		run(t, "sqlite:"+filepath.Join(t.TempDir(), "cordon.db"))
	})
	t.Run("postgres", func(t *testing.T) { run(t, pgtest.URL(t)) })
}

// backend runs a backend with the given tables and returns its address.
func backend(t *testing.T, database, tables, origin string) string {
	t.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(echo))
	t.Cleanup(upstream.Close)
	file := filepath.Join(t.TempDir(), "cordon.yaml")
	t.Setenv("CORDON_TEST_KEY", strings.Repeat("0123456789abcdef", 4))
	config := fmt.Sprintf(`server: { listen: "127.0.0.1:0", tls: off, cors: ["localhost", %q] }
database: %q
identity: { signing_key: "env:CORDON_TEST_KEY", providers: { google: {type: development} } }
services:
  echo: { upstream: %q }
  applicationpermission: { upstream: %q }
  runtimeInfo: { upstream: %q }
tables:
%s`, origin, database, upstream.URL+"/echo", upstream.URL+"/suite", upstream.URL+"/runtime", tables)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settings.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := server.Open(t.Context(), s, server.Options{Stdout: io.Discard, Stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- b.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + b.Addr().String()
}

// echo is the owner's own service.
func echo(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/runtime"):
		reply(w, http.StatusOK, "application/json", `{"runtime":{"type":"go","version":"1"},`+
			`"features":{"intIdTables":true,"stringIdTables":true,"stringReplace":true}}`)
	case strings.HasPrefix(r.URL.Path, "/suite"):
		suiteAPI(w, r)
	default:
		body, _ := io.ReadAll(r.Body)
		status := http.StatusOK
		if s := r.URL.Query().Get("status"); s != "" {
			_, _ = fmt.Sscan(s, &status)
		}
		out, _ := json.Marshal(map[string]any{"method": r.Method, "query": r.URL.Query(), "body": string(body)})
		reply(w, status, "application/json", string(out))
	}
}

func reply(w http.ResponseWriter, status int, media, body string) {
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// outcome is what a script reports of one scenario.
type outcome struct {
	Name, Error string
	OK, Done    bool
}

// report turns outcomes into subtests.
func report(t *testing.T, outcomes []outcome, least int) {
	t.Helper()
	done, passed := false, 0
	for _, o := range outcomes {
		if o.Done {
			done = true
			continue
		}
		if o.OK {
			passed++
		}
		t.Run(o.Name, func(t *testing.T) {
			if !o.OK {
				t.Error(o.Error)
			}
		})
	}
	if !done {
		t.Error("the script did not come to its end")
	}
	if len(outcomes)-1 < least {
		t.Errorf("%d scenarios ran, there are at least %d", len(outcomes)-1, least)
	}
	t.Logf("%d of %d passed", passed, len(outcomes)-1)
}

func decode(t *testing.T, lines []byte) (out []outcome) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		var o outcome
		if err := json.Unmarshal(line, &o); err != nil {
			t.Logf("output: %s", line)
			continue
		}
		out = append(out, o)
	}
	return out
}

const scenarioTables = `  fruit: { columns: {name: string, qty: number, ripe: boolean, picked: date}, soft_delete: true }
  basket: { columns: {name: string, qty: number, ripe: boolean, picked: date} }
  page: { columns: {n: number}, page_size: 3 }
  closed: { insert: {access: disabled} }
  secret: { access: authenticated }
  todo: { columns: {text: string, done: boolean, n: number, at: date}, soft_delete: true }
`

// scenarios is how many scenarios.js has.
const scenarios = 10

func TestNode(t *testing.T) {
	lane.Real(t)
	dir := modules(t)
	databases(t, func(t *testing.T, database string) {
		url := backend(t, database, scenarioTables, "localhost")
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		node := exec.CommandContext(ctx, "node", "node.js", dir, url)
		var errors bytes.Buffer
		node.Stderr = &errors
		out, err := node.Output()
		if err != nil {
			t.Errorf("node: %v\n%s", err, errors.String())
		}
		report(t, decode(t, out), scenarios)
	})
}
