package storetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/backend/auth"
	"github.com/cordon-sec/cordon/backend/tables"
)

// mergeSite is two users of one person, each as another spelling of an issuer made
// them, and a table of rows that belong to users.
func mergeSite(t *testing.T, open Opener) (*app, auth.Merge) {
	t.Helper()
	a := serve(t, open, tables.Config{"note": {Columns: columns, PerUser: true, SoftDelete: true},
		"other": {Columns: columns, PerUser: true, UserColumn: "Owner"}})
	for _, u := range []auth.User{{ID: "sid:a", Provider: "google", Issuer: "short", Subject: "s", Created: at(0)},
		{ID: "sid:b", Provider: "google", Issuer: "long", Subject: "s", Created: at(1)},
		{ID: "sid:c", Provider: "google", Issuer: "long", Subject: "t", Created: at(1)}} {
		wantErr(t, "put", a.store.PutUser(t.Context(), u), nil)
	}
	return a, auth.Merge{From: "sid:a", To: "sid:b", At: at(60), Version: 7, Columns: []auth.UserColumn{
		{Table: "note", Column: "userId"}, {Table: "other", Column: "Owner"}}}
}

// testMerge moves rows, sessions and orders to refuse tokens.
func testMerge(t *testing.T, open Opener) {
	a, m := mergeSite(t, open)
	ctx := t.Context()
	a.user = "sid:a"
	a.want(201, "POST", "/tables/note", `{"id":"1","text":"one"}`)
	before := a.want(201, "POST", "/tables/note", `{"id":"2","text":"two"}`).row(t)
	a.want(200, "DELETE", "/tables/note/1", "")
	a.user = "sid:c"
	a.want(201, "POST", "/tables/note", `{"id":"3"}`)
	for _, x := range []auth.Session{session("of a", "sid:a", 0), session("ended", "sid:a", 30),
		session("of b", "sid:b", 5), session("new of b", "sid:b", 50)} {
		wantErr(t, "session", a.store.CreateSession(ctx, x), nil)
	}
	_, err := a.store.Revoke(ctx, auth.Revocation{Session: "ended", At: at(31), Expires: at(900)})
	wantErr(t, "revoke", err, nil)
	_, err = a.store.Revoke(ctx, auth.Revocation{User: "sid:a", Before: at(-1), At: at(31), Expires: at(900)})
	wantErr(t, "revoke", err, nil)
	_, err = a.store.Revoke(ctx, auth.Revocation{User: "sid:b", Before: at(10), At: at(32), Expires: at(800)})
	wantErr(t, "revoke", err, nil)

	want := auth.Merged{Rows: []auth.MergedRows{{UserColumn: m.Columns[0], From: 2}}, Sessions: 1, Blocked: true}
	dry := m
	dry.DryRun = true
	for _, try := range []auth.Merge{dry, m} {
		got, err := a.store.Merge(ctx, try)
		wantErr(t, "merge", err, nil)
		same(t, "report", got, want)
		if try.DryRun {
			a.user = "sid:a"
			a.wantIDs("/tables/note", "2")
			if u, _ := a.store.User(ctx, "sid:a"); u.Merged != "" {
				t.Error("a dry run has merged")
			}
		}
	}
	a.user = "sid:a"
	a.wantIDs("/tables/note?__includeDeleted=true", "")
	a.user = "sid:b"
	a.wantIDs("/tables/note?__includeDeleted=true&$orderby=id", "1 2")
	after := a.want(200, "GET", "/tables/note/2", "").row(t)
	if after["version"] == before["version"] || after["updatedAt"].(string) <= before["updatedAt"].(string) ||
		after["createdAt"] != before["createdAt"] || after["text"] != "two" {
		t.Errorf("the row was %v and is %v", before, after)
	}
	a.user = "sid:c"
	a.wantIDs("/tables/note", "3")
	for id, want := range map[string]string{"of a": "sid:b revoked", "ended": "sid:b revoked", "of b": "sid:b revoked",
		"new of b": "sid:b"} {
		x, err := a.store.Session(ctx, id)
		wantErr(t, "session", err, nil)
		got := x.User
		if !x.Revoked.IsZero() {
			got += " revoked"
		}
		same(t, id, got, want)
	}
	all, err := a.store.Revocations(ctx, at(33))
	wantErr(t, "revocations", err, nil)
	same(t, "new revocations", all, []auth.Revocation{{User: "sid:b", Before: at(10), At: at(60), Expires: at(900)}})
	u, err := a.store.User(ctx, "sid:a")
	wantErr(t, "user", err, nil)
	same(t, "merged", u.Merged, "sid:b")
	wantErr(t, "put", a.store.PutUser(ctx, auth.User{ID: "sid:a", Name: "again", Seen: at(70)}), nil)
	if u, _ := a.store.User(ctx, "sid:a"); u.Merged != "sid:b" || u.Name != "again" {
		t.Errorf("after a sign-in: %+v", u)
	}
	testMergedAgain(t, a, m)
}

// testMergedAgain repeats a merge, undoes none, and follows chains.
func testMergedAgain(t *testing.T, a *app, m auth.Merge) {
	t.Helper()
	ctx := t.Context()
	a.user = "sid:a" // a server that did not know yet
	a.want(201, "POST", "/tables/other", `{"id":"9"}`)
	got, err := a.store.Merge(ctx, m)
	wantErr(t, "again", err, nil)
	same(t, "rows", got.Rows, []auth.MergedRows{{UserColumn: m.Columns[0], To: 2}, {UserColumn: m.Columns[1], From: 1}})
	a.user = "sid:b"
	a.wantIDs("/tables/other", "9")
	for _, wrong := range []auth.Merge{{From: "sid:b", To: "sid:a"}, {From: "sid:a", To: "sid:c"},
		{From: "sid:a", To: "sid:a"}} {
		if _, err := a.store.Merge(ctx, wrong); err == nil {
			t.Errorf("%s was merged into %s", wrong.From, wrong.To)
		}
	}
	for _, unknown := range []auth.Merge{{From: "sid:x", To: "sid:b"}, {From: "sid:b", To: "sid:x"}} {
		_, err := a.store.Merge(ctx, unknown)
		wantErr(t, "unknown", err, auth.ErrNotFound)
	}
	m.From, m.To, m.Both = "sid:b", "sid:c", true
	_, err = a.store.Merge(ctx, m)
	wantErr(t, "a chain", err, nil)
	for _, id := range []string{"sid:a", "sid:b"} {
		if u, _ := a.store.User(ctx, id); u.Merged != "sid:c" {
			t.Errorf("%s was merged into %q", id, u.Merged)
		}
	}
}

// testMergeConflict leaves two users alone who both have rows, unless it is told to
// move them.
func testMergeConflict(t *testing.T, open Opener) {
	a, m := mergeSite(t, open)
	a.user = "sid:a"
	a.want(201, "POST", "/tables/note", `{"id":"1"}`)
	a.user = "sid:b"
	a.want(201, "POST", "/tables/other", `{"id":"2"}`)
	wantErr(t, "session", a.store.CreateSession(t.Context(), session("s", "sid:a", 0)), nil)
	for _, dry := range []bool{true, false} {
		m.DryRun = dry
		got, err := a.store.Merge(t.Context(), m)
		wantErr(t, "merge", err, auth.ErrBothHaveRows)
		same(t, "report", got, auth.Merged{Rows: []auth.MergedRows{{UserColumn: m.Columns[0], From: 1},
			{UserColumn: m.Columns[1], To: 1}}, Sessions: 1})
	}
	x, err := a.store.Session(t.Context(), "s")
	if u, _ := a.store.User(t.Context(), "sid:a"); err != nil || x.User != "sid:a" || u.Merged != "" {
		t.Errorf("a refused merge has changed %+v, %+v, %v", x, u, err)
	}
	m.Both = true
	_, err = a.store.Merge(t.Context(), m)
	wantErr(t, "merge", err, nil)
	var ids []string
	for _, table := range []string{"note", "other"} {
		ids = append(ids, a.ids("/tables/"+table))
	}
	slices.Sort(ids)
	same(t, "rows", strings.Join(ids, " "), "1 2")
}
