package auth

import (
	"context"
	"errors"
	"time"
)

// The errors that a Store returns for a caller to decide on. They may be
// wrapped.
var (
	// ErrNotFound says that there is no such record, or that it has expired.
	ErrNotFound = errors.New("auth: no such record")
	// ErrExists says that a record of this name is there already.
	ErrExists = errors.New("auth: the record exists")
	// ErrStale says that the record was changed by someone else since it was
	// read.
	ErrStale = errors.New("auth: the record has changed")
)

// Store keeps what sign-in has to remember. It is implemented for SQLite and
// PostgreSQL and shared by every process that serves the same database.
//
// All methods are safe for concurrent use and honour the context's deadline.
// Every write is durable when the method returns without an error. Times are
// stored in milliseconds, UTC; the zero time is stored as NULL and comes back
// as the zero time. Ids and names are at most 255 bytes of printable ASCII.
// Byte slices hold at most 256 KiB; those named Sealed are opaque to the store
// and never logged. Methods that take no `now` never look at a clock.
type Store interface {
	// Secret returns the value kept under name. When there is none it keeps
	// fresh and returns it. Of any number of concurrent first calls, in any
	// number of processes, exactly one fresh value wins and all callers get
	// that one. A value never changes.
	Secret(ctx context.Context, name string, fresh []byte) ([]byte, error)

	// PutOnce keeps a value that can be taken once: an authorization code, or
	// the mark that a sign-in's state was used. A name (Kind and Key together)
	// that is there already, expired or not, is ErrExists.
	PutOnce(ctx context.Context, o Once) error
	// TakeOnce removes the value and returns it, as one atomic step: of several
	// concurrent calls one succeeds and the others get ErrNotFound. A value
	// whose Expires is not after now is ErrNotFound too.
	TakeOnce(ctx context.Context, kind, key string, now time.Time) (Once, error)

	// PutUser inserts the user, or, when the ID is known, updates Name, Mail
	// and Seen and leaves the rest as it was.
	PutUser(ctx context.Context, u User) error
	// User returns one user, ErrNotFound if there is none.
	User(ctx context.Context, id string) (User, error)
	// Users lists users in ascending order of ID (bytewise), beginning after
	// the given ID ("" for the start), at most limit (1 to 1000) of them.
	Users(ctx context.Context, after string, limit int) ([]User, error)

	// CreateSession keeps a new session with Version 1, whatever s.Version
	// says; a known ID is ErrExists.
	CreateSession(ctx context.Context, s Session) error
	// Session returns one session, revoked or not, ErrNotFound if there is
	// none.
	Session(ctx context.Context, id string) (Session, error)
	// UpdateSession writes Name, Renewed, Expires and Sealed where ID and
	// Version are those of s and the session is not revoked, and adds 1 to the
	// stored Version, in one step. A missing session is ErrNotFound; another
	// version, or a revoked session, is ErrStale.
	UpdateSession(ctx context.Context, s Session) error
	// Sessions lists the sessions of one user that are not revoked, the newest
	// Created first and those of the same time by ID, at most 1000.
	Sessions(ctx context.Context, user string) ([]Session, error)

	// Revoke keeps r, replacing an earlier one of the same session or user
	// (the later Before and Expires of the two win), and in the same
	// transaction marks as revoked, with their Sealed emptied: the session
	// named, or every session of the user with Created not after Before. It
	// returns how many sessions this changed. Unknown sessions and users are
	// not an error: their tokens may come from elsewhere.
	Revoke(ctx context.Context, r Revocation) (sessions int, err error)
	// Revocations lists those with At at or after since, oldest first.
	Revocations(ctx context.Context, since time.Time) ([]Revocation, error)

	// SigningKeys lists all asymmetric signing keys, oldest Created first.
	SigningKeys(ctx context.Context) ([]SigningKey, error)
	// PutSigningKey keeps a new key. A known ID is ErrExists. When after is
	// not "" the write happens only if the newest key (by Created, then ID)
	// still has that ID, otherwise ErrStale; when after is "" only if there is
	// no key at all, otherwise ErrStale. So of several processes that rotate
	// at the same time one succeeds.
	PutSigningKey(ctx context.Context, k SigningKey, after string) error

	// Sweep removes what is of no use any more: Once values and revocations
	// whose Expires is not after now, signing keys whose Retired is set and not
	// after now, and sessions whose Expires is not after forgotten (the caller
	// subtracts the grace period). It returns how many records went.
	Sweep(ctx context.Context, now, forgotten time.Time) (int, error)
}

// Once is a value that is taken at most once.
type Once struct {
	// Kind tells the uses apart, for example "code".
	Kind string
	// Key names the value; it is the hash of what the client holds, never the
	// secret itself.
	Key string
	// Sealed is the value, or nil.
	Sealed []byte
	// Expires is when the value ceases to exist.
	Expires time.Time
}

// User is a person who has signed in at least once.
type User struct {
	// ID is the user id everywhere: "sid:" and 32 hexadecimal digits.
	ID string
	// Provider is the name of the provider as configured, Issuer and Subject
	// are what it calls itself and the user.
	Provider, Issuer, Subject string
	// Name and Mail are what the provider last said; any Unicode, at most 255
	// characters each, or "".
	Name, Mail string
	// Created and Seen are the first and the latest sign-in.
	Created, Seen time.Time
	// Merged is the ID of the same person, who stands for this one since both were
	// merged, or "". PutUser leaves it alone.
	Merged string
}

// Session is one sign-in of one user on one client. Tokens and cookies that
// are given out carry its ID.
type Session struct {
	// ID is random; it identifies the session but proves nothing.
	ID string
	// User is the user's ID; Provider the provider's name as configured.
	User, Provider string
	// Name is the friendly name of the user; Agent the User-Agent of the
	// client that signed in, shortened; any Unicode, at most 255 characters.
	Name, Agent string
	// Created is the sign-in, Renewed the last refresh, Expires when the
	// newest token or cookie of the session ends.
	Created, Renewed, Expires time.Time
	// Revoked is when the session was ended, or zero.
	Revoked time.Time
	// Sealed holds claims and provider tokens.
	Sealed []byte
	// Version counts the updates, from 1.
	Version int64
}

// Revocation refuses tokens before their time. Exactly one of Session and User
// is set.
type Revocation struct {
	// Session is the session whose tokens are refused.
	Session string
	// User is the user whose tokens issued at or before Before are refused,
	// whoever signed them.
	User string
	// Before is the time that User goes with.
	Before time.Time
	// At is when it was recorded, the time that Revocations compares.
	At time.Time
	// Expires is when no token is left that it could refuse.
	Expires time.Time
}

// SigningKey is an asymmetric key that session tokens are signed with.
type SigningKey struct {
	// ID is the key id ("kid") in tokens and in the published key set.
	ID string
	// Sealed is the private key.
	Sealed []byte
	// Created is when the key was made and published; Active from when on
	// tokens are signed with it; Retired when the last token signed with it
	// can no longer be used, or zero.
	Created, Active, Retired time.Time
}
