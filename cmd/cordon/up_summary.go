package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/ca"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/server"
	"github.com/spf13/cobra"
)

// quietly reports whether the caller wants results only.
func quietly(cmd *cobra.Command) bool {
	quiet, err := cmd.Flags().GetBool("quiet")
	return err == nil && quiet
}

// authority is the file of the certificate authority of the app's folder.
func (u *upStack) authority() string {
	return filepath.Join(u.dir, ".cordon", "ca", ca.CertificateFile)
}

// summary says where each part is, what is for development only, and what to
// try. The first line is the app's address alone, for scripts.
func (u *upStack) summary(w io.Writer, short bool) {
	var s strings.Builder
	fmt.Fprintln(&s, u.site.Plain.String()+"/")
	if !short {
		u.parts(&s, u.compiled)
		u.development(&s)
		u.tries(&s, u.compiled)
		for _, warning := range u.events.warned {
			fmt.Fprintf(&s, "warning: %s\n", wording.Printable(warning))
		}
		s.WriteString("Ctrl-C stops everything.\n")
	}
	_, _ = io.WriteString(w, s.String()) // nobody may read it; everything runs all the same
}

// parts says where each part is.
func (u *upStack) parts(s *strings.Builder, compiled *policy.Policy) {
	var providers []string
	for name, kind := range u.site.Auth.ProviderNames() {
		providers = append(providers, name+" ("+kind+")")
	}
	slices.Sort(providers)
	pages := wording.Printable(u.app.Pages) + "/ with the exported Content-Security-Policy"
	if u.appURL != nil {
		pages = u.appURL.String() + " behind the exported Content-Security-Policy"
	}
	fmt.Fprintf(s, `
  app       %s/  %s: %s
            for devices %s/
  backend   the same address  sign-in: %s; tables: %s
  gateway   http://%s  enforces %s: %s
  console   http://%s/console/
  data      %s
`, u.site.Plain, wording.Printable(u.app.Name), pages, u.site.URL, orNone(providers), orNone(u.site.Tables.Names()),
		u.gateway.Addr(), wording.Printable(u.app.Rules), wording.Printable(u.app.policy().listed(compiled)), u.gateway.AdminAddr(), server.DatabaseName(u.site.Settings))
	if u.app.Config == "" {
		fmt.Fprintf(s, `
The rules are server.allowNavigation of %s: Capacitor asks no list
for what a page fetches, and here the same hosts bind it. For rules of its own:
cordon init %s
`, wording.Printable(u.app.Rules), wording.Printable(u.dir))
	}
}

// development says what is not as it is on a device.
func (u *upStack) development(s *strings.Builder) {
	fmt.Fprintf(s, `
Development only: sign-in without passwords; a certificate of this folder's own
authority, %s
(what trusting it takes: cordon ca trust --dir %s);
%s stands in for other hosts. The page's address and the stand-in's
are allowed besides %s.
`, wording.Printable(u.authority()), wording.Printable(filepath.Dir(u.authority())), standInHost, wording.Printable(filepath.Base(u.app.Rules)))
	if u.appURL != nil {
		s.WriteString("Styles that the development server's scripts put into a page are allowed; a built app's are not.\n")
	}
}

// tries are commands to see the gateway decide, as the rules in force decide.
func (u *upStack) tries(s *strings.Builder, compiled *policy.Policy) {
	proxy := u.gateway.Addr()
	fmt.Fprintf(s, "\nTry, in another terminal:\n  curl --proxy http://%s http://%s:%s/tip   # allowed in development\n",
		proxy, standInHost, u.site.URL.Port())
	if host := refusedHost(compiled); host != "" {
		fmt.Fprintf(s, "  curl --proxy http://%s https://%s/   # on no list: 403\n", proxy, host)
	}
	fmt.Fprintf(s, "  chromium --user-data-dir=\"$(mktemp -d)\" --proxy-server=http://%s --proxy-bypass-list='<-loopback>' %s/\n\n",
		proxy, u.site.Plain)
}

// mostListed is how many entries of the list a summary shows.
const mostListed = 8

// listed names what the app's rules let it reach, each once: hosts in the strict
// reading, the rules as they are written in that of a platform.
func (p *appPolicy) listed(compiled *policy.Policy) string {
	var all []string
	add := func(name string) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if compiled.Target().Platform == dialect.Strict {
		p.eachHost(add)
	} else {
		for i, rules := 0, compiled.Rules(); i < len(rules); i++ {
			rule := &rules[i]
			if !rule.Implicit() && rule.Purpose != policy.ForLaunch && len(rule.Patterns) > 0 &&
				p.place(rule.Place.String()) != developmentPlace {
				add(rule.Text)
			}
		}
	}
	if len(all) == 0 {
		return "it lists nothing"
	}
	if left := len(all) - mostListed; left > 0 {
		all = append(all[:mostListed], fmt.Sprintf("and %d more", left))
	}
	return strings.Join(all, ", ")
}

func (p *appPolicy) eachHost(add func(name string)) {
	for i := range p.own {
		o := &p.own[i]
		switch {
		case o.Rule.Purpose == policy.ForLaunch || !o.Hierarchical():
		case o.Host == "":
			add("* (every host)")
		case o.Subdomains:
			add("*." + o.Host)
		default:
			add(o.Host)
		}
	}
}

// refusedHost is a host that the rules in force refuse, to try; "" if they refuse
// none.
func refusedHost(compiled *policy.Policy) string {
	for _, host := range []string{"not-listed.example", "not-listed.test"} {
		request := policy.Request{URL: "https://" + host, Kind: policy.AnyKind, AnyPath: true}
		if v := compiled.Decide(request).Verdict; v == policy.Block {
			return host
		}
	}
	return ""
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
