// Package auth signs users in and proves who asks: the endpoints under
// /.auth/, the session tokens and cookies that they hand out, and the
// middleware that checks them on every request.
//
// It speaks the wire protocol of App Service Authentication, so that the
// clients of Azure Mobile Apps work unchanged, and keeps what it has to
// remember in a Store, which it declares and package store implements.
package auth
