package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/proctest"
	"github.com/spf13/cobra"
)

// runningGateway starts the command and returns a client that uses it, the
// address of its admin listener, its further messages, and a function that
// stops it and returns its exit status.
func runningGateway(t *testing.T, args ...string) (*http.Client, string, *bufio.Scanner, func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	status := make(chan int, 1)
	go func() {
		args := append([]string{"gateway", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)
		status <- execute(ctx, args, strings.NewReader(""), write, write)
		write.Close()
	}()
	lines := bufio.NewScanner(read)
	var proxy, admin string
	for lines.Scan() {
		if m := regexp.MustCompile(`gateway for \S+ on (\S+) `).FindStringSubmatch(lines.Text()); m != nil {
			proxy = m[1]
		}
		if m := regexp.MustCompile(`admin on (\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			admin = m[1]
			break
		}
	}
	if proxy == "" || admin == "" {
		t.Fatalf("the gateway did not start: %s", lines.Text())
	}
	client := &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy})},
		Timeout:   10 * time.Second,
	}
	stop := func() int {
		go io.Copy(io.Discard, read)
		client.CloseIdleConnections()
		cancel()
		return <-status
	}
	return client, admin, lines, stop
}

func writeConfig(t *testing.T, rules string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.xml")
	if err := os.WriteFile(path, []byte(`<widget xmlns="http://www.w3.org/ns/widgets">`+rules+`</widget>`),
		0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGatewayEnforces(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello")
	}))
	defer origin.Close()
	_, port, _ := net.SplitHostPort(origin.Listener.Addr().String())
	path := writeConfig(t, `<access origin="http://localhost:`+port+`"/>`)
	client, admin, lines, stop := runningGateway(t, "--config", path, "--private", "localhost=127.0.0.0/8", "--private",
		"localhost=::1")
	messages := make(chan string, 100)
	go func() {
		for lines.Scan() {
			messages <- lines.Text()
		}
		close(messages)
	}()
	get := func(url string) (int, string) {
		t.Helper()
		resp, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	if status, body := get("http://localhost:" + port + "/"); status != 200 || body != "hello" {
		t.Errorf("listed: %d %s", status, body)
	}
	if status, body := get("http://unlisted.example/"); status != 403 || !strings.Contains(body, "not-listed") {
		t.Errorf("unlisted: %d %s", status, body)
	}
	for path, want := range map[string]string{
		"/healthz": "ok", "/readyz": "ready", "/metrics": `cordon_decisions_total{app=`,
		"/proxy.pac": "FindProxyForURL",
	} {
		resp, err := http.Get(admin + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || !bytes.Contains(body, []byte(want)) {
			t.Errorf("%s: %d %.200s", path, resp.StatusCode, body)
		}
	}
	rebound, _ := http.NewRequest("GET", admin+"/metrics", nil)
	rebound.Host = "attacker.example"
	if resp, err := http.DefaultClient.Do(rebound); err != nil || resp.StatusCode != 421 {
		t.Errorf("a foreign Host on the admin listener: %v %v", resp, err)
	}

	if err := os.WriteFile(path, []byte("<widget><access"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	expectMessage(t, messages, "the old policy stays in force")
	if status, _ := get("http://localhost:" + port + "/"); status != 200 {
		t.Errorf("after a broken reload: %d", status)
	}
	go func() {
		for range messages { // keep the pipe empty
		}
	}()
	if status := stop(); status != exitFine {
		t.Errorf("exit status %d after the end of the context", status)
	}
}

func expectMessage(t *testing.T, messages <-chan string, part string) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case m, ok := <-messages:
			if strings.Contains(m, part) {
				return
			}
			if !ok {
				t.Fatalf("the gateway ended without saying %q", part)
			}
		case <-late:
			t.Fatalf("the gateway did not say %q", part)
		}
	}
}

func TestGatewayExitStatus(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	good := writeConfig(t, `<access origin="https://api.example.org"/>`)
	dir := filepath.Dir(good)
	yaml := func(text string) string {
		path := filepath.Join(dir, fmt.Sprintf("cordon%d.yaml", len(text)))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, each := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"port in use", []string{"--config", good, "--listen", taken.Addr().String()}, exitEnvironment,
			"another gateway?"},
		{"no file", []string{"--config", good + ".none"}, exitUsage, "--config " +
			good + ".none: no such file or folder; it must name the app's config.xml or a cordon.yaml " +
			"(cordon init makes one)"},
		{"no directory for the log", []string{"--config",
			yaml("gateway:\n  log: none/such/dir/log\n  apps:\n    - {name: a, config: config.xml}\n")},
			exitEnvironment, "no such file"},
		{"key of another authority",
			[]string{"--config", yaml("gateway:\n  ca: {certificate: config.xml, key: config.xml}\n  apps:\n" +
				"    - {name: a, config: config.xml, inspect: true}\n")}, exitUsage, "config.xml"},
	} {
		var out bytes.Buffer
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		got := execute(ctx, append([]string{"gateway"}, each.args...), strings.NewReader(""), &out, &out)
		cancel()
		if got != each.status || !strings.Contains(out.String(), each.says) {
			t.Errorf("%s: exit status %d, want %d; said %q, want %q", each.name, got, each.status, out.String(),
				each.says)
		}
	}
}

// TestGatewayLogKeys shows what log and log_burst do, which the command reads.
func TestGatewayLogKeys(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "decisions.log")
	for _, each := range []struct {
		config              config.Config
		stdout, stderr, log int // lines
	}{
		{config.Config{}, 0, 5, 0},
		{config.Config{Log: "stderr"}, 0, 5, 0},
		{config.Config{Log: "stdout"}, 5, 0, 0},
		{config.Config{Log: "none"}, 0, 0, 0},
		{config.Config{Log: file}, 0, 0, 5},
		{config.Config{Log: file, LogBurst: 2}, 0, 0, 5 + 2}, // behind what is there
		{config.Config{Log: "stdout", LogBurst: -1}, 5, 0, 0},
	} {
		var stdout, stderr bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&stdout)
		cmd.SetErr(&stderr)
		log, end, err := openLog(cmd, each.config)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if log != nil {
				log.Record(&event.Event{Type: event.Decision, Verdict: event.Blocked, Time: time.Unix(1, 0)})
			}
		}
		end()
		written, _ := os.ReadFile(file) // not there at first
		got := [...]int{strings.Count(stdout.String(), "\n"), strings.Count(stderr.String(), "\n"),
			bytes.Count(written, []byte("\n"))}
		if each.config.Log != file {
			got[2] = 0
		}
		if want := [...]int{each.stdout, each.stderr, each.log}; got != want {
			t.Errorf("%+v: %v lines on stdout, stderr and in the file, want %v", each.config, got, want)
		}
	}
	lost := filepath.Join(dir, "none", "x.log")
	_, _, err := openLog(&cobra.Command{}, config.Config{Log: lost})
	if err == nil || err.Error() != "gateway.log "+lost+": no such file or folder" {
		t.Error(err)
	}
}

func TestGatewaySurvivesAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skipf("no /dev/full on this system: %v", err)
	}
	list := writeConfig(t, `<access origin="https://api.example.org"/>`)
	path := filepath.Join(filepath.Dir(list), "cordon.yaml")
	if err := os.WriteFile(path, []byte("gateway:\n  log: /dev/full\n  apps:\n    - {name: a, config: config.xml}\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	client, _, lines, stop := runningGateway(t, "--config", path)
	messages := make(chan string, 100)
	go func() {
		for lines.Scan() {
			messages <- lines.Text()
		}
		close(messages)
	}()
	for range 3 {
		resp, err := client.Get("http://unlisted.example/")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 403 {
			t.Errorf("%d", resp.StatusCode)
		}
	}
	expectMessage(t, messages, "events are lost, the gateway goes on")
	if status := stop(); status != exitFine {
		t.Errorf("exit status %d", status)
	}
}

// TestGatewayTakesSystemdsSocket starts the command as systemd does: with the
// listening socket as descriptor 3.
func TestGatewayTakesSystemdsSocket(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skipf("no shell to start the command with: %v", err)
	}
	list := writeConfig(t, `<access origin="https://api.example.org"/>`)
	command := commandOf(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	cmd := exec.Command(shell, "-c", `LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" gateway --listen systemd --config "$1"`,
		command, list)
	cmd.ExtraFiles = []*os.File{socket}
	gateway := proctest.Start(t, cmd)
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, "CONNECT unlisted.example:443 HTTP/1.1\r\nHost: unlisted.example:443\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 403 {
		t.Errorf("%v %v", resp, err)
	}
	if err := gateway.Stop(); err != nil {
		t.Errorf("it ends with %v\n%s", err, gateway.Said())
	}
}

// commandOf returns a path of the command: by this name the test binary is it.
func commandOf(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := filepath.Join(t.TempDir(), "cordon")
	if err := os.Symlink(self, command); err != nil {
		t.Fatal(err)
	}
	return command
}
