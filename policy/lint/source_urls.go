package lint

import (
	"regexp"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/script"
)

// Use is one URL that the app's own sources name.
type Use struct {
	URL string
	// Kind is the kind of request that it makes; Navigation for links.
	Kind policy.Kind
	// Place is where it stands.
	Place policy.Place
}

// Uses returns the web URLs that the pages and scripts of a project name, in
// the order of its files. Libraries and frameworks that the app carries with it
// are left out: what they name are mostly examples and documentation.
func Uses(p *app.App) []Use {
	r := &run{project: p, sources: script.Read(p)}
	var list []Use
	for _, u := range r.findURLs() {
		if !u.library {
			list = append(list, Use{URL: u.url, Kind: u.kind, Place: u.file.Place(u.span.Start, u.span.End)})
		}
	}
	return list
}

// usedURL is one URL that the app's sources name, and what for.
type usedURL struct {
	file *app.File
	span app.Span
	url  string
	// kind is the kind of request that it makes; Navigation for links.
	kind policy.Kind
	// tag is the HTML tag, or "" in a script.
	tag string
	// called says that the URL visibly is the argument of a request.
	called  bool
	library bool
}

// findURLs lists the URLs that pages and scripts name, in the order of the files.
func (r *run) findURLs() []usedURL {
	var list []usedURL
	for i := range r.project.Pages {
		list = appendPageUses(list, &r.project.Pages[i])
	}
	for _, s := range r.sources {
		list = appendScriptUses(list, s)
	}
	return list
}

var tagURLs = map[string]struct {
	attr string
	kind policy.Kind
}{
	"script": {"src", policy.Script}, "link": {"href", policy.Style}, "img": {"src", policy.Image},
	"iframe": {"src", policy.Frame}, "frame": {"src", policy.Frame}, "video": {"src", policy.Media},
	"audio": {"src", policy.Media}, "source": {"src", policy.Media}, "object": {"data", policy.Frame},
	"embed": {"src", policy.Frame}, "form": {"action", policy.Navigation}, "a": {"href", policy.Navigation},
}

func appendPageUses(list []usedURL, page *app.Page) []usedURL {
	for i := range page.Tags {
		tag := &page.Tags[i]
		u, known := tagURLs[tag.Name]
		if !known {
			continue
		}
		a, ok := tag.Attr(u.attr)
		if !ok || tag.Name == "link" && !loads(tag.Value("rel")) {
			continue
		}
		if url := strings.TrimSpace(a.Value); isWebURL(url) {
			list = append(list, usedURL{file: &page.File, span: app.Span{Start: a.ValueStart, End: a.ValueEnd},
				url: url, kind: u.kind, tag: tag.Name, called: true, library: script.IsLibrary(page.Name)})
		}
	}
	return list
}

// loads reports whether a link element of this kind makes a request.
func loads(rel string) bool {
	rel = strings.ToLower(rel)
	return strings.Contains(rel, "stylesheet") || strings.Contains(rel, "icon") || strings.Contains(rel, "preload") ||
		strings.Contains(rel, "import") || strings.Contains(rel, "manifest")
}

func appendScriptUses(list []usedURL, s *script.Source) []usedURL {
	for _, l := range s.Literals {
		url := l.Text
		if i := strings.Index(url, "${"); i >= 0 && l.Quote == '`' {
			url = url[:i]
		}
		if !isWebURL(url) || isNamespace(hostOf(url)) {
			continue
		}
		before := s.Before(l.Start-1, 96)
		code := script.PrecedingOf(before)
		if code.Compares() {
			continue
		}
		kind := policy.XHR
		if strings.HasPrefix(url, "ws") {
			kind = policy.WebSocket
		}
		list = append(list, usedURL{file: s.File, span: app.Span{Start: l.Start, End: l.End}, url: url, kind: kind,
			called: code.Calls(before), library: s.Library})
	}
	return list
}

// isWebURL reports whether a string is an absolute URL with a whole host.
func isWebURL(s string) bool {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme != "http" && scheme != "https" && scheme != "ws" && scheme != "wss" {
		return false
	}
	host := authorityOf(rest)
	if host == "" || host[0] == '.' || strings.ContainsAny(host, " \t\r\n'\"<>{}()+,;|^*$\\") {
		return false
	}
	return len(s) < 4096 && (strings.Contains(host, ".") || strings.HasPrefix(host, "localhost"))
}

// hostOf returns the host of a URL that isWebURL accepts, in lower case.
func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	authority := authorityOf(rest)
	if at, err := hostname.ParseAuthority(authority); err == nil {
		return at.Host.URL()
	}
	if host, _, err := hostname.Split(authority); err == nil {
		return strings.ToLower(host) // no host that is reached, but the one that is written
	}
	return strings.ToLower(authority)
}

// authorityOf returns what names the host, with its port and without a user name,
// of the text behind "://".
func authorityOf(rest string) string {
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

// isNamespace reports whether URLs of the host are names of vocabularies,
// which nobody requests.
func isNamespace(host string) bool {
	switch host {
	case "www.w3.org", "ns.adobe.com", "purl.org", "xml.apache.org", "java.sun.com", "json-schema.org",
		"www.apache.org", "xmlns.com", "schema.org", "cordova.apache.org", "phonegap.com", "www.opengis.net",
		"docs.oasis-open.org", "www.topografix.com":
		return true
	}
	return strings.HasPrefix(host, "schemas.") || strings.HasPrefix(host, "xmlns.") || strings.HasPrefix(host, "ns.")
}

// withUserinfo matches a URL with a user name and a password.
var withUserinfo = regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s/@:'"<>{}]+:[^\s/@'"<>{}]+@[A-Za-z0-9.\[-]`)
