package prove

import (
	"errors"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
	"github.com/cordon-sec/cordon/policy/pattern"
)

// urls are the URL sets of a line. Without any, they are every URL.
type urls struct {
	texts []string
	set   pattern.URLSet
	// wide is the set that a reader may take it for: "*" with addresses, and
	// hosts with all of their ports.
	wide pattern.URLSet
	// lists decide whether a URL that is not in canonical spelling is meant.
	lists []*policy.Policy
	// schemes are those of which every URL is meant, as in http:*.
	schemes []string
}

// add reads one set in the strict reading, in which a launch entry may have
// any scheme. Beyond it, http:* and its like are every URL of a web scheme.
func (u *urls) add(text string) error {
	u.texts = append(u.texts, text)
	if scheme, rest, _ := strings.Cut(text, ":"); rest == "*" && isWeb(scheme) {
		all := pattern.Covered(pattern.WebHosts,
			[]pattern.Pattern{{Scheme: pattern.Exactly(scheme), Host: pattern.Any(), Path: pattern.Any()}})
		u.set, u.wide = u.set.Union(all), u.wide.Union(all)
		u.schemes = append(u.schemes, scheme)
		return nil
	}
	doc, err := configxml.Parse("", []byte(`<widget><allow-intent href="`+configxml.Escape(text)+`"/></widget>`))
	if err != nil {
		return errors.New("it cannot be written in a config.xml")
	}
	list, err := dialect.Compile(doc, policy.Target{Platform: dialect.Strict})
	if err != nil {
		return err
	}
	rules := list.Rules()
	if len(rules) != 1 || rules[0].Flaw != policy.NoFlaw {
		note := "it grants nothing"
		if len(rules) == 1 && rules[0].Note != "" {
			note = rules[0].Note
		}
		return errors.New(note)
	}
	u.set = u.set.Union(diff.NewReader(list).Sets(policy.Navigation).Launch)
	u.lists = append(u.lists, list)
	wide := append([]pattern.Pattern(nil), rules[0].Patterns...)
	for i := range wide {
		if wide[i].Port == pattern.NoPort {
			wide[i].Port = pattern.AnyPort
		}
	}
	u.wide = u.wide.Union(pattern.Covered(pattern.WebHosts, wide))
	return nil
}

func isWeb(scheme string) bool {
	switch scheme {
	case "http", "https", "ws", "wss":
		return true
	}
	return false
}

// all returns the set of the URLs that are meant.
func (u *urls) all() pattern.URLSet {
	if len(u.texts) == 0 {
		return pattern.Everything()
	}
	return u.set
}

// has reports whether a URL is meant, in whatever spelling.
func (u *urls) has(url string) bool {
	if len(u.texts) == 0 {
		return true
	}
	for _, list := range u.lists {
		if list.Decide(policy.Request{URL: url, Kind: policy.Navigation}).Verdict == policy.Launch {
			return true
		}
	}
	scheme, _, _ := strings.Cut(url, ":")
	for _, each := range u.schemes {
		if strings.EqualFold(each, scheme) {
			return true
		}
	}
	return false
}
