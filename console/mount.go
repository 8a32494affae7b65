package console

import "net/http"

// Path is where Mount puts a console.
const Path = "/console"

// Mount returns what an admin listener answers besides its own: the console at
// Path, and the way to it from the root.
func Mount(c Config) (http.Handler, error) {
	c.Base = Path
	handler, err := New(c)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(Path+"/", handler)
	mux.Handle("GET /{$}", http.RedirectHandler(Path+"/", http.StatusSeeOther))
	return mux, nil
}
