package console

import (
	"context"
	"errors"
	"net/http"
)

// Tables are the backend's tables.
type Tables interface {
	// List returns every table, by name.
	List(ctx context.Context) ([]Table, error)
	// Rows returns up to limit rows whose id comes after the one given, in the
	// order of ids; deleted ones are among them and say so.
	Rows(ctx context.Context, table, after string, limit int) ([]Row, error)
	// Set changes one cell. The value is text as a person types it; version is
	// the row's as it was shown, and ErrConflict says that it is another by
	// now.
	Set(ctx context.Context, table, id, version, column, value string) error
	// Delete removes a row, softly where the table does so.
	Delete(ctx context.Context, table, id, version string) error
}

// ErrConflict: the row was changed in the meantime.
var ErrConflict = errors.New("the row was changed in the meantime; look again")

// Table describes one table.
type Table struct {
	Name    string
	Columns []Column
	// Access says who may do what, one line a permission.
	Access []Permission
}

// Column is one column of a table.
type Column struct {
	Name, Type string
	// System says that the server keeps it: it is shown, not edited.
	System bool
}

// Permission is who may use a verb on a table.
type Permission struct {
	Verb, Who string
}

// Row is one row: its cells in the order of the table's columns, as text.
type Row struct {
	ID, Version string
	Cells       []string
	Deleted     bool
}

const tableRows = 50

func (c *console) tableRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /tables", c.tables)
	mux.HandleFunc("GET /tables/{table}", c.table)
	mux.HandleFunc("POST /tables/{table}/set", c.setCell)
	mux.HandleFunc("POST /tables/{table}/delete", c.deleteRow)
}

type tablePage struct {
	Tables []Table
	Table  *Table
	Rows   []Row
	// After is the id that the following page begins behind, "" for none.
	After string
}

func (c *console) tables(w http.ResponseWriter, r *http.Request) {
	list, err := c.config.Tables.List(r.Context())
	if err != nil {
		c.fail(w, r, "list the tables", err)
		return
	}
	c.render(w, r, "tables", "Tables", "", tablePage{Tables: list})
}

func (c *console) table(w http.ResponseWriter, r *http.Request) {
	list, err := c.config.Tables.List(r.Context())
	if err != nil {
		c.fail(w, r, "list the tables", err)
		return
	}
	page := tablePage{Tables: list}
	for i := range list {
		if list[i].Name == r.PathValue("table") {
			page.Table = &list[i]
		}
	}
	if page.Table == nil {
		http.Error(w, "There is no such table.", http.StatusNotFound)
		return
	}
	rows, err := c.config.Tables.Rows(r.Context(), page.Table.Name, r.URL.Query().Get("after"), tableRows+1)
	if err != nil {
		c.fail(w, r, "read the table", err)
		return
	}
	if len(rows) > tableRows {
		rows = rows[:tableRows]
		page.After = rows[tableRows-1].ID
	}
	page.Rows = rows
	c.render(w, r, "tables", "Tables", "", page)
}

func (c *console) setCell(w http.ResponseWriter, r *http.Request) {
	table := r.PathValue("table")
	err := c.config.Tables.Set(r.Context(), table, r.FormValue("id"), r.FormValue("version"), r.FormValue("column"),
		r.FormValue("value"))
	c.changed(w, r, table, "Saved.", err)
}

func (c *console) deleteRow(w http.ResponseWriter, r *http.Request) {
	table := r.PathValue("table")
	err := c.config.Tables.Delete(r.Context(), table, r.FormValue("id"), r.FormValue("version"))
	c.changed(w, r, table, "Deleted.", err)
}

func (c *console) changed(w http.ResponseWriter, r *http.Request, table, done string, err error) {
	switch {
	case errors.Is(err, ErrConflict):
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		http.Error(w, "The row was not changed: "+err.Error(), http.StatusBadRequest)
	default:
		c.back(w, r, "/tables/"+table, done)
	}
}
