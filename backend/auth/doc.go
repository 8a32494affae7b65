// Package auth signs users in and proves who asks: the endpoints under
// /.auth/, the session tokens and cookies that they hand out, and the
// middleware that checks them on every request.
//
// It speaks the wire protocol of App Service Authentication, so that the
// clients of Azure Mobile Apps work unchanged, and keeps what it has to
// remember in a [Store], which it declares and the packages below
// backend/store implement.
//
// # How a sign-in goes
//
// [New] makes a [Server] of a [Config] and a Store; Server.ServeHTTP answers the
// endpoints, Server.Middleware stands before everything else, and Server.Run does
// what has to happen now and then. A sign-in passes through the files in this
// order:
//
//   - login.go: GET /.auth/login/{provider} begins a flow and sends the browser to
//     the provider. limit.go counts it.
//   - flow.go: what the sign-in has to remember until the browser is back. It
//     travels sealed, in a cookie, so that strangers who begin sign-ins write
//     nothing into the store, and only the browser that began one can end it.
//   - redirect.go: where its result may go, decided before it begins.
//   - provider.go: what every provider does (start, finish, trade, renew).
//     openid.go, oauth2.go, twitter.go, apple.go and development.go are the kinds
//     of it; claims.go makes one form of what each says about a user.
//   - login.go again: the provider sends the browser back to
//     /.auth/login/{provider}/callback, which ends the flow, once. An app that has
//     the provider's token already posts it instead: /.auth/login/{provider}.
//   - session.go: the user and a new session are kept, and a token is minted for
//     it. keys.go keeps the keys that sign where they rotate.
//   - handover.go: the result goes to the client in the way that it asked for: a
//     token in the fragment of a page (page.go), a code that is of use only with
//     its verifier (POST /.auth/login/{provider}/code), or a cookie.
//
// From then on authenticate.go proves each request (Server.Authenticate, which
// site.go's middleware calls), refresh.go exchanges a token for a new one, and
// endpoints.go has what else there is: /.auth/me, /.auth/logout and
// /.auth/sessions. easyauth.go imports the configuration of App Service.
//
// # Use
//
// Handlers behind the middleware read the caller with identity.FromContext and
// answer a proof that does not hold with [WriteRefusal]. Errors of a Store that
// callers tell apart are [ErrNotFound], [ErrExists] and [ErrStale]; a store that
// does not answer is [ErrUnavailable], never a signed-out user. Config.Check
// returns every [Problem] at once.
//
// A Server is safe for concurrent use, in any number of processes on one store.
// Values that hold secrets print as ***.
package auth
