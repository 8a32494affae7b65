// Package origin says at which of a site's own addresses a request came in.
//
// A site has one public address. A listener that answers at a second one, such
// as http beside https on a developer's machine, marks its connections with
// [With]; what depends on the address (callbacks of a sign-in, the Secure
// attribute of a cookie, absolute links) asks [Of]. The mark comes from the
// listener alone: nothing that a client sends changes it.
package origin

import (
	"context"
	"net/url"
)

type key struct{}

// With returns a context for requests that came in at the address at, which
// has a scheme and a host and nothing else.
func With(ctx context.Context, at *url.URL) context.Context {
	return context.WithValue(ctx, key{}, at)
}

// Of returns the address at which the request with this context came in, and
// public, the site's own, where no listener said otherwise.
func Of(ctx context.Context, public *url.URL) *url.URL {
	if at, ok := ctx.Value(key{}).(*url.URL); ok && at != nil {
		return at
	}
	return public
}
