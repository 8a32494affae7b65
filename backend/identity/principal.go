package identity

import (
	"context"
	"time"
)

// Principal says who asks, as far as it is proven. The zero value is the
// anonymous caller. A Principal is immutable once it is in a context and may be
// shared by many requests.
type Principal struct {
	// User is the person; its ID is "" for an anonymous caller.
	User User
	// App is the app that the token or the attestation names.
	App App
	// Device is the device as far as it has proven itself.
	Device Device
	// Risk is what speaks against the request.
	Risk Risk
	// Session is the id of the sign-in session, "" for tokens that someone
	// else signed with our key.
	Session string
	// Issued and Expires are those of the proof; zero when it does not say.
	Issued, Expires time.Time
	// Cookie says that the proof came in a cookie, which browsers attach by
	// themselves: requests that change something then need an origin check.
	Cookie bool
}

// User is the person behind a request.
type User struct {
	// ID is the same for ever: "sid:" and 32 lower-case hexadecimal digits for
	// users that we signed in, any text for tokens of the owner's own login
	// code.
	ID string
	// Provider is the alias of the identity provider: "google", "aad", ...
	Provider string
	// Name is a friendly name: the mail address, the login or the user's name.
	Name string
	// Claims are what the provider said, in its order. Types may repeat.
	Claims []Claim
}

// Claim is one statement of a provider about a user. Type is a URI for claims
// that App Service maps, and the plain name of the JWT claim otherwise.
type Claim struct {
	Type  string `json:"typ"`
	Value string `json:"val"`
}

// App is the calling app.
type App struct {
	// ID is the application's identifier (bundle id, package name); Version its
	// version. Both are "" when nothing proves them.
	ID, Version string
}

// Device is the calling device.
type Device struct {
	// ID is the enrolment's id, "" for an unknown device.
	ID string
	// Platform and OS are what the enrolment says: "android" and "14".
	Platform, OS string
	// Enrolled, Attested and Compliant are the device's standing.
	Enrolled, Attested, Compliant bool
}

// Risk is what speaks against a request.
type Risk struct {
	// Level is 0 (nothing known) to 100.
	Level int
	// Signals names the reasons.
	Signals []string
}

// ProviderToken is what a provider gave for a user. It never prints its
// secrets.
type ProviderToken struct {
	// Provider is the alias under which it was configured.
	Provider string
	// Access, ID, Refresh and Secret are the tokens; "" where there is none.
	// Secret is the access token's secret of OAuth 1.0a.
	Access, ID, Refresh, Secret string
	// Expires is when the access token ends; zero when the provider does not
	// say.
	Expires time.Time
}

// String hides the tokens.
func (t ProviderToken) String() string { return "{" + t.Provider + " ***}" }

// GoString hides the tokens from %#v too.
func (t ProviderToken) GoString() string { return t.String() }

// Authenticated reports whether a user is known.
func (p *Principal) Authenticated() bool { return p != nil && p.User.ID != "" }

type contextKey struct{}

type contextValue struct {
	principal *Principal
	err       error
}

var anonymous = &Principal{}

// NewContext returns a context that carries the outcome of authentication: the
// principal, or the error (usually a *TokenError) that a proof which does not
// hold gave.
func NewContext(ctx context.Context, p *Principal, err error) context.Context {
	return context.WithValue(ctx, contextKey{}, contextValue{p, err})
}

// FromContext returns who asks. The principal is never nil: without
// authentication, and with an error, it is the anonymous one. The error is set
// when the request carried a proof that does not hold; such a request is
// answered with 401 on every route, also those that are open to everyone
// (azure-mobile-apps 4.0.2, express/middleware/authenticate.js).
func FromContext(ctx context.Context) (*Principal, error) {
	v, _ := ctx.Value(contextKey{}).(contextValue)
	if v.principal == nil || v.err != nil {
		return anonymous, v.err
	}
	return v.principal, nil
}
