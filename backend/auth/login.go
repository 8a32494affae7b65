package auth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/event"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/problem"
)

// maxForm bounds the bodies of sign-in requests.
const maxForm = 64 << 10

// otherNames are names that clients and documentation use for a provider too.
var otherNames = map[string]string{"windowsazureactivedirectory": "aad", "x": "twitter"}

// providerOf finds the provider of a path, under its name or another one.
func (s *Server) providerOf(r *http.Request) (string, provider, bool) {
	name := r.PathValue("provider")
	if _, ok := s.providers[name]; !ok && otherNames[name] != "" {
		name = otherNames[name]
	}
	p, ok := s.providers[name]
	return name, p, ok
}

// limited answers 429 when an address asks too often.
func (s *Server) limited(w http.ResponseWriter, r *http.Request, what string) bool {
	ok, wait := s.limits.allow(what, clientAddr(r))
	if ok {
		return false
	}
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	s.record(r, event.Blocked, "rate-limited",
		"more than "+strconv.Itoa(s.config.RateLimit)+" "+what+" requests a minute", http.StatusTooManyRequests)
	problem.Write(w, problem.Problem{Status: http.StatusTooManyRequests, Detail: "Too many requests. Try again later.",
		Reason: "rate-limited"})
	return true
}

// handleLogin begins a sign-in: it sends the browser to the provider.
func (s *Server) handleLogin(w http.ResponseWriter, r *http.Request) {
	name, p, ok := s.providerOf(r)
	if !ok {
		s.page(w, r, http.StatusNotFound, "Unknown provider", "This site has no sign-in of that name.")
		return
	}
	if s.limited(w, r, "login") {
		return
	}
	query := r.URL.Query()
	f, err := s.newFlow(name, query)
	if err != nil {
		s.record(r, event.Blocked, "login-refused", err.Error(), http.StatusBadRequest)
		s.page(w, r, http.StatusBadRequest, "Sign-in refused", upperFirst(err.Error())+".")
		return
	}
	if d, ok := p.(*development); ok {
		s.developmentLogin(w, r, d, f, query)
		return
	}
	s.sendToProvider(w, r, p, f, query)
}

func (s *Server) sendToProvider(w http.ResponseWriter, r *http.Request, p provider, f *flow, query url.Values) {
	a := s.newAttempt(r, f, extra(query))
	ctx, cancel := context.WithTimeout(r.Context(), providerTimeout)
	defer cancel()
	location, err := p.start(ctx, a)
	if err == nil {
		err = s.begin(w, r, f, a)
	}
	if err != nil {
		s.failFlow(w, r, f, err)
		return
	}
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusFound)
}

// providerTimeout bounds what one sign-in waits for a provider.
const providerTimeout = 20 * time.Second

func (s *Server) newAttempt(r *http.Request, f *flow, extra url.Values) *attempt {
	return &attempt{Callback: s.callback(r, f.Provider), State: random(), Nonce: random(), Verifier: random(),
		Extra: extra}
}

// callback is our redirect URI at a provider.
func (s *Server) callback(r *http.Request, providerName string) string {
	return strings.TrimSuffix(s.site(r).String(), "/") + s.config.Path + "/login/" + providerName + "/callback"
}

// developmentLogin signs in at once, or shows the page to choose a user on. The
// host name must be one that can only mean this machine, or one that the
// operator named: otherwise any web page could reach the provider by pointing a
// name of its own here.
func (s *Server) developmentLogin(w http.ResponseWriter, r *http.Request, d *development, f *flow, query url.Values) {
	if !hostname.IsLoopback(r.Host) && !s.places.names(r.Host) {
		s.page(w, r, http.StatusForbidden, "Sign-in refused",
			"The development provider answers under loopback names only.")
		return
	}
	if d.config.Picker && query.Get("login_hint") == "" {
		a := s.newAttempt(r, f, nil)
		if err := s.begin(w, r, f, a); err != nil {
			s.failFlow(w, r, f, err)
			return
		}
		s.pickerPage(w, d, a.State)
		return
	}
	out, err := d.user(query.Get("login_hint"))
	if err != nil {
		s.failFlow(w, r, f, err)
		return
	}
	s.complete(w, r, f, out)
}

// handleCallback takes the browser that a provider sends back.
func (s *Server) handleCallback(w http.ResponseWriter, r *http.Request) {
	name, p, ok := s.providerOf(r)
	if !ok {
		s.page(w, r, http.StatusNotFound, "Unknown provider", "This site has no sign-in of that name.")
		return
	}
	if s.limited(w, r, "callback") {
		return
	}
	values := r.URL.Query()
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			s.page(w, r, http.StatusBadRequest, "Sign-in failed", "The form that came back cannot be read.")
			return
		}
		values = r.Form
	}
	f, late, err := s.resume(r, name, values.Get("state"))
	if err != nil {
		s.record(r, event.Blocked, "login-state", "a callback without a sign-in of this browser", http.StatusBadRequest)
		s.page(w, r, http.StatusBadRequest, "Sign-in failed",
			"This sign-in was not begun in this browser, or has been used. Please begin again.")
		return
	}
	http.SetCookie(w, s.flowCookie(r, flowName(f.State), "", -1))
	if late {
		again := s.config.Path + "/login/" + name
		if f.Query != "" {
			again += "?" + f.Query
		}
		w.Header().Set("Location", again)
		w.WriteHeader(http.StatusFound)
		return
	}
	s.finish(w, r, p, f, values)
}

// finish ends a flow in time: once.
func (s *Server) finish(w http.ResponseWriter, r *http.Request, p provider, f *flow, values url.Values) {
	ctx, cancel := context.WithTimeout(r.Context(), providerTimeout)
	defer cancel()
	err := s.store.PutOnce(ctx,
		Once{Kind: "state", Key: hashText(f.State), Expires: s.now().Add(flowCookieLife + s.config.NonceLifetime)})
	if errors.Is(err, ErrExists) {
		s.page(w, r, http.StatusBadRequest, "Sign-in failed", "This sign-in has been used. Please begin again.")
		return
	}
	if err != nil {
		s.failFlow(w, r, f, err)
		return
	}
	if code := values.Get("error"); code != "" || values.Get("denied") != "" {
		s.handOverError(w, r, f, shorten(first(values.Get("error_description"), code, "access_denied"), 200))
		return
	}
	a := &attempt{Callback: s.callback(r, f.Provider), State: f.State, Nonce: f.Nonce, Verifier: f.Verifier,
		Secret: f.Secret}
	out, err := p.finish(ctx, a, values)
	if err != nil {
		s.failFlow(w, r, f, err)
		return
	}
	s.complete(w, r, f, out)
}

// failFlow ends a flow that did not work. The operator hears why; the user that
// it did not.
func (s *Server) failFlow(w http.ResponseWriter, r *http.Request, f *flow, err error) {
	s.record(r, event.Failed, "login-failed", f.Provider+": "+err.Error(), 0)
	if errors.Is(err, errNotAdmitted) {
		s.handOverError(w, r, f, "You are not allowed to use this application.")
		return
	}
	s.handOverError(w, r, f, "Sign-in failed. Please try again.")
}

// handleTrade is the client flow: a token that the app got from the provider by
// itself becomes a session.
func (s *Server) handleTrade(w http.ResponseWriter, r *http.Request) {
	name, p, ok := s.providerOf(r)
	if !ok {
		writeError(w, http.StatusNotFound, "This site has no sign-in of that name.")
		return
	}
	if s.limited(w, r, "login") {
		return
	}
	var c credentials
	if !readJSON(w, r, &c) {
		return
	}
	if d, ok := p.(*development); ok && !hostname.IsLoopback(r.Host) && !s.places.names(r.Host) {
		writeError(w, http.StatusForbidden, "The development provider "+d.name+" answers under loopback names only.")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), providerTimeout)
	defer cancel()
	out, err := p.trade(ctx, c)
	if err != nil {
		s.refuseTrade(w, r, name, err)
		return
	}
	session, err := s.signIn(r, name, out)
	if err != nil {
		s.refuseTrade(w, r, name, err)
		return
	}
	s.answerToken(w, r, session)
}

func (s *Server) refuseTrade(w http.ResponseWriter, r *http.Request, name string, err error) {
	status, text := http.StatusServiceUnavailable, "Signing in is not possible at the moment."
	var failure *errProvider
	switch {
	case errors.Is(err, errMalformed):
		status, text = http.StatusBadRequest, "The body lacks the token that this provider needs."
	case errors.Is(err, errRefused):
		status, text = http.StatusUnauthorized, "The provider's token is not valid for this site."
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	case errors.Is(err, errNotAdmitted):
		status, text = http.StatusForbidden, "You are not allowed to use this application."
	case errors.As(err, &failure):
		status, text = http.StatusBadGateway, "The identity provider does not answer."
	}
	s.record(r, event.Failed, "login-failed", name+": "+err.Error(), status)
	writeError(w, status, text)
}

// handleOwnToken takes a session token that the app already has (the JavaScript
// client's login(token)) and answers like a sign-in.
func (s *Server) handleOwnToken(w http.ResponseWriter, r *http.Request) {
	if s.limited(w, r, "login") {
		return
	}
	var body struct {
		AuthenticationToken string `json:"authenticationToken"`
	}
	if !readJSON(w, r, &body) {
		return
	}
	if body.AuthenticationToken == "" {
		writeError(w, http.StatusBadRequest, "The body lacks authenticationToken.")
		return
	}
	p, err := s.proveOwn(r.Context(), tokenProof, body.AuthenticationToken)
	if err != nil {
		s.refuseProof(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK,
		loginResult{AuthenticationToken: body.AuthenticationToken, User: loginUser{UserID: p.User.ID}})
}

// answerToken mints the session's token and sends it.
func (s *Server) answerToken(w http.ResponseWriter, r *http.Request, session Session) {
	result, err := s.mint(session)
	if err != nil {
		s.refuseTrade(w, r, session.Provider, err)
		return
	}
	s.record(r, event.Allowed, "login", session.Provider, http.StatusOK)
	writeJSON(w, http.StatusOK, result)
}

// readJSON decodes a JSON object. A form, which any web page can post across
// origins without asking, is refused.
func readJSON(w http.ResponseWriter, r *http.Request, out any) bool {
	if kind := r.Header.Get("Content-Type"); kind != "" &&
		!strings.Contains(strings.ToLower(kind), "application/json") {
		writeError(w, http.StatusUnsupportedMediaType, "The body must be JSON.")
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		writeError(w, http.StatusRequestEntityTooLarge, "The body is too large.")
		return false
	}
	if err := json.Unmarshal(body, out); err != nil || len(body) == 0 || strings.TrimSpace(string(body))[0] != '{' {
		writeError(w, http.StatusBadRequest, "The body is not a JSON object of the expected shape.")
		return false
	}
	return true
}

// writeError answers in the shape that the clients read: body.error.
func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"The answer cannot be written."}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
