package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/spf13/cobra"
)

// quietly reports whether the caller wants results only.
func quietly(cmd *cobra.Command) bool {
	quiet, err := cmd.Flags().GetBool("quiet")
	return err == nil && quiet
}

// summary says where each part is, what is for development only, and what to
// try. The first line is the app's address alone, for scripts.
func (u *upStack) summary(w io.Writer, short bool) {
	var s strings.Builder
	page := u.site.URL.String() + "/"
	fmt.Fprintln(&s, page)
	if !short {
		u.describe(&s, page)
	}
	_, _ = io.WriteString(w, s.String()) // without a reader it runs all the same
}

func (u *upStack) describe(s *strings.Builder, page string) {
	proxy, admin := u.gateway.Addr(), u.gateway.AdminAddr()
	authority := filepath.Join(u.dir, ".cordon", "ca", ca.CertificateFile)
	var providers []string
	for name, kind := range u.site.Auth.ProviderNames() {
		providers = append(providers, name+" ("+kind+")")
	}
	fmt.Fprintf(s, `
  app       %s  %s: www/ with the exported Content-Security-Policy
  backend   %s  sign-in: %s; tables: %s
  gateway   http://%s  enforces %s: %s
  console   http://%s/console/
  data      %s

Development only: sign-in without passwords; a certificate of this folder's own
authority, %s
(what trusting it takes: cordon ca trust --dir %s);
%s stands in for other hosts. The page's address and the stand-in's
are allowed besides config.xml.

Try, in another terminal:
  curl --proxy http://%s --cacert %s %s   # on the list
  curl --proxy http://%s https://not-listed.example/   # on no list: 403
  chromium --user-data-dir="$(mktemp -d)" --proxy-server=http://%s --proxy-bypass-list='<-loopback>' %s

`, page, u.app.name, page, orNone(providers), orNone(u.site.Tables.Names()), proxy, filepath.Join(u.dir, filepath.FromSlash(u.app.config)), orElse(u.listed(), "it lists nothing"), admin,
		u.site.Settings.DatabaseName(), authority, filepath.Dir(authority), standInHost,
		proxy, authority, u.origins()[1]+"/tip", proxy, proxy, page)
	for _, warning := range u.gateway.Warnings() {
		fmt.Fprintf(s, "warning: %s\n", printable(warning))
	}
	s.WriteString("Ctrl-C stops everything.\n")
}

// listed names the hosts that config.xml lets the app reach.
func (u *upStack) listed() string {
	doc, err := u.app.document()
	if err != nil {
		return ""
	}
	var all []string
	for _, o := range dialect.Origins(doc) {
		if o.Host != "" && o.Rule.Purpose != policy.ForLaunch && len(all) < 8 {
			all = append(all, o.Host)
		}
	}
	return strings.Join(all, ", ")
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
