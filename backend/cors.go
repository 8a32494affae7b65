package backend

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
)

// cors says which pages of other origins may call, as the original does
// (azure-mobile-apps 4.0.2, cors/index.js), and more carefully: every star of a
// pattern counts, and answers vary by origin.
type cors struct {
	null    bool
	hosts   []*regexp.Regexp
	origins map[string]bool
	anyPort map[string]bool // scheme and host of origins whose port does not count
}

// DefaultCORS is what may call when nothing is configured.
var DefaultCORS = []string{"localhost"}

// hostSchemes are the schemes under which a listed host may call. The last three
// are those of apps in web views, which have no host but localhost.
var hostSchemes = map[string]bool{"http": true, "https": true, "ms-appx-web": true, "app": true, "ionic": true,
	"capacitor": true}

// webSchemes are those of hostSchemes whose hosts are the network's.
var webSchemes = map[string]bool{"http": true, "https": true, "ms-appx-web": true}

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9.*-]+$`)

// newCORS reads the entries: a host in which "*" stands for letters, digits,
// dots and hyphens, an origin ("capacitor://localhost"), one with any port
// ("http://10.0.2.2:*"), or "null" ("file://"), which is what pages from files send.
func newCORS(entries []string) (*cors, error) {
	if entries == nil {
		entries = DefaultCORS
	}
	c := &cors{origins: map[string]bool{}, anyPort: map[string]bool{}}
	for _, entry := range entries {
		switch {
		case entry == "null" || entry == "file://" || entry == "file:///":
			c.null = true
		case strings.Contains(entry, "://"):
			fixed, anyPort := strings.CutSuffix(strings.TrimSuffix(entry, "/"), ":*")
			u, err := url.Parse(fixed)
			if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil ||
				strings.Contains(fixed, "*") || u.Scheme == "file" {
				return nil, fmt.Errorf("server.cors: %q is not an origin", entry)
			}
			at, err := hostname.ParseAuthority(u.Host)
			switch {
			case err != nil:
				return nil, fmt.Errorf("server.cors: %q is not an origin: %w", entry, err)
			case anyPort && at.Port != 0:
				return nil, fmt.Errorf(`server.cors: %q must be a scheme and a host before ":*"`, entry)
			case anyPort:
				c.anyPort[u.Scheme+"://"+at.Host.String()] = true
			default:
				c.origins[u.Scheme+"://"+at.Of(u.Scheme)] = true
			}
		case hostPattern.MatchString(entry):
			pattern := strings.ReplaceAll(regexp.QuoteMeta(entry), `\*`, `[a-z0-9.-]*`)
			c.hosts = append(c.hosts, regexp.MustCompile(`(?i)^(?:`+pattern+`)$`))
		default:
			return nil, fmt.Errorf(`server.cors: %q must be a host, an origin or "null"`, entry)
		}
	}
	return c, nil
}

// CheckCORS returns what is wrong with the entries.
func CheckCORS(entries []string) error {
	_, err := newCORS(entries)
	return err
}

func (c *cors) allows(origin string) bool {
	if origin == "null" || origin == "file://" {
		return c.null
	}
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" ||
		u.Fragment != "" {
		return false
	}
	at, err := hostname.ParseAuthority(u.Host)
	if err != nil {
		return false
	}
	name := at.Host.String()
	if c.origins[u.Scheme+"://"+at.Of(u.Scheme)] || c.anyPort[u.Scheme+"://"+name] {
		return true
	}
	if !hostSchemes[u.Scheme] || !webSchemes[u.Scheme] && name != "localhost" {
		return false
	}
	for _, host := range c.hosts {
		if host.MatchString(name) {
			return true
		}
	}
	return false
}

var headerList = regexp.MustCompile(`(?i)^[a-z0-9\-_.,\s]{1,500}$`)

// wrap answers preflights and marks the answers that a page of another origin
// may read. Other origins get the answer without marks, as from the original.
// Nobody may send cookies along (Access-Control-Allow-Credentials): proof travels in
// a header, and "null" is the origin of anybody's sandboxed page.
func (c *cors) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		allowed := origin != "" && c.allows(origin)
		if allowed {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "Link,Etag,WWW-Authenticate")
		}
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		if wanted := r.Header.Get("Access-Control-Request-Headers"); allowed && headerList.MatchString(wanted) {
			h.Set("Access-Control-Allow-Headers", wanted)
		}
		if allowed {
			h.Set("Access-Control-Allow-Methods", "GET, PUT, PATCH, POST, DELETE, OPTIONS")
			h.Set("Access-Control-Max-Age", "300")
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
