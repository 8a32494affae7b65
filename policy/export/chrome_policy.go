package export

import (
	"fmt"

	"github.com/cordon-sec/cordon/policy/dialect"
)

// chromeFormat is ChromePolicy; its constant describes it.
var chromeFormat = Format{
	Name:  ChromePolicy,
	Title: "Chrome URL policies",
	Can:   Schemes | Ports | Exact | Deep | Paths | Navigation | Denies,
	Limits: []string{
		"at most 1,000 entries count",
		"JSON has no comments: these limits stand in the documentation",
	},
}

// maxChromeEntries is how many entries of a list the browser reads.
const maxChromeEntries = 1000

type policies struct {
	Blocklist []string `json:"URLBlocklist"`
	Allowlist []string `json:"URLAllowlist"`
}

// exportChrome writes the policy file, for /etc/chromium/policies/managed/ on Linux.
func exportChrome(s Source) Artifact {
	origins := s.Navigation()
	losses := chromeFormat.widening(origins)
	out := policies{Blocklist: []string{"*"}, Allowlist: []string{}}
	for i := range origins {
		o := &origins[i]
		if o.Path != "" {
			losses = append(losses, lose(o, false,
				"the page %s itself is not covered, only what is below it: a filter's path is a mere prefix", o.Path))
		}
		for _, filter := range filters(o) {
			if len(out.Allowlist) == maxChromeEntries {
				losses = append(losses, lose(o, false,
					"it comes after %d entries, and the browser reads no more", maxChromeEntries))
				break
			}
			out.Allowlist = append(out.Allowlist, filter)
		}
	}
	return Artifact{Path: "cordon-chrome-policy.json", Content: encode(out), Losses: losses}
}

// filters writes an origin in the filter format: a host covers what is below
// it unless a dot stands before it, and a port must be named to count.
func filters(o *dialect.Origin) []string {
	host := o.Host
	switch {
	case host == "":
		host = "*"
	case !o.Subdomains && !o.Address():
		host = "." + host
	}
	path := ""
	if o.Path != "" {
		path = o.Path + "/"
	}
	var all []string
	for _, scheme := range o.Schemes {
		if scheme != "https" && scheme != "http" {
			continue // a page is opened over http or https
		}
		all = append(all, fmt.Sprintf("%s://%s:%d%s", scheme, host, portOf(o, scheme), path))
	}
	return all
}
