package tables_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/tables"
)

// A table of one column: a row goes in, and a query brings it back.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "tables")
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
	service, err := tables.New(ctx, tables.Config{
		"todoitem": {Columns: map[string]tables.Column{"text": {Type: "string"}}},
	}, store, tables.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer service.Close(ctx)

	insert := httptest.NewRequest("POST", "/tables/todoitem", strings.NewReader(`{"id":"1","text":"write tests"}`))
	insert.Header.Set("Content-Type", "application/json")
	insert.Header.Set("ZUMO-API-VERSION", "2.0.0")
	w := httptest.NewRecorder()
	service.ServeHTTP(w, insert)
	fmt.Println(w.Code)

	read := httptest.NewRequest("GET", "/tables/todoitem?$select=id,text", nil)
	read.Header.Set("ZUMO-API-VERSION", "2.0.0")
	w = httptest.NewRecorder()
	service.ServeHTTP(w, read)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 201
	// 200 [{"id":"1","text":"write tests"}]
}
