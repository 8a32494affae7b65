package console

import (
	"context"
	"net/http"
	"time"
)

// People are the users of the backend and their sessions.
type People interface {
	// Users returns up to limit users whose id comes after the one given, in
	// the order of ids.
	Users(ctx context.Context, after string, limit int) ([]User, error)
	// Sessions returns a user's open sessions, latest first.
	Sessions(ctx context.Context, user string) ([]Session, error)
	// SignOut ends every session of a user, and every token given out so far.
	SignOut(ctx context.Context, user string) error
}

// User is one person who signed in at least once.
type User struct {
	ID, Provider, Name string
	Seen               time.Time
	// Into is the user whom this one is since both were merged, "" for all others.
	Into string
}

// Session is one sign-in that still counts.
type Session struct {
	ID, Provider     string
	Created, Expires time.Time
}

const peopleRows = 50

func (c *console) peopleRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /people", c.people)
	mux.HandleFunc("GET /people/user", c.person)
	mux.HandleFunc("POST /people/signout", c.signOut)
}

type peoplePage struct {
	Users    []User
	After    string
	User     string
	Sessions []Session
}

func (c *console) people(w http.ResponseWriter, r *http.Request) {
	users, err := c.config.People.Users(r.Context(), r.URL.Query().Get("after"), peopleRows+1)
	if err != nil {
		c.fail(w, r, "list the users", err)
		return
	}
	page := peoplePage{Users: users}
	if len(users) > peopleRows {
		page.Users = users[:peopleRows]
		page.After = users[peopleRows-1].ID
	}
	c.render(w, r, "people", "People", "", page)
}

func (c *console) person(w http.ResponseWriter, r *http.Request) {
	user := r.URL.Query().Get("id")
	sessions, err := c.config.People.Sessions(r.Context(), user)
	if err != nil {
		c.fail(w, r, "list the sessions", err)
		return
	}
	c.render(w, r, "people", "People", "", peoplePage{User: user, Sessions: sessions})
}

func (c *console) signOut(w http.ResponseWriter, r *http.Request) {
	user := r.FormValue("id")
	if user == "" {
		http.Error(w, "No user was named.", http.StatusBadRequest)
		return
	}
	if err := c.config.People.SignOut(r.Context(), user); err != nil {
		c.fail(w, r, "sign the user out", err)
		return
	}
	c.back(w, r, "/people", "Signed out everywhere: "+user)
}
