package auth

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/problem"
)

// Middleware finds out who asks, puts it into the request's context for next,
// and enforces what the configuration demands of the whole site. A proof that
// does not hold is passed on too: next refuses it, in the order that its
// protocol has. Requests to our own endpoints and preflights pass.
func (s *Server) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity.StripHeaders(r.Header)
		p, err := s.Authenticate(r)
		if errors.Is(err, ErrUnavailable) {
			WriteRefusal(w, err)
			return
		}
		if err == nil && p == nil && !s.mayBeAnonymous(r) {
			s.refuseAnonymous(w, r)
			return
		}
		if p != nil && p.Cookie && s.cross.Check(r) != nil {
			s.record(r, event.Blocked, "cross-origin", "a cookie came along from another site", http.StatusForbidden)
			problem.Write(w, problem.Problem{Status: http.StatusForbidden,
				Detail: "The request comes from another site.", Reason: "cross-origin"})
			return
		}
		if p != nil || err != nil {
			r = r.WithContext(identity.NewContext(r.Context(), p, err))
		}
		next.ServeHTTP(w, r)
	})
}

// crossOrigin tells requests that another site made with the user's cookie
// (Cross-Site Request Forgery) by Sec-Fetch-Site and Origin.
func (s *Server) crossOrigin() *http.CrossOriginProtection {
	c := http.NewCrossOriginProtection()
	for _, entry := range s.places.entries {
		if entry.scheme == "http" || entry.scheme == "https" {
			// parseRedirect has checked that it is an origin.
			_ = c.AddTrustedOrigin(entry.scheme + "://" + entry.host)
		}
	}
	return c
}

// mayBeAnonymous reports whether the whole site's rule lets a request without a
// user pass.
func (s *Server) mayBeAnonymous(r *http.Request) bool {
	return s.config.Unauthenticated == "allow" || r.Method == http.MethodOptions || s.excluded(r.URL.Path)
}

// excluded reports whether a path is one of the excluded ones. A path that is
// not in its simplest form is none: what stands behind us may read it otherwise.
func (s *Server) excluded(requested string) bool {
	clean := path.Clean(requested)
	if clean != strings.TrimSuffix(requested, "/") && requested != "/" || strings.ContainsAny(requested, "\\%;") {
		return false
	}
	clean = strings.ToLower(clean)
	return slices.ContainsFunc(s.config.Excluded, func(entry string) bool {
		entry = strings.ToLower(entry)
		if below, ok := strings.CutSuffix(entry, "/*"); ok {
			return clean == below || strings.HasPrefix(clean, below+"/")
		}
		return clean == strings.TrimSuffix(entry, "/") || clean == entry
	})
}

// checkExcluded says why an entry of Excluded would never cover a path.
func checkExcluded(entry string) error {
	if !strings.HasPrefix(entry, "/") {
		return errors.New("must begin with a slash")
	}
	plain := strings.TrimSuffix(entry, "/*")
	if strings.ContainsAny(plain, "*?#\\%;") {
		return errors.New(`must be a path, or end in "/*" for all below it`)
	}
	if clean := path.Clean("/" + plain); clean != plain && clean+"/" != plain && plain != "" {
		return errors.New("must be a path in its simplest form")
	}
	return nil
}

// refuseAnonymous answers a request without a user as the site's rule says. A
// browser is sent to sign in; an app gets 401.
func (s *Server) refuseAnonymous(w http.ResponseWriter, r *http.Request) {
	status, detail := http.StatusUnauthorized, "You must be logged in to use this application"
	switch s.config.Unauthenticated {
	case "403":
		status = http.StatusForbidden
	case "404":
		status, detail = http.StatusNotFound, "There is nothing at this address."
	case "login":
		if !native(r) {
			target := s.config.Path + "/login/" + s.config.LoginProvider
			if back := r.URL.RequestURI(); strings.HasPrefix(back, "/") && r.Method == http.MethodGet {
				if _, err := s.places.accept(back); err == nil {
					target += "?post_login_redirect_uri=" + url.QueryEscape(back)
				}
			}
			w.Header().Set("Cache-Control", "no-store")
			redirect(w, target)
			return
		}
	}
	s.record(r, event.Blocked, "unauthenticated", "", status)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if status == http.StatusNotFound { // as an address at which there is nothing
		problem.Write(w, problem.Problem{Status: status, Detail: detail})
		return
	}
	problem.Write(w, problem.Problem{Status: status, Detail: detail, Reason: "unauthenticated"})
}

// native reports whether a request comes from an app rather than from a person
// who looks at a browser: any X-ZUMO header, XMLHttpRequest, or no wish for HTML.
func native(r *http.Request) bool {
	for name := range r.Header {
		if strings.HasPrefix(strings.ToUpper(name), "X-ZUMO-") {
			return true
		}
	}
	return r.Header.Get("X-Requested-With") != "" || r.Header.Get("ZUMO-API-VERSION") != "" ||
		!strings.Contains(r.Header.Get("Accept"), "text/html")
}
