package tables

import (
	"context"
	"errors"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Defined is a table as DefineAll left it.
type Defined struct {
	// Shape has also the columns that a dynamic schema added.
	Shape *Shape
	// Created says that the table was made just now.
	Created bool
}

// Define is DefineAll for one table.
func Define(ctx context.Context, s Store, d Definition) (Defined, error) {
	all, err := s.DefineAll(ctx, []Definition{d})
	if err != nil {
		return Defined{}, err
	}
	return all[0], nil
}

// Store keeps the rows of all tables. Its methods are safe for concurrent use
// and honour the context. What they refuse is one of the errors below; any
// other error means that the database failed.
//
// The promise that sync rests on: updatedAt is set by the store, in whole
// milliseconds, and follows the order of commits in a table. Once a reader has
// seen a row of a table with updatedAt t, no row of that table that it has not
// seen will ever appear with t or less.
type Store interface {
	// DefineAll creates tables, or adds what is missing to them: to all, or, on an
	// error, to none. The results have the order of the definitions. A column that is
	// there with another type is a *SchemaError.
	DefineAll(ctx context.Context, all []Definition) ([]Defined, error)
	// Extend adds columns to the table of a shape and returns the new shape. A
	// column that another process added in the meantime is no error if it has
	// the same type.
	Extend(ctx context.Context, s *Shape, columns []ColumnDef) (*Shape, error)
	// Refresh returns the table's shape as it is now; s itself if it has not
	// changed.
	Refresh(ctx context.Context, s *Shape) (*Shape, error)
	// Query calls yield for every row that q asks for, in order. The slice
	// belongs to the store and changes with the next row. ErrStop from yield
	// ends the query without an error.
	Query(ctx context.Context, q Query, yield func(row []odata.Value) error) error
	// Count returns how many rows match q.Where.
	Count(ctx context.Context, q Query) (int64, error)
	// Read returns one row, all columns, or ErrNotFound. Where must hold.
	Read(ctx context.Context, s *Shape, id odata.Value, where odata.Expr) ([]odata.Value, error)
	// Write does one change to one row as one atomic step and returns the
	// whole row, for OpRemove as it was. It is durable when Write returns. A
	// write whose outcome became unknown is repeated by the store: a row that
	// bears w.Version is its own success.
	Write(ctx context.Context, w Write) ([]odata.Value, error)
	// Remove removes or marks every row that matches, in one transaction, and
	// returns them as Write does. More than the limit is a *QueryError and
	// removes nothing.
	Remove(ctx context.Context, r Removal) ([][]odata.Value, error)
	// Load writes many new rows as one transaction; all or none. Rows whose id
	// is taken are left as they are, or replaced when replace is set. It
	// returns how many rows were written.
	Load(ctx context.Context, s *Shape, rows []LoadRow, replace bool) (int, error)
	// Expire removes rows with createdAt at or before the given time, a
	// bounded number a call, and returns how many.
	Expire(ctx context.Context, s *Shape, before int64) (int64, error)
}

// Query is a question about rows.
type Query struct {
	Shape *Shape
	// Columns are the places of the columns to return.
	Columns []int
	// Where is the condition, nil for all rows.
	Where odata.Expr
	// Order is the order; strings sort by a Unicode collation, nulls first.
	// The id is always the last key.
	Order []odata.Order
	// Skip and Top cut the result; Top < 0 means no limit.
	Skip, Top int64
}

// WriteOp is what a Write does.
type WriteOp uint8

// The kinds of writes.
const (
	OpInsert   WriteOp = iota + 1 // a new row: *DuplicateError if its id is taken
	OpMerge                       // change the given columns of a row
	OpRemove                      // remove the row
	OpMark                        // set deleted
	OpUndelete                    // clear deleted
)

// Write is one change to one row.
type Write struct {
	Op    WriteOp
	Shape *Shape
	// ID is the row; null for an insert into a table whose ids count up.
	ID odata.Value
	// Columns and Values are what to set, system columns excluded.
	Columns []int
	Values  []odata.Value
	// Version is the row's version after the write, chosen by the caller so
	// that the store can tell its own write from another's.
	Version int64
	// Match is the version that the row must have; nil for any.
	Match []int64
	// Where must hold for the row as it was; otherwise it is ErrNotFound.
	Where odata.Expr
	// Guard, if set, sees the row before the write (nil for an insert) and the
	// row as it will be (nil for a removal), inside the transaction; its error
	// ends the write and is returned as it is.
	Guard func(before, after []odata.Value) error
}

// Removal is the removal of all rows that match a condition.
type Removal struct {
	Shape *Shape
	// Where is the condition, never nil.
	Where odata.Expr
	// Mark sets deleted instead of removing.
	Mark bool
	// Version is the version of marked rows.
	Version int64
	// IDs, if set, are the only rows that may go: those of them that match still.
	IDs []odata.Value
	// Visible, if set, says which of the rows with these ids are there for the caller.
	// Those that are not are passed over: they stay, and do not count.
	Visible func(row []odata.Value) bool
	// Room, if set, is told of every row that is to go before any of them does, and
	// its place among them: again from 0 when the transaction is repeated. Its error
	// ends the removal and is returned as it is.
	Room func(row []odata.Value, place int) error
	// Guard is as in Write.
	Guard func(before, after []odata.Value) error
	// Limit is how many rows may go.
	Limit int
}

// LoadRow is one row for Load: values of the shape's columns. Dates of creation
// are kept when CreatedAt is set.
type LoadRow struct {
	ID      odata.Value
	Columns []int
	Values  []odata.Value
	// CreatedAt is a date, null for the present.
	CreatedAt odata.Value
	Deleted   bool
	Version   int64
}

// ErrNotFound says that there is no such row, or none that the caller may see.
var ErrNotFound = errors.New("The item does not exist") //lint:ignore ST1005 this is the text that clients show

// ErrStop ends a query from within.
var ErrStop = errors.New("tables: stop")

// ConflictError says that the row has another version.
type ConflictError struct {
	// Row is the row as it is.
	Row []odata.Value
}

// Error implements error.
func (*ConflictError) Error() string { return "The item has been changed" }

// DuplicateError says that a value that must be unique is taken.
type DuplicateError struct {
	// Column is the column, "id" or one declared unique, as the shape names it; "?"
	// if it is not known which, "" if it is the id.
	Column string
}

// Error implements error.
func (e *DuplicateError) Error() string {
	switch e.Column {
	case "", "id":
		return "An item with this id exists"
	case "?":
		return "An item with such a value exists"
	}
	return "An item with this value of '" + e.Column + "' exists"
}

// SchemaError says that a table cannot take the shape that is asked for.
type SchemaError struct {
	// Table and Column are where, Msg what.
	Table, Column, Msg string
	// Err is what the database said, if it did. Callers are not told.
	Err error
}

// Error implements error.
func (e *SchemaError) Error() string {
	text := "table " + e.Table + ", column " + e.Column + ": " + e.Msg
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// QueryError says that the database would not run a query, for what it asks
// and not for the database's state: numbers out of range, too deep, too long.
type QueryError struct{ Msg string }

// Error implements error.
func (e *QueryError) Error() string { return e.Msg }
