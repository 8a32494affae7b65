// Package source makes what a gateway takes out of files: it reads the
// configuration, each app's config.xml, certificates, authorities and secrets, and
// tells when one of them has changed.
//
// A [Source] is what a gateway's Options ask for:
//
//	from := source.New(source.Options{Read: read, Files: []string{"cordon.yaml"}})
//	loaded, err := from.Load()
//	…
//	g, err := gateway.New(gateway.Options{Loaded: loaded, Reload: from.Load, Changed: from.Changed})
package source

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/egress"
	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/configfile"
	"github.com/cordon-sec/cordon/internal/secret"
	"github.com/cordon-sec/cordon/internal/watch"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/enforced"
	"github.com/cordon-sec/cordon/project/folder"
)

// Options say where a configuration comes from.
type Options struct {
	// Name begins the errors about what the configuration says and names; Read's own
	// stay as they are.
	Name string
	// Read reads the configuration, without what it names.
	Read func() (config.Config, error)
	// Files are the files that Read reads.
	Files []string
	// Secrets finds what the configuration's references stand for. Without an
	// Env it asks the process's environment; its Dir counts only for a
	// configuration that did not go through Relative.
	Secrets secret.Source
}

// Source reads a configuration and all that it names, as often as it is asked. It
// is safe for concurrent use.
type Source struct {
	options Options
	files   watch.Files // as they looked before they were read

	mu    sync.Mutex // one reading at a time
	named []string   // files that the configuration named that was read last
	facts []string   // files that say what plugins add to the apps' lists, read or not there
}

// New returns a Source that has read nothing yet.
func New(options Options) *Source { return &Source{options: options} }

// Fixed is the Read of a configuration that does not change itself, though what it
// names may.
func Fixed(c config.Config) func() (config.Config, error) {
	return func() (config.Config, error) { return c, nil }
}

// Load reads the configuration and what it names. Errors name the file.
func (s *Source) Load() (config.Loaded, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files.Mark(slices.Concat(s.options.Files, s.named, s.facts)...)
	c, err := s.options.Read()
	if err != nil {
		return config.Loaded{}, err
	}
	s.named = files(c)
	s.files.Add(s.named...) // also if it is refused: its files may be mended
	var facts []string
	l, err := read(c, s.options.Secrets, func(path string) {
		s.files.Add(path)
		facts = append(facts, path)
	})
	switch {
	case err == nil:
		s.facts = facts
	case len(facts) > 0: // those that were not come to are still the last ones
		s.facts = append(s.facts, facts...)
	}
	slices.Sort(s.facts)
	s.facts = slices.Compact(s.facts)
	if err != nil && s.options.Name != "" {
		err = fmt.Errorf("%s: %w", s.options.Name, err)
	}
	return l, err
}

// Changed reports whether a file that is there looks different from before the
// last Load. One that is missing is being replaced.
func (s *Source) Changed() bool { return s.files.Changed() }

// Load reads what a configuration names, once.
func Load(c config.Config) (config.Loaded, error) { return read(c, secret.Source{}, func(string) {}) }

// read reads what a configuration names. Its own mistakes come first. It calls note for
// the files that say what plugins add to an app's list.
func read(c config.Config, secrets secret.Source, note func(path string)) (config.Loaded, error) {
	if err := c.Validate(); err != nil {
		return config.Loaded{}, err
	}
	if secrets.Env == nil {
		secrets.Env = os.LookupEnv
	}
	l := config.Loaded{Config: c}
	for _, a := range c.Apps {
		held, err := contents(a, secrets, note)
		if err != nil {
			return config.Loaded{}, fmt.Errorf("app %q: %w", a.Name, err)
		}
		l.Apps = append(l.Apps, held)
	}
	if c.TLS != nil {
		if err := readTLS(&l, c.TLS); err != nil {
			return config.Loaded{}, fmt.Errorf("tls: %w", err)
		}
	}
	if len(c.CRLs) > 0 {
		var err error
		if l.Revocations, err = revocations(c.CRLs); err != nil {
			return config.Loaded{}, fmt.Errorf("crls: %w", err)
		}
	}
	if c.Inspects() {
		var err error
		if l.Authority, err = ca.Load(c.CA.Certificate, c.CA.Key); err != nil {
			return config.Loaded{}, err
		}
	}
	return l, nil
}

// maxList bounds an app's config.xml and a file of revocation lists, in bytes: more
// than any that is written by hand or by a program.
const maxList = 64 << 20

// contents reads what an app names.
func contents(a config.App, secrets secret.Source, note func(path string)) (held config.Contents, err error) {
	data, err := configfile.Read(a.Config, maxList)
	if err != nil {
		return held, err
	}
	options := a.Options()
	var targets []policy.Target
	options.Ships = func(doc *configxml.Document) (*configxml.Document, error) {
		read, err := folder.AroundNoting(doc, filepath.Dir(a.Config), nil, note)
		if err != nil {
			return nil, err
		}
		targets = read.Targets
		return read.Ships(), nil
	}
	options.Own = func(t policy.Target) policy.Target {
		for _, own := range targets {
			if own.Platform == t.Platform {
				return own
			}
		}
		return t
	}
	if held.List, err = enforced.Compile(a.Config, data, options); err != nil {
		return held, err
	}
	if a.Credential != nil {
		password, err := secrets.Resolve(a.Credential.Password)
		if err != nil {
			return held, fmt.Errorf("credential.password: %w", err)
		}
		held.Password = config.DigestOf(password.Bytes())
	}
	return held, nil
}

// readTLS reads the certificate of the listeners and the authorities of clients'.
func readTLS(l *config.Loaded, c *config.TLS) error {
	certificate, err := configfile.Read(c.Certificate, maxList)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	key, err := configfile.Read(c.Key, maxList)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", c.Certificate, c.Key, err)
	}
	l.Certificate = &pair
	if c.ClientCA == "" {
		return nil
	}
	data, err := configfile.Read(c.ClientCA, maxList)
	if err != nil {
		return fmt.Errorf("client_ca: %w", err)
	}
	l.ClientCAs = x509.NewCertPool()
	if !l.ClientCAs.AppendCertsFromPEM(data) {
		return fmt.Errorf("client_ca: %s holds no certificate", c.ClientCA)
	}
	return nil
}

// revocations reads the lists of revoked certificates.
func revocations(files []string) (*egress.RevocationLists, error) {
	lists := &egress.RevocationLists{}
	for _, file := range files {
		data, err := configfile.Read(file, maxList)
		if err != nil {
			return nil, err
		}
		if err := lists.Add(data); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return lists, nil
}

// files returns the files that a configuration names.
func files(c config.Config) []string {
	list := append([]string{c.CA.Certificate, c.CA.Key}, c.CRLs...)
	if c.TLS != nil {
		list = append(list, c.TLS.Certificate, c.TLS.Key, c.TLS.ClientCA)
	}
	for _, a := range c.Apps {
		list = append(list, a.Config)
		if a.Credential != nil {
			list = append(list, a.Credential.Password.File())
		}
	}
	return slices.DeleteFunc(list, func(name string) bool { return name == "" })
}
