package diff

import "strings"

// Spellings returns URLs near a canonical one that look-ups by algorithm read
// in ways of their own: another port, a query, a name inside another host's
// path or query, a longer name.
func Spellings(url string) []string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return nil
	}
	host, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	name, _, _ := strings.Cut(host, ":")
	return []string{
		scheme + "://" + name + ":8443" + path,
		scheme + "://" + host + path + "?q=1",
		scheme + "://x." + host + path,
		scheme + "://x" + host + path,
		scheme + "://" + name + ".evil.example/",
		scheme + "://evil.example/" + name + "/",
		scheme + "://evil.example/?u=." + name + "/",
		scheme + "://" + host + strings.TrimSuffix(path, "/") + "/x/y",
	}
}
