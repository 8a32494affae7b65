package auth

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
)

// A destination is one entry of the list of places that a sign-in may hand its
// result to.
type destination struct {
	scheme, host string // lower-case; host with its port unless it is the scheme's own
	whole        bool   // any path of the origin
	prefix       string // paths below this one, which ends in "/"
	exact        string // this path and query
}

var schemeName = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)

// browserSchemes run something in a browser or mean a page of the web: no app
// owns them.
var browserSchemes = []string{"http", "https", "ws", "wss", "ftp", "file", "data", "blob", "javascript", "vbscript",
	"about", "filesystem", "view-source", "intent"}

const nativeHost = "easyauth.callback"

// parseRedirect reads an entry of the configuration.
func parseRedirect(text string) (destination, error) {
	u, err := parseAbsolute(text)
	if err != nil {
		return destination{}, err
	}
	r := destination{scheme: u.Scheme, host: hostOf(u)}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		if text[len(u.Scheme):] != "://"+nativeHost {
			return destination{}, errors.New("an app's own scheme is written scheme://easyauth.callback")
		}
		r.exact = ""
	case strings.Contains(u.Host, "*"):
		return destination{}, errors.New(`"*" stands at the end of a path only`)
	case r.host == "":
		_, err := hostname.ParseAuthority(u.Host)
		return destination{}, err
	case u.Scheme == "http" && !hostname.IsLoopback(u.Host):
		return destination{}, errors.New("http is for loopback only: a token would travel in the clear")
	case (u.Path == "" || u.Path == "/") && u.RawQuery == "":
		r.whole = true
	case strings.HasSuffix(u.EscapedPath(), "/*") && u.RawQuery == "":
		r.prefix = strings.TrimSuffix(u.EscapedPath(), "*")
	case strings.Contains(text, "*"):
		return destination{}, errors.New(`"*" stands at the end of a path only, after a slash`)
	default:
		r.exact = u.RequestURI()
	}
	return r, nil
}

// parseAbsolute takes an absolute URL apart, and refuses what browsers and we
// could read differently.
func parseAbsolute(text string) (*url.URL, error) {
	if !plainURL(text) {
		return nil, errors.New("is not a URL: it has blanks, control characters, backslashes or is too long")
	}
	u, err := url.Parse(text)
	if err != nil || !u.IsAbs() || u.Host == "" || u.Opaque != "" {
		return nil, errors.New("is not an absolute URL")
	}
	if u.User != nil || u.Fragment != "" || strings.HasSuffix(text, "#") {
		return nil, errors.New("has a user name or a fragment")
	}
	if !schemeName.MatchString(u.Scheme) {
		return nil, errors.New("must have a scheme that begins with a letter, as in com.example.todo")
	}
	web := u.Scheme == "http" || u.Scheme == "https"
	if !web && slices.Contains(browserSchemes, u.Scheme) {
		return nil, errors.New("must have an app's own scheme, with a dot in it, as in com.example.todo")
	}
	if web && (strings.Contains(text[len(u.Scheme):], "///") || u.Host == "") {
		return nil, errors.New("has no host")
	}
	if dotted(u.Path) {
		return nil, errors.New("has . or .. in its path")
	}
	return u, nil
}

// dotted reports whether a path has segments that browsers resolve: what is
// left of "/.//host" may be read as a host.
func dotted(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// plainURL reports whether a text has only what every reader of URLs reads
// alike.
func plainURL(text string) bool {
	if text == "" || len(text) > 2048 {
		return false
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}", c) >= 0 {
			return false
		}
	}
	return true
}

// hostOf is the host of a URL in its normal form with its port, unless that is the
// scheme's own; "" if it cannot be read.
func hostOf(u *url.URL) string {
	a, err := hostname.ParseAuthority(u.Host)
	if err != nil {
		return ""
	}
	return a.Of(u.Scheme)
}

// destinations are where results may go.
type destinations struct {
	own     destination // our own origin
	entries []destination
}

func newDestinations(public *url.URL, entries []string) (*destinations, error) {
	d := &destinations{own: destination{scheme: public.Scheme, host: hostOf(public), whole: true}}
	for _, text := range entries {
		entry, err := parseRedirect(text)
		if err != nil {
			return nil, err
		}
		d.entries = append(d.entries, entry)
	}
	return d, nil
}

var errRedirect = errors.New("the redirect is not on the list of allowed ones")

// accept checks where a client wants to be sent: a path of this host, or an
// absolute URL that is ours or listed. native says that it is an app's own
// scheme. The text that is accepted is exactly what the browser will be sent.
func (d *destinations) accept(text string) (native bool, err error) {
	if !plainURL(text) {
		return false, errRedirect
	}
	if strings.HasPrefix(text, "/") {
		u, err := url.Parse(text)
		if err != nil || strings.HasPrefix(text, "//") || u.Host != "" || u.Fragment != "" ||
			strings.Contains(text, "#") || strings.Contains(u.Path, "\\") || strings.HasPrefix(u.Path, "//") ||
			dotted(u.Path) {
			return false, errRedirect
		}
		return false, nil
	}
	u, err := parseAbsolute(text)
	if err != nil {
		return false, errRedirect
	}
	native = u.Scheme != "http" && u.Scheme != "https"
	for _, entry := range append([]destination{d.own}, d.entries...) {
		if entry.covers(u, text, native) {
			return native, nil
		}
	}
	return false, errRedirect
}

func (r destination) covers(u *url.URL, text string, native bool) bool {
	if host := hostOf(u); host == "" || r.scheme != u.Scheme || r.host != host {
		return false
	}
	switch {
	case native:
		return text[len(u.Scheme):] == "://"+nativeHost
	case r.whole:
		return true
	case r.prefix != "":
		return strings.HasPrefix(u.EscapedPath(), r.prefix)
	}
	return u.RequestURI() == r.exact
}

// origin checks the origin that wants to receive a popup's result, and returns
// it as browsers write it.
func (d *destinations) origin(text string) (string, error) {
	u, err := parseAbsolute(text)
	if err != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Scheme != "http" && u.Scheme != "https" {
		return "", errRedirect
	}
	host := hostOf(u)
	for _, entry := range append([]destination{d.own}, d.entries...) {
		if host != "" && entry.scheme == u.Scheme && entry.host == host {
			return entry.scheme + "://" + entry.host, nil
		}
	}
	return "", errRedirect
}

// names reports whether the operator has named the host of a Host field, with
// whatever port.
func (d *destinations) names(field string) bool {
	asked, err := hostname.ParseAuthority(field)
	return err == nil && slices.ContainsFunc(append([]destination{d.own}, d.entries...), func(entry destination) bool {
		named, err := hostname.ParseAuthority(entry.host)
		return err == nil && (entry.scheme == "http" || entry.scheme == "https") && named.Host == asked.Host
	})
}

// encodeComponent escapes a text as encodeURIComponent of JavaScript does, so
// that decodeURIComponent gives it back: a space is %20.
func encodeComponent(text string) string {
	const plain = "-_.!~*'()"
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(plain, c) >= 0:
			b.WriteByte(c)
		default:
			const digits = "0123456789ABCDEF"
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
