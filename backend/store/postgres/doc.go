// Package postgres keeps the backend's data in PostgreSQL (14 or later, with
// ICU), for backends on more than one machine.
//
// Open returns a Store, which implements the interfaces that the backend's
// features declare (tables.Store, auth.Store). Every process that serves the
// same database may write. updatedAt follows the order of commits because each
// transaction that writes to a table first takes the table's row of
// cordon_clock, adds to it and holds it until the commit is visible; writes that
// wait for it in one process share the next transaction.
//
// Transactions are repeated as a whole when PostgreSQL asks for it (SQLSTATE
// 40001, 40P01) or the connection is lost. A commit whose outcome is unknown is
// safe to repeat: ids and versions are chosen before, so the store recognises
// its own work.
package postgres
