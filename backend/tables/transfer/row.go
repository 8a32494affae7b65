package transfer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// The places of the system columns, as tables.Shape has them.
const (
	placeID = iota
	placeCreated
	placeUpdated
	placeVersion
	placeDeleted
)

// target is where the cells of one name go.
type target struct {
	place  int // of a system column or another, -1 if the table has none
	system bool
	omit   bool
	guid   bool
	column tables.ColumnDef
	stats  *Column
}

// reader turns records into rows of a table.
type reader struct {
	table   tables.Table
	shape   *tables.Shape
	options Options
	dialect dialect
	report  *Report
	targets map[string]*target
	// all makes it go on in a row after the first mistake.
	all bool
}

func newReader(t tables.Table, s *tables.Shape, o Options) (*reader, error) {
	r := &reader{table: t, shape: s, options: o, report: &Report{}, targets: map[string]*target{},
		dialect: dialect{csv: o.Format == CSV}}
	if o.Null != nil {
		r.dialect.word, r.dialect.named = *o.Null, true
	}
	for _, name := range o.GUIDs {
		i := s.Find(name)
		if i < 0 && !t.DynamicSchema || i >= 0 && s.Columns[i].Type != odata.String {
			return nil, fmt.Errorf("--guid %s: it must be the id or another column of text", name)
		}
	}
	return r, nil
}

// oldNames are the names of the system columns in Azure Mobile Services, from which
// tables were moved to App Service as they were.
var oldNames = map[string]string{"__createdat": "createdAt", "__updatedat": "updatedAt", "__version": "version",
	"__deleted": "deleted"}

// maxNames is how many columns of a file are reported: the names of JSON may differ
// in every row.
const maxNames = 2000

func (r *reader) target(name string) *target {
	if t := r.targets[name]; t != nil {
		return t
	}
	holds := func(list []string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
	}
	t := &target{place: r.shape.Find(name), omit: holds(r.options.Omit), guid: holds(r.options.GUIDs)}
	meant := name
	if old := oldNames[strings.ToLower(name)]; old != "" && t.place < 0 {
		meant = old
		t.place = r.shape.Find(old)
	}
	t.system = t.place >= 0 && t.place < r.shape.System()
	if strings.EqualFold(meant, "deleted") && !r.shape.SoftDelete {
		t.place, t.system = placeDeleted, true
		t.column = tables.ColumnDef{Name: "deleted", Type: odata.Boolean}
	} else if t.place >= 0 {
		t.column = r.shape.Columns[t.place]
	}
	for _, c := range r.report.Columns {
		if c.Name == name {
			t.stats = c // from before the table got a column
		}
	}
	if t.stats == nil && len(r.report.Columns) >= maxNames {
		return &target{place: -1, omit: t.omit, stats: &Column{Name: clip(name, 128)}} // and it is not kept
	}
	if t.stats == nil {
		t.stats = &Column{Name: name}
		r.report.Columns = append(r.report.Columns, t.stats)
	}
	if t.stats.Into = t.column.Name; t.omit || t.place == placeUpdated || t.place == placeVersion {
		t.stats.Into = ""
	}
	r.targets[name] = t
	return t
}

// reshape says that the table has other columns now.
func (r *reader) reshape(s *tables.Shape) {
	r.shape = s
	clear(r.targets)
}

// fresh are the columns that a dynamic schema makes for the record.
func (r *reader) fresh(rec *record) ([]tables.ColumnDef, error) {
	if !r.table.DynamicSchema {
		return nil, nil
	}
	var out []tables.ColumnDef
	for i, name := range rec.names {
		c := rec.cells[i]
		if t := r.target(name); t.place >= 0 || t.omit || c.kind == null || c.kind == nested ||
			c.text == ownWord && r.dialect.csv || r.dialect.named && c.kind == bare && c.text == r.dialect.word {
			continue
		}
		v := odata.StringOf(c.text)
		switch c.kind {
		case number:
			f, _, err := parseNumber(c.text)
			if err != nil { // before the column is made, which would stay a number
				return nil, fmt.Errorf("column '%s': the value %s cannot be kept: %w", name, quote(c.text), err)
			}
			v = odata.NumberOf(f)
		case boolean:
			v = odata.BooleanOf(false)
		}
		def, err := tables.NewColumn(name, v)
		if err != nil {
			return nil, err
		}
		out = append(out, def)
	}
	if limit := r.table.ColumnLimit(); len(out) > 0 && len(out)+len(r.shape.Columns) > limit {
		return nil, fmt.Errorf("the table would have more than %d columns (max_columns)", limit)
	}
	return out, nil
}

// place is a cell on its way into a row.
type placed struct {
	*target
	cell
	row, line int
}

// row makes a row of a record, which is row n of the file. Keep is false for a
// deleted row that is to be left out.
func (r *reader) row(rec *record, n int) (row tables.LoadRow, keep bool, mistakes []*RowError) {
	fail := func(column string, err error) bool {
		mistakes = append(mistakes, &RowError{n, rec.line, column, err})
		return !r.all
	}
	if rec.bad != nil {
		fail("", rec.bad)
		return row, true, mistakes
	}
	row.Columns = make([]int, 0, len(rec.names))
	row.Values = make([]odata.Value, 0, len(rec.names))
	own := r.own(rec)
	for i, name := range rec.names {
		p := placed{r.target(name), rec.cells[i], n, rec.line}
		if p.omit {
			continue
		}
		if err := r.put(&row, p, own); err != nil {
			p.stats.Refused++
			if fail(name, err) {
				return row, true, mistakes
			}
		}
	}
	if len(mistakes) == 0 {
		if err := r.complete(&row); err != nil {
			fail("", err)
		}
	}
	if row.Deleted {
		r.report.Deleted++
		if r.options.SkipDeleted {
			r.report.LeftOut++
			return row, false, mistakes
		}
	}
	return row, true, mistakes
}

// complete gives the row what it lacks.
func (r *reader) complete(row *tables.LoadRow) error {
	if err := r.shape.Complete(row); err != nil {
		return err
	}
	if row.ID.IsNull() {
		r.report.Made++
		if r.shape.Columns[placeID].Type == odata.String {
			row.ID = odata.StringOf(tables.NewID())
		}
	}
	return nil
}

var errTwice = errors.New("the column is there twice")

// put takes one cell into the row.
func (r *reader) put(row *tables.LoadRow, p placed, own bool) error {
	if p.system && (p.place == placeUpdated || p.place == placeVersion) {
		p.count(Unchanged) // the table's own are made anew
		return nil
	}
	isText := p.place < 0 || p.column.Type == odata.String
	c, change, err := r.dialect.text(p.cell, isText, own)
	p.cell = c
	if err != nil {
		return err
	}
	if p.kind == null || p.place == placeID && p.text == "" {
		p.count(change)
		return r.putNull(row, p)
	}
	if p.guid {
		if p.text, change, err = lowerGUID(p.text); err != nil {
			return fmt.Errorf("The value of '%s': %w: %s", //lint:ignore ST1005 as clients are told
				p.stats.Name, err, quote(p.text))
		}
	}
	if p.place == placeID {
		p.count(change)
		return r.putID(row, p)
	}
	if p.place < 0 {
		return fmt.Errorf(
			"the table has no column '%s': name it in the configuration, or leave it out with --omit %[1]s",
			clip(p.stats.Name, 128),
		)
	}
	v, how, err := value(p.cell, p.column)
	if err != nil {
		return err
	}
	if how != Unchanged {
		change = how
	}
	p.count(change)
	return r.assign(row, p, v)
}

func (p placed) count(change Change) {
	if p.kind == null {
		p.stats.Nulls++
	} else {
		p.stats.Values++
	}
	p.stats.note(change, p.row, p.line)
}

func (r *reader) putNull(row *tables.LoadRow, p placed) error {
	if p.system || p.place < 0 {
		return nil // an id is made, a date is now; nothing makes a column for a null
	}
	return r.assign(row, p, odata.Value{})
}

// assign sets a value, once.
func (r *reader) assign(row *tables.LoadRow, p placed, v odata.Value) error {
	switch {
	case p.system && p.place == placeCreated:
		if !row.CreatedAt.IsNull() {
			return errTwice
		}
		row.CreatedAt = v
		return nil
	case p.system && p.place == placeDeleted:
		row.Deleted = row.Deleted || v.Bool()
		if row.Deleted && !r.shape.SoftDelete && !r.options.SkipDeleted {
			return errors.New(
				"the row is deleted, and the table has no soft_delete: set it, or leave such rows out with " +
					"--skip-deleted",
			)
		}
		return nil
	case slices.Contains(row.Columns, p.place):
		return errTwice
	}
	row.Columns = append(row.Columns, p.place)
	row.Values = append(row.Values, v)
	return nil
}

func (r *reader) putID(row *tables.LoadRow, p placed) error {
	if !row.ID.IsNull() {
		return errTwice
	}
	if p.kind == boolean || p.kind == nested {
		return errID
	}
	if p.column.Type == odata.Integer {
		n, err := strconv.ParseInt(p.text, 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("%w: it must be a number from 1 to 9223372036854775807, not %s", errID, quote(p.text))
		}
		if n > 0 {
			row.ID = odata.IntegerOf(n)
		}
		return nil
	}
	if !tables.ValidID(p.text) {
		return fmt.Errorf("%w: it must have 1 to 255 characters, none of them a control character or one of "+
			"+ \" / ? \\ `, not %s", errID, quote(p.text))
	}
	row.ID = odata.StringOf(p.text)
	return nil
}

var errID = errors.New("The id is not valid") //lint:ignore ST1005 as clients are told

// own reports whether cordon tables export wrote the row: its columns are those of
// a table, and its date and version have the form that no other tool gives both.
func (r *reader) own(rec *record) bool {
	if !r.dialect.csv || len(rec.names) < 4 || rec.names[0] != "id" || rec.names[1] != "createdAt" ||
		rec.names[2] != "updatedAt" || rec.names[3] != "version" {
		return false
	}
	created, version := rec.cells[placeCreated].text, rec.cells[placeVersion].text
	ms, _, err := parseDate(created)
	_, ok := odata.ParseVersion(version)
	return ok && err == nil && odata.DateOf(ms).Plain() == created
}
