package tables

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// idValue reads an id from a path; false if no row can have it.
func (t *table) idValue(s *Shape, id string) (odata.Value, bool) {
	if s.Columns[colID].Type == odata.Integer {
		return odata.IntegerID(id)
	}
	return odata.StringOf(id), validID(id)
}

// validID is the rule of the clients for string ids (azure-mobile-apps-client
// 2.0.1, Utilities/Extensions.js isValidId).
func validID(id string) bool {
	if id == "" || id == "." || id == ".." {
		return false
	}
	n := 0
	for _, r := range id {
		n++
		if r < 32 || r >= 127 && r <= 159 || r == 0xfffd || strings.ContainsRune("+\"/?\\`", r) {
			return false
		}
	}
	return n <= 255
}

func (q *request) readOne() error { return q.whenHeld(q.readOneNow) }

func (q *request) readOneNow() error {
	s := q.t.shape.Load()
	row, err := q.find(s, q.wantsDeleted())
	if err != nil {
		return err
	}
	if err := q.room(row); err != nil {
		return err
	}
	if q.v3 {
		if done := q.preconditions(s, row); done {
			return nil
		}
	}
	q.row(http.StatusOK, s, row)
	q.notify(s, nil)
	return nil
}

// find reads the row that the path names, as far as the caller may see it. In
// protocol 3.0 a deleted row is gone rather than not there.
func (q *request) find(s *Shape, deleted bool) ([]odata.Value, error) {
	id, ok := q.t.idValue(s, q.path)
	if !ok {
		return nil, ErrNotFound
	}
	row, err := q.read(s, id, q.scope(s, deleted))
	if errors.Is(err, ErrNotFound) {
		return nil, q.goneOrMissing(s, id, deleted)
	}
	if err == nil && !q.visible(s, row) {
		return nil, ErrNotFound
	}
	return row, err
}

func (q *request) goneOrMissing(s *Shape, id odata.Value, deleted bool) error {
	if !q.v3 || deleted || !s.SoftDelete {
		return ErrNotFound
	}
	row, err := q.read(s, id, q.scope(s, true))
	if err != nil || !q.visible(s, row) {
		return ErrNotFound
	}
	return errGone
}

// preconditions answers a conditional read of protocol 3.0 and reports whether
// it did: 304 when nothing changed, 412 when the row is not the wanted one.
func (q *request) preconditions(s *Shape, row []odata.Value) bool {
	h := q.r.Header
	if match := h.Get("If-Match"); match != "" && !slices.Contains(versions(match), row[colVersion].Num) &&
		match != "*" {
		q.row(http.StatusPreconditionFailed, s, row)
		return true
	}
	if since := h.Get("If-Unmodified-Since"); since != "" && h.Get("If-Match") == "" {
		if after, ok := modifiedAfter(row, since); ok && after {
			q.row(http.StatusPreconditionFailed, s, row)
			return true
		}
	}
	unchanged := false
	if match := h.Get("If-None-Match"); match != "" {
		unchanged = match == "*" || slices.Contains(versions(match), row[colVersion].Num)
	} else if since := h.Get("If-Modified-Since"); since != "" {
		after, ok := modifiedAfter(row, since)
		unchanged = ok && !after
	}
	if unchanged {
		q.w.Header().Set("ETag", `"`+odata.FormatVersion(row[colVersion].Num)+`"`)
		q.w.WriteHeader(http.StatusNotModified)
	}
	return unchanged
}

// versions reads the versions of an If-Match header: quoted, with \" for a
// quote inside, or bare, separated by commas. Text that is no version of ours
// is -1, which no row has.
func versions(header string) []int64 {
	var out []int64
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		part = strings.ReplaceAll(part, `\"`, `"`)
		part = strings.TrimSuffix(strings.TrimPrefix(part, `"`), `"`)
		n, ok := odata.ParseVersion(part)
		if !ok {
			n = -1
		}
		out = append(out, n)
	}
	return out
}

func (q *request) readMany() error {
	s := q.t.shape.Load()
	ask, count, err := q.plan(s)
	if q.t.config.DynamicSchema && isUnknownColumn(err) {
		if s = q.refresh(s); s != q.t.shape.Load() || s != ask.Shape {
			ask, count, err = q.plan(s)
		}
	}
	if q.t.config.DynamicSchema && isUnknownColumn(err) {
		// A column that no row has ever had: nothing matches
		// (azure-mobile-apps 4.0.2, data/mssql/dynamicSchema.js).
		return q.empty(count)
	}
	if err != nil {
		return err
	}
	return q.list(ask, count)
}

func isUnknownColumn(err error) bool {
	var unknown *odata.UnknownColumnError
	return errors.As(err, &unknown)
}

// refreshEvery is how often, in milliseconds, the columns that other processes
// have added are looked for at most.
const refreshEvery = 100

// refresh looks for columns that another process has added.
func (q *request) refresh(s *Shape) *Shape {
	now := q.now.UnixMilli()
	if seen := q.t.seen.Load(); now-seen < refreshEvery || !q.t.seen.CompareAndSwap(seen, now) {
		return q.t.shape.Load()
	}
	fresh, err := q.s.store.Refresh(q.r.Context(), s)
	if err != nil {
		q.s.options.Log.Warn("reading a table's columns", "table", q.t.name, "error", err)
		return s
	}
	q.t.shape.CompareAndSwap(s, fresh)
	return q.t.shape.Load()
}

// page is what a query returns at most and where the next one begins.
type page struct {
	Query
	top int64 // what the client asked for in all, -1 for everything (3.0)
}

// plan reads the query options. wantCount says that the total is asked for.
func (q *request) plan(s *Shape) (ask page, wantCount bool, err error) {
	p := odata.Parser{Column: s.column, V4: q.v3, Now: q.now.UnixMilli(), Limits: q.s.options.Limits}
	ask.Query = Query{Shape: s, Columns: s.All()}
	ask.Where = q.scope(s, q.wantsDeleted())
	if v, ok := q.option("$inlinecount"); ok {
		wantCount = v == "allpages"
	}
	if v, ok := q.option("$count"); ok && q.v3 {
		if v != "true" && v != "false" {
			return ask, false, badRequest("$count must be true or false")
		}
		wantCount = v == "true"
	}
	if err := q.cut(&ask); err != nil {
		return ask, wantCount, err
	}
	if src, ok := q.option("$filter"); ok && strings.TrimSpace(src) != "" {
		filter, err := p.Filter(src)
		if err != nil {
			return ask, wantCount, err
		}
		ask.Where = odata.And(ask.Where, filter)
	}
	if src, ok := q.option("$orderby"); ok && strings.TrimSpace(src) != "" {
		if ask.Order, err = p.Order(src); err != nil {
			return ask, wantCount, err
		}
	}
	if src, ok := q.option("$select"); ok && strings.TrimSpace(src) != "" && strings.TrimSpace(src) != "*" {
		names, err := p.Select(src)
		if err != nil {
			return ask, wantCount, err
		}
		ask.Columns = nil
		for _, n := range names {
			ask.Columns = append(ask.Columns, s.Find(n))
		}
	}
	return ask, wantCount, nil
}

// cut reads $top and $skip.
func (q *request) cut(ask *page) error {
	size, limit := int64(q.t.config.pageSize(q.v3)), int64(q.t.config.maxTop(q.v3))
	ask.Top, ask.top = size, -1
	if v, ok := q.option("$top"); ok {
		n, err := parseCount("$top", v)
		if err != nil {
			return err
		}
		if limit > 0 && n > limit {
			return badRequest(fmt.Sprintf("You cannot request more than %d records", limit))
		}
		ask.Top, ask.top = n, n
		if q.v3 {
			ask.Top = min(n, size) // 3.0 pages through $top; 2.0 returns it at once
		}
	}
	if v, ok := q.option("$skip"); ok {
		n, err := parseCount("$skip", v)
		if err != nil {
			return err
		}
		ask.Skip = n
	}
	return nil
}

// parseCount reads a number from 0 on. One that no table has rows for counts as
// the largest.
func parseCount(name, v string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if errors.Is(err, strconv.ErrRange) && n > 0 {
		err = nil
	}
	if err != nil || n < 0 {
		return 0, badRequest(fmt.Sprintf("%s must be a whole number, 0 or more, as in %s=50", name, name))
	}
	return min(n, math.MaxInt32), nil
}

func (q *request) empty(count bool) error {
	switch {
	case q.v3 && count:
		q.json(http.StatusOK, []byte(`{"items":[],"count":0}`))
	case q.v3:
		q.json(http.StatusOK, []byte(`{"items":[]}`))
	case count:
		q.json(http.StatusOK, []byte(`{"results":[],"count":0}`))
	default:
		q.json(http.StatusOK, []byte(`[]`))
	}
	return nil
}
