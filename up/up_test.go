package up

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/server"
)

func TestMain(m *testing.M) { os.Exit(browsertest.Main(m)) }

// running is an App that is served.
type running struct {
	*App
	Summary
	page, console string
	// notices are those that nobody has waited for yet.
	notices chan Notice
	events  *event.Ring
	stop    func() error
}

// start opens an App, on free ports unless the folder or the Config names others,
// and serves it until the test ends or stop is called.
func start(t testing.TB, c Config) *running {
	t.Helper()
	r := &running{notices: make(chan Notice, 100), events: event.NewRing(1000)}
	c.Notify = func(n Notice) { r.notices <- n }
	c.Events = r.events
	c.Stderr = t.Output()
	var err error
	if r.App, err = Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx) }()
	ended := false
	r.stop = func() error {
		if ended {
			return nil
		}
		ended = true
		cancel()
		return <-served
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("the end: %v", err)
		}
	})
	r.Summary = r.App.Summary()
	r.page, r.console = r.Page.String()+"/", r.Console.String()
	return r
}

// told waits for the next notice.
func (r *running) told(t testing.TB) Notice {
	t.Helper()
	select {
	case n := <-r.notices:
		return n
	case <-time.After(time.Minute):
		t.Fatal("nothing was said for a minute")
		return Notice{}
	}
}

// client trusts the app's authority alone, and goes through the gateway if proxied.
func (r *running) client(t testing.TB, proxied bool) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(r.Authority)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", r.Authority)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	if proxied {
		transport.Proxy = http.ProxyURL(r.Gateway)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// appDir writes files into a folder of the test's own, with a cordon.yaml that takes
// a free port if there is none among them.
func appDir(t testing.TB, files map[string]string) string {
	t.Helper()
	if _, ok := files["cordon.yaml"]; !ok {
		files = maps.Clone(files)
		files["cordon.yaml"] = "server: { listen: \"127.0.0.1:0\" }\n" + developmentYAML
	}
	return apptest.Folder(t, files)
}

// todo is an app with a config.xml, pages and a table.
func todo(t testing.TB) string {
	t.Helper()
	return appDir(t, map[string]string{
		"config.xml": `<?xml version="1.0" encoding="utf-8"?>
<widget id="com.example.todo" version="1.0.0" xmlns="http://www.w3.org/ns/widgets">
    <name>Todo</name>
    <access origin="https://todo.example.com" />
    <access origin="https://media.example.com" />
    <allow-intent href="tel:*" />
</widget>
`,
		"cordon.yaml": `server: { listen: "127.0.0.1:0" }
identity: { providers: { google: { type: development, picker: true } } }
tables: { todoitem: { columns: { text: string }, access: authenticated } }
`,
		"www/index.html": `<!doctype html><title>Todo</title>` +
			`<meta http-equiv="Content-Security-Policy" content="default-src 'self'">` +
			`<script src="js/app.js"></script>`,
		"www/js/app.js": "1",
	})
}

func TestUp(t *testing.T) {
	t.Parallel()
	dir := todo(t)
	u := start(t, Config{Dir: dir})
	port := u.Page.Port()
	if u.Page.String() != "http://localhost:"+port || u.Secure.String() != "https://localhost:"+port || port == "0" {
		t.Errorf("the addresses are %s and %s", u.Page, u.Secure)
	}
	direct := u.client(t, false)
	status, header, body := apptest.Get(t, direct, u.page)
	if status != http.StatusOK || !strings.Contains(body, "<title>Todo</title>") {
		t.Errorf("the page: %d %s", status, body)
	}
	if status, _, secure := apptest.Get(t, direct, u.Secure.String()+"/"); status != http.StatusOK || secure != body {
		t.Errorf("the page over TLS, at the same port: %d %s", status, secure)
	}
	csp := header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'self'", "https://todo.example.com", "https://demo.localhost:" + port,
		"http://demo.localhost:" + port, "script-src 'self';", "report-uri /.cordon/reports", "report-to cordon"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy has no %q: %s", want, csp)
		}
	}
	if strings.Contains(body, "Content-Security-Policy") {
		t.Error("the page's own policy is still there")
	}
	for path, want := range map[string]string{
		"cordova.js": "deviceready", "js/app.js": "1", ".auth/me": "", "tables/todoitem?zumo-api-version=2.0.0": "",
		"missing.html": "is not there", "../config.xml": "is not there", ".cordon/ca/ca.key": "is not there",
	} {
		_, _, body := apptest.Get(t, direct, u.page+path)
		if !strings.Contains(body, want) || strings.Contains(body, "PRIVATE KEY") {
			t.Errorf("%s: %s", path, body)
		}
	}
	rebound, err := http.NewRequest(http.MethodGet, u.page+".auth/login/google", nil)
	if err != nil {
		t.Fatal(err)
	}
	rebound.Host = "attacker.example"
	if response, err := direct.Do(rebound); err != nil || response.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a stranger's name for this machine: %v %v", response, err)
	}
	wantGateway(t, u)
	if err := u.stop(); err != nil {
		t.Errorf("the end: %v", err)
	}
	if left := len(u.notices); left > 0 {
		t.Errorf("%d notices where nothing happened: %+v", left, <-u.notices)
	}
}

// wantGateway asks through the gateway, and looks for what it decided in the console.
func wantGateway(t testing.TB, u *running) {
	t.Helper()
	port := u.Page.Port()
	proxied := u.client(t, true)
	status, _, body := apptest.Get(t, proxied, "https://demo.localhost:"+port+"/tip")
	if status != http.StatusOK || !strings.Contains(body, `"tip"`) {
		t.Errorf("the stand-in through the gateway: %d %s", status, body)
	}
	for _, refused := range []string{
		"https://not-listed.example/", "https://evil.localhost:" + port + "/", "https://127.0.0.1:" + port + "/"} {
		if response, err := proxied.Get(refused); err == nil {
			response.Body.Close()
			t.Errorf("%s went through the gateway", refused)
		}
	}
	for page, want := range map[string]string{
		"policy": "media.example.com", "traffic": "not-listed.example", "tables": "todoitem",
		"tables/todoitem": "authenticated", "people": "Nobody",
	} {
		status, _, body := apptest.Get(t, http.DefaultClient, u.console+page)
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("console %s: %d, no %q", page, status, want)
		}
	}
	status, _, body = apptest.Get(t, http.DefaultClient, u.page+".cordon/console")
	if status != http.StatusOK || !strings.Contains(body, "media.example.com") {
		t.Errorf("the way to the console: %d %s", status, body)
	}
}

// A policy that changes while everything runs is enforced and exported at once.
func TestUpFollowsTheConfig(t *testing.T) {
	t.Parallel()
	dir := todo(t)
	u := start(t, Config{Dir: dir})
	config := filepath.Join(dir, "config.xml")
	apptest.Rewrite(t, config, func(s string) string {
		return strings.Replace(s, "https://media.example.com", "https://new.example.com", 1)
	})
	_, header, _ := apptest.Get(t, u.client(t, false), u.page)
	csp := header.Get("Content-Security-Policy")
	if !strings.Contains(csp, "https://new.example.com") || strings.Contains(csp, "media.example.com") {
		t.Errorf("the policy is still %s", csp)
	}
	if got, want := u.told(t), (Notice{Kind: RulesInForce, File: config}); got != want {
		t.Errorf("it told %+v, want %+v", got, want)
	}
}

// A port that is taken is said with its listener, and what was opened before it is
// closed again.
func TestUpBusyPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	number := uint16(taken.Addr().(*net.TCPAddr).Port)
	for listener, c := range map[Listener]Config{
		SiteListener: {Port: number}, GatewayListener: {GatewayPort: number}, AdminListener: {AdminPort: number},
	} {
		c.Dir = todo(t)
		_, err := Open(t.Context(), c)
		var busy *PortError
		var failure *server.EnvironmentError
		if !errors.As(err, &busy) || busy.Listener != listener || !errors.As(err, &failure) {
			t.Errorf("listener %d: %v", listener, err)
			continue
		}
		holder := fmt.Sprintf("(process %d)", os.Getpid())
		if _, statErr := os.Stat("/proc/net/tcp"); statErr == nil && !strings.Contains(err.Error(), holder) {
			t.Errorf("listener %d: it does not say who holds the port: %v", listener, err)
		}
	}
}

// An App that is closed without being served leaves its ports free, and can be opened
// again.
func TestUpCloses(t *testing.T) {
	dir := todo(t)
	a, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Error(err)
	}
	s := a.Summary()
	ports := make([]uint16, 3)
	for i, host := range []string{s.Page.Port(), s.Gateway.Port(), s.Console.Port()} {
		n, err := strconv.ParseUint(host, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		ports[i] = uint16(n)
	}
	u := start(t, Config{Dir: dir, Port: ports[0], GatewayPort: ports[1], AdminPort: ports[2]})
	where := func(s Summary) string { return fmt.Sprintf("%s, %s and %s", s.Page, s.Gateway, s.Console) }
	if got, want := where(u.Summary), where(s); got != want {
		t.Errorf("it is at %s, want %s", got, want)
	}
}

// Without a cordon.yaml the backend has no tables, and a sign-in for development.
func TestUpWithoutSettings(t *testing.T) {
	dir := todo(t)
	if err := os.Remove(filepath.Join(dir, "cordon.yaml")); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	number := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	u := start(t, Config{Dir: dir, Port: uint16(number)})
	if len(u.Tables) != 0 || len(u.SignIn) != 1 || u.SignIn["development"] != "development" ||
		u.Page.Port() != strconv.Itoa(number) {
		t.Errorf("tables %v, sign-in %v, at %s", u.Tables, u.SignIn, u.Page)
	}
	if want := "sqlite:" + filepath.Join(dir, "cordon.db"); u.Database != want {
		t.Errorf("the rows are in %s, want %s", u.Database, want)
	}
}
