package record

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/propose"
)

// Pages is what a recording means for server.allowNavigation of a Capacitor
// configuration: the hosts whose pages opened inside the app. What pages ask for is
// not asked there.
type Pages struct {
	// Entries are server.allowNavigation as it should be: what was asked for stays as
	// it is written, and new hosts follow.
	Entries []string
	// Added are the new ones.
	Added []propose.Proposal
	// Dropped are the entries that nothing asked for, and those that cover more hosts
	// than were.
	Dropped []capacitor.Text
	// Refused are the hosts that no entry can stand for.
	Refused []Refusal
}

// Changed reports whether the entries are others than those of the configuration.
func (p *Pages) Changed() bool { return len(p.Added) > 0 || len(p.Dropped) > 0 }

// PagesOf says what was seen of pages. An entry that covers something of which it was
// not seen what asked for it, as in a tunnel, stays. With keep, entries for one host
// stay too, asked for or not.
func PagesOf(seen []propose.Observation, c *capacitor.Config, keep bool) (*Pages, error) {
	doc := configxml.Effective(c.File, nil, configxml.Additions{Capacitor: c})
	compiled, err := dialect.Compile(doc, policy.Target{Platform: "capacitor-android"})
	if err != nil {
		return nil, err
	}
	covering := func(o *propose.Observation) policy.Place { // the zero Place for none
		d := compiled.Decide(policy.Request{URL: address(o), Kind: policy.Navigation})
		if d.Reason != policy.Listed || d.Rule == nil {
			return policy.Place{}
		}
		return d.Rule.Place
	}
	entries := c.Server.AllowNavigation
	used := make(map[policy.Place]bool)
	for i := range seen {
		at := covering(&seen[i])
		switch k := slices.IndexFunc(entries, func(t capacitor.Text) bool { return t.Place == at }); {
		case k < 0:
		case seen[i].Kind == "", seen[i].Kind == policy.Navigation.String() && !wide(entries[k].Value):
			used[at] = true
		}
	}
	p := &Pages{Entries: []string{}}
	for _, entry := range entries {
		if used[entry.Place] || keep && !wide(entry.Value) {
			p.Entries = append(p.Entries, entry.Value)
			used[entry.Place] = true
		} else {
			p.Dropped = append(p.Dropped, entry)
		}
	}
	p.add(slices.DeleteFunc(slices.Clone(seen), func(o propose.Observation) bool {
		return o.Kind != policy.Navigation.String() || used[covering(&o)]
	}))
	return p, nil
}

// add adds hosts whose pages were opened, each once: an entry covers every scheme and
// port of its host.
func (p *Pages) add(opened []propose.Observation) {
	for i := range opened {
		opened[i].Scheme, opened[i].Port = "https", 0
	}
	for _, proposal := range propose.List(opened) {
		host := strings.TrimPrefix(proposal.Line.Origin, "https://")
		if why := noEntry(host); why != "" {
			p.Refused = append(p.Refused, Refusal{host, why})
			continue
		}
		p.Added = append(p.Added, proposal)
		p.Entries = append(p.Entries, host)
	}
}

// noEntry says why a host is no entry of server.allowNavigation, "" if it is one:
// Android reads more out of it than the host.
func noEntry(host string) string {
	switch {
	case strings.HasPrefix(host, "["):
		return "an IPv6 address cannot be written there"
	case strings.HasPrefix(host, "http"):
		return "Android takes a name that begins with http for an address, and gives every page the native bridge"
	case !strings.Contains(host, "."):
		return fmt.Sprintf("an entry of one label would cover every host that ends in .%s", host)
	}
	return ""
}

// address is a URL of what was seen.
func address(o *propose.Observation) string {
	host := o.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s://%s/", o.Scheme, host) // entries are compared with hosts alone
}

// wide reports whether an entry covers more than one host.
func wide(entry string) bool { return strings.Contains(entry, "*") || !strings.Contains(entry, ".") }
