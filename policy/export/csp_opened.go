package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/needs"
)

// opened names every source of the new policy that the page's own keeps out, with where
// it comes in. One in the form of those that PagePolicy makes is not a person's, and
// grows with the list.
func opened(existing, made csp.Policy) []Loss {
	if IsPagePolicy(existing) {
		return nil
	}
	var order []string
	in := map[string][]string{}
	for _, name := range governed {
		own, limited := existing.Effective(name)
		next, _ := made.Effective(name)
		// Manifests count where the policy speaks of them, as in governs.
		if !limited || name == "manifest-src" && own.Name != name {
			continue
		}
		for _, token := range next.Sources {
			if !meansThere(token, name) || lets(own, name, token) {
				continue
			}
			if in[token] == nil {
				order = append(order, token)
			}
			in[token] = append(in[token], name)
		}
	}
	losses := make([]Loss, 0, len(order))
	for _, token := range order {
		losses = append(losses, Loss{Widens: true, Opens: token, Message: fmt.Sprintf(
			"the page's own policy keeps %s out of %s, the new one lets it in", token,
			strings.Join(together(in[token]), ", "))})
	}
	return losses
}

// lets reports whether a directive of the page's own policy lets in all that a source
// of the new one does.
func lets(own csp.Directive, name, token string) bool {
	lower := strings.ToLower(token)
	inline := own.Has(needs.UnsafeInline) && !own.Guarded()
	switch {
	case lower == "'none'" || own.Has(token):
		return lower != needs.UnsafeInline || inline
	case lower == "'self'":
		return own.Allows(selfURL, selfURL)
	case strings.HasPrefix(lower, "'sha256-"):
		return inline || otherGuard(own)
	case lower == "'unsafe-hashes'":
		return inline
	case lower == needs.WasmEval:
		return own.Has(needs.UnsafeEval)
	}
	sample, isHost := sampleOf(token)
	return isHost && own.Allows(sample, selfURL)
}

// otherGuard reports whether a directive lets inline code in by what cannot be compared
// with a hash of SHA-256: the code itself would have to be looked at.
func otherGuard(own csp.Directive) bool {
	return slices.ContainsFunc(own.Sources, func(token string) bool {
		lower := strings.ToLower(token)
		return strings.HasPrefix(lower, "'nonce-") || strings.HasPrefix(lower, "'sha384-") ||
			strings.HasPrefix(lower, "'sha512-")
	})
}
