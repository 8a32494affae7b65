package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/up"
	"github.com/spf13/cobra"
)

// quietly reports whether the caller wants results only.
func quietly(cmd *cobra.Command) bool {
	quiet, err := cmd.Flags().GetBool("quiet")
	return err == nil && quiet
}

// printSummary says where each part of the app in dir is, what is for development
// only, and what to try. The first line is the app's address alone, for scripts; it
// is all in short.
func printSummary(w io.Writer, u up.Summary, dir string, short bool) {
	var s strings.Builder
	fmt.Fprintln(&s, u.Page.String()+"/")
	if !short {
		printParts(&s, u, dir)
		printDevelopment(&s, u)
		printTries(&s, u)
		for _, warning := range u.Warnings {
			fmt.Fprintf(&s, "warning: %s\n", wording.Printable(warning))
		}
		s.WriteString("Ctrl-C stops everything.\n")
	}
	_, _ = io.WriteString(w, s.String()) // nobody may read it; everything runs all the same
}

// printParts says where each part is.
func printParts(s *strings.Builder, u up.Summary, dir string) {
	var providers []string
	for name, kind := range u.SignIn {
		providers = append(providers, name+" ("+kind+")")
	}
	slices.Sort(providers)
	pages := wording.Printable(u.Pages) + "/ with the exported Content-Security-Policy"
	if u.AppURL != nil {
		pages = u.AppURL.String() + " behind the exported Content-Security-Policy"
	}
	fmt.Fprintf(s, `
  app       %s/  %s: %s
            for devices %s/
  backend   the same address  sign-in: %s; tables: %s
  gateway   %s  enforces %s: %s
  console   %s
  data      %s
`, u.Page, wording.Printable(u.Name), pages, u.Secure, orNone(providers), orNone(u.Tables),
		u.Gateway, wording.Printable(u.Rules), wording.Printable(listed(u.Reaches)), u.Console, u.Database)
	if u.Capacitor {
		fmt.Fprintf(s, `
The rules are server.allowNavigation of %s: Capacitor asks no list
for what a page fetches, and here the same hosts bind it. For rules of its own:
cordon init %s
`, wording.Printable(u.Rules), wording.Printable(dir))
	}
	if len(u.Device) > 0 {
		s.WriteString("\nOn devices the pages have other addresses, which servers see as the origin of requests:\n")
		for _, d := range u.Device {
			fmt.Fprintf(s, "  %s (%s)\n", wording.Printable(d.Origin), d.Target)
		}
	}
}

// printDevelopment says what is not as it is on a device.
func printDevelopment(s *strings.Builder, u up.Summary) {
	fmt.Fprintf(s, `
Development only: sign-in without passwords; a certificate of this folder's own
authority, %s
(what trusting it takes: cordon ca trust --dir %s);
%s stands in for other hosts. The page's address and the stand-in's
are allowed besides %s.
`, wording.Printable(u.Authority), wording.Printable(filepath.Dir(u.Authority)), u.StandIn.Hostname(), wording.Printable(filepath.Base(u.Rules)))
	if u.AppURL != nil {
		s.WriteString("Styles that the development server's scripts put into a page are allowed; " +
			"a built app's are not.\n")
	}
}

// printTries prints commands to see the gateway decide, as the rules in force decide.
func printTries(s *strings.Builder, u up.Summary) {
	fmt.Fprintf(s, "\nTry, in another terminal:\n  curl --proxy %s %s/tip   # allowed in development\n",
		u.Gateway, u.StandIn)
	if u.Refused != "" {
		fmt.Fprintf(s, "  curl --proxy %s https://%s/   # on no list: 403\n", u.Gateway, u.Refused)
	}
	fmt.Fprintf(s, "  chromium --user-data-dir=\"$(mktemp -d)\" --proxy-server=%s "+
		"--proxy-bypass-list='<-loopback>' %s/\n\n",
		u.Gateway, u.Page)
}

// mostListed is how many entries of the list a summary shows.
const mostListed = 8

// listed names what an app reaches, the first of it where it is much.
func listed(reaches []string) string {
	if len(reaches) == 0 {
		return "it lists nothing"
	}
	if left := len(reaches) - mostListed; left > 0 {
		reaches = append(slices.Clone(reaches[:mostListed]), fmt.Sprintf("and %d more", left))
	}
	return strings.Join(reaches, ", ")
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
