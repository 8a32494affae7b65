package admin

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed explain.html
var explainHTML string

var explainPage = template.Must(template.New("explain").Parse(explainHTML))

// explain answers a browser that has no token yet: it asks for a password, and
// shows this page to whoever gives none.
func (t *Token) explain(w http.ResponseWriter) {
	var page bytes.Buffer
	if err := explainPage.Execute(&page, struct{ File string }{t.file}); err != nil { // the template is ours
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "+
		"base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = w.Write(page.Bytes()) // the client may be gone
}
