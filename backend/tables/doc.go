// Package tables serves Easy Tables, the data service of Azure Mobile Apps, so
// that its unmodified clients read, write and sync their rows: protocol 2.0.x
// exactly, and protocol 3.0.x over the same core.
//
// Start with New: it takes a Config (the tables section of cordon.yaml), a
// Store that keeps the rows, and what else it needs, and returns a Service, an
// http.Handler for /tables/{table}[/{id}] and /swagger.
//
// The request's caller is read from its context (package identity). The
// promise to clients that sync: a row's updatedAt follows the order of commits
// in its table, so a pull that asks for what changed since its last answer
// misses nothing. See docs/decisions/0070-sync-order.md.
//
// A Service is safe for concurrent use; Service.Close ends its webhooks. It
// answers requests itself, errors included. What a [Store] reports and callers of
// [Import], [Export] and [Inspect] tell apart are [ErrNotFound], [*ConflictError],
// [*DuplicateError], [*SchemaError] and [*QueryError].
//
// The behaviour is that of npm azure-mobile-apps 4.0.2 as its clients see it;
// comments name the file where it matters. docs/reference/tables.md lists where
// Cordon differs.
package tables
