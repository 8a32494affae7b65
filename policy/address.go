package policy

import (
	"net/netip"
	"slices"

	"github.com/cordon-sec/cordon/host"
)

// Addresses returns the address literals that the rule's patterns name, each
// once: to list an address is to allow it, also where its range is refused
// otherwise. Only a pattern whose host is that one address counts, never a text
// that happens to hold it, nor a wildcard or an expression that covers it.
func (r *Rule) Addresses() []netip.Addr {
	var all []netip.Addr
	for i := range r.Patterns {
		text, ok := r.Patterns[i].Host.Exact()
		if !ok {
			continue
		}
		if n, err := host.Parse(text); err == nil && n.Addr().IsValid() && !slices.Contains(all, n.Addr()) {
			all = append(all, n.Addr())
		}
	}
	return all
}
