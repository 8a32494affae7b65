package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/elazarl/goproxy"
)

// starters start proxies that let tunnels and requests to the listed names
// through, on ports 443 and 80, and refuse every other host.
var starters = map[string]func(dir string, z *zone) (*process, error){
	"cordon": startCordon, "squid": startSquid, "tinyproxy": startTinyproxy, "goproxy": startGoproxy,
}

func startCordon(dir string, z *zone) (*process, error) {
	var b strings.Builder
	b.WriteString("<widget xmlns=\"http://www.w3.org/ns/widgets\">\n")
	for i := range z.names {
		fmt.Fprintf(&b, "<access origin=\"https://%[1]s\"/><access origin=\"http://%[1]s\"/>\n", z.name(i))
	}
	b.WriteString("</widget>\n")
	config := filepath.Join(dir, "config.xml")
	if err := os.WriteFile(config, []byte(b.String()), 0o600); err != nil {
		return nil, err
	}
	addr, _, err := freeAddress()
	if err != nil {
		return nil, err
	}
	settings := filepath.Join(dir, "cordon.yaml")
	text := fmt.Sprintf(`gateway:
  listen: %s
  log: %s/cordon.log
  log_burst: -1
  apps:
    - {name: bench, config: %s}
`, addr, dir, config)
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return launch(dir, addr, exec.Command(filepath.Join(dir, "cordon"), "gateway", "--config", settings))
}

func startSquid(dir string, _ *zone) (*process, error) {
	path, err := exec.LookPath("squid")
	if err != nil {
		return nil, err
	}
	addr, _, err := freeAddress()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "squid.conf")
	text := fmt.Sprintf(`http_port %[1]s
acl names dstdomain "%[2]s"
acl ports port 80 443
http_access allow names ports
http_access deny all
cache deny all
access_log stdio:%[3]s/squid.log
cache_log /dev/null
pid_filename none
cache_mem 8 MB
dns_nameservers 127.0.0.1
hosts_file none
shutdown_lifetime 0 seconds
max_filedescriptors 65536
`, addr, namesPath(dir), dir)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return launch(dir, addr, exec.Command(path, "-N", "-f", config))
}

func startTinyproxy(dir string, z *zone) (*process, error) {
	path, err := exec.LookPath("tinyproxy")
	if err != nil {
		return nil, err
	}
	addr, port, err := freeAddress()
	if err != nil {
		return nil, err
	}
	filter, config := filepath.Join(dir, "tinyproxy.filter"), filepath.Join(dir, "tinyproxy.conf")
	var b strings.Builder
	for i := range z.names {
		b.WriteString("^" + strings.ReplaceAll(z.name(i), ".", `\.`) + "$\n")
	}
	if err := os.WriteFile(filter, []byte(b.String()), 0o644); err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`Port %s
Listen 127.0.0.1
Timeout 600
MaxClients 20000
Allow 127.0.0.0/8
ConnectPort 443
Filter "%s"
FilterType ere
FilterDefaultDeny Yes
LogFile "%s/tinyproxy.log"
LogLevel Info
`, port, filter, dir)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return launch(dir, addr, exec.Command(path, "-d", "-c", config))
}

func startGoproxy(dir string, _ *zone) (*process, error) {
	addr, _, err := freeAddress()
	if err != nil {
		return nil, err
	}
	cmd, err := helper("goproxy", "-listen", addr, "-list", namesPath(dir))
	if err != nil {
		return nil, err
	}
	return launch(dir, addr, cmd)
}

// runGoproxy is a proxy made with goproxy that decides by a map of names.
func runGoproxy(listen, list string) error {
	data, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	allowed := map[string]bool{}
	for name := range strings.FieldsSeq(string(data)) {
		allowed[name] = true
	}
	hostOf := func(s string) string {
		if host, _, err := net.SplitHostPort(s); err == nil {
			return host
		}
		return s
	}
	refusal := func(r *http.Request) *http.Response {
		return goproxy.NewResponse(r, goproxy.ContentTypeText, http.StatusForbidden, "refused")
	}
	proxy := goproxy.NewProxyHttpServer()
	proxy.OnRequest().HandleConnectFunc(func(host string, ctx *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
		if allowed[hostOf(host)] {
			return goproxy.OkConnect, host
		}
		ctx.Resp = refusal(ctx.Req)
		return goproxy.RejectConnect, host
	})
	proxy.OnRequest().DoFunc(func(r *http.Request, _ *goproxy.ProxyCtx) (*http.Request, *http.Response) {
		if allowed[hostOf(r.URL.Host)] {
			return r, nil
		}
		return r, refusal(r)
	})
	return http.ListenAndServe(listen, proxy)
}
