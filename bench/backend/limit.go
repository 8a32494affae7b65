package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cordon-sec/cordon/backend/store/postgres"
	"github.com/cordon-sec/cordon/backend/store/sqlite"
	"github.com/cordon-sec/cordon/backend/tables"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// The limit is what one could write by hand for this one table, if nothing but
// these three requests counted: no sign-in, no CORS, no rules, one filter, the
// headers that are needed and no other. It stands on net/http and on the drivers
// that Cordon has, on a table that Cordon has made.

// limitRow is a row of the table. Times are milliseconds.
type limitRow struct {
	id               string
	created, version int64 // updatedAt is createdAt: nothing changes a row
	complete         bool
	due              int64
	qty              float64
	text             string
}

// limitStore keeps rows. Rows are appended as JSON.
type limitStore interface {
	read(ctx context.Context, id string, b []byte) ([]byte, error)
	query(ctx context.Context, qty float64, top int64, b []byte) ([]byte, error)
	// insert sets created and returns when the row is durable.
	insert(ctx context.Context, r *limitRow) error
}

var errNoRow = errors.New("there is no such row")

// limitTable is the name of its table.
const limitTable = "minimal"

// limit opens the handler.
func limit(database, durability string) (http.Handler, error) {
	uuid.EnableRandPool()
	ctx := context.Background()
	define := tables.Definition{Name: limitTable, Indexes: [][]string{{"qty"}}, Columns: []tables.ColumnDef{
		{Name: "id", Type: odata.String}, {Name: "createdAt", Type: odata.Date}, {Name: "updatedAt", Type: odata.Date},
		{Name: "version", Type: odata.Version}, {Name: "complete", Type: odata.Boolean}, {Name: "due", Type: odata.Date},
		{Name: "qty", Type: odata.Number}, {Name: "text", Type: odata.String}}}
	path, isFile := strings.CutPrefix(database, "sqlite:")
	var made interface {
		tables.Store
		Close() error
	}
	var err error
	if isFile {
		made, err = sqlite.Open(ctx, sqlite.Options{Path: path})
	} else if err = forget(database, limitTable); err == nil {
		made, err = postgres.Open(ctx, postgres.Options{URL: database})
	}
	if err != nil {
		return nil, err
	}
	_, err = tables.Define(ctx, made, define)
	if err := errors.Join(err, made.Close()); err != nil {
		return nil, err
	}
	h := &limitHandler{}
	if isFile {
		h.store, err = openLimitSQLite(path, durability)
	} else {
		h.store, err = openLimitPostgres(ctx, database)
	}
	return h, err
}

type limitHandler struct {
	store   limitStore
	buffers sync.Pool
}

var limitType = []string{"application/json; charset=utf-8"}

const limitPath = "/tables/todoitem"

func (h *limitHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	buf, _ := h.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
		*buf = make([]byte, 0, 32<<10)
	}
	defer h.buffers.Put(buf)
	id, one := strings.CutPrefix(r.URL.Path, limitPath+"/")
	status, b, err := http.StatusOK, (*buf)[:0], error(nil)
	switch {
	case one && r.Method == http.MethodGet:
		b, err = h.store.read(r.Context(), id, b)
	case r.URL.Path == limitPath && r.Method == http.MethodGet:
		b, err = h.list(r, b)
	case r.URL.Path == limitPath && r.Method == http.MethodPost:
		status = http.StatusCreated
		b, err = h.post(r, b)
	default:
		err = errNoRow
	}
	if err != nil {
		refuse(w, err)
		return
	}
	header := w.Header()
	header["Content-Type"] = limitType
	header["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may be gone
	*buf = b
}

func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errNoRow):
		status = http.StatusNotFound
	case errors.Is(err, errBadRequest):
		status = http.StatusBadRequest
	}
	http.Error(w, err.Error(), status)
}

var errBadRequest = errors.New("the request cannot be read")

// list reads the one filter that it knows.
func (h *limitHandler) list(r *http.Request, b []byte) ([]byte, error) {
	var filter string
	limit := int64(50)
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(part, "=")
		value, err := url.QueryUnescape(value)
		if err != nil {
			return nil, errBadRequest
		}
		switch key {
		case "$filter":
			filter = value
		case "$top":
			if limit, err = strconv.ParseInt(value, 10, 32); err != nil {
				return nil, errBadRequest
			}
		}
	}
	text, ok := strings.CutPrefix(filter, "qty eq ")
	qty, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil {
		return nil, errBadRequest
	}
	b, err = h.store.query(r.Context(), qty, limit, append(b, '['))
	if err != nil {
		return nil, err
	}
	if len(b) > 1 {
		b = b[:len(b)-1] // the last comma
	}
	return append(b, ']'), nil
}

func (h *limitHandler) post(r *http.Request, b []byte) ([]byte, error) {
	if r.ContentLength < 0 || r.ContentLength > 1<<20 {
		return nil, errBadRequest
	}
	// The body is read into the buffer of the answer.
	b = b[:0]
	if int64(cap(b)) < r.ContentLength {
		b = make([]byte, 0, r.ContentLength)
	}
	in := b[:r.ContentLength]
	if _, err := io.ReadFull(r.Body, in); err != nil {
		return nil, errBadRequest
	}
	var row limitRow
	if err := row.parse(in); err != nil {
		return nil, err
	}
	id := uuid.New()
	if row.id == "" {
		row.id = id.String()
	}
	row.version = int64(id[15]) | time.Now().UnixNano()<<8&(1<<63-1)
	if err := h.store.insert(r.Context(), &row); err != nil {
		return nil, err
	}
	return appendRow(b, row.id, row.created, row.created, row.version, row.complete, row.due, row.qty,
		row.text), nil
}

// parse reads the row's JSON; what is not in the usual form goes the long way.
func (r *limitRow) parse(in []byte) error {
	s := scanner{in: in}
	s.take('{')
	for more := true; more && !s.failed; more = s.next(',') {
		key := s.text()
		s.take(':')
		switch string(key) {
		case "id":
			r.id = string(s.text())
		case "text":
			r.text = string(s.text())
		case "due":
			r.due = s.date()
		case "qty":
			r.qty = s.number()
		case "complete":
			r.complete = s.boolean()
		default:
			s.failed = true
		}
	}
	s.take('}')
	if !s.failed && s.pos == len(in) {
		return nil
	}
	var long struct {
		ID, Text string
		Complete bool
		Qty      float64
		Due      time.Time
	}
	if err := json.Unmarshal(in, &long); err != nil {
		return errBadRequest
	}
	*r = limitRow{id: long.ID, text: long.Text, complete: long.Complete, qty: long.Qty, due: long.Due.UnixMilli()}
	return nil
}

// appendRow appends a row's JSON, the names in Cordon's order.
func appendRow[T string | []byte](b []byte, id T, created, updated, version int64, complete bool, due int64,
	qty float64, text T) []byte {
	b = appendText(append(b, `{"id":`...), id)
	b = appendTime(append(b, `,"createdAt":`...), created)
	b = appendTime(append(b, `,"updatedAt":`...), updated)
	b = appendVersion(append(b, `,"version":`...), version)
	if complete {
		b = append(b, `,"complete":true,"due":`...)
	} else {
		b = append(b, `,"complete":false,"due":`...)
	}
	b = appendTime(b, due)
	b = strconv.AppendFloat(append(b, `,"qty":`...), qty, 'f', -1, 64)
	b = appendText(append(b, `,"text":`...), text)
	return append(b, '}')
}
