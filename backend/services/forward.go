package services

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/problem"
)

// rewrite makes the request for the upstream. Hop-by-hop headers and forwarding
// headers of the client are gone already (httputil.ReverseProxy).
func (h *Handler) rewrite(s *service, r *httputil.ProxyRequest) {
	c := r.In.Context().Value(callKey{}).(*call)
	out := r.Out
	out.URL.Scheme, out.URL.Host, out.Host = s.upstream.Scheme, s.upstream.Host, s.upstream.Host
	escaped := strings.TrimSuffix(s.upstream.EscapedPath(), "/") + c.rest
	if escaped == "" {
		escaped = "/"
	}
	out.URL.Path, _ = url.PathUnescape(escaped) // plainPath has decoded it before
	out.URL.RawPath = escaped
	out.URL.RawQuery = joinQuery(s.upstream.RawQuery, r.In.URL.RawQuery)
	out.Trailer = nil
	r.SetXForwarded()
	identity.SetHeaders(out.Header, c.principal)
	if c.hasToken {
		identity.SetTokenHeaders(out.Header, c.token)
	}
	if !s.sendsTokens() {
		out.Header.Del("X-ZUMO-AUTH")
		out.Header.Del("Authorization")
	}
	h.hideCookies(out)
	for name, value := range s.config.Headers {
		out.Header.Set(name, value)
	}
}

func joinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// hideCookies takes our own cookies out: they are worth as much as a token.
func (h *Handler) hideCookies(out *http.Request) {
	cookies := out.Cookies()
	out.Header.Del("Cookie")
	for _, c := range cookies {
		if !h.private(c.Name) {
			out.AddCookie(c)
		}
	}
}

func (h *Handler) private(name string) bool {
	return slices.ContainsFunc(h.options.PrivateCookies,
		func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// answer takes out of a response what is ours to say: who may read it across
// origins, and our cookies.
func (h *Handler) answer(r *http.Response) error {
	for name := range r.Header {
		if strings.HasPrefix(name, "Access-Control-") || identity.ReservedHeader(name) {
			delete(r.Header, name)
		}
	}
	cookies := r.Header["Set-Cookie"]
	kept := slices.DeleteFunc(slices.Clone(cookies), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return h.private(strings.TrimSpace(name))
	})
	if len(kept) < len(cookies) {
		r.Header["Set-Cookie"] = kept
	}
	return nil
}

// failed answers when the upstream does not.
func (h *Handler) failed(w http.ResponseWriter, r *http.Request, err error) {
	c := r.Context().Value(callKey{}).(*call)
	var large *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &large):
		h.tooLarge(w, r, c.service)
	case errors.Is(err, context.Canceled):
		// The client is gone.
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		h.recordCause(r, c.service, event.Failed, "timeout", http.StatusGatewayTimeout, err)
		problem.Write(w, problem.Problem{Status: http.StatusGatewayTimeout,
			Detail: "The service did not answer in time."})
	default:
		h.recordCause(r, c.service, event.Failed, "unreachable", http.StatusBadGateway, err)
		problem.Write(w, problem.Problem{Status: http.StatusBadGateway, Detail: "The service cannot be reached."})
	}
}

func (h *Handler) tooLarge(w http.ResponseWriter, r *http.Request, s *service) {
	h.record(r, s, event.Blocked, "too-large", http.StatusRequestEntityTooLarge)
	problem.Write(w, problem.Problem{Status: http.StatusRequestEntityTooLarge, Detail: "The body is too large."})
}
