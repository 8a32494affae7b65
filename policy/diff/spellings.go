package diff

import (
	"strings"

	"github.com/cordon-sec/cordon/policy"
)

// maxTexts bounds how many rules are tried by their texts.
const maxTexts = 500

// tryTexts tries URLs that the texts of changed rules come near to. Sets speak
// of canonical URLs; a platform that cuts an origin may be left with a host
// that no canonical URL has, such as "apache.".
func (c *comparison) tryTexts(groups []group) {
	type key struct{ element, text string }
	count := map[key]int{}
	note := func(p *policy.Policy, sign int) {
		rules := p.Rules()
		for i := range rules {
			count[key{rules[i].Element, rules[i].Text}] += sign
		}
	}
	note(c.pair.Old, -1)
	note(c.pair.New, +1)
	same := c.pair.Old.Target() == c.pair.New.Target()
	tried := 0
	for _, p := range []*policy.Policy{c.pair.Old, c.pair.New} {
		rules := p.Rules()
		for i := range rules {
			if same && count[key{rules[i].Element, rules[i].Text}] == 0 || !strings.Contains(rules[i].Text, "*") ||
				rules[i].Text == "*" {
				continue
			}
			if tried++; tried > maxTexts {
				return
			}
			for _, url := range fromText(rules[i].Text) {
				for _, g := range groups {
					c.decide(g.kinds, url)
				}
			}
		}
	}
}

// fromText returns URLs that an origin with wildcards may have been meant for,
// or be cut to.
func fromText(text string) []string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		rest = text
	}
	schemes := []string{scheme}
	if !ok || strings.Contains(scheme, "*") {
		schemes = []string{"http", "https"}
	}
	trimmed := strings.TrimPrefix(rest, "*.")
	hosts := []string{strings.ReplaceAll(trimmed, "*", "x"), strings.ReplaceAll(trimmed, "*", "")}
	if cut, _, found := strings.Cut(trimmed, "*"); found {
		hosts = append(hosts, cut)
	}
	var urls []string
	for _, s := range schemes {
		for _, host := range hosts {
			if host != "" && host[0] != '/' {
				urls = append(urls, s+"://"+host, s+"://"+strings.TrimSuffix(host, "/")+"/")
			}
		}
	}
	return urls
}

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
