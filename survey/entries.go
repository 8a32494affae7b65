package survey

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/pins"
)

// Writing is how pins are written.
type Writing struct {
	// Which certificates of a chain: leaf, issuer, root or all.
	Which string
	// Subdomains makes the pins hold for every name below the host as well.
	Subdomains bool
	// Expires is the day from which they no longer count; zero: never.
	Expires time.Time
	// Untrusted takes the pins of a server that nothing vouches for.
	Untrusted bool
}

// Entries makes config.xml entries of what was found.
func (s *Survey) Entries(w Writing) ([]pin.Entry, error) {
	if !w.Expires.IsZero() && !w.Expires.After(s.options.Now) {
		return nil, fmt.Errorf("--expires %s is past: such a pin closes its host",
			w.Expires.UTC().Format(time.DateOnly))
	}
	var entries []pin.Entry
	hosts := []string{}
	leaf := map[string]bool{} // hosts with a pin of their own key
	add := func(host string, h pin.Hash, authority bool) {
		entries = append(entries, pin.Entry{Host: host, Subdomains: w.Subdomains, Hashes: []pin.Hash{h},
			Expires: w.Expires, Authority: authority})
		leaf[host] = leaf[host] || !authority
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	for _, f := range s.found {
		if f.Err != nil {
			continue
		}
		if f.Doubt != "" && !w.Untrusted {
			return nil, fmt.Errorf("%s: %s; to pin it all the same: --untrusted", f.Source, f.Doubt)
		}
		if len(f.Hosts) == 0 {
			return nil, fmt.Errorf("%s: neither its name nor its certificate names a host: give one with --host",
				f.Source)
		}
		for _, host := range f.Hosts {
			for _, c := range f.chosen(w.Which) {
				add(host, c.Pin(), c.CA)
			}
		}
	}
	for _, host := range hosts {
		for _, h := range s.options.Backups {
			add(host, h, !leaf[host]) // a backup of authorities is one, too
		}
	}
	if len(entries) == 0 {
		return nil, errors.New("there is no pin to write")
	}
	return entries, nil
}

// chosen returns the certificates of the chain that are to be written.
func (f *Finding) chosen(which string) []*pin.Certificate {
	switch n := len(f.Chain); {
	case n <= 1 || which == "all":
		return f.Chain
	case which == "issuer":
		return f.Chain[1:2]
	case which == "root":
		return f.Chain[n-1:]
	}
	return f.Chain[:1]
}

// WithoutBackup returns the hosts of entries that have one pin alone in a
// document: when its key changes, the app is locked out.
func (s *Survey) WithoutBackup(doc *configxml.Document, entries []pin.Entry) []string {
	var hosts []string
	set, _ := pins.Set(doc, "", nil)
	told := map[string]bool{}
	for _, e := range entries {
		bound, _ := set.For(e.Host)
		hashes, err := bound.Hashes(s.options.Now)
		if told[e.Host] || err == nil && len(hashes) > 1 {
			continue
		}
		told[e.Host] = true
		hosts = append(hosts, e.Host)
	}
	return hosts
}
