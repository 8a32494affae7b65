package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// upRunning is a cordon up that runs in this process.
type upRunning struct {
	page, proxy, console string
	dir, port            string
	stop                 func() int
	said                 func() string
	words                *words
}

// todoCopy copies the example to a folder of the test's own, for a port.
func todoCopy(t testing.TB, port string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "todo")
	for _, part := range []string{"www", "scripts", "config.xml", "cordon.yaml", "package.json", "package-lock.json"} {
		from := filepath.Join("../../examples/todo", part)
		to := filepath.Join(dir, part)
		if info, err := os.Stat(from); err != nil {
			t.Fatal(err)
		} else if info.IsDir() {
			if err := os.CopyFS(to, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, bytes.ReplaceAll(data, []byte("8443"), []byte(port)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "www", "lib")); err != nil {
		t.Fatal(err)
	}
	return dir
}

var (
	gatewayLine = regexp.MustCompile(`gateway +http://(\S+)`)
	consoleLine = regexp.MustCompile(`console +(http://\S+)`)
)

// startUp runs cordon up on a folder until the test ends or stop is called.
func startUp(t testing.TB, dir, port string, args ...string) *upRunning {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	status := make(chan int, 1)
	go func() {
		line := append([]string{"up", dir, "--port", port, "--gateway-port", "0", "--admin-port", "0"}, args...)
		status <- execute(ctx, line, strings.NewReader(""), write, write)
		write.Close()
	}()
	u := &upRunning{dir: dir, port: port}
	u.words = newWords(read)
	ended := -1
	u.stop = func() int {
		if ended < 0 {
			cancel()
			ended = <-status
			<-u.words.done
		}
		return ended
	}
	u.said = func() string { u.stop(); return u.words.text() }
	t.Cleanup(func() { u.stop() })
	if !u.words.wait("Ctrl-C stops everything.\n") {
		t.Fatalf("cordon up did not start: %s", u.said())
	}
	summary := u.words.text()
	for line := range strings.Lines(summary) {
		if u.page == "" && strings.HasPrefix(line, "http://") {
			u.page = strings.TrimSpace(line)
		}
	}
	u.proxy = gatewayLine.FindStringSubmatch(summary)[1]
	u.console = consoleLine.FindStringSubmatch(summary)[1]
	return u
}

// words are what a command has said so far.
type words struct {
	mu   sync.Mutex
	more *sync.Cond
	said strings.Builder
	// ended says that nothing more will come, and done is closed then.
	ended bool
	done  chan struct{}
}

// newWords reads until the reader ends.
func newWords(r io.Reader) *words {
	w := &words{done: make(chan struct{})}
	w.more = sync.NewCond(&w.mu)
	go func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 4<<20)
		for lines.Scan() {
			w.mu.Lock()
			w.said.WriteString(lines.Text() + "\n")
			w.mu.Unlock()
			w.more.Broadcast()
		}
		w.mu.Lock()
		w.ended = true
		w.mu.Unlock()
		w.more.Broadcast()
		close(w.done)
	}()
	return w
}

func (w *words) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said.String()
}

// wait waits until one of the texts was said, and reports false if the command
// ended without, or says nothing of the kind for too long.
func (w *words) wait(texts ...string) bool {
	late := false
	limit := time.AfterFunc(90*time.Second, func() {
		w.mu.Lock()
		late = true
		w.mu.Unlock()
		w.more.Broadcast()
	})
	defer limit.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	said := func(text string) bool { return strings.Contains(w.said.String(), text) }
	for !slices.ContainsFunc(texts, said) {
		if w.ended || late {
			return false
		}
		w.more.Wait()
	}
	return true
}

// browser is a client that trusts the app's authority, through the gateway if
// proxy is not "".
func (u *upRunning) client(t testing.TB, proxied bool) *http.Client {
	t.Helper()
	transport := trusting(t, filepath.Join(u.dir, ".cordon", "ca", "ca.pem"))
	if proxied {
		transport.Proxy = http.ProxyURL(mustParse(t, "http://"+u.proxy))
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

const capacitorConfig = `{
  "appId": "com.example.notes",
  "appName": "Notes",
  "webDir": "dist",
  "server": {
    "url": "http://192.168.1.5:8100",
    "allowNavigation": [
      "login.example.com",
      "*.example.org", "https://api.example.net", "10.0.2.2"
    ]
  }
}
`

// What is printed is in an order that scripts and people rely on: what makes this
// machine trust the authority, if anything has to, the address, then the rest; each
// save is a line, and so is the end.
func TestUp(t *testing.T) {
	t.Parallel()
	port := proctest.FreePort(t)
	dir := todoCopy(t, port)
	u := startUp(t, dir, port)
	if want := "http://localhost:" + port + "/"; u.page != want {
		t.Errorf("the first line is %q, want %q", u.page, want)
	}
	if trust := strings.Index(u.words.text(), "needs no certificate"); trust > strings.Index(u.words.text(), u.page) {
		t.Errorf("the lines about trust stand behind the address:\n%s", u.words.text())
	}
	status, _, body := apptest.Get(t, u.client(t, false), u.page)
	if status != http.StatusOK || !strings.Contains(body, "<title>Todo</title>") {
		t.Errorf("the page: %d %s", status, body)
	}
	for page, want := range map[string]string{"policy": "media.example.com", "tables/todoitem": "authenticated"} {
		if status, _, body := apptest.Get(t, http.DefaultClient, u.console+page); status != http.StatusOK ||
			!strings.Contains(body, want) {
			t.Errorf("console %s: %d, no %q", page, status, want)
		}
	}
	config := filepath.Join(dir, "config.xml")
	want := "enforces " + config + ": todo.example.com, media.example.com\n"
	if !strings.Contains(u.words.text(), want) {
		t.Errorf("it does not say %q:\n%s", want, u.words.text())
	}
	apptest.Rewrite(t, config, func(s string) string { return s + "<again/>" })
	if !u.words.wait("cordon: " + config + ":21:1: a second root element; keep one root element " +
		"and move the rest into it; the last good rules stay in force\n") {
		t.Fatal(u.said())
	}
	apptest.Rewrite(t, config, func(s string) string {
		return strings.Replace(strings.TrimSuffix(s, "<again/>"), "https://media.example.com", "*", 1)
	})
	if !u.words.wait("cordon: " + config + " was read again: its rules are in force\n" +
		"warning: the file allows every host: only addresses, ports and framing are checked\n") {
		t.Fatal(u.said())
	}
	if status := u.stop(); status != exitFine {
		t.Errorf("exit status %d after the end: %s", status, u.said())
	}
	if !strings.HasSuffix(u.said(), "cordon: stopped\n") {
		t.Errorf("the last words are %q", u.said())
	}
}

func TestUpBusyPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, flag := range []string{"--port", "--gateway-port", "--admin-port"} {
		ports := map[string]string{"--port": proctest.FreePort(t), "--gateway-port": "0", "--admin-port": "0"}
		ports[flag] = port
		args := []string{"up", todoCopy(t, port)}
		for name, value := range ports {
			args = append(args, name, value)
		}
		var out bytes.Buffer
		status := execute(t.Context(), args, strings.NewReader(""), &out, &out)
		if status != exitEnvironment || !strings.Contains(out.String(), "choose another port with "+flag) {
			t.Errorf("%s: status %d: %s", flag, status, out.String())
		}
		holder := fmt.Sprintf("(process %d)", os.Getpid())
		if _, err := os.Stat("/proc/net/tcp"); err == nil && !strings.Contains(out.String(), holder) {
			t.Errorf("%s: it does not say who holds the port: %s", flag, out.String())
		}
	}
}

func TestUpWithoutAnApp(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if status := execute(t.Context(), []string{"up", dir}, strings.NewReader(""), &out, &out); status != exitUsage ||
		!strings.Contains(out.String(), "cordon init") {
		t.Errorf("status %d: %s", status, out.String())
	}
	u := startUp(t, dir, proctest.FreePort(t), "--yes")
	status, _, body := apptest.Get(t, u.client(t, false), u.page)
	if status != http.StatusOK || !strings.Contains(body, "config.xml lists") {
		t.Errorf("the page: %d %s", status, body)
	}
}

// What is wrong with a folder or a flag is said before anything starts.
func TestUpRefusals(t *testing.T) {
	t.Parallel()
	without := apptest.Folder(t, map[string]string{"capacitor.config.json": capacitorConfig})
	file := filepath.Join(apptest.Folder(t, map[string]string{"a.txt": ""}), "a.txt")
	malformed := apptest.Folder(t, map[string]string{"config.xml": `<widget><access origin="x"`})
	cut := apptest.Folder(t, map[string]string{"capacitor.config.json": `{"webDir":`})
	computed := apptest.Folder(t, map[string]string{"capacitor.config.ts": "export default make()"})
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{filepath.Join(without, "none")}, "none: no such folder"},
		{[]string{file}, "this is a file, not an app's folder"},
		{[]string{malformed}, filepath.Join(malformed, "config.xml") + ":1:9: "},
		{[]string{cut}, filepath.Join(cut, "capacitor.config.json") + ":1:10: it is not valid JSON"},
		{[]string{computed}, filepath.Join(computed, "capacitor.config.ts") + ": line 1: "},
		{[]string{without, "--port", "99999"}, "--port 99999: it must be a port from 0 to 65535"},
		{[]string{without, "--admin-port", "-1"}, "--admin-port -1: it must be a port"},
		{[]string{without, "--platform", "beos"}, `no platform "beos"`},
		{[]string{without, "--private", "x"}, "--private"},
		{[]string{without}, `pages: "dist", the webDir of capacitor.config.json, is not there: build them`},
		{[]string{without, "--app-url", "https://localhost:5173"}, "must be asked over http"},
		{[]string{without, "--app-url", "http://192.168.1.5:5173"}, "must run on this machine"},
		{[]string{without, "--app-url", "http://localhost:5173/app"}, "a scheme, a host and a port alone"},
		{[]string{without, "--app-url", "localhost:5173"}, "it must be an address, as in http://localhost:5173"},
	} {
		var out bytes.Buffer
		status := execute(t.Context(), append([]string{"up"}, test.args...), strings.NewReader(""), &out, &out)
		if status != exitUsage || !strings.Contains(out.String(), test.want) {
			t.Errorf("%v: status %d, %s", test.args, status, out.String())
		}
	}
}
