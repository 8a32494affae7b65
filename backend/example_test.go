package backend_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"

	"github.com/cordon-sec/cordon/backend"
	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/tables"
)

// A backend with one table: a stranger is told to sign in, and that table is all
// there is.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "backend")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(dir, "example.db")})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	public := &url.URL{Scheme: "https", Host: "localhost:8443"}
	signIn, err := auth.New(ctx, auth.Options{URL: public, Loopback: true, Store: store})
	if err != nil {
		log.Fatal(err)
	}
	rows, err := tables.New(ctx, tables.Config{"notes": {Access: "authenticated"}}, store, tables.Options{URL: public})
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close(ctx)
	handler, err := backend.New(backend.Options{Auth: signIn, Tables: rows, URL: public})
	if err != nil {
		log.Fatal(err)
	}
	for _, path := range []string{"/tables/notes", "/tables/others", "/.auth/me"} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", "https://localhost:8443"+path+"?ZUMO-API-VERSION=2.0.0", nil))
		fmt.Println(path, w.Code)
	}
	// Output:
	// /tables/notes 401
	// /tables/others 404
	// /.auth/me 401
}
