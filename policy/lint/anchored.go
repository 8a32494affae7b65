package lint

import "github.com/cordon-sec/cordon/policy/pattern"

// elsewhereHost is the host of somebody else in URLs that have a listed name in them.
const elsewhereHost = "evil.test"

// elsewhere returns URLs of other hosts with the given one in them, where what looks
// for it without an anchor finds it.
func elsewhere(scheme, host string) []string {
	const other = elsewhereHost
	return []string{
		scheme + "://" + host + "." + other + "/", scheme + "://" + host + "@" + other + "/",
		scheme + "://" + other + "/?u=." + host, scheme + "://" + other + "/." + host + "/",
		scheme + "://" + other + "/?u=." + host + "/", scheme + "://not" + host + "/",
	}
}

// anchored reports whether nothing has to be asked to know that the entry does not
// cover URLs elsewhere: it is one plain name to this target, which finds such a name
// in no URL of another host. Most entries of a long list are like that.
func (rd *reading) anchored(e *entry) bool {
	if rd.findsElsewhere || !isPlainName(e.base()) || e.base() == elsewhereHost {
		return false
	}
	for _, rule := range rd.rules[e.index] {
		for i := range rule.Patterns {
			if host, exact := rule.Patterns[i].Host.Exact(); !exact || !pattern.EqualFold(host, e.base()) {
				return false
			}
		}
	}
	return true
}

// isPlainName reports whether a host is a name of lower-case letters, digits, dots
// and hyphens that begins with a letter: a dialect takes the URLs of all of them apart alike.
func isPlainName(host string) bool {
	for i := range len(host) {
		c := host[i]
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || c != '.' && c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return host != ""
}

// looksElsewhere reports whether the target takes a URL of another host for one of the
// host that stands in it.
func (rd *reading) looksElsewhere() bool {
	for _, scheme := range []string{"http", "https", "ws", "wss"} {
		for _, probe := range elsewhere(scheme, probeHost) {
			if u := rd.policy.Split(probe); pattern.EqualFold(u.Host, probeHost) {
				return true
			}
		}
	}
	return false
}
