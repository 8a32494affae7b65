package tables

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// seedRows is how many rows of a seed one transaction takes.
const seedRows = 500

// seeder takes the rows of a seed in.
type seeder struct {
	ctx     context.Context
	store   Store
	table   Table
	shape   *Shape
	version int64
	read    int
	waiting []LoadRow
	dry     bool // only look whether rows fit
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
	in := seeder{table: t, shape: shape, dry: true}
	if err := in.all(data); err != nil {
		return nil, &ConfigError{name, "seed", err.Error()}
	}
	return data, nil
}

// seed loads the configured rows into a table that is new.
func (s *Service) seed(ctx context.Context, t *table, rows []byte) error {
	in := seeder{ctx: ctx, store: s.store, table: t.config, shape: t.shape.Load(),
		version: s.options.Now().UnixMilli() << 21}
	if err := in.all(rows); err != nil {
		return &ConfigError{t.name, "seed", err.Error()}
	}
	t.shape.Store(in.shape)
	return nil
}

func (in *seeder) all(data []byte) error {
	err := parseArray(data, func(props []property) error {
		in.read++
		if err := in.add(props); err != nil {
			return fmt.Errorf("row %d: %w", in.read, err)
		}
		return nil
	})
	if err == nil {
		err = in.flush()
	}
	return err
}

// add turns one row's properties into values and writes the rows when there are
// enough of them.
func (in *seeder) add(props []property) error {
	in.version++
	row := LoadRow{Version: in.version}
	if err := in.extend(props); err != nil {
		return err
	}
	out := set{}
	for _, p := range props {
		if err := in.assign(&row, &out, p); err != nil {
			return err
		}
	}
	row.Columns, row.Values = out.columns, out.values
	if err := in.shape.Complete(&row); err != nil {
		return err
	}
	if row.ID.IsNull() && in.shape.Columns[colID].Type == odata.String {
		row.ID = odata.StringOf(guid())
	}
	in.waiting = append(in.waiting, row)
	if len(in.waiting) >= seedRows {
		return in.flush()
	}
	return nil
}

func (in *seeder) extend(props []property) error {
	if !in.table.DynamicSchema {
		return nil
	}
	var fresh []ColumnDef
	for _, p := range props {
		if in.shape.Find(p.name) >= 0 || p.value.IsNull() && !p.nested || reserved(p.name) {
			continue
		}
		c, err := newColumn(p)
		if err != nil {
			return err
		}
		fresh = append(fresh, c)
	}
	if len(fresh) == 0 || in.dry {
		return nil
	}
	// Rows that wait belong to the old shape.
	if err := in.flush(); err != nil {
		return err
	}
	shape, err := in.store.Extend(in.ctx, in.shape, fresh)
	if err == nil {
		in.shape = shape
	}
	return err
}

func (in *seeder) assign(row *LoadRow, out *set, p property) error {
	switch {
	case strings.EqualFold(p.name, "id"):
		q := request{}
		id, err := q.bodyID(in.shape, p)
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
		row.CreatedAt = odata.DateOf(ms)
		return nil
	case strings.EqualFold(p.name, "deleted"):
		return in.deleted(row, p)
	}
	i := in.shape.Find(p.name)
	if i < 0 {
		if p.value.IsNull() && !p.nested || in.dry && in.table.DynamicSchema {
			return nil
		}
		return fmt.Errorf("the table has no column '%.128s'", p.name)
	}
	v, err := columnValue(p, in.shape.Columns[i])
	if err != nil {
		return err
	}
	out.put(i, v)
	return nil
}

// deleted reads the mark of a deleted row. One that cannot be kept, or read, is an
// error: the row would come alive.
func (in *seeder) deleted(row *LoadRow, p property) error {
	v, err := columnValue(p, ColumnDef{Name: "deleted", Type: odata.Boolean})
	if err != nil {
		return err
	}
	if row.Deleted = v.Bool(); row.Deleted && !in.shape.SoftDelete {
		return errors.New("the row is deleted, and the table has no soft_delete")
	}
	return nil
}

func (in *seeder) flush() error {
	if len(in.waiting) == 0 || in.dry {
		in.waiting = in.waiting[:0]
		return nil
	}
	_, err := in.store.Load(in.ctx, in.shape, in.waiting, false)
	in.waiting = in.waiting[:0]
	if err != nil {
		return fmt.Errorf("writing up to row %d: %w", in.read, err)
	}
	return nil
}
