package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/event"
)

// complete signs the user in and hands the result over in the way that the
// client asked for.
func (s *Server) complete(w http.ResponseWriter, r *http.Request, f *flow, out *outcome) {
	session, err := s.signIn(r, f.Provider, out)
	if err != nil {
		s.failFlow(w, r, f, err)
		return
	}
	switch {
	case f.Challenge != nil:
		err = s.handOverCode(w, r, f, session)
	case f.Token:
		err = s.handOverToken(w, r, f, session)
	default:
		if err = s.setCookie(w, r, session); err == nil {
			redirect(w, first(f.Redirect, s.config.Path+"/login/done"))
		}
	}
	if err != nil {
		s.failFlow(w, r, f, err)
		return
	}
	s.record(r, event.Allowed, "login", f.Provider, http.StatusFound)
}

// redirect sends the browser on. The location is written as it is: a relative
// one stays relative, because a TLS front may carry another host name.
func redirect(w http.ResponseWriter, location string) {
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusFound)
}

// done is the completion page as it is reached from the path of the request:
// relative, so that scheme and host stay those that the client knows.
func (s *Server) done(r *http.Request) string {
	if strings.HasSuffix(r.URL.Path, "/callback") {
		return "../done"
	}
	return "done"
}

// handOverToken puts the token into the fragment of the page that the client
// watches for, which no server ever sees.
func (s *Server) handOverToken(w http.ResponseWriter, r *http.Request, f *flow, session Session) error {
	result, err := s.mint(session)
	if err != nil {
		return err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("auth: writing a token: %w", err)
	}
	s.setCompletion(w, r, f)
	redirect(w, first(f.Redirect, s.done(r))+"#token="+encodeComponent(string(text)))
	return nil
}

// handOverError ends a flow with a text. Without a client that waits for it, the
// user sees a page.
func (s *Server) handOverError(w http.ResponseWriter, r *http.Request, f *flow, text string) {
	switch {
	case f.Native, f.Challenge != nil:
		redirect(w, f.Redirect+"#error="+encodeComponent(text))
	case f.Token:
		s.setCompletion(w, r, f)
		redirect(w, first(f.Redirect, s.done(r))+"#error="+encodeComponent(text))
	default:
		s.page(w, r, http.StatusForbidden, "Sign-in failed", text)
	}
}

// codeContent is what an authorization code stands for, sealed.
type codeContent struct {
	Challenge []byte `json:"c"`
	Provider  string `json:"p"`
	Session   string `json:"s"`
}

const codeLife = 5 * time.Minute

// handOverCode gives a native app a code that is of use only with its verifier.
func (s *Server) handOverCode(w http.ResponseWriter, r *http.Request, f *flow, session Session) error {
	code := random()
	key := hashText(code)
	plain, err := json.Marshal(codeContent{Challenge: f.Challenge, Provider: f.Provider, Session: session.ID})
	if err != nil {
		return fmt.Errorf("auth: keeping a code: %w", err)
	}
	err = s.store.PutOnce(r.Context(),
		Once{Kind: "code", Key: key, Sealed: s.boxes.code.Seal(plain, key), Expires: s.now().Add(codeLife)})
	if err != nil {
		return fmt.Errorf("auth: keeping a code: %w", err)
	}
	redirect(w, f.Redirect+"#authorization_code="+encodeComponent(code))
	return nil
}

// handleCode trades an app's code for a token. A code is used up by the first
// try, right or wrong. Every refusal is 400 without a detail: the clients ignore
// it on purpose (MSLoginSafariViewController.m).
func (s *Server) handleCode(w http.ResponseWriter, r *http.Request) {
	if s.limited(w, r, "token") {
		return
	}
	name, _, ok := s.providerOf(r)
	if !ok {
		writeError(w, http.StatusNotFound, "This site has no sign-in of that name.")
		return
	}
	session, err := s.redeem(r.Context(), name, r.URL.Query().Get("authorization_code"),
		r.URL.Query().Get("code_verifier"))
	if err != nil {
		s.record(r, event.Blocked, "code-refused", err.Error(), http.StatusBadRequest)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.answerToken(w, r, session)
}

func (s *Server) redeem(ctx context.Context, providerName, code, verifier string) (Session, error) {
	if code == "" || len(code) > 256 || verifier == "" || len(verifier) > 256 {
		return Session{}, fmt.Errorf("authorization_code or code_verifier is missing or too long")
	}
	key := hashText(code)
	once, err := s.store.TakeOnce(ctx, "code", key, s.now())
	if err != nil {
		return Session{}, fmt.Errorf("the code is unknown, used or too old")
	}
	var content codeContent
	plain, err := s.boxes.code.Open(once.Sealed, key)
	if err != nil || json.Unmarshal(plain, &content) != nil || content.Provider != providerName {
		return Session{}, fmt.Errorf("the code is of another provider or key")
	}
	// The verifier is base64 text: a blank in it was a plus.
	sum := sha256.Sum256([]byte(strings.ReplaceAll(verifier, " ", "+")))
	if subtle.ConstantTimeCompare(sum[:], content.Challenge) != 1 {
		return Session{}, fmt.Errorf("the verifier does not fit the challenge")
	}
	session, err := s.store.Session(ctx, content.Session)
	if err != nil || !session.Revoked.IsZero() {
		return Session{}, fmt.Errorf("the code's session is gone")
	}
	return session, nil
}

// The origin that a popup's result goes to reaches the completion page in a
// sealed cookie, so that the page's address is exactly what clients watch for.
const (
	completionCookie = "CordonCompletion"
	completionLife   = 2 * time.Minute
)

type completion struct {
	Origin  string `json:"o"`
	Expires int64  `json:"e"`
}

// setCompletion says which origin the completion page posts to: the flow's, or
// none.
func (s *Server) setCompletion(w http.ResponseWriter, r *http.Request, f *flow) {
	if f.Origin == "" || f.Redirect != "" {
		return
	}
	plain, err := json.Marshal(completion{Origin: f.Origin, Expires: s.now().Add(completionLife).Unix()})
	if err != nil { // strings always encode
		return
	}
	http.SetCookie(w, &http.Cookie{Name: completionCookie,
		Value: base64.RawURLEncoding.EncodeToString(s.boxes.page.Seal(plain, completionCookie)),
		Path:  s.config.Path + "/login", HttpOnly: true, Secure: s.secure(r), SameSite: http.SameSiteLaxMode,
		MaxAge: int(completionLife.Seconds())})
}

// completionOrigin reads what setCompletion wrote, "" for none. The list of
// allowed origins is asked again: it may have changed.
func (s *Server) completionOrigin(r *http.Request) string {
	for _, c := range r.CookiesNamed(completionCookie) {
		sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
		if err != nil {
			continue
		}
		plain, err := s.boxes.page.Open(sealed, completionCookie)
		var content completion
		if err != nil || json.NewDecoder(bytes.NewReader(plain)).Decode(&content) != nil ||
			s.now().Unix() >= content.Expires {
			continue
		}
		if origin, err := s.places.origin(content.Origin); err == nil {
			return origin
		}
	}
	return ""
}
