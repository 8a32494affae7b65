package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/pin"
	"github.com/spf13/cobra"
)

// authorityDir is where the development authority lives unless --dir says
// otherwise: one for each user of the machine.
func authorityDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", environment(fmt.Errorf("no folder for the development authority: %w; name one with --dir", err))
	}
	return filepath.Join(dir, "cordon", "ca"), nil
}

func newCACommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Make, show and explain the development certificate authority",
		Long: `The development authority signs the certificates of local servers, and those
that an inspecting gateway shows. It is made on this machine; its key stays in
a file that only you can read. Cordon never installs it anywhere: "cordon ca
trust" prints what to do on each system.

Whoever trusts an authority trusts everything that its key signs. With
--permit it can vouch for the named hosts only, whatever happens to the key.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCACreateCommand(), newCAShowCommand(), newCATrustCommand())
	return cmd
}

// dirFlag adds --dir; the function it returns finds the folder.
func dirFlag(cmd *cobra.Command) func() (string, error) {
	var dir string
	cmd.Flags().StringVar(&dir, "dir", "", "the authority's folder (default: cordon/ca in your configuration folder)")
	return func() (string, error) {
		if dir != "" {
			return dir, nil
		}
		return authorityDir()
	}
}

func newCACreateCommand() *cobra.Command {
	var o ca.Options
	var days int
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a development authority, once",
		Example: `  cordon ca create
  cordon ca create --permit localhost --permit 127.0.0.1 --permit ::1
  cordon ca create --dir lab/ca --name "Lab CA" --days 90`,
		Args: cobra.NoArgs,
	}
	folder := dirFlag(cmd)
	cmd.Flags().StringVar(&o.Name, "name", "",
		"the authority's name (default: Cordon development CA, with this machine and the day)")
	cmd.Flags().StringSliceVar(&o.Permit, "permit", nil,
		"limit it to this host and those below it, address or range; repeat or separate with commas")
	cmd.Flags().IntVar(&days, "days", int(ca.DefaultLifetime/(24*time.Hour)), "how long it is valid")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		dir, err := folder()
		if err != nil {
			return err
		}
		if days < 1 || days > 7300 {
			return fmt.Errorf("--days %d: want 1 to 7300", days)
		}
		o.Lifetime = time.Duration(days) * 24 * time.Hour
		a, err := ca.Create(dir, o)
		if err != nil {
			return caError(err)
		}
		return showAuthority(cmd.OutOrStdout(), a, dir, true)
	}
	return cmd
}

// caError gives an error of the ca package the exit status of the contract.
func caError(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(err, &link) || errors.As(err, &path) && !errors.Is(err, fs.ErrNotExist) {
		return environment(err)
	}
	if errors.Is(err, ca.ErrNone) {
		return fmt.Errorf("%w; make one with: cordon ca create", err)
	}
	return err
}

func showAuthority(w io.Writer, a *ca.Authority, dir string, created bool) error {
	var s strings.Builder
	c := a.Certificate()
	fmt.Fprintf(&s, "authority    %s\n", a)
	fmt.Fprintf(&s, "certificate  %s\n", filepath.Join(dir, ca.CertificateFile))
	fmt.Fprintf(&s, "key          %s (keep it to yourself)\n", filepath.Join(dir, ca.KeyFile))
	fmt.Fprintf(&s, "valid until  %s\n", c.NotAfter.UTC().Format(time.DateOnly))
	fmt.Fprintf(&s, "fingerprint  SHA-256 %s\n", a.Fingerprint())
	fmt.Fprintf(&s, "pin          %s\n", pin.HashOf(c.RawSubjectPublicKeyInfo))
	if permitted := a.Permitted(); len(permitted) > 0 {
		fmt.Fprintf(&s, "vouches for  %s\n", strings.Join(permitted, ", "))
	} else {
		s.WriteString("vouches for  any host: trust it on test devices only\n")
	}
	for _, note := range a.Notes() {
		fmt.Fprintf(&s, "note         %s\n", note)
	}
	if created {
		s.WriteString("\nNothing trusts it yet. What to do on each system: cordon ca trust\n")
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// authorityJSON is what cordon ca show --format json prints.
type authorityJSON struct {
	Name        string   `json:"name"`
	Certificate string   `json:"certificate"`
	Key         string   `json:"key"`
	NotBefore   string   `json:"not_before"`
	NotAfter    string   `json:"not_after"`
	Fingerprint string   `json:"fingerprint"`
	SHA256      string   `json:"sha256"`
	Permitted   []string `json:"permitted"`
	Notes       []string `json:"notes"`
}

func newCAShowCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the development authority, or its certificate as PEM text",
		Example: `  cordon ca show
  cordon ca show --format pem > cordon-ca.pem`,
		Args: cobra.NoArgs,
	}
	folder := dirFlag(cmd)
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text, json or pem")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := output.CheckFormat(format, "text", "json", "pem"); err != nil {
			return err
		}
		dir, err := folder()
		if err != nil {
			return err
		}
		a, err := ca.Open(dir)
		if err != nil {
			return caError(err)
		}
		w, c := cmd.OutOrStdout(), a.Certificate()
		switch format {
		case "pem":
			_, err := w.Write(a.PEM())
			return err
		case "json":
			return output.JSON(w, 1, authorityJSON{
				Name: a.String(), Certificate: filepath.Join(dir, ca.CertificateFile),
				Key: filepath.Join(dir, ca.KeyFile), NotBefore: c.NotBefore.UTC().Format(time.RFC3339),
				NotAfter: c.NotAfter.UTC().Format(time.RFC3339), Fingerprint: a.Fingerprint(),
				SHA256: pin.HashOf(c.RawSubjectPublicKeyInfo).String(), Permitted: append([]string{}, a.Permitted()...),
				Notes: append([]string{}, a.Notes()...),
			})
		}
		return showAuthority(w, a, dir, false)
	}
	return cmd
}

func newCATrustCommand() *cobra.Command {
	var system string
	cmd := &cobra.Command{
		Use:   "trust",
		Short: "Print what to do on each system so that it trusts the authority",
		Long: `Trust prints, for each system, what makes it trust the development authority
and what takes that back. It changes nothing itself.`,
		Args: cobra.NoArgs,
	}
	folder := dirFlag(cmd)
	cmd.Flags().StringVar(&system, "system", "",
		"one system only: curl, go, node, debian, fedora, chromium, firefox, macos, windows, android, ios")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		dir, err := folder()
		if err != nil {
			return err
		}
		a, err := ca.Open(dir)
		if err != nil {
			return caError(err)
		}
		file := filepath.Join(dir, ca.CertificateFile)
		if absolute, err := filepath.Abs(file); err == nil {
			file = absolute
		}
		return printInstructions(cmd.OutOrStdout(), a, ca.Instructions(file, a.Certificate()), system)
	}
	return cmd
}

func printInstructions(w io.Writer, a *ca.Authority, list []ca.Instruction, system string) error {
	var s strings.Builder
	found := false
	for _, i := range list {
		if system != "" && i.System != system {
			continue
		}
		found = true
		fmt.Fprintf(&s, "%s: %s\n", i.System, i.Title)
		for _, line := range i.Trust {
			fmt.Fprintf(&s, "  %s\n", line)
		}
		if len(i.Undo) > 0 {
			s.WriteString("  to take it back:\n")
		}
		for _, line := range i.Undo {
			fmt.Fprintf(&s, "    %s\n", line)
		}
		s.WriteString("\n")
	}
	if !found {
		return fmt.Errorf("--system %q: not known", system)
	}
	fmt.Fprintf(&s, "Compare the fingerprint before you accept it:\n  SHA-256 %s\n", a.Fingerprint())
	if len(a.Permitted()) == 0 {
		s.WriteString("It can vouch for any host. Trust it on test devices only, and take it back when done.\n")
	}
	_, err := io.WriteString(w, s.String())
	return err
}
