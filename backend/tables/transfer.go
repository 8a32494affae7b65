package tables

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Format is how rows are written in a file.
type Format string

// The formats: one JSON array, one JSON object a line, or CSV with a header. In
// CSV a null is an empty cell, in a text column \N; a text that begins with a
// backslash gets another one before it.
const (
	JSON  Format = "json"
	JSONL Format = "jsonl"
	CSV   Format = "csv"
)

// Open brings one table of the configuration into the store and returns its
// shape, for tools that work on rows without serving them.
func (c Config) Open(ctx context.Context, store Store, name string) (*Shape, Table, error) {
	for configured, t := range c {
		if !strings.EqualFold(configured, name) {
			continue
		}
		d, err := t.definition(configured)
		if err != nil {
			return nil, t, err
		}
		shape, _, err := store.Define(ctx, d)
		return shape, t, err
	}
	return nil, Table{}, fmt.Errorf("there is no table %s in the configuration", name)
}

// Export writes all rows of a table, deleted ones too, in the order of their
// ids. After every thousand rows, and at the end, it calls progress with their
// number.
func Export(ctx context.Context, store Store, s *Shape, f Format, w io.Writer, progress func(rows int)) error {
	out := bufio.NewWriterSize(w, 1<<16)
	rows := 0
	each, finish, err := exporter(s, f, out)
	if err != nil {
		return err
	}
	err = store.Query(ctx, Query{Shape: s, Columns: s.All(), Order: []odata.Order{{By: s.expr(colID)}}, Top: -1},
		func(row []odata.Value) error {
			rows++
			if rows%1000 == 0 && progress != nil {
				progress(rows)
			}
			return each(rows, row)
		})
	if err == nil {
		err = finish(rows)
	}
	if err == nil {
		err = out.Flush()
	}
	if progress != nil {
		progress(rows)
	}
	return err
}

func exporter(s *Shape, f Format, out *bufio.Writer) (each func(int, []odata.Value) error, finish func(int) error,
	err error) {
	var buf []byte
	switch f {
	case JSON:
		each = func(n int, row []odata.Value) error {
			buf = append(buf[:0], ",\n"...)
			if n == 1 {
				buf = append(buf[:0], "[\n"...)
			}
			buf = s.AppendRow(buf, s.All(), row)
			_, err := out.Write(buf)
			return err
		}
		finish = func(n int) error {
			end := "\n]\n"
			if n == 0 {
				end = "[]\n"
			}
			_, err := out.WriteString(end)
			return err
		}
	case JSONL:
		each = func(_ int, row []odata.Value) error {
			buf = append(s.AppendRow(buf[:0], s.All(), row), '\n')
			_, err := out.Write(buf)
			return err
		}
		finish = func(int) error { return nil }
	case CSV:
		return csvExporter(s, out)
	default:
		return nil, nil, fmt.Errorf("the format %q must be json, jsonl or csv", f)
	}
	return each, finish, nil
}

func csvExporter(s *Shape, out io.Writer) (func(int, []odata.Value) error, func(int) error, error) {
	w := csv.NewWriter(out)
	record := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		record[i] = c.Name
	}
	if err := w.Write(record); err != nil {
		return nil, nil, err
	}
	each := func(_ int, row []odata.Value) error {
		for i, v := range row {
			record[i] = v.Plain()
			switch {
			case s.Columns[i].Type == odata.String && v.IsNull():
				record[i] = `\N`
			case strings.HasPrefix(record[i], `\`):
				record[i] = `\` + record[i]
			}
		}
		return w.Write(record)
	}
	finish := func(int) error {
		w.Flush()
		return w.Error()
	}
	return each, finish, nil
}

// ImportOptions say how rows are taken in.
type ImportOptions struct {
	// Replace overwrites rows whose id is there already; otherwise those are
	// left as they are.
	Replace bool
	// Now is the clock for versions, default time.Now.
	Now func() time.Time
	// Progress is called with the number of rows read so far, now and then.
	Progress func(read int)
}

// importBatch is how many rows one transaction takes.
const importBatch = 500

// Import reads rows and writes them to the table, many in one transaction. Ids
// and dates of creation are kept, updatedAt and version are new, so that
// clients pull what was imported. It returns how many rows were read and
// written; the first row that does not fit ends it, with its number in the
// error, and rows of earlier batches stay.
func Import(ctx context.Context, store Store, t Table, s *Shape, f Format, r io.Reader,
	o ImportOptions) (read, written int, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	im := importer{ctx: ctx, store: store, table: t, shape: s, options: o, version: o.Now().UnixMilli() << 21}
	switch f {
	case JSON, JSONL:
		err = im.json(r, f == JSON)
	case CSV:
		err = im.csv(r)
	default:
		err = fmt.Errorf("the format %q must be json, jsonl or csv", f)
	}
	if err == nil {
		err = im.flush()
	}
	if o.Progress != nil {
		o.Progress(im.read)
	}
	return im.read, im.written, err
}

type importer struct {
	ctx           context.Context
	store         Store
	table         Table
	shape         *Shape
	options       ImportOptions
	version       int64
	read, written int
	batch         []LoadRow
	dry           bool // only look whether rows fit
}

func (im *importer) json(r io.Reader, array bool) error {
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	if array {
		if token, err := d.Token(); err != nil || token != json.Delim('[') {
			return errors.New("the file is not a JSON array")
		}
	}
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("row %d: %w", im.read+1, err)
		}
		props, err := parseObject(raw)
		if err != nil {
			return fmt.Errorf("row %d: %w", im.read+1, err)
		}
		if err := im.add(props); err != nil {
			return err
		}
	}
	if array {
		if _, err := d.Token(); err != nil {
			return fmt.Errorf("after row %d: %w", im.read, err)
		}
	}
	return nil
}

func (im *importer) csv(r io.Reader) error {
	c := csv.NewReader(r)
	c.ReuseRecord = true
	first, err := c.Read()
	if err != nil {
		return fmt.Errorf("reading the header: %w", err)
	}
	header := make([]string, len(first))
	copy(header, first)
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	for {
		record, err := c.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", im.read+1, err)
		}
		props := make([]property, 0, len(record))
		for i, cell := range record {
			v, err := im.cell(header[i], cell)
			if err != nil {
				return fmt.Errorf("row %d: %w", im.read+1, err)
			}
			props = append(props, property{name: header[i], value: v})
		}
		if err := im.add(props); err != nil {
			return err
		}
	}
}

// cell reads a cell of CSV by the type of its column.
func (im *importer) cell(column, cell string) (odata.Value, error) {
	i := im.shape.Find(column)
	isText := i < 0 || im.shape.Columns[i].Type == odata.String
	switch {
	case cell == `\N`, cell == "" && !isText:
		return odata.Value{}, nil
	case strings.HasPrefix(cell, `\\`):
		return odata.StringOf(cell[1:]), nil
	case i >= 0 && im.shape.Columns[i].Type == odata.Boolean:
		b, err := strconv.ParseBool(strings.ToLower(cell))
		if err != nil {
			return odata.Value{}, fmt.Errorf("column %s: %q is not a boolean", column, cell)
		}
		return odata.BooleanOf(b), nil
	}
	return odata.StringOf(cell), nil
}

// add turns one row's properties into values and writes a batch when it is
// full.
func (im *importer) add(props []property) error {
	im.read++
	im.version++
	row := LoadRow{Version: im.version}
	if err := im.extend(props); err != nil {
		return fmt.Errorf("row %d: %w", im.read, err)
	}
	out := set{}
	for _, p := range props {
		if err := im.assign(&row, &out, p); err != nil {
			return fmt.Errorf("row %d: %w", im.read, err)
		}
	}
	if err := complete(im.shape, &out, true); err != nil {
		return fmt.Errorf("row %d: %w", im.read, err)
	}
	if row.ID.IsNull() && im.shape.Columns[colID].Type == odata.String {
		row.ID = odata.StringOf(guid())
	}
	row.Columns, row.Values = out.columns, out.values
	im.batch = append(im.batch, row)
	if len(im.batch) >= importBatch {
		return im.flush()
	}
	return nil
}

func (im *importer) extend(props []property) error {
	if !im.table.DynamicSchema {
		return nil
	}
	var fresh []ColumnDef
	for _, p := range props {
		if im.shape.Find(p.name) >= 0 || p.value.IsNull() && !p.nested || reserved(p.name) {
			continue
		}
		c, err := newColumn(p)
		if err != nil {
			return err
		}
		fresh = append(fresh, c)
	}
	if len(fresh) == 0 || im.dry {
		return nil
	}
	// Rows that wait belong to the old shape.
	if err := im.flush(); err != nil {
		return err
	}
	shape, err := im.store.Extend(im.ctx, im.shape, fresh)
	if err == nil {
		im.shape = shape
	}
	return err
}

func (im *importer) assign(row *LoadRow, out *set, p property) error {
	switch {
	case strings.EqualFold(p.name, "id"):
		q := request{}
		id, err := q.bodyID(im.shape, p)
		row.ID = id
		return err
	case strings.EqualFold(p.name, "version"), strings.EqualFold(p.name, "updatedAt"):
		return nil
	case strings.EqualFold(p.name, "createdAt"):
		if p.value.IsNull() {
			return nil
		}
		ms, ok := odata.ParseDate(p.value.Plain())
		if !ok {
			return errors.New("createdAt is not a date")
		}
		row.CreatedAt = ms
		return nil
	case strings.EqualFold(p.name, "deleted"):
		row.Deleted = p.value.Bool() || strings.EqualFold(p.value.Plain(), "true")
		return nil
	}
	i := im.shape.Find(p.name)
	if i < 0 {
		if p.value.IsNull() && !p.nested || im.dry && im.table.DynamicSchema {
			return nil
		}
		return fmt.Errorf("the table has no column '%.128s'", p.name)
	}
	v, err := columnValue(p, im.shape.Columns[i])
	if err != nil {
		return err
	}
	out.put(i, v)
	return nil
}

func (im *importer) flush() error {
	if len(im.batch) == 0 || im.dry {
		im.batch = im.batch[:0]
		return nil
	}
	n, err := im.store.Load(im.ctx, im.shape, im.batch, im.options.Replace)
	if err != nil {
		return fmt.Errorf("writing up to row %d: %w", im.read, err)
	}
	im.written += n
	im.batch = im.batch[:0]
	if im.options.Progress != nil {
		im.options.Progress(im.read)
	}
	return nil
}

// checkSeed reads the seed's file and looks whether its rows fit.
func (s *Service) checkSeed(name string, t Table, d Definition) ([]byte, error) {
	data, err := s.options.ReadFile(t.Seed)
	if err != nil {
		return nil, &ConfigError{name, "seed", err.Error()}
	}
	shape, err := NewShape(d.Name, d.Columns, d.SoftDelete)
	if err != nil {
		return nil, &ConfigError{name, "columns", err.Error()}
	}
	im := importer{table: t, shape: shape, dry: true}
	if err := im.json(bytes.NewReader(data), true); err != nil {
		return nil, &ConfigError{name, "seed", err.Error()}
	}
	return data, nil
}

// seed loads the configured rows into a table that is new.
func (s *Service) seed(ctx context.Context, t *table, rows []byte) error {
	im := importer{ctx: ctx, store: s.store, table: t.config, shape: t.shape.Load(),
		options: ImportOptions{Now: s.options.Now}, version: s.options.Now().UnixMilli() << 21}
	err := im.json(bytes.NewReader(rows), true)
	if err == nil {
		err = im.flush()
	}
	if err != nil {
		return &ConfigError{t.name, "seed", err.Error()}
	}
	t.shape.Store(im.shape)
	return nil
}
