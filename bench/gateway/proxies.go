package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/elazarl/goproxy"
)

// starter starts a proxy that lets tunnels and requests to the origin through
// and refuses every other host.
type starter struct {
	name  string
	start func(dir, origin string) (*process, error)
}

// process is a running proxy or origin.
type process struct {
	addr string
	cmd  *exec.Cmd
}

func (p *process) stop() {
	if os.Getenv("BENCH_VERBOSE") != "" {
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		time.Sleep(300 * time.Millisecond)
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// ticks is how many units a second /proc counts processor time in: always 100
// where Go runs.
const ticks = 100

// cpu returns the processor time that the process has used.
func (p *process) cpu() time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+2:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / ticks
}

// memory returns the resident set in bytes.
func (p *process) memory() int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.Atoi(strings.Fields(string(data))[1])
	return pages * os.Getpagesize()
}

// freePort returns a port that is free now.
func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "0"
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// launch starts a command and waits until something listens on the port.
func launch(port string, cmd *exec.Cmd) (*process, error) {
	cmd.Stderr = nil
	if os.Getenv("BENCH_VERBOSE") != "" {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{addr: "127.0.0.1:" + port, cmd: cmd}
	for range 300 {
		if c, err := net.Dial("tcp", p.addr); err == nil {
			c.Close()
			time.Sleep(300 * time.Millisecond)
			return p, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen on %s", cmd.Path, p.addr)
}

func self(role, port string) *exec.Cmd {
	return exec.Command(os.Args[0], "-role", role, "-listen", "127.0.0.1:"+port)
}

func startOrigin() (*process, error) {
	port := freePort()
	return launch(port, self("origin", port))
}

// startCordon returns a starter of the gateway with that many names listed.
func startCordon(names int) func(dir, origin string) (*process, error) {
	return func(dir, origin string) (*process, error) {
		binary := filepath.Join(dir, "cordon")
		if _, err := os.Stat(binary); err != nil {
			module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/cordon-sec/cordon").Output()
			if err != nil {
				return nil, fmt.Errorf("run this inside the bench folder: %w", err)
			}
			build := exec.Command("go", "build", "-o", binary, "./cmd/cordon")
			build.Dir = strings.TrimSpace(string(module))
			if out, err := build.CombinedOutput(); err != nil {
				return nil, fmt.Errorf("build: %w: %s", err, out)
			}
		}
		_, port, _ := net.SplitHostPort(origin)
		var b strings.Builder
		b.WriteString(`<widget xmlns="http://www.w3.org/ns/widgets">`)
		for i := range names - 1 {
			fmt.Fprintf(&b, "<access origin=\"https://host%d.example.org\"/>\n", i)
		}
		fmt.Fprintf(&b, `<access origin="https://localhost:%s"/><access origin="http://localhost:%s"/></widget>`, port, port)
		config := filepath.Join(dir, fmt.Sprintf("config%d.xml", names))
		if err := os.WriteFile(config, []byte(b.String()), 0o600); err != nil {
			return nil, err
		}
		settings := filepath.Join(dir, fmt.Sprintf("cordon%d.yaml", names))
		proxy := freePort()
		text := fmt.Sprintf("gateway:\n  listen: 127.0.0.1:%s\n  log: %s\n  log_burst: -1\n  apps:\n    - {name: bench, config: %s, private: [{host: localhost, range: 127.0.0.0/8}]}\n", proxy, eventsPath(dir), config)
		if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
			return nil, err
		}
		return launch(proxy, exec.Command(binary, "gateway", "--config", settings))
	}
}

func peerStarters(names []string) []starter {
	known := map[string]func(dir, origin string) (*process, error){
		"squid": startSquid, "tinyproxy": startTinyproxy,
		"goproxy": func(string, string) (*process, error) {
			port := freePort()
			return launch(port, self("goproxy", port))
		},
	}
	var list []starter
	for _, name := range names {
		if start, ok := known[name]; ok {
			list = append(list, starter{name, start})
		}
	}
	return list
}

// listed are ten names, of which the last is the origin's.
func listed() []string {
	var names []string
	for i := range 9 {
		names = append(names, fmt.Sprintf("host%d.example.org", i))
	}
	return append(names, "localhost")
}

func startSquid(dir, origin string) (*process, error) {
	path, err := exec.LookPath("squid")
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(origin)
	proxy := freePort()
	config := filepath.Join(dir, "squid.conf")
	text := fmt.Sprintf(`http_port 127.0.0.1:%s
acl names dstdomain %s
acl ports port %s
http_access allow names ports
http_access deny all
cache deny all
access_log stdio:%s/squid.log
cache_log /dev/null
pid_filename none
cache_mem 8 MB
dns_v4_first on
shutdown_lifetime 0 seconds
max_filedescriptors 65536
`, proxy, strings.Join(listed(), " "), port, dir)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o777); err != nil { // squid writes its log as another user
		return nil, err
	}
	return launch(proxy, exec.Command(path, "-N", "-f", config))
}

func startTinyproxy(dir, origin string) (*process, error) {
	path, err := exec.LookPath("tinyproxy")
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(origin)
	proxy := freePort()
	filter, config := filepath.Join(dir, "tinyproxy.filter"), filepath.Join(dir, "tinyproxy.conf")
	var b strings.Builder
	for _, name := range listed() {
		b.WriteString("^" + strings.ReplaceAll(name, ".", `\.`) + "$\n")
	}
	if err := os.WriteFile(filter, []byte(b.String()), 0o644); err != nil {
		return nil, err
	}
	text := fmt.Sprintf("Port %s\nListen 127.0.0.1\nTimeout 600\nMaxClients 20000\nAllow 127.0.0.0/8\nConnectPort %s\nFilter \"%s\"\nFilterType ere\nFilterDefaultDeny Yes\nLogFile \"%s/tinyproxy.log\"\nLogLevel Info\n", proxy, port, filter, dir)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return launch(proxy, exec.Command(path, "-d", "-c", config))
}

// runGoproxy is a proxy made with goproxy that decides by a map of names.
func runGoproxy(listen string) error {
	allowed := map[string]bool{}
	for _, name := range listed() {
		allowed[name] = true
	}
	hostOf := func(s string) string {
		if host, _, err := net.SplitHostPort(s); err == nil {
			return host
		}
		return s
	}
	proxy := goproxy.NewProxyHttpServer()
	proxy.OnRequest().HandleConnectFunc(func(host string, ctx *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
		if allowed[hostOf(host)] {
			return goproxy.OkConnect, host
		}
		ctx.Resp = goproxy.NewResponse(ctx.Req, goproxy.ContentTypeText, http.StatusForbidden, "refused")
		return goproxy.RejectConnect, host
	})
	proxy.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		if allowed[hostOf(r.URL.Host)] {
			return r, nil
		}
		return r, goproxy.NewResponse(r, goproxy.ContentTypeText, http.StatusForbidden, "refused")
	})
	return http.ListenAndServe(listen, proxy)
}

func eventsPath(dir string) string {
	if path := os.Getenv("BENCH_EVENTS"); path != "" {
		return path
	}
	return filepath.Join(dir, "events")
}
