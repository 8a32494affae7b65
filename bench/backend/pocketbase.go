package main

import (
	"errors"
	"net/http"
	"os"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

// pocketbasePragmas are PocketBase's own (core.DefaultDBConnect), but for
// synchronous, which follows and is NORMAL there.
const pocketbasePragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
	"&_pragma=journal_size_limit(200000000)&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)" +
	"&_pragma=cache_size(-32000)&_pragma=synchronous"

// pocketbase is PocketBase as its serve command has it: all of its routes and
// middleware, its CORS included, with one collection that is open to everyone, as
// Cordon's table is. Its log of requests, which Cordon does not keep, is off.
func pocketbase(database, durability string) (http.Handler, error) {
	file, ok := strings.CutPrefix(database, "sqlite:")
	if !ok {
		return nil, errors.New("PocketBase has no other database than SQLite")
	}
	dir := strings.TrimSuffix(file, ".db")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: func(path string) (*dbx.DB, error) {
		return dbx.Open("sqlite", path+pocketbasePragmas+"("+durability+")")
	}})
	if err := app.Bootstrap(); err != nil {
		return nil, err
	}
	if err := app.RunAllMigrations(); err != nil {
		return nil, err
	}
	app.Settings().Logs.MaxDays = 0
	if err := errors.Join(app.Save(app.Settings()), app.Save(todoItems())); err != nil {
		return nil, err
	}
	router, err := apis.NewRouter(app)
	if err != nil {
		return nil, err
	}
	router.Bind(apis.CORS(apis.CORSConfig{AllowOrigins: []string{"*"}, AllowMethods: []string{
		http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete}}))
	return router.BuildMux()
}

// todoItems is the collection: the columns, times and index of Cordon's table.
func todoItems() *core.Collection {
	c := core.NewBaseCollection("todoitem")
	if id, ok := c.Fields.GetByName("id").(*core.TextField); ok {
		id.Pattern, id.Min, id.Max = `^[a-z0-9\-]+$`, 0, 255
	}
	c.Fields.Add(&core.TextField{Name: "text"}, &core.BoolField{Name: "complete"}, &core.NumberField{Name: "qty"},
		&core.DateField{Name: "due"}, &core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true})
	open := types.Pointer("")
	c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule = open, open, open, open, open
	c.AddIndex("todoitem_qty", false, "qty", "")
	return c
}
