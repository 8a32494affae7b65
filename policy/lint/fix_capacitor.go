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
	if r.asksInCleartext(func(u usedURL) bool { return u.kind != policy.Navigation }) {
		return func(*Finding) {}
	}
	return r.writesFalse(at)
}

// withoutCleartextPages is withoutCleartext for server.cleartext, without which Android
// opens no page in cleartext either. Where a page that is opened inside leads by itself
// is not known: the summary says what those pages need from then on.
func (r *run) withoutCleartextPages(at policy.Place) option {
	if r.servedInCleartext() || r.asksInCleartext(r.loadsInside) {
		return func(*Finding) {}
	}
	summary := "write false"
	if doc := r.capacitorDocument(); doc != nil && len(doc.Capacitor().Server.AllowNavigation) > 0 {
		summary += " (the pages of server.allowNavigation open over https alone then)"
	}
	return r.capacitorFixed(summary, configxml.Edit{Start: at.Start, End: at.End, New: "false"})
}

// asksInCleartext reports whether a page or a script of the app asks another machine
// for something in cleartext, of the uses that count.
func (r *run) asksInCleartext(counts func(usedURL) bool) bool {
	return slices.ContainsFunc(r.usedURLs, func(u usedURL) bool {
		host := hostOf(u.url)
		return isCleartext(u.url) && developmentHost(host) != "this device" && !isNamespace(host) &&
			(u.called || !u.library) && counts(u)
	})
}

// loadsInside reports whether the app's own web view loads a URL: what a form is sent
// to, whose request Android hands to no one else, and a link where allowNavigation has
// its host. Other links open in the browser.
func (r *run) loadsInside(u usedURL) bool {
	if u.kind != policy.Navigation || u.tag == "form" {
		return true
	}
	return slices.ContainsFunc(r.capacitorReadings(), func(rd *reading) bool {
		return rd.policy.Decide(policy.Request{URL: u.url, Kind: policy.Navigation}).Verdict == policy.Allow
	})
}

// servedInCleartext reports whether the app's own pages come in cleartext, and not from
// a machine of live reload.
func (r *run) servedInCleartext() bool {
	url, _ := r.capacitor("server", "url").Text()
	return isCleartext(url) && developmentHost(hostOf(url)) == ""
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
