package settings

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/ca"
	hostname "github.com/cordon-sec/cordon/host"
)

// serverTLS is where the server's certificate comes from.
type serverTLS struct {
	config *tls.Config
	// authority is the file of the development authority, "" without one.
	authority string
	created   bool
	notes     []string
}

func (b *Backend) openTLS(context.Context) error {
	var err error
	switch b.server.TLS.Mode {
	case "off":
		return nil
	case "files":
		b.tls, err = b.filesTLS()
	default:
		b.tls, err = b.developmentTLS()
	}
	return err
}

// baseTLS offers HTTP/1.1 only: the clients show its reason phrases, which
// HTTP/2 does not have (azure-mobile-apps-client 2.0.1,
// Utilities/Extensions.js createError, takes "Precondition Failed" from there).
func baseTLS(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: get}
}

// developmentTLS signs by an authority of this configuration's own, which is
// limited to this machine's names and that of the public URL.
func (b *Backend) developmentTLS() (*serverTLS, error) {
	dir := b.Settings.authorityDir()
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return nil, environment(err)
	}
	// The folder is the machine's, not the project's: it stays out of its history.
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), ".gitignore"), []byte("*\n"), 0o600); err != nil {
		return nil, environment(err)
	}
	permit := []string{"localhost", "127.0.0.0/8", "::1/128"}
	if host := b.URL.Hostname(); !hostname.IsLoopback(host) {
		permit = append(permit, host)
	}
	authority, created, err := ca.OpenOrCreate(dir, ca.Options{Permit: permit})
	if err != nil {
		return nil, environment(fmt.Errorf("the development authority in %s: %w", dir, err))
	}
	issuer, err := authority.Issuer(ca.IssuerOptions{})
	if err != nil {
		return nil, environment(fmt.Errorf("the development authority in %s: %w", dir, err))
	}
	return &serverTLS{config: baseTLS(issuer.GetCertificate), authority: filepath.Join(dir, ca.CertificateFile), created: created, notes: authority.Notes()}, nil
}

// filesTLS serves a certificate from files and reads them again when they
// change, so that a renewal needs no restart.
func (b *Backend) filesTLS() (*serverTLS, error) {
	f := &certificateFiles{cert: b.Settings.Path(b.server.TLS.Cert), key: b.Settings.Path(b.server.TLS.Key), log: slog.New(slog.NewTextHandler(b.options.Stderr, nil))}
	if _, err := f.get(nil); err != nil {
		return nil, fmt.Errorf("server.tls: %w", err)
	}
	return &serverTLS{config: baseTLS(f.get)}, nil
}

// certificateFiles are a certificate and its key on disk.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   string
	checked time.Time
}

// certificateCheck is how often the files are looked at.
const certificateCheck = 10 * time.Second

// get returns the certificate. Files that cannot be read any more leave the old
// one in place.
func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.current != nil && time.Since(f.checked) < certificateCheck {
		return f.current, nil
	}
	f.checked = time.Now()
	stamp := f.stampOf(f.cert) + f.stampOf(f.key)
	if f.current != nil && stamp == f.stamp {
		return f.current, nil
	}
	loaded, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		if f.current == nil {
			return nil, err
		}
		f.log.Error("the new certificate cannot be read, the old one is used on", "error", err)
		return f.current, nil
	}
	f.current, f.stamp = &loaded, stamp
	return f.current, nil
}

func (f *certificateFiles) stampOf(name string) string {
	info, err := os.Stat(name)
	if err != nil {
		return "?"
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size(), ";")
}
