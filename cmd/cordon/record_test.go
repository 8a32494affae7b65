package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/gateway"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/gateway/source"
	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// recorded runs cordon record without a command until use returns.
func recorded(t *testing.T, args []string, use func(proxy string)) (stdout, stderr string, status int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out bytes.Buffer
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		line := append([]string{"record", "--listen", "127.0.0.1:0"}, args...)
		ended <- execute(ctx, line, strings.NewReader(""), &out, write)
		write.Close()
	}()
	var notes bytes.Buffer
	buffer := make([]byte, 4096)
	through := regexp.MustCompile(`through http://(\S+)\n`)
	for !through.Match(notes.Bytes()) {
		n, err := read.Read(buffer)
		if err != nil {
			t.Fatalf("cordon record did not start: %s", notes.String())
		}
		notes.Write(buffer[:n])
	}
	proxy := string(through.FindSubmatch(notes.Bytes())[1])
	rest := make(chan struct{})
	go func() {
		_, _ = io.Copy(&notes, read)
		close(rest)
	}()
	use(proxy)
	cancel()
	status = <-ended
	<-rest
	return out.String(), notes.String(), status
}

func TestRecordProposes(t *testing.T) {
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	defer secure.Close()
	port := mustParse(t, secure.URL).Port()
	config := writeConfig(t, "\n  <access origin=\"*\"/>\n  <access origin=\"https://old.example.org\"/>\n")
	stdout, stderr, status := recorded(t, []string{"--config", config, "--with", "https://api.localhost:" + port,
		"--private", "api.localhost=127.0.0.0/8", "--private", "api.localhost=::1", "--write"}, func(proxy string) {
		transport := secure.Client().Transport.(*http.Transport).Clone()
		transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})
		transport.TLSClientConfig.ServerName = "example.com" // the name in the test server's certificate
		transport.TLSClientConfig.InsecureSkipVerify = true
		client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
		defer transport.CloseIdleConnections()
		transport.TLSClientConfig.ServerName = ""
		if status, _, body := apptest.Get(t, client,
			"https://api.localhost:"+port+"/x?token=secret"); status != http.StatusOK || body != "hello" {
			t.Errorf("while recording: %d %s", status, body)
		}
		for _, refused := range []string{"https://127.0.0.1:" + port + "/", "https://odd.localhost:" + port + "/"} {
			if response, err := client.Get(refused); err == nil {
				response.Body.Close()
				t.Errorf("%s was let through while recording", refused)
			}
		}
	})
	if status != exitFine {
		t.Fatalf("status %d: %s", status, stderr)
	}
	line := `<access origin="https://api.localhost:` + port + `" />`
	for _, want := range []string{line, "1 request", "+  " + line, "# not asked for: line 2",
		"# not asked for: line 3"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("it says no %q:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout+stderr, "secret") {
		t.Error("a query is shown")
	}
	if !strings.Contains(stderr, "odd.localhost:"+port+" was refused while recording (port-not-named)") {
		t.Errorf("what was refused is not said:\n%s", stderr)
	}
	data, err := os.ReadFile(config)
	if err != nil || !strings.Contains(string(data), line) || strings.Contains(string(data), `"*"`) ||
		strings.Contains(string(data), "old.example.org") {
		t.Errorf("config.xml: %v\n%s", err, data)
	}
}

// With --inspect the gateway sees paths, and kinds where the client says them.
func TestRecordInspects(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		lane.Missing(t, "there is no curl on this machine: recording inside tunnels was not tried")
	}
	dir := t.TempDir()
	origin := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	defer origin.Close()
	roots := filepath.Join(dir, "roots.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: origin.Certificate().Raw})
	if err := os.WriteFile(roots, certificate, 0o644); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config.xml")
	if err := os.WriteFile(config, []byte("<widget>\n  <content/>\n</widget>\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		// A process of its own, which trusts the origin.
		cordon := exec.CommandContext(t.Context(), "cordon", args...)
		cordon.Env = append(os.Environ(), "SSL_CERT_FILE="+roots)
		out, err := cordon.CombinedOutput()
		if err != nil {
			t.Fatalf("cordon %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("ca", "create", "--dir", filepath.Join(dir, "ca"))
	said := run("record", "--config", config, "--listen", "127.0.0.1:0", "--inspect", "--ca", filepath.Join(dir, "ca"),
		"--with", origin.URL, "--", "curl", "-sS", "-H", "Sec-Fetch-Dest: image",
		origin.URL+"/pictures/one.png?token=secret")
	if !strings.Contains(said, "image, /pictures/one.png") || strings.Contains(said, "secret") {
		t.Errorf("it says\n%s", said)
	}
}

// TestRecordTheExample records the example in a browser, and then runs it behind
// a gateway with the list that was proposed: it still works, and nothing else
// is reachable.
func TestRecordTheExample(t *testing.T) {
	lane.Real(t)
	t.Parallel()
	port := proctest.FreePort(t)
	dir := todoCopy(t, port)
	clientLibrary(t, dir)
	u := startUp(t, dir, port)
	list := filepath.Join(t.TempDir(), "config.xml")
	if err := os.WriteFile(list,
		[]byte("<?xml version=\"1.0\"?>\n<widget id=\"com.example.todo\" xmlns=\"http://www.w3.org/ns/widgets\">\n"+
			"    <access origin=\"*\" />\n</widget>\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	use := func(proxy string) {
		t.Helper()
		p := browsertest.Open(t, browsertest.Proxy(proxy))
		p.Navigate("https://localhost:" + port + "/")
		p.WaitFor(browsertest.Shows("#news", "all quiet"))
		p.WaitFor(`document.querySelector("#picture").naturalWidth > 0`)
		signInByPopup(p, "ann@example.com")
		addItem(p, "through "+proxy)
		p.WaitFor(browsertest.Shows("#state", inStep))
		p.Click("#ask")
		p.WaitFor(`document.querySelector("#tip").textContent.length > 10`)
		p.Navigate("about:blank") // the WebSocket ends
	}
	origins := []string{"https://localhost:" + port, "https://demo.localhost:" + port}
	private := []string{"--private", "localhost=127.0.0.0/8", "--private", "demo.localhost=127.0.0.0/8"}
	args := append([]string{"--config", list, "--with", origins[0], "--with", origins[1], "--write"}, private...)
	stdout, stderr, status := recorded(t, args, use)
	if status != exitFine {
		t.Fatalf("status %d: %s", status, stderr)
	}
	for _, origin := range origins {
		if !strings.Contains(stdout, `<access origin="`+origin+`" />`) {
			t.Errorf("%s is not proposed:\n%s", origin, stdout)
		}
	}
	data, err := os.ReadFile(list)
	if err != nil || strings.Count(string(data), "<access") != 2 {
		t.Fatalf("%v; the list is\n%s", err, data)
	}
	allowances, err := parsePrivate([]string{"localhost=127.0.0.0/8", "demo.localhost=127.0.0.0/8",
		"other.localhost=127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := source.Load(config.Config{Listen: "127.0.0.1:0", Log: "none",
		Timeouts: config.Timeouts{Drain: time.Second},
		Apps:     []config.App{{Name: "todo", Config: list, Private: allowances}}})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Options{Loaded: loaded})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Serve(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	use(g.Addr().String())
	client := u.client(t, false)
	client.Transport.(*http.Transport).Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: g.Addr().String()})
	for _, other := range []string{"https://other.localhost:" + port + "/", "https://example.com/",
		"https://localhost/", "https://a.demo.localhost:" + port + "/"} {
		if response, err := client.Get(other); err == nil {
			response.Body.Close()
			t.Errorf("%s is reachable", other)
		}
	}
}
