// Package sqlite keeps the backend's data in one SQLite file: the embedded
// default, for one process on one machine.
//
// Open returns a Store, which implements the interfaces that the backend's
// features declare (tables.Store, auth.Store). Readers run beside each other on
// connections of their own (WAL); one goroutine writes, and writes that come
// in while it is busy share its next transaction and so one fsync. It is also
// what makes updatedAt follow the order of commits: a transaction's stamp is
// taken inside it and is later than that of every earlier one.
package sqlite
