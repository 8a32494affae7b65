package admin

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed unlock.html
var unlockHTML string

var unlockPage = template.Must(template.New("unlock").Parse(unlockHTML))

// maxForm bounds the form with the token, in bytes.
const maxForm = 4 << 10

// unlock gives a browser that knows the token the cookie, and leads it back to
// where it wanted to change something.
func (t *Token) unlock(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		t.ask(w, http.StatusOK, "/", false)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		t.ask(w, http.StatusBadRequest, "/", true)
		return
	}
	back := localPath(r.PostForm.Get("back"))
	if !t.is(strings.TrimSpace(r.PostForm.Get("token"))) {
		t.ask(w, http.StatusUnauthorized, back, true)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: t.cookie, Path: "/", HttpOnly: true,
		SameSite: http.SameSiteStrictMode})
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// ask shows the form for the token.
func (t *Token) ask(w http.ResponseWriter, status int, back string, wrong bool) {
	var page bytes.Buffer
	err := unlockPage.Execute(&page, struct {
		File, Back string
		Wrong      bool
	}{t.file, back, wrong})
	if err != nil { // the template is ours: cannot happen
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "+
		"frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the client may be gone
}

// localPath returns the path of a URL on this listener, "/" for anything that
// would lead elsewhere.
func localPath(text string) string {
	u, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") ||
		strings.ContainsAny(u.Path, "\\\r\n") || u.Path == unlockPath {
		return "/"
	}
	local := url.URL{Path: u.Path, RawQuery: u.RawQuery}
	return local.String()
}
