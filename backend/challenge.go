package backend

import (
	"errors"
	"net/http"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/identity"
)

// challenged makes every 401 of a part say what it wants (RFC 9110, section 15.5.2),
// and gives a token that does not hold the answer that sign-in has for it: JSON with
// the reason, which clients read. What an upstream answers is not ours to change.
func challenged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := identity.FromContext(r.Context())
		next.ServeHTTP(&challenger{ResponseWriter: w, proof: err}, r)
	})
}

// challenger is the writer of challenged.
type challenger struct {
	http.ResponseWriter
	proof   error // why the request's proof does not hold
	written bool
	refused bool // the answer is sign-in's; what the part writes is not sent
}

// WriteHeader is part of http.ResponseWriter.
func (c *challenger) WriteHeader(status int) {
	if c.written || status != http.StatusUnauthorized {
		c.written = c.written || status >= http.StatusOK
		if !c.refused {
			c.ResponseWriter.WriteHeader(status)
		}
		return
	}
	c.written = true
	h := c.Header()
	if token := (*identity.TokenError)(nil); errors.As(c.proof, &token) {
		h.Del("Content-Length")
		c.refused = true
		auth.WriteRefusal(c.ResponseWriter, token)
		return
	}
	if h.Get("WWW-Authenticate") == "" {
		h.Set("WWW-Authenticate", "Bearer")
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write is part of http.ResponseWriter.
func (c *challenger) Write(p []byte) (int, error) {
	c.written = true
	if c.refused {
		return len(p), nil
	}
	return c.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is below.
func (c *challenger) Unwrap() http.ResponseWriter { return c.ResponseWriter }
