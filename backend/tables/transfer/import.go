package transfer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// stepRows is how many rows of a file one transaction takes.
const stepRows = 5000

// Result is what came of an import.
type Result struct {
	// Batch is the name by which it can be taken back, "" if nothing was written.
	Batch string
	// Read is how many rows of the file were read, Before how many of them an earlier,
	// broken import had dealt with.
	Read, Before int
	// Written is how many rows were written now.
	Written int
	// Report says what was changed to fit.
	Report *Report
}

// Import reads rows and writes them to the table, many in one transaction. Ids and
// dates of creation are kept, updatedAt and version are new, so that clients pull
// what was imported. The first row that does not fit ends it, as a *RowError; rows
// of earlier transactions stay, and the same call goes on after them.
func Import(ctx context.Context, store Store, t tables.Table, s *tables.Shape, r io.Reader, o Options) (Result, error) {
	o, err := o.check()
	if err != nil {
		return Result{}, err
	}
	in, err := o.open(r)
	if err != nil {
		return Result{}, err
	}
	rows, err := newReader(t, s, o)
	if err != nil {
		return Result{}, err
	}
	im := &importer{ctx: ctx, store: store, source: in, reader: rows, options: o, hash: o.hash(),
		version: o.Now().UnixMilli() << 21, result: Result{Report: rows.report}}
	if err := im.begin(); err != nil {
		return im.result, err
	}
	err = im.resume()
	for err == nil {
		err = im.one()
	}
	if errors.Is(err, io.EOF) {
		err = im.end()
	} else {
		err = errors.Join(err, im.broken())
	}
	o.Progress(im.result.Read)
	return im.result, err
}

type importer struct {
	ctx     context.Context
	store   Store
	source  source
	reader  *reader
	options Options
	hash    hash.Hash
	version int64
	batch   Batch
	created bool // the batch, by this import
	step    Step
	lines   []int // of the step's rows
	record  record
	result  Result
}

// begin finds the batch: a new one, or the one that an earlier import of this file
// has left unfinished.
func (im *importer) begin() error {
	name := im.options.Batch
	if name == "" {
		name = batchName(im.options.File)
	}
	if err := checkName(name); err != nil {
		return err
	}
	wanted := Batch{Table: im.reader.shape.Table, File: im.options.File, Began: im.options.Now()}
	for i := 1; ; i++ {
		wanted.Name = name
		if i > 1 {
			wanted.Name = fmt.Sprintf("%s.%d", name, i)
		}
		have, created, err := im.store.BeginBatch(im.ctx, wanted)
		if err != nil {
			return err
		}
		switch {
		case have.Ended.IsZero() && have.Table == wanted.Table:
			im.batch, im.created = have, created
			im.result.Batch = have.Name
			return nil
		case im.options.Batch != "" && have.Table != wanted.Table:
			return fmt.Errorf("the batch %s is of the table %s: choose another name", name, have.Table)
		case im.options.Batch != "":
			return fmt.Errorf("the batch %s is complete: choose another name, or take it back with "+
				"cordon tables undo %[1]s", name)
		}
	}
}

// batchName makes a batch's name of a file's.
func batchName(file string) string {
	name := strings.Map(func(r rune) rune {
		if r < '!' || r > '~' {
			return '-'
		}
		return r
	}, filepath.Base(file))
	if file == "" || file == "-" || strings.Trim(name, "-.") == "" {
		name = "import"
	}
	return strings.TrimLeft(clipped(name, 60), "-")
}

func clipped(s string, size int) string { return s[:min(len(s), size)] }

func checkName(name string) error {
	ok := name != "" && len(name) <= 64 && utf8.ValidString(name) && name[0] != '-' &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < '!' || r == 0x7f })
	if !ok {
		return fmt.Errorf("the batch %q must have a name of 1 to 64 bytes without blanks, not beginning with -", name)
	}
	return nil
}

// resume reads over the rows that an earlier import has dealt with. They must be
// the same.
func (im *importer) resume() error {
	for int64(im.result.Read) < im.batch.Read {
		err := im.source.next(&im.record)
		if errors.Is(err, io.EOF) {
			return im.another()
		}
		if err != nil {
			return im.at(err)
		}
		im.result.Read++
		im.record.digest(im.hash)
	}
	im.result.Before = im.result.Read
	im.reader.report.Rows = im.result.Read
	im.step = Step{From: im.batch.Read, Through: im.batch.Read}
	if im.batch.Read > 0 && im.digest() != im.batch.Digest {
		return im.another()
	}
	return nil
}

func (im *importer) another() error {
	return fmt.Errorf("the batch %s has read %d rows of another file, or with other options: take it back with "+
		"cordon tables undo %[1]s, or name another batch with --batch", im.batch.Name, im.batch.Read)
}

func (im *importer) digest() string { return hex.EncodeToString(im.hash.Sum(nil)) }

// at adds to an error of the file at which row it is.
func (im *importer) at(err error) error {
	return atRow(err, im.result.Read+1, &im.record)
}

// atRow says at which row of a file an error is, and in which column where the row
// has begun.
func atRow(err error, n int, rec *record) error {
	column := ""
	var wrong *EncodingError
	if i := len(rec.cells); errors.As(err, &wrong) && i > 0 && i < len(rec.names) {
		column = rec.names[i]
	}
	return &RowError{n, rec.line, column, err}
}

// one reads one row and writes what waits when it is enough.
func (im *importer) one() error {
	if err := im.ctx.Err(); err != nil {
		return err
	}
	if err := im.source.next(&im.record); err != nil {
		if errors.Is(err, io.EOF) {
			return err
		}
		return im.at(err)
	}
	im.result.Read++
	n := im.result.Read
	im.reader.report.Rows = n
	if err := im.extend(n); err != nil {
		return err
	}
	row, keep, mistakes := im.reader.row(&im.record, n)
	if len(mistakes) > 0 {
		im.reader.report.Refused++
		im.reader.report.Mistakes = mistakes
		return mistakes[0]
	}
	im.record.digest(im.hash)
	im.step.Through = int64(n)
	if keep {
		im.version++
		row.Version = im.version
		im.step.Rows = append(im.step.Rows, row)
		im.step.Numbers = append(im.step.Numbers, int64(n))
		im.lines = append(im.lines, im.record.line)
	}
	if len(im.step.Rows) >= stepRows {
		return im.flush()
	}
	return nil
}

// extend adds the columns that a dynamic schema needs. Rows that wait belong to the
// old shape.
func (im *importer) extend(n int) error {
	fresh, err := im.reader.fresh(&im.record)
	if err != nil {
		return &RowError{n, im.record.line, "", err}
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := im.flush(); err != nil {
		return err
	}
	shape, err := im.store.Extend(im.ctx, im.reader.shape, fresh)
	if err == nil {
		im.reader.reshape(shape)
	}
	return err
}

func (im *importer) flush() error {
	if im.step.Through == im.step.From {
		return nil
	}
	step := im.step
	step.Batch, step.Digest, step.Replace = im.batch.Name, im.digest(), im.options.Replace
	written, err := im.store.LoadBatch(im.ctx, im.reader.shape, step)
	if err != nil {
		return im.find(step, err)
	}
	im.result.Written += written
	im.step = Step{From: step.Through, Through: step.Through, Rows: im.step.Rows[:0], Numbers: im.step.Numbers[:0]}
	im.lines = im.lines[:0]
	im.options.Progress(int(step.Through))
	return nil
}

// find says which row of a step the store does not take: for a value that must be
// unique it says so only of the whole.
func (im *importer) find(step Step, err error) error {
	var taken *tables.DuplicateError
	if !errors.As(err, &taken) {
		return fmt.Errorf("writing up to row %d: %w", step.Through, err)
	}
	for i, row := range step.Rows {
		for j, place := range row.Columns {
			column := im.reader.shape.Columns[place]
			if !column.Unique || row.Values[j].IsNull() {
				continue
			}
			if im.taken(step.Rows[:i], row, place, row.Values[j]) {
				return &RowError{int(step.Numbers[i]), im.lines[i], column.Name, err}
			}
		}
	}
	return fmt.Errorf("writing up to row %d: %w", step.Through, err)
}

// taken reports whether another row, of the table or of those before in the file,
// has a value that must be unique.
func (im *importer) taken(before []tables.LoadRow, row tables.LoadRow, place int, v odata.Value) bool {
	if slices.ContainsFunc(before, func(other tables.LoadRow) bool {
		k := slices.Index(other.Columns, place)
		return k >= 0 && other.Values[k] == v && other.ID != row.ID
	}) {
		return true
	}
	column := im.reader.shape.Columns[place]
	where := odata.Expr(odata.Compare{Op: odata.Eq, L: odata.Column{Name: column.Name, Of: column.Type},
		R: odata.Literal{Value: v}})
	if !row.ID.IsNull() {
		where = odata.Logic{Terms: []odata.Expr{where, odata.Compare{Op: odata.Ne,
			L: odata.Column{Name: "id", Of: row.ID.Type}, R: odata.Literal{Value: row.ID}}}}
	}
	n, err := im.store.Count(im.ctx, tables.Query{Shape: im.reader.shape, Where: where})
	return err == nil && n > 0
}

// end writes the rest. A batch that wrote nothing is not kept.
func (im *importer) end() error {
	err := im.flush()
	if err != nil {
		return errors.Join(err, im.broken())
	}
	if im.batch.Written+int64(im.result.Written) == 0 {
		im.result.Batch = ""
		return im.store.ForgetBatch(im.ctx, im.batch.Name, true)
	}
	return im.store.EndBatch(im.ctx, im.batch.Name, im.options.Now())
}

// broken forgets a batch that has not got anywhere.
func (im *importer) broken() error {
	if !im.created || im.step.From > 0 {
		return nil
	}
	im.result.Batch = ""
	return im.store.ForgetBatch(context.WithoutCancel(im.ctx), im.batch.Name, true)
}
