// Package schema is what the databases of the backend have in common as
// databases: the rule that their migrations keep and the order in which they are
// applied, how a table comes to its columns and indexes, and the list of Cordon's
// own tables. Each database keeps its words, transactions and locks.
//
// # Migrations
//
// A database's migrations are files beside it, NNNN_name.sql, numbered from 0001.
// The first line of each says its kind:
//
//	-- expand
//	-- contract: unused since 1.4.0
//
// An expand only adds: tables, columns that may be absent or have a default,
// indexes. The release before runs on the schema that it leaves. A contract takes
// away, or narrows, what releases before the named one still used.
//
// The kind is recorded in cordon_migrations beside the name, so that a program can
// judge a migration that it does not have: [Set.Plan] runs on past the expands of
// a newer version and refuses everything else. Opening a database applies
// expands; a contract waits until an operator says that no older version is left.
//
// # Own tables
//
// [Tables] lists the tables that Cordon makes for itself, the same in all
// databases. Their columns are generated from migrated databases; what each is
// for is written in purpose.go, and a test misses what was forgotten.
package schema
