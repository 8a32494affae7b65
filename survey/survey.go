// Package survey looks at certificates where they are: files and folders of an app,
// and servers that are asked for theirs. What it finds are chains with the pins
// that belong to hosts, and what is wrong with each; package pin says what a
// certificate is, and Entries what of it would be written into a config.xml.
//
//	s, err := survey.New(survey.Options{Timeout: 15 * time.Second})
//	s.Look(ctx, "www/certificates")
//	s.Look(ctx, "api.example.com:443")
//	for _, f := range s.Findings() { … }
//
// A Survey is for one goroutine.
package survey

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/egress"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/pin"
)

// certificateSuffixes are the files of a folder that are looked at.
var certificateSuffixes = []string{".cer", ".crt", ".der", ".pem", ".p7b", ".p7c", ".p12", ".pfx", ".key"}

// maxCertificateFile bounds what is read of one file.
const maxCertificateFile = 4 << 20

// Options are what a Survey needs to know. The zero value asks servers by the
// system's authorities, without a limit of its own.
type Options struct {
	// Authority is a PEM file with authorities that are trusted besides the
	// system's; "" for none.
	Authority string
	// Host is whom all pins belong to; "": the server's host, the file's name, or
	// the names in the certificate.
	Host string
	// Timeout bounds the question to one server; 0: only the context does.
	Timeout time.Duration
	// Backups are pins that will be written besides, for every host.
	Backups []pin.Hash
	// Now is the time that certificates are judged by.
	Now time.Time
}

// Survey collects what it was asked to look at.
type Survey struct {
	options Options
	dialer  *egress.Dialer
	found   []*Finding
	offline bool
}

// Finding is one file or server.
type Finding struct {
	// Source is the argument, or the file below it.
	Source string
	// Chain are the certificates, the host's own first; empty where Err is set.
	Chain []*pin.Certificate
	// Hosts are those that its pins belong to.
	Hosts []string
	// Warnings are sentences about what may fail.
	Warnings []string
	// Doubt says why nothing vouches for a server's chain, "" if something does.
	Doubt string
	// Err says why there is no pin.
	Err error
}

// New makes a Survey. Errors name the option that is wrong.
func New(o Options) (*Survey, error) {
	// The person at the keyboard names the server: no address is refused.
	config := egress.Config{Allow: []egress.Private{
		{Range: netip.MustParsePrefix("0.0.0.0/0")}, {Range: netip.MustParsePrefix("::/0")}}}
	if o.Authority != "" {
		data, err := os.ReadFile(o.Authority)
		if err != nil {
			return nil, err
		}
		if config.Roots, err = x509.SystemCertPool(); err != nil {
			config.Roots = x509.NewCertPool()
		}
		if !config.Roots.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("%s: no certificate in PEM text", o.Authority)
		}
	}
	if o.Host != "" {
		if err := pin.CheckHost(o.Host); err != nil {
			return nil, fmt.Errorf("--host: %w", err)
		}
	}
	dialer, err := egress.New(config)
	return &Survey{options: o, dialer: dialer}, err
}

// Findings are what was looked at, in order. Warnings that need the whole picture
// are those of Advise.
func (s *Survey) Findings() []*Finding { return s.found }

// Offline reports whether a server could not be reached.
func (s *Survey) Offline() bool { return s.offline }

// Look adds what one argument holds.
func (s *Survey) Look(ctx context.Context, arg string) {
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		s.lookDir(arg)
	case err == nil:
		s.found = append(s.found, s.lookFile(arg))
	case errors.Is(err, fs.ErrNotExist):
		host, port, hostErr := hostAndPort(arg)
		if hostErr != nil {
			s.found = append(s.found,
				&Finding{Source: arg, Err: fmt.Errorf("%s: no such file or folder, and %w", arg, hostErr)})
			return
		}
		s.found = append(s.found, s.lookServer(ctx, arg, host, port))
	default:
		s.found = append(s.found, &Finding{Source: arg, Err: err})
	}
}

func hostAndPort(arg string) (host string, port uint16, err error) {
	at, err := hostname.ParseAuthority(arg)
	switch {
	case err != nil:
		return "", 0, fmt.Errorf("not a server as HOST:PORT: %w", err)
	case at.Port == 0:
		return "", 0, errors.New("not a server as HOST:PORT: the port is missing")
	}
	return at.Host.String(), at.Port, nil
}

func (s *Survey) lookDir(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.found = append(s.found, &Finding{Source: dir, Err: err})
		return
	}
	before := len(s.found)
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(certificateSuffixes, strings.ToLower(filepath.Ext(e.Name()))) {
			s.found = append(s.found, s.lookFile(filepath.Join(dir, e.Name())))
		}
	}
	if len(s.found) == before {
		s.found = append(s.found, &Finding{Source: dir,
			Warnings: []string{"no certificate file in this folder: where pinning is on, every request fails"}})
	}
}

func (s *Survey) lookFile(name string) *Finding {
	f := &Finding{Source: name}
	data, err := readSmall(name)
	if err != nil {
		f.Err = err
		return f
	}
	if loaded, warning := pin.LoadedByDevices(filepath.Base(name)); !loaded && warning != "" {
		f.Warnings = append(f.Warnings, strings.TrimPrefix(warning, filepath.Base(name)+": "))
	}
	if strings.EqualFold(filepath.Ext(name), ".cer") {
		var c *pin.Certificate
		if c, err = pin.ReadCER(name, data); err == nil {
			f.Chain = []*pin.Certificate{c}
		}
	} else {
		f.Chain, err = pin.ReadChain(name, data)
	}
	if err != nil {
		f.Err = err
		return f
	}
	f.Hosts = s.fileHosts(name, f.Chain[0])
	for _, c := range f.Chain {
		if _, err := x509.ParseCertificate(c.Raw); err != nil {
			f.Warnings = append(f.Warnings, fmt.Sprintf("devices may not load it: %v", err))
		}
	}
	return f
}

func readSmall(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxCertificateFile+1))
	if err == nil && len(data) > maxCertificateFile {
		return nil, fmt.Errorf("%s: larger than %d bytes: no certificate", name, maxCertificateFile)
	}
	return data, err
}

// fileHosts returns the hosts that the pins of a file belong to.
func (s *Survey) fileHosts(name string, leaf *pin.Certificate) []string {
	if s.options.Host != "" {
		return []string{s.options.Host}
	}
	named := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	if strings.Contains(named, ".") && pin.CheckHost(named) == nil {
		return []string{named}
	}
	var hosts []string
	for _, host := range leaf.Names {
		if host = strings.ToLower(host); !leaf.CA && pin.CheckHost(host) == nil {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

func (s *Survey) lookServer(ctx context.Context, arg, host string, port uint16) *Finding {
	f := &Finding{Source: arg}
	if s.options.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.options.Timeout)
		defer cancel()
	}
	shown, _, err := s.dialer.Present(ctx, egress.Destination{Host: host, Port: port})
	if err != nil {
		f.Err, s.offline = err, true
		return f
	}
	chain := shown.Verified
	if shown.Err != nil {
		chain, f.Doubt = shown.Sent, "the chain is not trusted: "+reasonOf(shown.Err)
		f.Warnings = append(f.Warnings, f.Doubt)
	}
	for _, der := range chain {
		c, err := pin.ReadCER(arg, der)
		if err != nil {
			f.Err = err
			return f
		}
		f.Chain = append(f.Chain, c)
	}
	if s.options.Host != "" {
		f.Hosts = []string{s.options.Host}
	} else if pin.CheckHost(host) == nil {
		f.Hosts = []string{host}
	}
	return f
}

// reasonOf is an egress error without its host, which stands before it anyway.
func reasonOf(err error) string {
	var e *egress.Error
	if errors.As(err, &e) && e.Err != nil {
		return e.Err.Error()
	}
	return err.Error()
}

// Advise adds the warnings that need the whole picture.
func (s *Survey) Advise() {
	keys := map[string][]pin.Hash{}
	for _, f := range s.found {
		f.Warnings = append(f.Warnings, pin.Warnings(f.Chain, s.options.Now)...)
		for _, host := range f.Hosts {
			for _, c := range f.Chain {
				if !slices.Contains(keys[host], c.Pin()) {
					keys[host] = append(keys[host], c.Pin())
				}
			}
		}
	}
	for _, f := range s.found {
		for _, host := range f.Hosts {
			if len(keys[host]) == 1 && len(s.options.Backups) == 0 {
				f.Warnings = append(f.Warnings, host+" has one pinned key and no backup")
			}
		}
	}
}
