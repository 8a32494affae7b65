package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cordon-sec/cordon/ca"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/localstate"
	"github.com/cordon-sec/cordon/internal/watch"
)

// serverTLS is where the server's certificate comes from.
type serverTLS struct {
	config *tls.Config
	// authority is the file of the development authority, "" without one.
	authority string
	created   bool
	notes     []string
	// refresh looks after the certificate every so often; nil without files.
	refresh func()
	every   time.Duration
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
	dir := b.Settings.AuthorityDir()
	if _, err := localstate.Make(b.Settings.Dir()); err != nil {
		return nil, environment(err)
	}
	permit := []string{"localhost", "127.0.0.0/8", "::1/128"}
	if at, err := hostname.ParseAuthority(b.URL.Host); err == nil && !at.Host.IsLoopback() {
		permit = append(permit, at.Host.String())
	}
	authority, created, err := ca.OpenOrCreate(dir, ca.Options{Permit: permit})
	if err != nil {
		return nil, environment(fmt.Errorf("the development authority in %s: %w", dir, err))
	}
	issuer, err := authority.Issuer(ca.IssuerOptions{})
	if err != nil {
		return nil, environment(fmt.Errorf("the development authority in %s: %w", dir, err))
	}
	return &serverTLS{config: baseTLS(issuer.GetCertificate), authority: filepath.Join(dir, ca.CertificateFile),
		created: created, notes: authority.Notes()}, nil
}

// filesTLS serves a certificate from files, which are read again when they change,
// so that a renewal needs no restart.
func (b *Backend) filesTLS() (*serverTLS, error) {
	f := &certificateFiles{cert: b.Settings.Path(b.server.TLS.Cert), key: b.Settings.Path(b.server.TLS.Key)}
	f.log = slog.New(slog.NewTextHandler(b.options.Stderr, nil))
	if err := f.load(); err != nil {
		return nil, fmt.Errorf("server.tls: %w", err)
	}
	return &serverTLS{config: baseTLS(f.get), refresh: f.refresh, every: certificateCheck}, nil
}

// certificateFiles are a certificate and its key on disk.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	files   watch.Files
	current atomic.Pointer[tls.Certificate]
}

// certificateCheck is how often the files are looked at.
const certificateCheck = 10 * time.Second

// get returns the certificate that was read last.
func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.current.Load(), nil
}

// load reads the files.
func (f *certificateFiles) load() error {
	f.files.Mark(f.cert, f.key)
	loaded, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	f.current.Store(&loaded)
	return nil
}

// refresh reads the files again if they have changed. What cannot be read leaves
// the old certificate in place until the files change again: one may have been
// written before the other.
func (f *certificateFiles) refresh() {
	if !f.files.Changed() {
		return
	}
	if err := f.load(); err != nil {
		f.log.Error("the new certificate cannot be read, the old one stays in use", "error", err)
	}
}
