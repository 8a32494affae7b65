package transfer

import (
	"context"
	"errors"
	"time"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Batch is the record of an import.
type Batch struct {
	// Name is the batch's, Table the table's in the database, File the file's.
	Name, Table, File string
	// Began and Ended are when; Ended is zero while the file is not read to its end.
	Began, Ended time.Time
	// Read is how many rows of the file are dealt with, and Digest a hash of them.
	Read   int64
	Digest string
	// Written is how many rows were written, Kept how many of them can be taken back.
	Written, Kept int64
}

// Brought is a row that a batch has brought in.
type Brought struct {
	// Number is the row's in the file, and orders the rows of a batch.
	Number int64
	// ID is the row's, Version the one that it was written with.
	ID      odata.Value
	Version int64
	// Before is the row whose place it took, as a JSON object, "" if there was none.
	Before string
}

// Step is a part of an import: what one transaction writes.
type Step struct {
	// Batch is the batch's name.
	Batch string
	// From and Through are the batch's Read before and after, Digest its hash after.
	From, Through int64
	Digest        string
	// Replace overwrites rows that are there.
	Replace bool
	// Rows are the rows, Numbers their numbers in the file.
	Rows    []tables.LoadRow
	Numbers []int64
}

// Fate is what became of a row that was to be taken back.
type Fate uint8

// The fates.
const (
	// Removed: the row is gone, or marked as deleted.
	Removed Fate = iota + 1
	// Restored: the row that was there before is there again.
	Restored
	// Gone: the row was not there any more.
	Gone
	// Altered: the row has been changed since, and was left as it is.
	Altered
)

// Reversal is a row to be taken back.
type Reversal struct {
	Brought
	// Restore is the row that was there before, nil if there was none.
	Restore *tables.LoadRow
}

// ErrNoBatch says that there is no batch of a name.
var ErrNoBatch = errors.New("there is no such batch; cordon tables batches lists them")

// ErrBatchMoved says that another import goes on with the same batch.
var ErrBatchMoved = errors.New("another import of this batch is running")

// Store keeps the tables, and the records of imports beside them.
type Store interface {
	tables.Store
	// Batches lists the batches, oldest first.
	Batches(ctx context.Context) ([]Batch, error)
	// BeginBatch records a batch. Where there is one of its name, that is returned as
	// it is, and none is created.
	BeginBatch(ctx context.Context, b Batch) (have Batch, created bool, err error)
	// LoadBatch does a step: it writes the rows, as tables.Store's Load does, and
	// records what it wrote and how far the batch is, in one transaction. It is
	// ErrBatchMoved unless the batch is at step.From.
	LoadBatch(ctx context.Context, shape *tables.Shape, step Step) (written int, err error)
	// EndBatch records that all of the file was read.
	EndBatch(ctx context.Context, name string, at time.Time) error
	// BatchRows lists the latest rows of a batch that come before a number of the
	// file, in falling order.
	BatchRows(ctx context.Context, shape *tables.Shape, name string, before int64, limit int) ([]Brought, error)
	// Revert takes rows back that are as they were brought in, or all of them with
	// force, in one transaction, and forgets those that it dealt with. With mark it
	// sets deleted instead of removing. The result has the order of the rows.
	Revert(ctx context.Context, shape *tables.Shape, name string, rows []Reversal, force, mark bool) ([]Fate, error)
	// ForgetBatch removes the record of a batch and leaves its rows alone; with empty
	// only if the batch has written none.
	ForgetBatch(ctx context.Context, name string, empty bool) error
}
