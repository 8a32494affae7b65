package lint

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// capacitorConfig is the configuration that can be edited: one that is code is not
// read by its bytes, and cap copy writes the copies below android/ and ios/ anew.
const capacitorConfig = "capacitor.config.json"

// capacitorFixed attaches a fix of capacitor.config.json; there is none where the
// configuration stands in another file.
func (r *run) capacitorFixed(summary string, edits ...configxml.Edit) option {
	return func(f *Finding) {
		if f.Place.File == capacitorConfig && r.project.Capacitor.Name == capacitorConfig {
			f.Fix = &Fix{File: capacitorConfig, Edits: edits, Summary: summary + "; npx cap copy takes it over"}
		}
	}
}

// writesFalse is the fix that writes false where a setting is on.
func (r *run) writesFalse(at policy.Place) option {
	return r.capacitorFixed("write false", configxml.Edit{Start: at.Start, End: at.End, New: "false"})
}

// withoutCleartext is the fix that switches a setting off by which pages ask in
// cleartext, unless the app does: what it is there for would stop.
func (r *run) withoutCleartext(at policy.Place) option {
	for _, u := range r.usedURLs {
		host := hostOf(u.url)
		if isCleartext(u.url) && u.kind != policy.Navigation && developmentHost(host) != "this device" &&
			!isNamespace(host) && (u.called || !u.library) {
			return func(*Finding) {}
		}
	}
	return r.writesFalse(at)
}

// withoutMember is the fix that removes a member of a section, with its comma; every
// other byte stays. There is none for a member that is there twice.
func (r *run) withoutMember(section, key string) option {
	members := r.capacitor(section).Members
	named := func(m jsonspan.Member) bool { return m.Key == key }
	at := slices.IndexFunc(members, named)
	if at < 0 || slices.ContainsFunc(members[at+1:], named) {
		return func(*Finding) {}
	}
	edit := configxml.Edit{Start: members[at].Start, End: members[at].Value.End}
	switch {
	case at+1 < len(members):
		edit.End = members[at+1].Start
	case at > 0:
		edit.Start = members[at-1].Value.End
	}
	return r.capacitorFixed("remove "+section+"."+key, edit)
}

// fixedServerURL is the fix of a server.url that live reload left: one that leads to
// this machine or to one beside it. A real host may be what the app is made of.
func (r *run) fixedServerURL(url string) option {
	if _, rest, ok := strings.Cut(url, "://"); !ok || developmentHost(hostOf("http://"+rest)) == "" {
		return func(*Finding) {}
	}
	return r.withoutMember("server", "url")
}
