package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/egress"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/admin"
	"github.com/cordon-sec/cordon/internal/systemd"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Problem is one mistake of a configuration.
type Problem struct {
	// Path leads to the key, as in apps, 0, credential, user.
	Path []string
	// Msg says what is wrong and what must be.
	Msg string
}

// Error is the message behind the key, as in apps[0].credential.user.
func (p *Problem) Error() string {
	var key strings.Builder
	for _, part := range p.Path {
		switch _, err := strconv.Atoi(part); {
		case err == nil:
			key.WriteString("[" + part + "]")
		case key.Len() > 0:
			key.WriteString("." + part)
		default:
			key.WriteString(part)
		}
	}
	return key.String() + ": " + p.Msg
}

// checker collects the mistakes below a key.
type checker struct {
	path     []string
	problems *[]*Problem
}

// at returns a checker of a key below.
func (c checker) at(path ...string) checker {
	return checker{append(c.path[:len(c.path):len(c.path)], path...), c.problems}
}

func (c checker) fail(format string, args ...any) {
	*c.problems = append(*c.problems, &Problem{c.path, fmt.Sprintf(format, args...)})
}

// check notes an error about a key below.
func (c checker) check(key string, err error) {
	if err != nil {
		c.at(key).fail("%v", err)
	}
}

// Validate checks what can be checked without reading another file, and
// returns every mistake it finds: Check's, joined.
func (c Config) Validate() error {
	return join(c.Check())
}

func join(problems []*Problem) error {
	var errs []error
	for _, p := range problems {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// Check returns every mistake that can be found without reading another file.
func (c Config) Check() []*Problem { return Loaded{Config: c}.check() }

// check returns the mistakes of the configuration. A file need not be named where
// what it would hold is there.
func (l Loaded) check() []*Problem {
	c := l.Config
	var problems []*Problem
	at := checker{problems: &problems}
	if len(c.Apps) == 0 {
		at.at("apps").fail("no app is named, so that every request would be refused")
	}
	names := map[string]bool{}
	for i, app := range c.Apps {
		here := at.at("apps", strconv.Itoa(i))
		switch {
		case app.Name == "":
			here.fail("the app must have a name")
		case names[app.Name]:
			here.at("name").fail("%q is used twice", app.Name)
		}
		names[app.Name] = true
		app.check(here, l, i)
	}
	at.check("listen", CheckListen(c.Listen))
	if c.Admin != "" {
		at.check("admin", admin.CheckAddress(c.Admin))
	}
	c.checkListeners(at)
	c.checkNames(at)
	for i, server := range c.DNS {
		_, err := egress.ParseServer(server)
		at.at("dns").check(strconv.Itoa(i), err)
	}
	if c.CA != (CA{}) && !c.Inspects() {
		at.at("ca").fail("it has no effect: no app has inspect: true")
	}
	for i, file := range c.CRLs {
		if file == "" {
			at.at("crls", strconv.Itoa(i)).fail("it must be the path of a file with revocation lists")
		}
	}
	c.Limits.check(at.at("limits"))
	c.Timeouts.check(at.at("timeouts"))
	if c.TLS != nil && l.Certificate == nil && (c.TLS.Certificate == "" || c.TLS.Key == "") {
		at.at("tls").fail("certificate and key are both needed")
	}
	if c.TLS != nil && c.TLS.ClientCA != "" && !slices.ContainsFunc(c.Apps, func(a App) bool {
		return a.Certificate != ""
	}) {
		at.at("tls", "client_ca").fail("it has no effect: no app is recognised by a certificate (apps[].certificate)")
	}
	if c.PublicName != "" {
		if _, err := ParsePublicName(c.PublicName, 1); err != nil {
			at.at("public_name").fail("%q must be a name or an address, with a port or without: %v", c.PublicName, err)
		}
	}
	for i, prefix := range c.ProxyProtocol {
		at.at("proxy_protocol").check(strconv.Itoa(i), checkRange(prefix))
	}
	for _, word := range []string{"stdout", "stderr", "none"} {
		if c.Log != word && strings.EqualFold(c.Log, word) {
			at.at("log").fail("%q must be written %s; a file of this name must be written ./%s", c.Log, word, c.Log)
		}
	}
	return problems
}

// checkListeners finds two listeners at one address.
func (c Config) checkListeners(at checker) {
	seen := map[string]string{}
	look := func(at checker, what, address string) {
		host, port, err := net.SplitHostPort(address)
		if err != nil || port == "0" {
			return // a port of its own, or a mistake that is told already
		}
		address = net.JoinHostPort(strings.ToLower(host), port)
		if before, taken := seen[address]; taken {
			at.fail("%s is the address of %s too: each listener needs its own", address, before)
			return
		}
		seen[address] = what
	}
	if c.Admin != "" {
		look(at.at("admin"), "the admin listener", c.Admin)
	}
	shared := false
	for i, app := range c.Apps {
		if app.Listen == "" {
			shared = true
			continue
		}
		look(at.at("apps", strconv.Itoa(i), "listen"), "the app "+app.Name, app.Listen)
	}
	switch listen := c.Listen; {
	case shared:
		orDefault(&listen, DefaultListen)
		look(at.at("listen"), "the shared listener", listen)
	case listen != "" && len(c.Apps) > 0:
		at.at("listen").fail("it has no effect: each app has a listener of its own")
	}
}

// checkNames finds apps that are recognised by the same name.
func (c Config) checkNames(at checker) {
	users, certificates := map[string]string{}, map[string]string{}
	for i, app := range c.Apps {
		here := at.at("apps", strconv.Itoa(i))
		if cred := app.Credential; cred != nil {
			if other, taken := users[cred.User]; taken {
				here.at("credential", "user").fail("it is the name of the app %s too: each app needs its own", other)
			}
			users[cred.User] = app.Name
		}
		if app.Certificate == "" {
			continue
		}
		name := CertificateName(app.Certificate)
		if other, taken := certificates[name]; taken {
			here.at("certificate").fail("it is the name of the app %s too: each app needs its own", other)
		}
		certificates[name] = app.Name
	}
}

// CertificateName returns a name of a client certificate as it compares: a host in
// its one form, anything else as it is.
func CertificateName(s string) string {
	if name, err := hostname.ParseASCII(s); err == nil {
		return name.String()
	}
	return s
}

// checkRange refuses a range whose address has bits behind its length: it may be
// meant as the address alone.
func checkRange(p netip.Prefix) error {
	switch {
	case !p.IsValid():
		return errors.New("must be a range, as in 10.0.0.0/8; 10.1.2.3/32 is one address")
	case p.IsValid() && p.Addr().Is4In6():
		return fmt.Errorf("%s must be written as IPv4, as in 10.0.0.0/8: connections have such addresses", p)
	case p.IsValid() && p != p.Masked():
		return fmt.Errorf("%s must be the range %s, or %s/%d for the address alone", p, p.Masked(), p.Addr(),
			p.Addr().BitLen())
	}
	return nil
}

// checkHosts refuses what no host is compared with: a name, "*." and a name, or an
// address.
func checkHosts(at checker, text string) {
	host, below := strings.CutPrefix(text, "*.")
	name, err := hostname.Parse(host)
	switch {
	case err != nil:
		at.fail("%q: %v", text, err)
	case below && name.Addr().IsValid():
		at.fail("%q must be the address alone, or a name behind the *.", text)
	}
}

// CheckListen refuses an address of a listener that nobody could listen on; ""
// stands for the default, and "systemd" for a socket that is passed.
func CheckListen(address string) error {
	if address == "" || systemd.IsSocket(address) {
		return nil
	}
	_, port, err := net.SplitHostPort(address)
	if number, bad := strconv.ParseUint(port, 10, 64); err == nil && bad == nil && number <= 65535 {
		return nil
	}
	if _, known := net.LookupPort("tcp", port); err == nil && known == nil && port != "" {
		return nil // the name of a service
	}
	return fmt.Errorf("%q: it must be an address and a port from 0 to 65535, as in 127.0.0.1:3128", address)
}

func (t Timeouts) check(at checker) {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"header", t.Header}, {"hello", t.Hello}, {"lookup", t.Lookup}, {"connect", t.Connect},
		{"response_header", t.ResponseHeader}, {"idle", t.Idle}, {"keep_alive", t.KeepAlive}, {"drain", t.Drain},
	} {
		if d.value < 0 {
			at.at(d.name).fail("%s: it must not be negative", d.value)
		}
	}
}

// minRequestHeader is the least that the head of a request may be bounded by: the
// HTTP server reads that much before it counts.
const minRequestHeader = 8 << 10

// check finds what would not limit anything, although it is written.
func (l Limits) check(at checker) {
	if !(l.Rate >= 0) || math.IsInf(l.Rate, 1) { // a NaN is not at least 0
		at.at("rate").fail("%v: it must be a number of requests a second, 0 for no limit", l.Rate)
	}
	if l.Burst > 0 && l.Rate == 0 {
		at.at("burst").fail("it has no effect without a rate")
	}
	if l.RequestHeader > 0 && l.RequestHeader < minRequestHeader {
		at.at("request_header").fail("%d: it must be at least %d", l.RequestHeader, minRequestHeader)
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"requests", l.Requests}, {"tunnels", l.Tunnels}, {"burst", l.Burst},
		{"request_header", l.RequestHeader}, {"response_header", l.ResponseHeader},
	} {
		if n.value < 0 {
			at.at(n.name).fail("%d: it must not be negative", n.value)
		}
	}
}

func (a App) check(at checker, l Loaded, i int) {
	at.check("listen", CheckListen(a.Listen))
	a.Limits.check(at.at("limits"))
	if a.Limits.RequestHeader != 0 {
		at.at("limits", "request_header").fail("it has no effect here: set gateway.limits.request_header")
	}
	if a.Limits.ResponseHeader != 0 {
		at.at("limits", "response_header").fail("it has no effect here: set gateway.limits.response_header")
	}
	if _, err := dialect.ParseTarget(a.Options().Platform); err != nil {
		at.at("platform").fail("%v", err)
	}
	if strings.Contains(a.Certificate, "*") {
		at.at("certificate").fail("%q must be one name: a wildcard recognises no app", a.Certificate)
	}
	if a.Config == "" {
		at.fail("config: no config.xml is named")
	}
	if a.Mode != "" && a.Mode != Enforce && a.Mode != Report {
		at.at("mode").fail("%q must be enforce or report", a.Mode)
	}
	a.checkIdentity(at, l, i)
	if ca := l.Config.CA; a.Inspect && l.Authority == nil && (ca.Certificate == "" || ca.Key == "") {
		at.at("inspect").fail("the gateway's ca.certificate and ca.key are needed")
	}
	for i, p := range a.Private {
		p.check(at.at("private", strconv.Itoa(i)))
	}
	for i, p := range a.Pins {
		here := at.at("pins", strconv.Itoa(i))
		checkHosts(here.at("host"), p.Host)
		if len(p.SPKI) == 0 {
			here.fail("host %q has no pin, so that it could never be reached", p.Host)
		}
		if _, problem := p.entry(); problem != nil {
			here.at(problem.Path...).fail("%s", problem.Msg)
		}
	}
}

// checkIdentity checks how the app is recognised.
func (a App) checkIdentity(at checker, l Loaded, i int) {
	c := l.Config
	if len(c.Apps) > 1 && a.Listen == "" && a.Credential == nil && a.Certificate == "" {
		at.fail("with several apps each needs a listen address, a credential or a certificate")
	}
	if a.Certificate != "" && (c.TLS == nil || c.TLS.ClientCA == "" && l.ClientCAs == nil) {
		at.at("certificate").fail("the gateway's tls.client_ca is needed to check it")
	}
	listen := a.Listen
	if listen == "" {
		listen = c.Listen
	}
	if (a.Credential != nil || a.Certificate != "") && c.TLS == nil && listen != "" && !hostname.IsLoopback(listen) {
		at.fail("a credential on %s would cross the network in cleartext: set the gateway's tls", listen)
	}
	cred := a.Credential
	if cred == nil {
		return
	}
	if cred.User == "" || strings.Contains(cred.User, ":") {
		at.at("credential", "user").fail("it must not be empty nor hold a colon")
	}
	held := i < len(l.Apps) && !l.Apps[i].Password.IsZero()
	if !held && cred.Password.Check() != nil {
		at.at("credential", "password").fail("it must be a reference, env:NAME or file:PATH")
	}
}

// check checks an exception for private addresses.
func (p Private) check(at checker) {
	if p.Host != "*" {
		checkHosts(at.at("host"), p.Host)
	}
	if !p.Range.IsValid() {
		at.fail("host %q has no range", p.Host)
	}
	at.check("range", checkRange(p.Range))
}

// PinEntries returns the pins that the configuration holds for the app.
func (a App) PinEntries() ([]pin.Entry, error) {
	var entries []pin.Entry
	for i, p := range a.Pins {
		e, problem := p.entry()
		if problem != nil {
			problem.Path = append([]string{"pins", strconv.Itoa(i)}, problem.Path...)
			return nil, problem
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// entry reads the pins of one host, or says which key below is wrong.
func (p Pin) entry() (pin.Entry, *Problem) {
	host, below := strings.CutPrefix(p.Host, "*.")
	e := pin.Entry{Host: host, Subdomains: below, Source: "gateway.apps.pins"}
	for i, text := range p.SPKI {
		h, err := pin.ParseHash(text)
		if err != nil {
			return pin.Entry{}, &Problem{[]string{"spki", strconv.Itoa(i)}, err.Error()}
		}
		e.Hashes = append(e.Hashes, h)
	}
	if p.Expires != "" {
		day, err := time.Parse(time.DateOnly, p.Expires)
		if err != nil {
			return pin.Entry{}, &Problem{[]string{"expires"},
				fmt.Sprintf("%q must be a day, as in 2027-01-31", p.Expires)}
		}
		e.Expires = day
	}
	return e, nil
}

// ParsePublicName reads a name or address of the proxy, with a port or without:
// then it has the port that is given.
func ParsePublicName(text string, port uint16) (hostname.Authority, error) {
	a, err := hostname.ParseASCIIAuthority(text)
	switch {
	case err != nil:
		return hostname.Authority{}, err
	case a.Host.Addr().IsValid() && a.Host.Addr().IsUnspecified():
		return hostname.Authority{}, errors.New("no client can reach it")
	case a.Port == 0:
		a.Port = port
	}
	return a, nil
}
