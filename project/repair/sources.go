package repair

import (
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/lint"
)

// splits reports whether a target has lists of its own for navigation and for
// other apps.
func splits(t policy.Target) bool {
	return t.Platform == "android" && t.Version.AtLeast(4, 0, 0)
}

// origins returns the origins that the app's sources name: those that pages
// link to or frame, or those that they request and a recording has. An origin in cleartext is left
// out where the same host is named with TLS.
func (w *work) origins(navigation bool) []string {
	var all []string
	if !navigation {
		all = append(all, w.options.Origins...)
	}
	for _, use := range lint.Uses(w.project) {
		opens := use.Kind == policy.Navigation || use.Kind == policy.Frame
		if navigation && !opens || !navigation && use.Kind == policy.Navigation {
			continue
		}
		if origin := originOf(use.URL); origin != "" && !slices.Contains(all, origin) {
			all = append(all, origin)
		}
	}
	return slices.DeleteFunc(all, func(origin string) bool {
		rest, cleartext := strings.CutPrefix(origin, "http://")
		return cleartext && slices.Contains(all, "https://"+rest)
	})
}

// originOf returns the origin of a URL that the strict reading accepts, with
// wss and ws as the https and http that cover them; "" for any other.
func originOf(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	switch scheme = strings.ToLower(scheme); scheme {
	case "http", "https":
	case "ws":
		scheme = "http"
	case "wss":
		scheme = "https"
	default:
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	origin := scheme + "://" + strings.ToLower(rest)
	if rest == "" || strings.ContainsAny(rest, "*@\\ <>\"'${}") || !readable(origin) {
		return ""
	}
	return origin
}

// readable reports whether a text is an origin in the strict reading.
func readable(origin string) bool {
	doc, err := parse(`<widget><access origin="` + origin + `"/></widget>`)
	return err == nil && len(dialect.Origins(doc)) == 1
}

// linkSchemes returns an entry for every scheme that links of the app's pages
// have, web addresses by their hosts.
func (w *work) linkSchemes() []string {
	var all []string
	add := func(value string) {
		if !slices.Contains(all, value) {
			all = append(all, value)
		}
	}
	for i := range w.project.Pages {
		for j := range w.project.Pages[i].Tags {
			tag := &w.project.Pages[i].Tags[j]
			scheme, _, ok := strings.Cut(strings.TrimSpace(tag.Value("href")), ":")
			switch scheme = strings.ToLower(scheme); {
			case tag.Name != "a" || !ok:
			case slices.Contains(harmless, scheme):
				add(scheme + ":*")
			}
		}
	}
	for _, origin := range w.origins(true) {
		add(origin + "/*")
	}
	return all
}

// harmless are schemes that open an app for people and nothing else.
var harmless = []string{"tel", "sms", "mailto", "geo", "maps", "market", "itms-apps"}
