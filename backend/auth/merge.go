package auth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Merger is a Store that can make two users one. Both databases are.
type Merger interface {
	Store
	// Merge does what m says in one transaction, or only reports it where m.DryRun
	// is set. A user who is not there is ErrNotFound. Where both have rows and
	// m.Both is not set, it is ErrBothHaveRows with the report, and nothing changes.
	Merge(ctx context.Context, m Merge) (Merged, error)
}

// Merge says which two users are one person. What belongs to From becomes To's:
// rows, sessions, and the orders to refuse tokens. From stays as another name of To:
// whoever signs in as From is To from then on.
type Merge struct {
	// From and To are the ids of the users.
	From, To string
	// Columns are where rows name their user.
	Columns []UserColumn
	// Both moves the rows also where To has some, too.
	Both bool
	// DryRun changes nothing.
	DryRun bool
	// At is the present.
	At time.Time
	// Version is what the moved rows have for a version.
	Version int64
}

// UserColumn is a column with the ids of users.
type UserColumn struct {
	// Table is the table's name in the database, Column the column's.
	Table, Column string
}

// Merged reports a merge.
type Merged struct {
	// Rows has the columns in which either user has rows.
	Rows []MergedRows
	// Sessions is how many sessions From has that are not revoked.
	Sessions int
	// Blocked says that tokens of From up to a time are refused, and now those of To.
	Blocked bool
}

// MergedRows is how many rows of a column name each user.
type MergedRows struct {
	UserColumn
	From, To int64
}

// ErrBothHaveRows says that two users have rows, and that somebody has to decide what
// is to become of them.
var ErrBothHaveRows = errors.New("both users have rows")

// Conflict reports whether both users have rows.
func (m Merged) Conflict() bool {
	from, to := int64(0), int64(0)
	for _, r := range m.Rows {
		from, to = from+r.From, to+r.To
	}
	return from > 0 && to > 0
}

// Check returns what is wrong with a merge, given both users as they are.
func (m Merge) Check(from, to User) error {
	switch {
	case m.From == m.To:
		return errors.New("the two users must differ")
	case to.Merged != "":
		return fmt.Errorf("%s was merged into %s: name that one", to.ID, to.Merged)
	case from.Merged != "" && from.Merged != m.To:
		return fmt.Errorf("%s was merged into %s already", from.ID, from.Merged)
	}
	return nil
}

// SamePeople lists pairs of users who are one person for certain: one subject at one
// issuer, whose name Google's tokens spell in two ways. The second of a pair is the
// one whom sign-in makes today.
func SamePeople(users []User) [][2]User {
	short := map[string]User{}
	for _, u := range users {
		if u.Issuer == googleShort && u.Merged == "" {
			short[u.Subject] = u
		}
	}
	var pairs [][2]User
	for _, u := range users {
		if other, ok := short[u.Subject]; ok && u.Issuer == googleIssuer && u.Merged == "" {
			pairs = append(pairs, [2]User{other, u})
		}
	}
	return pairs
}

// person is the user whom an id stands for: itself, or whom it was merged into.
func (s *Server) person(ctx context.Context, id string) (string, error) {
	u, err := s.store.User(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound), err == nil && u.Merged == "":
		return id, nil
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return u.Merged, nil
}

// owns reports whether a session is of the user that a proof names: the same, or one
// that was merged into the session's.
func (s *Server) owns(ctx context.Context, session Session, user string) (bool, error) {
	if session.User == user {
		return true, nil
	}
	person, err := s.person(ctx, user)
	return err == nil && person == session.User, err
}
