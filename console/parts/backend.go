// Package parts is what a running Cordon shows in its console (package console): the
// app's folder as its Policy, and a backend's tables and people.
//
//	console.Mount(console.Config{
//		Policy: &parts.Policy{Path: "examples/todo"},
//		Tables: &parts.Tables{Service: b.Tables},
//		People: &parts.People{Auth: b.Auth},
//	})
//
// All of them are safe for concurrent use.
package parts

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/console"
)

// Tables are a backend's tables as console.Tables.
type Tables struct{ Service *tables.Service }

// List is part of console.Tables.
func (c *Tables) List(context.Context) ([]console.Table, error) {
	var all []console.Table
	for _, name := range c.Service.Names() {
		shape, access, ok := c.Service.Inspect().Table(name)
		if !ok {
			continue
		}
		t := console.Table{Name: name}
		for _, i := range shownOrder(shape) {
			column := shape.Columns[i]
			t.Columns = append(t.Columns, console.Column{Name: column.Name, Type: column.Type.String(),
				System: i < shape.System()})
		}
		for _, p := range access {
			t.Access = append(t.Access, console.Permission{Verb: p.Operation, Who: string(p.Access)})
		}
		all = append(all, t)
	}
	return all, nil
}

// shownOrder is the order that people look for columns in: the id, the owner's
// own, and then what the server keeps.
func shownOrder(shape *tables.Shape) []int {
	order := []int{shape.Find("id")}
	for i := shape.System(); i < len(shape.Columns); i++ {
		order = append(order, i)
	}
	for i := 1; i < shape.System(); i++ {
		order = append(order, i)
	}
	return order
}

// Rows is part of console.Tables.
func (c *Tables) Rows(ctx context.Context, table, after string, limit int) ([]console.Row, error) {
	inspect := c.Service.Inspect()
	shape, _, ok := inspect.Table(table)
	if !ok {
		return nil, tables.ErrNotFound
	}
	order := shownOrder(shape)
	id, version, deleted := shape.Find("id"), shape.Find("version"), -1
	if shape.SoftDelete {
		deleted = shape.Find("deleted")
	}
	var page []console.Row
	err := inspect.Rows(ctx, shape, after, limit, func(values []odata.Value) error {
		row := console.Row{ID: values[id].Plain(), Version: values[version].Plain()}
		for _, i := range order {
			row.Cells = append(row.Cells, values[i].Plain())
		}
		row.Deleted = deleted >= 0 && values[deleted].Bool()
		page = append(page, row)
		return nil
	})
	return page, err
}

// Set is part of console.Tables.
func (c *Tables) Set(ctx context.Context, table, id, version, column, text string) error {
	inspect := c.Service.Inspect()
	shape, _, ok := inspect.Table(table)
	if !ok {
		return tables.ErrNotFound
	}
	at := shape.Find(column)
	if at < 0 {
		return fmt.Errorf("there is no column %s", column)
	}
	value, err := typed(shape.Columns[at].Type, text)
	if err != nil {
		return fmt.Errorf("%s: %w", column, err)
	}
	return conflict(inspect.Set(ctx, shape, id, version, column, value))
}

// typed reads a value as a person types it; nothing at all is no value, but for
// texts.
func typed(kind odata.Type, text string) (odata.Value, error) {
	if kind == odata.String {
		return odata.StringOf(text), nil
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return odata.Value{}, nil
	}
	switch kind {
	case odata.Boolean:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return odata.Value{}, fmt.Errorf("%q is neither true nor false", text)
		}
		return odata.BooleanOf(b), nil
	case odata.Number:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return odata.Value{}, fmt.Errorf("%q must be a number", text)
		}
		return odata.NumberOf(f), nil
	case odata.Date:
		ms, ok := odata.ParseDate(text)
		if !ok {
			return odata.Value{}, fmt.Errorf("%q must be a date, as in 2026-11-21T08:00:00Z", text)
		}
		return odata.DateOf(ms), nil
	}
	return odata.Value{}, errors.New("it cannot be edited")
}

// Delete is part of console.Tables.
func (c *Tables) Delete(ctx context.Context, table, id, version string) error {
	inspect := c.Service.Inspect()
	shape, _, ok := inspect.Table(table)
	if !ok {
		return tables.ErrNotFound
	}
	return conflict(inspect.Delete(ctx, shape, id, version))
}

// conflict gives a stale version the console's error.
func conflict(err error) error {
	var stale *tables.ConflictError
	if errors.As(err, &stale) {
		return console.ErrConflict
	}
	return err
}

// People are the users of a backend as console.People.
type People struct{ Auth *auth.Server }

// Users is part of console.People.
func (c *People) Users(ctx context.Context, after string, limit int) ([]console.User, error) {
	users, err := c.Auth.ListUsers(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	all := make([]console.User, len(users))
	for i, u := range users {
		all[i] = console.User{ID: u.ID, Provider: u.Provider, Name: u.Name, Seen: u.Seen, Into: u.Merged}
	}
	return all, nil
}

// Sessions is part of console.People.
func (c *People) Sessions(ctx context.Context, user string) ([]console.Session, error) {
	sessions, err := c.Auth.ListSessions(ctx, user)
	if err != nil {
		return nil, err
	}
	all := make([]console.Session, len(sessions))
	for i, s := range sessions {
		all[i] = console.Session{ID: s.ID, Provider: s.Provider, Created: s.Created, Expires: s.Expires}
	}
	return all, nil
}

// SignOut is part of console.People.
func (c *People) SignOut(ctx context.Context, user string) error {
	_, err := c.Auth.RevokeUser(ctx, user)
	return err
}
