package tables

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// row answers with one row and its ETag.
func (q *request) row(status int, s *Shape, row []odata.Value) {
	h := q.w.Header()
	etag := append(odata.AppendVersion([]byte{'"'}, row[colVersion].Num), '"')
	h["Etag"] = []string{string(etag)}
	if q.v3 {
		h.Set("Last-Modified", row[colUpdatedAt].Time().Format(http.TimeFormat))
	}
	buf := buffers.Get().(*[]byte)
	*buf = s.AppendRow((*buf)[:0], s.All(), row)
	q.json(status, *buf)
	if cap(*buf) <= chunkBytes {
		buffers.Put(buf)
	}
}

// answer shows a row that was written, as a caller may read it. To one who may not
// it says no more than the request did: the id, and what the request has set. Said
// are the columns of the write.
func (q *request) answer(status int, s *Shape, row []odata.Value, said []int) {
	if q.visible(s, row) {
		q.row(status, s, row)
		return
	}
	q.json(status, q.appendShown(nil, s, row, said))
}

// appendShown appends a row that was written as answer shows it.
func (q *request) appendShown(b []byte, s *Shape, row []odata.Value, said []int) []byte {
	if q.visible(s, row) {
		return s.AppendRow(b, s.All(), row)
	}
	columns, shown := []int{colID}, []odata.Value{row[colID]}
	for _, c := range said[:min(q.said, len(said))] {
		columns, shown = append(columns, c), append(shown, row[c])
	}
	return s.AppendRow(b, columns, shown)
}

func (q *request) json(status int, body []byte) { q.send(status, headerJSON, body) }

func (q *request) send(status int, contentType []string, body []byte) {
	h := q.w.Header()
	h["Content-Type"] = contentType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	q.w.WriteHeader(status)
	_ = q.transmit(body) // the client may be gone; nobody is left to tell
}

// fail answers with an error.
func (q *request) fail(err error) {
	var token *identity.TokenError
	if errors.As(err, &token) {
		b := appendJSONString([]byte(`{"name":`), token.Name)
		b = appendJSONString(append(b, `,"message":`...), token.Message)
		q.json(http.StatusUnauthorized, append(b, '}'))
		return
	}
	e := asHTTP(err)
	if e.status >= http.StatusInternalServerError {
		name := ""
		if q.t != nil {
			name = q.t.name
		}
		q.s.options.Log.Error("a request failed", "table", name, "operation", q.op.String(), "error", err)
	}
	switch {
	case e == errNoTable || e.plain:
		h := q.w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("X-Content-Type-Options", "nosniff")
		q.w.WriteHeader(e.status)
		_, _ = q.w.Write([]byte(e.msg))
	case q.v3:
		b := append([]byte(`{"type":"about:blank","title":`), appendJSONString(nil, http.StatusText(e.status))...)
		b = strconv.AppendInt(append(b, `,"status":`...), int64(e.status), 10)
		b = appendJSONString(append(b, `,"detail":`...), e.msg)
		b = appendJSONString(append(b, `,"error":`...), e.msg)
		q.send(e.status, headerProblem, append(b, '}'))
	default:
		q.json(e.status, append(appendJSONString([]byte(`{"error":`), e.msg), '}'))
	}
}

// conflict answers with the server's row: 412 to a condition in the header, 409
// to a version in the body. A row that the caller may not read is not there. One for
// which there is no room yet is forgotten, and read again when there is.
func (q *request) conflict(w Write, row []odata.Value) error {
	return q.whenHeld(func() (err error) {
		if row == nil {
			if row, err = q.read(w.Shape, w.ID, w.Where); err != nil {
				return err
			}
		}
		if !q.visible(w.Shape, row) {
			return ErrNotFound
		}
		if err := q.room(row); err != nil {
			row = nil
			return err
		}
		status := http.StatusConflict
		if q.v3 || q.r.Header.Get("If-Match") != "" {
			status = http.StatusPreconditionFailed
		}
		q.row(status, w.Shape, row)
		return nil
	})
}

// modifiedAfter compares a row's updatedAt with an HTTP date, which has whole
// seconds.
func modifiedAfter(row []odata.Value, header string) (after, ok bool) {
	t, err := http.ParseTime(header)
	if err != nil {
		return false, false
	}
	return row[colUpdatedAt].Time().Truncate(time.Second).After(t), true
}
