package up

import (
	"net/http"

	"github.com/cordon-sec/cordon/console"
	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/server"
)

// inFront puts the app before the backend: front is made when the gateway has its
// address, and before anything is served.
func (a *App) inFront(b *server.Backend) (http.Handler, error) {
	a.backend = b.Handler
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.front.ServeHTTP(w, r) }), nil
}

// pages serves the app in front of the backend: what the backend does not own
// is a file of the app, or the development server's.
func (a *App) pages() http.Handler {
	reports := &pageReports{app: a.folder, events: a.recorder}
	standIn := newStandIn(a.standIn)
	var pages http.Handler = &appPages{app: a.folder}
	if a.appURL != nil {
		pages = newDevServer(a.folder, a.appURL)
	}
	toConsole := http.RedirectHandler("http://"+a.gateway.AdminAddr().String()+console.Path+"/", http.StatusFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := hostname.ParseAuthority(r.Host)
		switch {
		case err == nil && asked.Host.String() == standInHost:
			standIn.ServeHTTP(w, r)
		case !hostname.IsLoopback(r.Host):
			// A name that a stranger points here, to sign in as somebody.
			http.Error(w, "Only loopback names are answered here: "+a.site.Plain.String(),
				http.StatusMisdirectedRequest)
		case r.URL.Path == reportsPath:
			reports.ServeHTTP(w, r)
		case r.URL.Path == consoleLink:
			toConsole.ServeHTTP(w, r)
		case ownedByBackend(r.URL.Path, a.site.Auth.Path()):
			a.backend.ServeHTTP(w, r)
		default:
			a.refresh()
			pages.ServeHTTP(w, r)
		}
	})
}
