package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pins"
	"github.com/cordon-sec/cordon/survey"
	"github.com/spf13/cobra"
)

// pinOptions are the flags of cordon pin.
type pinOptions struct {
	format     string
	write      bool
	config     string
	host       string
	subdomains bool
	expires    string
	which      string
	backups    []string
	authority  string
	untrusted  bool
	timeout    time.Duration
}

// whichPins are the values of --which.
var whichPins = []string{"leaf", "issuer", "root", "all"}

func newPinCommand() *cobra.Command {
	var o pinOptions
	cmd := &cobra.Command{
		Use:   "pin [flags] FILE|DIR|HOST:PORT...",
		Short: "Print the pins of certificates, and write them into the config.xml",
		Long: `Pin prints the pins (RFC 7469: the SHA-256 of the public key) of certificates:
of a file, of every certificate file of a folder such as www/certificates, or
of the chain that a server shows.

In a .cer file only DER counts, as on the devices: anything else is an error
that names what the file really is; the others are still shown, and the exit
status is 1. Other names (.pem, .crt) may hold a chain as PEM text.

With --write the pins become elements of the config.xml, which every platform
ignores and Cordon's exports, client and gateway make true:

  <cordon:pin host="api.example.org" sha256="…" expires="2027-06-30"/>

A pin needs a backup: the key that the server will have next (--backup).`,
		Example: `  cordon pin www/certificates
  cordon pin --format json api.example.org:443
  cordon pin --write --backup next.pub.pem --expires 2027-06-30 api.example.org:443`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runPin(cmd, &o, args) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&o.format, "format", "f", "text", "text or json")
	flags.BoolVar(&o.write, "write", false, "write the pins into the config.xml")
	flags.StringVar(&o.config, "config", "", "the config.xml to write to (default: found as the platforms find it)")
	flags.StringVar(&o.host, "host", "",
		"the host that the pins belong to (default: the server's, the file's name, or the certificate's names)")
	flags.BoolVar(&o.subdomains, "subdomains", false, "write pins that hold for every name below the host as well")
	flags.StringVar(&o.expires, "expires", "", "the day from which the written pins no longer count, as 2027-06-30")
	flags.StringVar(&o.which, "which", "leaf", "which certificates of a chain to write: leaf, issuer, root or all")
	flags.StringSliceVar(&o.backups, "backup", nil,
		"another pin to write: base64, or a file with a certificate or public key; repeat")
	flags.StringVar(&o.authority, "ca", "", "trust the authorities in this PEM file as well as the system's")
	flags.BoolVar(&o.untrusted, "untrusted", false,
		"write the pins of a server even if nothing vouches for its certificate")
	flags.DurationVar(&o.timeout, "timeout", 15*time.Second, "how long to wait for a server")
	return cmd
}

func runPin(cmd *cobra.Command, o *pinOptions, args []string) error {
	if err := output.CheckFormat(o.format, "text", "json"); err != nil {
		return err
	}
	if !slices.Contains(whichPins, o.which) {
		return fmt.Errorf("--which %q: it must be leaf, issuer, root or all", o.which)
	}
	backups, err := readBackups(o.backups)
	if err != nil {
		return err
	}
	s, err := survey.New(survey.Options{
		Authority: o.authority, Host: o.host, Timeout: o.timeout, Backups: backups, Now: time.Now()})
	if err != nil {
		return err
	}
	for _, arg := range args {
		s.Look(cmd.Context(), arg)
	}
	s.Advise()
	if o.format == "json" {
		err = writePinsJSON(cmd.OutOrStdout(), s.Findings())
	} else {
		err = writePinsText(cmd.OutOrStdout(), s.Findings())
	}
	if err == nil && o.write {
		err = o.writeConfig(cmd.ErrOrStderr(), s)
	}
	if err != nil {
		return err
	}
	return surveyStatus(s)
}

// writeConfig adds the pins to the config.xml and says what it added.
func (o *pinOptions) writeConfig(w io.Writer, s *survey.Survey) error {
	how := survey.Writing{Which: o.which, Subdomains: o.subdomains, Untrusted: o.untrusted}
	if o.expires != "" {
		var err error
		if how.Expires, err = pins.ParseDate(o.expires); err != nil {
			return err
		}
	}
	entries, err := s.Entries(how)
	if err != nil {
		return err
	}
	read, err := openConfig(o.config)
	if err != nil {
		return err
	}
	doc := read.Config
	if doc == nil {
		return fmt.Errorf("%s: no config.xml that pins could be written into", o.config)
	}
	after, err := pins.Add(doc, entries...)
	if err != nil {
		return err
	}
	if string(after) == string(doc.Bytes()) {
		_, err := fmt.Fprintf(w, "%s: every pin is there already\n", doc.Name())
		return err
	}
	if err := replaceFile(doc.Name(), after); err != nil {
		return environment(err)
	}
	for _, e := range entries {
		for _, h := range e.Hashes {
			if _, err := fmt.Fprintf(w, "%s: %s is pinned to %s\n", doc.Name(), e.Host, h); err != nil {
				return err
			}
		}
	}
	written, err := configxml.Parse(doc.Name(), after)
	if err != nil {
		return err
	}
	for _, host := range s.WithoutBackup(written, entries) {
		_, err := fmt.Fprintf(w, "warning: %s has one pin and no backup: when its key changes, the app is locked out; "+
			"add one with --backup\n", host)
		if err != nil {
			return err
		}
	}
	return nil
}

// replaceFile replaces a file in one step and keeps its mode.
func replaceFile(name string, data []byte) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".cordon-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(info.Mode().Perm()), tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// readBackups reads the --backup flags: pins in base64, or files with keys.
func readBackups(flags []string) ([]pin.Hash, error) {
	var backups []pin.Hash
	for _, text := range flags {
		h, err := pin.ParseHash(text)
		if err != nil {
			data, fileErr := os.ReadFile(text)
			if errors.Is(fileErr, fs.ErrNotExist) {
				return nil, fmt.Errorf("--backup: %w, and there is no such file", err)
			}
			if fileErr != nil {
				return nil, fileErr
			}
			if h, err = pin.OfFile(text, data); err != nil {
				return nil, fmt.Errorf("--backup: %w", err)
			}
		}
		backups = append(backups, h)
	}
	return backups, nil
}

// surveyStatus is the command's exit status: the environment's if a server could not
// be reached, else that for findings if anything could not be read.
func surveyStatus(s *survey.Survey) error {
	var failed []string
	for _, f := range s.Findings() {
		if f.Err != nil {
			failed = append(failed, f.Source)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	e := &exitError{status: exitFindings, err: fmt.Errorf("no pin from %s", strings.Join(failed, ", "))}
	if s.Offline() {
		e.status = exitEnvironment
	}
	return e
}
