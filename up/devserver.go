package up

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/project"
)

// devServer puts the pages of a development server (vite, ionic serve, ng
// serve) behind the app's policy. Everything else passes as it is, the
// WebSocket of live reload included.
type devServer struct {
	app *appFolder
	to  *url.URL
}

// AppURLError is a Config.AppURL that names no development server on this machine.
type AppURLError struct {
	URL string
	// Why says what it must be.
	Why string
}

// Error names the address and says what it must be.
func (e *AppURLError) Error() string {
	return fmt.Sprintf("the development server %q: %s", e.URL, e.Why)
}

// parseAppURL reads the address of a development server: http on this machine. The
// error is an *AppURLError.
func parseAppURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	why := ""
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		why = "it must be an address, as in http://localhost:5173"
	case u.Scheme != "http":
		why = "the development server must be asked over http: start it without TLS"
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		why = "it must be a scheme, a host and a port alone"
	case !hostname.IsLoopback(u.Host):
		why = "the development server must run on this machine: its pages get the app's sign-in"
	default:
		u.Path = ""
		return u, nil
	}
	return nil, &AppURLError{URL: text, Why: why}
}

// newDevServer returns the handler for the pages of the server at to.
func newDevServer(app *appFolder, to *url.URL) http.Handler {
	d := &devServer{app: app, to: to}
	dialer := &net.Dialer{Timeout: 5 * time.Second, ControlContext: onLoopback}
	return &httputil.ReverseProxy{
		Rewrite: d.rewrite, ModifyResponse: d.modify, ErrorHandler: d.fail, FlushInterval: -1,
		Transport: &http.Transport{DialContext: dialer.DialContext, DisableCompression: true, MaxIdleConnsPerHost: 16,
			IdleConnTimeout: time.Minute, ResponseHeaderTimeout: 2 * time.Minute},
	}
}

// onLoopback refuses to connect anywhere but to this machine, whatever the name
// resolved to.
func onLoopback(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().IsLoopback() {
		return fmt.Errorf("the development server is at %s, which must be this machine", address)
	}
	return nil
}

// rewrite sends a request on. The development server is asked under its own
// name: such servers refuse others, and WebSockets of foreign origins.
func (d *devServer) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(d.to)
	if r.Out.Header.Get("Origin") != "" {
		r.Out.Header.Set("Origin", d.to.String())
	}
	// A page that comes from a browser's cache would keep an old policy.
	if dest := r.In.Header.Get("Sec-Fetch-Dest"); dest == "document" || dest == "iframe" {
		r.Out.Header.Del("If-None-Match")
		r.Out.Header.Del("If-Modified-Since")
	}
	r.Out.Header.Del("Accept-Encoding")
}

// modify puts the policy on pages, and keeps redirects at the app's address.
func (d *devServer) modify(r *http.Response) error {
	if to, err := url.Parse(r.Header.Get("Location")); err == nil && to.Scheme == d.to.Scheme && to.Host == d.to.Host {
		// Two slashes at the beginning would be another host's.
		away := url.URL{Path: "/" + strings.TrimLeft(to.Path, "/"), RawQuery: to.RawQuery, Fragment: to.Fragment}
		r.Header.Set("Location", away.String())
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "text/html" || r.StatusCode == http.StatusNotModified {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, project.MaxFile+1))
	if err == nil && len(data) > project.MaxFile {
		err = fmt.Errorf("the page is larger than the %d bytes that a policy is made for", project.MaxFile)
	}
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return err
	}
	rules := d.app.policy()
	shared, _ := d.app.needs(rules)
	made, data := rules.pagePolicy(strings.TrimPrefix(r.Request.URL.Path, "/"), data, shared, true)
	theirs := r.Header.Values("Content-Security-Policy")
	setPolicy(r.Header, made)
	for _, policy := range theirs {
		r.Header.Add("Content-Security-Policy", policy)
	}
	r.Header.Set("Cache-Control", "no-store")
	r.Header.Del("Etag")
	r.Header.Del("Last-Modified")
	if r.Request.Method != http.MethodHead {
		r.Header.Set("Content-Length", strconv.Itoa(len(data)))
		r.ContentLength = int64(len(data))
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	return nil
}

// fail says that the development server did not answer.
func (d *devServer) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the browser is gone
	}
	text := fmt.Sprintf("The development server at %s does not answer: %v.\n"+
		"Start it (npm run dev), then load this page again.", d.to, err)
	http.Error(w, text, http.StatusBadGateway)
}
