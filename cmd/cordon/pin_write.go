package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/internal/output"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/survey"
)

// role names a certificate's part in a chain.
func role(c *pin.Certificate) string {
	switch {
	case c.CA && c.SelfIssued:
		return "root"
	case c.CA:
		return "intermediate"
	case c.SelfIssued:
		return "self-signed"
	}
	return "leaf"
}

func day(t time.Time) string {
	if t.IsZero() {
		return "unreadable"
	}
	return t.UTC().Format(time.DateOnly)
}

// writePinsText writes what was found for people.
func writePinsText(w io.Writer, found []*survey.Finding) error {
	var b strings.Builder
	for i, f := range found {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(f.Source + "\n")
		for _, c := range f.Chain {
			writeCertificate(&b, c)
		}
		for _, warning := range f.Warnings {
			fmt.Fprintf(&b, "  warning  %s\n", wording.Printable(warning))
		}
		if f.Err != nil {
			fmt.Fprintf(&b, "  error    %s\n", wording.Printable(f.Err.Error()))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeCertificate(b *strings.Builder, c *pin.Certificate) {
	fmt.Fprintf(b, "  sha256   %s\n", c.Pin())
	fmt.Fprintf(b, "  subject  %s\n", c.Subject)
	if len(c.Names) > 0 {
		fmt.Fprintf(b, "  names    %s\n", strings.Join(c.Names, ", "))
	}
	fmt.Fprintf(b, "  issuer   %s\n", c.Issuer)
	fmt.Fprintf(b, "  valid    %s to %s\n", day(c.NotBefore), day(c.NotAfter))
	fmt.Fprintf(b, "  key      %s (%s)\n", c.Key, role(c))
}

// The JSON form of cordon pin.
type (
	pinsJSON struct {
		Certificates []certificateJSON `json:"certificates"`
		Errors       []pinErrorJSON    `json:"errors"`
		Warnings     []pinWarningJSON  `json:"warnings"`
	}
	certificateJSON struct {
		Source    string   `json:"source"`
		Position  int      `json:"position"`
		SHA256    string   `json:"sha256"`
		Role      string   `json:"role"`
		Subject   string   `json:"subject"`
		Issuer    string   `json:"issuer"`
		Names     []string `json:"names"`
		Hosts     []string `json:"hosts"`
		NotBefore string   `json:"not_before,omitempty"`
		NotAfter  string   `json:"not_after,omitempty"`
		Serial    string   `json:"serial"`
		Key       string   `json:"key"`
	}
	pinErrorJSON struct {
		Source string `json:"source"`
		// Format is what the file really is, "" for other errors.
		Format  string `json:"format,omitempty"`
		Message string `json:"message"`
	}
	pinWarningJSON struct {
		Source  string `json:"source"`
		Message string `json:"message"`
	}
)

// writePinsJSON writes what was found as one object.
func writePinsJSON(w io.Writer, found []*survey.Finding) error {
	out := pinsJSON{Certificates: []certificateJSON{}, Errors: []pinErrorJSON{}, Warnings: []pinWarningJSON{}}
	for _, f := range found {
		for i, c := range f.Chain {
			out.Certificates = append(out.Certificates, certificateJSON{
				Source: f.Source, Position: i, SHA256: c.Pin().String(), Role: role(c), Subject: c.Subject,
				Issuer: c.Issuer, Names: append([]string{}, c.Names...), Hosts: append([]string{}, f.Hosts...),
				NotBefore: instant(c.NotBefore), NotAfter: instant(c.NotAfter), Serial: c.Serial, Key: c.Key,
			})
		}
		for _, warning := range f.Warnings {
			out.Warnings = append(out.Warnings, pinWarningJSON{f.Source, warning})
		}
		if f.Err != nil {
			e := pinErrorJSON{Source: f.Source, Message: f.Err.Error()}
			var format *pin.FormatError
			if errors.As(f.Err, &format) {
				e.Format = string(format.Format)
			}
			out.Errors = append(out.Errors, e)
		}
	}
	return output.JSON(w, 1, out)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
