// Package identity is the vocabulary of the backend: who asks (Principal), how
// that is proven (session tokens), and what must hold (Condition).
//
// It knows no transport and no store. Package auth proves identities and puts a
// Principal into the request's context; tables, services and the other features
// read it there with FromContext.
//
// Start with [CompileCondition] for what must hold, and with [NewAuthority] for
// tokens: Authority.Mint signs one and Authority.Verify reads it. What is wrong
// with a token is a [*TokenError], which keeps the texts of the original server;
// [Expired] tells one that was valid once. [SetHeaders] writes a Principal for a
// service behind the backend, and [StripHeaders] takes what a client wrote there
// away first.
//
// A Condition and an Authority are safe for concurrent use; a Principal is not
// changed once it is in a context. Keys and tokens print as ***.
package identity
