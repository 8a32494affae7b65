package lint

import (
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/script"
)

// sameOrigin is the readings whose own origin an element is about.
type sameOrigin struct {
	from     *configxml.Element
	readings []*reading
}

// byOrigin groups the readings for which from yields an element by it, in the
// order of the targets.
func (r *run) byOrigin(from func(*reading) *configxml.Element) []*sameOrigin {
	var list []*sameOrigin
	index := make(map[*configxml.Element]*sameOrigin)
	for _, rd := range r.targets {
		e := from(rd)
		if e == nil {
			continue
		}
		if index[e] == nil {
			index[e] = &sameOrigin{from: e}
			list = append(list, index[e])
		}
		index[e].readings = append(index[e].readings, rd)
	}
	return list
}

func checkCleartextAppScheme(r *run) {
	list := r.byOrigin(func(rd *reading) *configxml.Element {
		switch {
		case rd.own.Scheme != "http":
			return nil
		case rd.own.SchemeFrom != nil:
			return rd.own.SchemeFrom
		}
		return rd.own.Plugin
	})
	for _, o := range list {
		own := &o.readings[0].own
		origin := strings.TrimSuffix(own.Prefix(), "/")
		switch {
		case own.SchemeFrom != nil:
			r.report(r.at(o.from), []option{on(o.readings)},
				"the preference scheme=\"http\" makes the app's own origin a cleartext one")
		case own.Port != 0:
			r.report(r.at(o.from), []option{on(o.readings)},
				"%s of this version serves the app's own pages from %s, which any app of the device can ask; "+
					"from 3 on it needs no port", o.from.Value("name"), origin)
		default:
			r.report(r.at(o.from), []option{on(o.readings)},
				"%s serves the app's own pages from %s unless <preference name=\"Scheme\" value=\"https\"/> says "+
					"otherwise", o.from.Value("name"), origin)
		}
	}
}

func checkSchemeRefused(r *run) {
	for _, o := range r.byOrigin(func(rd *reading) *configxml.Element {
		if rd.own.Compared == "" {
			return nil
		}
		return rd.own.SchemeFrom
	}) {
		own := &o.readings[0].own
		r.report(r.at(o.from), []option{on(o.readings)},
			"Android serves no scheme %s: the app starts at %s on %s, while the platform takes %s for its own",
			quote(own.Refused), own.Prefix(), names(o.readings), own.Compared)
	}
}

func checkSchemeTaken(r *run) {
	for _, o := range r.byOrigin(func(rd *reading) *configxml.Element {
		if rd.own.Refused == "" || rd.own.Compared != "" {
			return nil
		}
		return rd.own.SchemeFrom
	}) {
		own := &o.readings[0].own
		r.report(r.at(o.from), []option{on(o.readings)},
			"no app can serve the scheme %s: the app's own pages come from %s on %s", quote(own.Refused),
			own.Prefix(), names(o.readings))
	}
}

// isRealHost reports whether a name is one that somebody has, or could have, on
// the Internet.
func isRealHost(host string) bool {
	n, err := hostname.Parse(host)
	if err != nil || developmentHost(host) != "" {
		return false
	}
	if n.Addr().IsValid() {
		return true
	}
	name := n.String()
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "localhost", "invalid", "test", "local", "internal", "onion", "alt", "arpa":
		return false // nobody can have a name below these
	}
	return strings.Contains(name, ".")
}

func checkHostReal(r *run) {
	for _, o := range r.byOrigin(func(rd *reading) *configxml.Element {
		// Below a scheme of the app's own a name is nobody else's.
		if web := rd.own.Scheme == "https" || rd.own.Scheme == "http"; !web || !isRealHost(rd.own.Host) {
			return nil
		}
		return rd.own.HostFrom
	}) {
		r.report(r.at(o.from), []option{on(o.readings)},
			"the app's own pages are those of the host %s on %s", o.readings[0].own.Host, names(o.readings))
	}
}

// cleartextPasses names the targets on which what pages ask for in cleartext is
// not refused as mixed content; refused says that it is on all of them.
func (r *run) cleartextPasses() (options []option, refused bool) {
	var list []*reading
	for _, rd := range r.targets {
		if !rd.own.RefusesMixed {
			list = append(list, rd)
		}
	}
	if len(list) == len(r.targets) {
		return nil, false
	}
	return []option{on(list)}, len(list) == 0
}

func checkMixedContent(r *run) {
	var readings []*reading
	for _, rd := range r.targets {
		if rd.own.RefusesMixed {
			readings = append(readings, rd)
		}
	}
	if len(readings) == 0 {
		return
	}
	native := r.nativeURLs()
	var list []usedURL
	for _, u := range r.usedURLs {
		host := hostOf(u.url)
		// A browser takes this device for trustworthy; a link opens a page of its own.
		if !isCleartext(u.url) || u.kind == policy.Navigation || developmentHost(host) == "this device" ||
			isNamespace(host) || u.library && !u.called || native[u.url] {
			continue
		}
		list = append(list, u)
	}
	key := func(u usedURL) string {
		scheme, _, _ := strings.Cut(u.url, ":")
		return u.file.Name + "\x00" + scheme + "\x00" + hostOf(u.url)
	}
	for _, g := range grouped(list, key) {
		scheme, _, _ := strings.Cut(g.first.url, ":")
		r.report(r.placeIn(g.first.file, g.first.span), []option{on(readings)},
			"%s://%s is refused as mixed content, because the app's own pages come from %s on %s%s", scheme,
			hostOf(g.first.url), strings.TrimSuffix(readings[0].own.Prefix(), "/"), names(readings), g.more())
	}
}

// nativeURLs are the URLs that the app's code gives to a native HTTP plugin, which
// no page's origin binds.
func (r *run) nativeURLs() map[string]bool {
	urls := make(map[string]bool)
	r.httpCalls(func(s *script.Source, _, _ string, span app.Span, url string) {
		if url != "" {
			urls[url] = true
		}
	})
	return urls
}
