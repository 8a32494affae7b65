package tables

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// set are the columns that a write sets, at most once each.
type set struct {
	columns []int
	values  []odata.Value
}

func (s *set) put(column int, v odata.Value) {
	for i, c := range s.columns {
		if c == column {
			s.values[i] = v
			return
		}
	}
	s.columns = append(s.columns, column)
	s.values = append(s.values, v)
}

// assign finds the columns of an item's properties. Where the schema is
// dynamic, properties that the table does not know become columns: the shape that
// is returned has them, and the table gets them once it is known that the write is
// allowed.
func (q *request) assign(s *Shape, it item, insert bool) (*Shape, set, error) {
	s, err := q.extend(s, it)
	if err != nil {
		return s, set{}, err
	}
	out := set{columns: make([]int, 0, len(it.props)+2), values: make([]odata.Value, 0, len(it.props)+2)}
	for _, p := range it.props {
		i := s.Find(p.name)
		switch {
		case i < 0 && q.t.config.DynamicSchema && p.value.IsNull() && !p.nested:
			continue // nothing creates a column for a null
		case i >= 0 && i < s.System(), i < 0 && q.v3 && reserved(p.name):
			continue // system properties of a 3.0 body are the server's
		case i < 0:
			return s, out, badRequest(fmt.Sprintf("The table has no column '%.128s'", p.name))
		}
		v, err := columnValue(p, s.Columns[i])
		if err != nil {
			return s, out, err
		}
		out.put(i, v)
	}
	if q.t.config.PerUser {
		if i := s.Find(q.t.config.userColumn()); i >= 0 {
			out.put(i, odata.StringOf(q.who.User.ID))
		}
	}
	q.said = len(out.columns)
	return s, out, complete(s, &out, insert)
}

// complete adds defaults to a new row and looks for required values.
func complete(s *Shape, out *set, insert bool) error {
	for i := s.System(); i < len(s.Columns); i++ {
		c := s.Columns[i]
		if !c.Required && (c.Default.IsNull() || !insert) {
			continue
		}
		given, null := false, false
		for j, k := range out.columns {
			if k == i {
				given, null = true, out.values[j].IsNull()
			}
		}
		if insert && !given && !c.Default.IsNull() {
			out.put(i, c.Default)
			continue
		}
		if c.Required && (null || insert && !given) {
			return badRequest(fmt.Sprintf("The column '%s' needs a value", c.Name))
		}
	}
	return nil
}

// extend is the shape with the columns that a dynamic schema needs for the item.
func (q *request) extend(s *Shape, it item) (*Shape, error) {
	if !q.t.config.DynamicSchema {
		return s, nil
	}
	limit := q.t.config.MaxColumns
	if limit == 0 {
		limit = 250
	}
	q.stored, q.fresh = s, nil
	var fresh []ColumnDef
	for _, p := range it.props {
		if len(s.Columns)+len(fresh) > limit {
			return s, badRequest(fmt.Sprintf("The table would have more than %d columns", limit))
		}
		if s.Find(p.name) >= 0 || p.value.IsNull() && !p.nested || q.v3 && reserved(p.name) {
			continue
		}
		c, err := newColumn(p)
		if err != nil {
			return s, err
		}
		known := false
		for _, f := range fresh {
			known = known || strings.EqualFold(f.Name, c.Name)
		}
		if !known {
			fresh = append(fresh, c)
		}
	}
	if len(fresh) == 0 {
		return s, nil
	}
	if len(s.Columns)+len(fresh) > limit {
		return s, badRequest(fmt.Sprintf("The table would have more than %d columns", limit))
	}
	planned, err := NewShape(s.Table, slices.Concat(s.Columns, fresh), s.SoftDelete)
	if err != nil {
		return s, badRequest("The names of the columns cannot be told apart")
	}
	q.fresh = fresh
	return planned, nil
}

func (q *request) insert() error {
	it, err := q.readItem(q.t.shape.Load())
	if err != nil {
		return err
	}
	return q.onShape(func(s *Shape) error {
		s, set, err := q.assign(s, it, true)
		if err != nil {
			return err
		}
		w := Write{Op: OpInsert, Shape: s, ID: it.id, Columns: set.columns, Values: set.values,
			Version: q.s.newVersion(q.now), Guard: q.guard(s)}
		if !it.hasID && s.Columns[colID].Type == odata.String {
			w.ID = odata.StringOf(guid())
		}
		return q.whenHeld(func() error {
			if err := q.room(set.values); err != nil {
				return err
			}
			return q.insertNow(w, it)
		})
	})
}

func (q *request) insertNow(w Write, it item) error {
	done := sync.OnceFunc(q.order(w.ID)) // before the answer, which the client may not read
	defer done()
	row, err := q.carryOut(&w)
	s := w.Shape
	var duplicate *DuplicateError
	if errors.As(err, &duplicate) {
		done()
		return q.duplicate(w, it, duplicate)
	}
	if err != nil {
		return err
	}
	if q.v3 {
		q.w.Header().Set("Location",
			strings.TrimSuffix(q.r.URL.EscapedPath(), "/")+"/"+url.PathEscape(row[colID].Plain()))
	}
	q.notify(s, row)
	done()
	q.in.letGo()
	q.answer(http.StatusCreated, s, row, w.Columns)
	return nil
}

// duplicate answers 409: in 2.0 with the item of the request (azure-mobile-apps
// 4.0.2, handleError.js), in 3.0 with the stored row if the caller may see it.
func (q *request) duplicate(w Write, it item, d *DuplicateError) error {
	if d.Column != "" && d.Column != "id" {
		return d
	}
	if !q.v3 {
		q.json(http.StatusConflict, it.body)
		return nil
	}
	row, err := q.read(w.Shape, w.ID, q.scope(w.Shape, true))
	if err != nil || !q.visible(w.Shape, row) {
		return d
	}
	if err := q.room(row); err != nil {
		return err
	}
	q.row(http.StatusConflict, w.Shape, row)
	return nil
}

// target is the row that a write is about.
func (q *request) target(s *Shape, it item) (odata.Value, error) {
	if !q.hasID {
		if !it.hasID {
			return odata.Value{}, badRequest("The item has no id")
		}
		q.path = it.id.Plain()
		return it.id, nil
	}
	if it.hasID && it.id.Plain() != q.path {
		return odata.Value{}, badRequest("The item ID and querystring ID did not match")
	}
	id, ok := q.t.idValue(s, q.path)
	if !ok {
		return id, ErrNotFound
	}
	return id, nil
}

// match is the version that the row must have: that of If-Match, else that of
// the body; nil for any.
func (q *request) match(body string) []int64 {
	header := q.r.Header.Get("If-Match")
	switch {
	case header == "*":
		return nil
	case header != "":
		return versions(header)
	case body == "" || q.v3:
		return nil
	}
	if n, ok := odata.ParseVersion(body); ok {
		return []int64{n}
	}
	return []int64{-1}
}

func (q *request) update() error {
	if q.v3 {
		return q.patch()
	}
	s := q.t.shape.Load()
	it, err := q.readItem(s)
	if err != nil {
		return err
	}
	id, err := q.target(s, it)
	if err != nil {
		return err
	}
	return q.onShape(func(s *Shape) error {
		s, set, err := q.assign(s, it, false)
		if err != nil {
			return err
		}
		return q.change(Write{Op: OpMerge, Shape: s, ID: id, Columns: set.columns, Values: set.values,
			Match: q.match(it.version), Where: q.scope(s, false)}, http.StatusOK)
	})
}

// change does a write to a row that is there and answers with the row.
func (q *request) change(w Write, status int) error {
	w.Version = q.s.newVersion(q.now)
	checks := []guard{q.guard(w.Shape), w.Guard}
	if status != http.StatusNoContent {
		checks = append(checks, q.roomFor)
	}
	w.Guard = all(checks)
	return q.whenHeld(func() error { return q.changeNow(w, status) })
}

// guard is a check inside a write.
type guard = func(before, after []odata.Value) error

// all is a guard that asks several, one after the other.
func all(guards []guard) guard {
	return func(before, after []odata.Value) error {
		for _, g := range guards {
			if g == nil {
				continue
			}
			if err := g(before, after); err != nil {
				return err
			}
		}
		return nil
	}
}

// roomFor makes sure, before a row is changed, that the answer can be held.
func (q *request) roomFor(before, after []odata.Value) error {
	if after == nil {
		after = before
	}
	return q.room(after)
}

func (q *request) changeNow(w Write, status int) error {
	done := sync.OnceFunc(q.order(w.ID)) // before the answer, which the client may not read
	defer done()
	row, err := q.carryOut(&w)
	if err == nil {
		q.notify(w.Shape, row)
	}
	done()
	var c *ConflictError
	switch {
	case errors.As(err, &c):
		row, c.Row = c.Row, nil
		return q.conflict(w, row)
	case errors.Is(err, ErrNotFound):
		return q.goneOrMissing(w.Shape, w.ID, false)
	case err != nil:
		return err
	}
	q.in.letGo() // the answer's room has what is left of the body in it
	if status == http.StatusNoContent {
		q.w.WriteHeader(status)
	} else {
		q.answer(status, w.Shape, row, w.Columns)
	}
	return nil
}

func (q *request) undelete() error {
	s := q.t.shape.Load()
	id, ok := q.t.idValue(s, q.path)
	if !ok {
		return ErrNotFound
	}
	return q.change(Write{Op: OpUndelete, Shape: s, ID: id, Match: q.match(""), Where: q.scope(s, true)},
		http.StatusCreated)
}

func (q *request) remove() error {
	s := q.t.shape.Load()
	id, ok := q.t.idValue(s, q.path)
	if !ok {
		return ErrNotFound
	}
	w := Write{Op: OpRemove, Shape: s, ID: id, Match: q.match(""), Where: q.scope(s, false)}
	if s.SoftDelete {
		w.Op = OpMark
	}
	status := http.StatusOK
	if q.v3 {
		status = http.StatusNoContent
		w.Guard = q.conditional()
	}
	return q.change(w, status)
}
