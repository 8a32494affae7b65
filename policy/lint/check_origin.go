package lint

import (
	"slices"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/script"
)

// sameOrigin is the readings whose own origin one place is about.
type sameOrigin struct {
	at       policy.Place
	readings []*reading
}

// byOrigin groups the readings for which at yields a place by it, in the order of
// the targets.
func (r *run) byOrigin(at func(*reading) policy.Place) []*sameOrigin {
	var list []*sameOrigin
	index := make(map[policy.Place]*sameOrigin)
	for _, rd := range r.shipped() {
		place := at(rd)
		if place.IsZero() {
			continue
		}
		if index[place] == nil {
			index[place] = &sameOrigin{at: place}
			list = append(list, index[place])
		}
		index[place].readings = append(index[place].readings, rd)
	}
	return list
}

// shipped are the targets that the app ships to: those of the list, and those of a
// Capacitor configuration, which may stand alone.
func (r *run) shipped() []*reading {
	if slices.ContainsFunc(r.targets, func(rd *reading) bool { return isCapacitor(rd.target) }) {
		return r.targets
	}
	return slices.Concat(r.targets, r.capacitorReadings())
}

func checkCleartextAppScheme(r *run) {
	list := r.byOrigin(func(rd *reading) policy.Place {
		switch {
		case rd.own.Scheme != "http":
			return policy.Place{}
		case rd.own.SchemeFrom.Written():
			return rd.own.SchemeFrom.Place
		case rd.own.Plugin != nil:
			return rd.own.Plugin.Place()
		}
		return r.capacitorStart()
	})
	for _, o := range list {
		own := &o.readings[0].own
		origin := strings.TrimSuffix(own.Prefix(), "/")
		switch {
		case own.SchemeFrom.Written():
			r.report(o.at, []option{on(o.readings)}, "%s=\"http\" makes the app's own origin a cleartext one",
				own.SchemeFrom.Name)
		case own.Plugin == nil:
			r.report(o.at, []option{on(o.readings)},
				"%s serves the app's own pages from %s unless server.androidScheme is https", names(o.readings), origin)
		case own.Port != 0:
			r.report(o.at, []option{on(o.readings)},
				"%s of this version serves the app's own pages from %s, which any app of the device can ask; "+
					"from 3 on it needs no port", own.Plugin.Value("name"), origin)
		default:
			r.report(o.at, []option{on(o.readings)},
				"%s serves the app's own pages from %s unless <preference name=\"Scheme\" value=\"https\"/> says "+
					"otherwise", own.Plugin.Value("name"), origin)
		}
	}
}

// capacitorStart is the first byte of the Capacitor configuration.
func (r *run) capacitorStart() policy.Place { return r.project.Capacitor.Place(0, 0) }

func checkSchemeRefused(r *run) {
	for _, o := range r.byOrigin(func(rd *reading) policy.Place {
		if rd.own.Compared == "" {
			return policy.Place{}
		}
		return rd.own.SchemeFrom.Place
	}) {
		own := &o.readings[0].own
		r.report(o.at, []option{on(o.readings)},
			"Android serves no scheme %s: the app starts at %s on %s, while the platform takes %s for its own",
			quote(own.Refused), own.Prefix(), names(o.readings), own.Compared)
	}
}

func checkSchemeTaken(r *run) {
	for _, o := range r.byOrigin(func(rd *reading) policy.Place {
		if rd.own.Refused == "" || rd.own.Compared != "" {
			return policy.Place{}
		}
		return rd.own.SchemeFrom.Place
	}) {
		own := &o.readings[0].own
		r.report(o.at, []option{on(o.readings)},
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
	for _, o := range r.byOrigin(func(rd *reading) policy.Place {
		// Below a scheme of the app's own a name is nobody else's.
		if web := rd.own.Scheme == "https" || rd.own.Scheme == "http"; !web || !isRealHost(rd.own.Host) {
			return policy.Place{}
		}
		return rd.own.HostFrom.Place
	}) {
		r.report(o.at, []option{on(o.readings)},
			"the app's own pages are those of the host %s on %s", o.readings[0].own.Host, names(o.readings))
	}
}

// cleartextPasses names the targets on which what pages ask for in cleartext, as
// that kind of request, is not refused as mixed content; refused says that it is on
// all of them.
func (r *run) cleartextPasses(kind policy.Kind) (options []option, refused bool) {
	all, refusing := r.shipped(), r.refusing(kind)
	if len(refusing) == 0 {
		return nil, false
	}
	list := slices.DeleteFunc(slices.Clone(all), func(rd *reading) bool { return slices.Contains(refusing, rd) })
	return []option{on(list)}, len(list) == 0
}

// refusing are the targets that refuse what pages ask for in cleartext.
func (r *run) refusing(kind policy.Kind) []*reading {
	var list []*reading
	for _, rd := range r.shipped() {
		if rd.own.RefusesMixed && !(kind == policy.XHR && rd.own.NativeRequests) {
			list = append(list, rd)
		}
	}
	return list
}

func checkMixedContent(r *run) {
	if len(r.refusing(policy.Other)) == 0 {
		return
	}
	native := r.nativeURLs()
	var list []usedURL
	for _, u := range r.usedURLs {
		host := hostOf(u.url)
		// A browser takes this device for trustworthy; a link opens a page of its own.
		if !isCleartext(u.url) || u.kind == policy.Navigation || developmentHost(host) == "this device" ||
			isNamespace(host) || u.library && !u.called || native[u.url] ||
			len(r.refusing(u.kind)) == 0 {
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
		readings := r.refusing(g.first.kind)
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
