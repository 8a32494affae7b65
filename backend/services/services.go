// Package services is the service layer: a request to /api/{name} goes on to the
// owner's own HTTP service, with headers that prove who asks, and the answer
// comes back as it is. It replaces the custom APIs of Azure Mobile Apps.
//
// Start with [New]: it takes a [Config] (the services section of cordon.yaml) and
// the transport that reaches an upstream, and returns a [Handler], an http.Handler
// for /api/{name} and everything below it. Config.Check returns every [Problem] of
// a configuration at once; New fails on the first.
//
// A call that is refused is answered with the status and the text of the original
// server; an upstream that fails is a 502 or 504 with nothing of the cause in it,
// which goes to Options.Events. A Handler is safe for concurrent use. The caller
// of a request is read from its context (package identity).
package services

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/event"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/problem"
)

// ProviderTokens finds what the identity provider gave for a user. Package auth
// implements it.
type ProviderTokens interface {
	// ProviderToken returns the tokens of the principal's session; ok is false
	// when there are none.
	ProviderToken(ctx context.Context, p *identity.Principal) (token identity.ProviderToken, ok bool, err error)
}

// Options are what a Handler is made of.
type Options struct {
	// Config is the configuration as it was read.
	Config Config
	// Prefix is the path under which the services are; "/api" by default.
	Prefix string
	// Transport returns what reaches an upstream. It is asked once for each
	// service.
	Transport func(upstream *url.URL) http.RoundTripper
	// Tokens finds provider tokens; nil sends none.
	Tokens ProviderTokens
	// PrivateCookies are prefixes of the names of cookies that no upstream
	// sees, nor sets.
	PrivateCookies []string
	// Events records refusals and failures; nil records nothing.
	Events *event.Recorder
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Handler forwards /api/{name} and what is below it. It is safe for concurrent
// use.
type Handler struct {
	options  Options
	services map[string]*service
	names    []string
}

// service is one upstream in action.
type service struct {
	name     string
	config   Service
	upstream *url.URL
	confined bool // tokens would stay on this machine or be encrypted
	rule     *identity.Condition
	proxy    *httputil.ReverseProxy
	slots    chan struct{}
}

// New makes a handler. It fails on any problem of the configuration.
func New(o Options) (*Handler, error) {
	if problems := o.Config.Check(); len(problems) > 0 {
		return nil, fmt.Errorf("services.%w", problems[0])
	}
	if o.Prefix == "" {
		o.Prefix = "/api"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	h := &Handler{options: o, services: map[string]*service{}, names: slices.Sorted(maps.Keys(o.Config))}
	for _, name := range h.names {
		s, err := h.newService(name, o.Config[name].withDefaults())
		if err != nil {
			return nil, err
		}
		h.services[strings.ToLower(name)] = s
	}
	return h, nil
}

func (h *Handler) newService(name string, c Service) (*service, error) {
	upstream, err := url.Parse(c.Upstream)
	if err != nil {
		return nil, fmt.Errorf("services.%s.upstream: is not a URL", name)
	}
	at, err := hostname.ParseAuthority(upstream.Host)
	if err != nil {
		return nil, fmt.Errorf("services.%s.upstream: %w", name, err)
	}
	upstream.Host = at.String()
	s := &service{name: name, config: c, upstream: upstream, slots: make(chan struct{}, c.MaxConcurrent)}
	s.confined = upstream.Scheme == "https" || hostname.IsLoopback(upstream.Host)
	if c.Rule != "" {
		if s.rule, err = identity.CompileCondition(c.Rule); err != nil {
			return nil, fmt.Errorf("services.%s.rule: %w", name, err)
		}
	}
	s.proxy = &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { h.rewrite(s, r) },
		ModifyResponse: func(r *http.Response) error { return h.answer(r) },
		ErrorHandler:   h.failed,
		Transport:      h.options.Transport(upstream),
		ErrorLog:       log.New(discard{}, "", 0),
	}
	return s, nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// Names lists the services, sorted.
func (h *Handler) Names() []string { return slices.Clone(h.names) }

// Describe says in one line where a service's requests go and who may send
// them.
func (h *Handler) Describe(name string) string {
	s := h.services[strings.ToLower(name)]
	if s == nil {
		return ""
	}
	text := s.upstream.Redacted() + ", " + string(s.config.access(""))
	for _, method := range methods {
		if own := s.config.access(method); own != s.config.access("") {
			text += ", " + method + ": " + string(own)
		}
	}
	return text
}

// ServeHTTP answers a request below the prefix. The order of checks and the
// texts are those of the original (azure-mobile-apps 4.0.2, express/api): an
// invalid token is 401 everywhere, then a disabled method 405, then a missing
// user 401.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, ok := h.split(r.URL.EscapedPath())
	s := h.services[name]
	if !ok || s == nil {
		problem.Write(w, problem.Problem{Status: http.StatusNotFound, Detail: "There is no such service."})
		return
	}
	p, err := identity.FromContext(r.Context())
	if err != nil {
		refuseToken(w, err)
		return
	}
	if !h.admit(w, r, s, p) {
		return
	}
	if !plainPath(rest) {
		h.record(r, s, event.Blocked, "path", http.StatusBadRequest)
		problem.Write(w, problem.Problem{Status: http.StatusBadRequest,
			Detail: "The path has a form that servers read differently."})
		return
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		h.record(r, s, event.Blocked, "busy", http.StatusServiceUnavailable)
		w.Header().Set("Retry-After", "1")
		problem.Write(w, problem.Problem{Status: http.StatusServiceUnavailable, Detail: "The service is busy."})
		return
	}
	h.forward(w, r, &call{service: s, principal: p, rest: rest})
}

// forward sends an admitted request on, within the service's limits.
func (h *Handler) forward(w http.ResponseWriter, r *http.Request, c *call) {
	s, p := c.service, c.principal
	ctx, cancel := context.WithTimeout(r.Context(), s.config.Timeout)
	defer cancel()
	if s.sendsTokens() && h.options.Tokens != nil && p.Session != "" {
		var err error
		if c.token, c.hasToken, err = h.options.Tokens.ProviderToken(ctx, p); err != nil {
			h.record(r, s, event.Failed, "store", http.StatusServiceUnavailable)
			problem.Write(w, problem.Problem{Status: http.StatusServiceUnavailable})
			return
		}
	}
	r = r.WithContext(context.WithValue(ctx, callKey{}, c))
	if r.ContentLength > s.config.MaxBody {
		h.tooLarge(w, r, s)
		return
	}
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, s.config.MaxBody)
	}
	s.proxy.ServeHTTP(w, r)
}

type callKey struct{}

// call is one request on its way to a service.
type call struct {
	service   *service
	principal *identity.Principal
	rest      string
	token     identity.ProviderToken
	hasToken  bool
}

// split takes the name and what follows it out of an escaped path.
func (h *Handler) split(escaped string) (name, rest string, ok bool) {
	prefix := h.options.Prefix + "/"
	if len(escaped) < len(prefix) || !strings.EqualFold(escaped[:len(prefix)], prefix) {
		return "", "", false
	}
	name, rest, below := strings.Cut(escaped[len(prefix):], "/")
	if below {
		rest = "/" + rest
	}
	name, err := url.PathUnescape(name)
	return strings.ToLower(name), rest, err == nil
}

// plainPath reports whether every server reads the rest of a path alike: no dot
// segments, no backslashes, and no slashes or controls behind escapes.
func plainPath(escaped string) bool {
	if strings.Contains(escaped, "\\") || strings.Contains(escaped, "//") {
		return false
	}
	for _, segment := range strings.Split(escaped, "/") {
		decoded, err := url.PathUnescape(segment)
		if err != nil || decoded == "." || decoded == ".." || strings.ContainsAny(decoded, "/\\") {
			return false
		}
		name, _, _ := strings.Cut(decoded, ";") // some servers drop parameters first
		if name == "." || name == ".." {
			return false
		}
		for _, c := range []byte(decoded) {
			if c < ' ' || c == 0x7f {
				return false
			}
		}
	}
	return true
}

// admit checks whether the method is open to the caller, and the rule.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request, s *service, p *identity.Principal) bool {
	method := strings.ToLower(r.Method)
	if method == "head" {
		method = "get"
	}
	access := Disabled
	if slices.Contains(methods, method) {
		access = s.config.access(method)
	}
	switch {
	case access == Disabled:
		h.record(r, s, event.Blocked, "disabled", http.StatusMethodNotAllowed)
		plainText(w, http.StatusMethodNotAllowed, "Method "+method+" is not allowed")
		return false
	case access == Authenticated && !p.Authenticated():
		h.record(r, s, event.Blocked, "unauthenticated", http.StatusUnauthorized)
		w.Header().Set("WWW-Authenticate", "Bearer")
		plainText(w, http.StatusUnauthorized, "You must be logged in to use this application")
		return false
	case s.rule == nil:
		return true
	}
	facts := identity.Facts{Principal: p,
		Request: identity.Request{Method: r.Method, Operation: method, Path: r.URL.Path, Time: h.options.Now()}}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		facts.Request.Address = from.Addr().Unmap()
	}
	if holds, err := s.rule.Holds(r.Context(), facts); err != nil || !holds {
		h.record(r, s, event.Blocked, "condition", http.StatusForbidden)
		problem.Write(w, problem.Problem{Status: http.StatusForbidden,
			Detail: "A condition for this service does not hold."})
		return false
	}
	return true
}

// sendsTokens reports whether tokens go along: only where they are wanted, and
// never in the clear over a network.
func (s *service) sendsTokens() bool {
	return (s.config.ForwardTokens == nil || *s.config.ForwardTokens) && s.confined
}

func refuseToken(w http.ResponseWriter, err error) {
	challenge := `Bearer error="invalid_token"`
	if identity.Expired(err) {
		challenge += `, error_description="the token has expired"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	var token *identity.TokenError
	if !errors.As(err, &token) {
		plainText(w, http.StatusUnauthorized, "You must be logged in to use this application")
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	expired := ""
	if token.ExpiredAt != nil {
		expired = `,"expiredAt":` + strconv.Quote(token.ExpiredAt.Format(time.RFC3339Nano))
	}
	_, _ = fmt.Fprintf(w, `{"name":%q,"message":%q%s}`, token.Name, token.Message, expired)
}

func plainText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

func (h *Handler) record(r *http.Request, s *service, verdict event.Verdict, reason string, status int) {
	h.recordCause(r, s, verdict, reason, status, nil)
}

// recordCause is record of what went wrong, which is told to the operator alone.
func (h *Handler) recordCause(r *http.Request, s *service, verdict event.Verdict, reason string, status int,
	cause error) {
	e := &event.Event{Type: event.Decision, Source: "backend", App: s.name, Method: r.Method, Host: r.Host,
		Path: r.URL.Path, Verdict: verdict, Reason: "service-" + reason, Status: status}
	e.Client, _ = netip.ParseAddrPort(r.RemoteAddr)
	if cause != nil {
		e.Detail = cause.Error()
	}
	h.options.Events.Record(e)
}
