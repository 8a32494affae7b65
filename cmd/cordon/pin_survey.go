package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pins"
)

// certificateSuffixes are the files of a folder that are looked at.
var certificateSuffixes = []string{".cer", ".crt", ".der", ".pem", ".p7b", ".p7c", ".p12", ".pfx", ".key"}

// maxCertificateFile bounds what is read of one file.
const maxCertificateFile = 4 << 20

// survey collects what the arguments hold.
type survey struct {
	options *pinOptions
	now     time.Time
	dialer  *egress.Dialer
	found   []*finding
	// offline says that a server could not be reached.
	offline bool
}

// finding is one file or server.
type finding struct {
	source string
	chain  []*pin.Certificate
	// hosts are those that its pins belong to.
	hosts    []string
	warnings []string
	// doubt says why a server's chain is not trusted.
	doubt string
	err   error
}

func newSurvey(o *pinOptions) (*survey, error) {
	everywhere := []egress.Private{{Range: netip.MustParsePrefix("0.0.0.0/0")}, {Range: netip.MustParsePrefix("::/0")}}
	// The person at the keyboard names the server: no address is refused.
	config := egress.Config{Allow: everywhere}
	if o.authority != "" {
		data, err := os.ReadFile(o.authority)
		if err != nil {
			return nil, err
		}
		if config.Roots, err = x509.SystemCertPool(); err != nil {
			config.Roots = x509.NewCertPool()
		}
		if !config.Roots.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("%s: no certificate in PEM text", o.authority)
		}
	}
	if o.host != "" {
		if err := pin.CheckHost(o.host); err != nil {
			return nil, fmt.Errorf("--host: %w", err)
		}
	}
	dialer, err := egress.New(config)
	return &survey{options: o, now: time.Now(), dialer: dialer}, err
}

// look adds what one argument holds.
func (s *survey) look(ctx context.Context, arg string) {
	info, err := os.Stat(arg)
	switch {
	case err == nil && info.IsDir():
		s.lookDir(arg)
	case err == nil:
		s.found = append(s.found, s.lookFile(arg))
	case errors.Is(err, fs.ErrNotExist):
		host, port, hostErr := hostAndPort(arg)
		if hostErr != nil {
			s.found = append(s.found, &finding{source: arg, err: fmt.Errorf("%s: no such file or folder, and %w", arg, hostErr)})
			return
		}
		s.found = append(s.found, s.lookServer(ctx, arg, host, port))
	default:
		s.found = append(s.found, &finding{source: arg, err: err})
	}
}

func hostAndPort(arg string) (host string, port uint16, err error) {
	host, digits, err := net.SplitHostPort(arg)
	if err != nil {
		return "", 0, errors.New("not a server as HOST:PORT")
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || n == 0 {
		return "", 0, fmt.Errorf("%q must be a port from 1 to 65535", digits)
	}
	if host, _, err = egress.ParseHost(host); err != nil {
		return "", 0, fmt.Errorf("not a host: %w", err)
	}
	return host, uint16(n), nil
}

func (s *survey) lookDir(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.found = append(s.found, &finding{source: dir, err: err})
		return
	}
	before := len(s.found)
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(certificateSuffixes, strings.ToLower(filepath.Ext(e.Name()))) {
			s.found = append(s.found, s.lookFile(filepath.Join(dir, e.Name())))
		}
	}
	if len(s.found) == before {
		s.found = append(s.found, &finding{source: dir, warnings: []string{"no certificate file in this folder: where pinning is on, every request fails"}})
	}
}

func (s *survey) lookFile(name string) *finding {
	f := &finding{source: name}
	data, err := readSmall(name)
	if err != nil {
		f.err = err
		return f
	}
	if loaded, warning := pin.LoadedByDevices(filepath.Base(name)); !loaded && warning != "" {
		f.warnings = append(f.warnings, strings.TrimPrefix(warning, filepath.Base(name)+": "))
	}
	if strings.EqualFold(filepath.Ext(name), ".cer") {
		var c *pin.Certificate
		if c, err = pin.ReadCER(name, data); err == nil {
			f.chain = []*pin.Certificate{c}
		}
	} else {
		f.chain, err = pin.ReadChain(name, data)
	}
	if err != nil {
		f.err = err
		return f
	}
	f.hosts = s.fileHosts(name, f.chain[0])
	for _, c := range f.chain {
		if _, err := x509.ParseCertificate(c.Raw); err != nil {
			f.warnings = append(f.warnings, fmt.Sprintf("devices may not load it: %v", err))
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
func (s *survey) fileHosts(name string, leaf *pin.Certificate) []string {
	if s.options.host != "" {
		return []string{s.options.host}
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

func (s *survey) lookServer(ctx context.Context, arg, host string, port uint16) *finding {
	f := &finding{source: arg}
	ctx, cancel := context.WithTimeout(ctx, s.options.timeout)
	defer cancel()
	shown, _, err := s.dialer.Present(ctx, egress.Destination{Host: host, Port: port})
	if err != nil {
		f.err, s.offline = err, true
		return f
	}
	chain := shown.Verified
	if shown.Err != nil {
		chain, f.doubt = shown.Sent, "the chain is not trusted: "+reasonOf(shown.Err)
		f.warnings = append(f.warnings, f.doubt)
	}
	for _, der := range chain {
		c, err := pin.ReadCER(arg, der)
		if err != nil {
			f.err = err
			return f
		}
		f.chain = append(f.chain, c)
	}
	if s.options.host != "" {
		f.hosts = []string{s.options.host}
	} else if pin.CheckHost(host) == nil {
		f.hosts = []string{host}
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

// advise adds the warnings that need the whole picture.
func (s *survey) advise() {
	keys := map[string][]pin.Hash{}
	for _, f := range s.found {
		f.warnings = append(f.warnings, pin.Warnings(f.chain, s.now)...)
		for _, host := range f.hosts {
			for _, c := range f.chain {
				if !slices.Contains(keys[host], c.Pin()) {
					keys[host] = append(keys[host], c.Pin())
				}
			}
		}
	}
	for _, f := range s.found {
		for _, host := range f.hosts {
			if len(keys[host]) == 1 && len(s.options.backups) == 0 {
				f.warnings = append(f.warnings, host+" has one pinned key and no backup")
			}
		}
	}
}

// chosen returns the certificates of the chain that are to be written.
func (f *finding) chosen(which string) []*pin.Certificate {
	switch n := len(f.chain); {
	case n <= 1 || which == "all":
		return f.chain
	case which == "issuer":
		return f.chain[1:2]
	case which == "root":
		return f.chain[n-1:]
	}
	return f.chain[:1]
}

// status is the command's exit status: the environment's if a server could not
// be reached, else that for findings if anything could not be read.
func (s *survey) status() error {
	var failed []string
	for _, f := range s.found {
		if f.err != nil {
			failed = append(failed, f.source)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	e := &exitError{status: exitFindings, err: fmt.Errorf("no pin from %s", strings.Join(failed, ", "))}
	if s.offline {
		e.status = exitEnvironment
	}
	return e
}

// warnBackup says which of the hosts that were written have no backup.
func (s *survey) warnBackup(w io.Writer, name string, data []byte, entries []pin.Entry) error {
	doc, err := configxml.Parse(name, data)
	if err != nil {
		return err
	}
	set, _ := pins.Set(doc, "", nil)
	told := map[string]bool{}
	for _, e := range entries {
		bound, _ := set.For(e.Host)
		hashes, err := bound.Hashes(s.now)
		if told[e.Host] || err == nil && len(hashes) > 1 {
			continue
		}
		told[e.Host] = true
		if _, err := fmt.Fprintf(w, "warning: %s has one pin and no backup: when its key changes, the app is locked out; add one with --backup\n", e.Host); err != nil {
			return err
		}
	}
	return nil
}
