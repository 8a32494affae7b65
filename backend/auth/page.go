package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"html/template"
	"net/http"
)

// The pages that users see. They load nothing from anywhere, may not be framed,
// and run no script but the one of the completion page.
var pages = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style nonce="{{.Nonce}}">
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto; padding: 0 1rem; color: #222; background: #fff }
button, input { font: inherit; padding: .4rem .8rem; margin: .2rem 0 }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #111 } }
</style>
<h1>{{.Title}}</h1>
<p id="text">{{.Text}}</p>
{{- if .Users}}
<form method="post" action="{{.Action}}">
<input type="hidden" name="state" value="{{.State}}">
{{range .Users}}<p><button name="user" value="{{.}}">{{.}}</button></p>
{{end}}</form>
<form method="post" action="{{.Action}}">
<input type="hidden" name="state" value="{{.State}}">
<p><label>Somebody else <input name="user" maxlength="200" required></label> <button>Sign in</button></p>
</form>
{{- end}}
{{- if .Script}}
<script nonce="{{.Nonce}}">
(function () {
  var origin = {{.Origin}}, hash = location.hash, text = document.getElementById("text"), message;
  try {
    if (hash.indexOf("#token=") === 0) {
      message = { type: "LoginCompleted", oauth: JSON.parse(decodeURIComponent(hash.substring(7))) };
    } else if (hash.indexOf("#error=") === 0) {
      message = { type: "LoginCompleted", error: decodeURIComponent(hash.substring(7)) };
      text.textContent = message.error;
    }
  } catch (e) {
    text.textContent = "The result of the sign-in cannot be read.";
  }
  if (message && origin && window.opener) {
    window.opener.postMessage(message, origin);
    history.replaceState(null, "", location.pathname);
  }
})();
</script>
{{- end}}
</html>
`))

type page struct {
	Title, Text, Nonce string
	Users              []string
	Action, State      string
	Script             bool
	Origin             string
}

func (s *Server) write(w http.ResponseWriter, status int, p page) {
	var nonce [16]byte
	rand.Read(nonce[:])
	p.Nonce = base64.RawURLEncoding.EncodeToString(nonce[:])
	var body bytes.Buffer
	if err := pages.Execute(&body, p); err != nil {
		http.Error(w, p.Title, http.StatusInternalServerError)
		return
	}
	script := "'none'"
	if p.Script {
		script = "'nonce-" + p.Nonce + "'"
	}
	h := w.Header()
	// form-action is left open: the answer to the form redirects to the app.
	h.Set("Content-Security-Policy", "default-src 'none'; script-src "+script+"; style-src 'nonce-"+p.Nonce+
		"'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}

// page shows a short text.
func (s *Server) page(w http.ResponseWriter, _ *http.Request, status int, title, text string) {
	s.write(w, status, page{Title: title, Text: text})
}

// pickerPage lets a developer choose whom to be.
func (s *Server) pickerPage(w http.ResponseWriter, d *development, state string) {
	s.write(w, http.StatusOK, page{Title: "Sign in (development)", Text: "Whom do you want to be?",
		Users: d.people(), Action: s.config.Path + "/login/" + d.name + "/callback", State: state})
}

// handleDone is where every hand-over ends. Clients that watch the address take
// the token from its fragment; a popup's page posts it to the origin that the
// sign-in was begun for.
func (s *Server) handleDone(w http.ResponseWriter, r *http.Request) {
	s.write(w, http.StatusOK, page{Title: "Sign-in", Text: "You have signed in. You can close this window.",
		Script: true, Origin: s.completionOrigin(r)})
}

// handleLogoutDone is where a sign-out ends by default.
func (s *Server) handleLogoutDone(w http.ResponseWriter, _ *http.Request) {
	s.write(w, http.StatusOK, page{Title: "Sign-out", Text: "You have been signed out."})
}
