// Package identity is the vocabulary of the backend: who asks (Principal), how
// that is proven (session tokens), and what must hold (Condition).
//
// It knows no transport and no store. Package auth proves identities and puts a
// Principal into the request's context; tables, services and the other features
// read it there with FromContext.
package identity
