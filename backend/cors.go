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
}

// DefaultCORS is what may call when nothing is configured.
var DefaultCORS = []string{"localhost"}

// hostSchemes are the schemes under which a listed host may call. The last three
// are those of apps in web views, which have no host but localhost.
var hostSchemes = map[string]bool{"http": true, "https": true, "ms-appx-web": true, "app": true, "ionic": true,
	"capacitor": true}

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9.*-]+$`)

// newCORS reads the entries: a host in which "*" stands for letters, digits,
// dots and hyphens, an origin ("capacitor://localhost"), or "null", which is
// what pages from files send.
func newCORS(entries []string) (*cors, error) {
	if entries == nil {
		entries = DefaultCORS
	}
	c := &cors{origins: map[string]bool{}}
	for _, entry := range entries {
		switch {
		case entry == "null" || entry == "file://":
			c.null = true
		case strings.Contains(entry, "://"):
			u, err := url.Parse(entry)
			if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil ||
				strings.Contains(entry, "*") {
				return nil, fmt.Errorf("server.cors: %q is not an origin", entry)
			}
			at, err := hostname.ParseAuthority(u.Host)
			if err != nil {
				return nil, fmt.Errorf("server.cors: %q is not an origin: %w", entry, err)
			}
			c.origins[u.Scheme+"://"+at.Of(u.Scheme)] = true
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
	if c.origins[u.Scheme+"://"+at.Of(u.Scheme)] {
		return true
	}
	web := u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "ms-appx-web"
	if !hostSchemes[u.Scheme] || !web && at.Host.String() != "localhost" {
		return false
	}
	for _, host := range c.hosts {
		if host.MatchString(at.Host.String()) {
			return true
		}
	}
	return false
}

var headerList = regexp.MustCompile(`(?i)^[a-z0-9\-,\s]{1,500}$`)

// wrap answers preflights and marks the answers that a page of another origin
// may read. Other origins get the answer without marks, as from the original.
func (c *cors) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		allowed := origin != "" && c.allows(origin)
		if allowed {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "Link,Etag")
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
