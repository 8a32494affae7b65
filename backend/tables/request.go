package tables

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// request is one request on its way.
type request struct {
	s     *Service
	w     http.ResponseWriter
	r     *http.Request
	t     *table
	who   *identity.Principal
	op    op
	v3    bool
	path  string // the id, or ""
	hasID bool
	query url.Values
	now   time.Time
}

// ServeHTTP answers requests below the prefix.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := request{s: s, w: w, r: r, now: s.options.Now()}
	h := w.Header()
	h["Cache-Control"] = headerNoCache
	h["Pragma"] = headerNoCache
	h["Expires"] = headerZero
	h["X-Zumo-Server-Version"] = headerServer
	if err := q.serve(); err != nil {
		q.fail(err)
	}
}

// Values of headers, shared by all answers.
var (
	headerNoCache = []string{"no-cache"}
	headerZero    = []string{"0"}
	headerServer  = []string{"cordon-2.0.0"}
	headerJSON    = []string{"application/json; charset=utf-8"}
	headerProblem = []string{"application/problem+json"}
)

func (q *request) serve() error {
	name, ok := q.route()
	if !ok {
		return errNoTable
	}
	if q.r.Method == http.MethodOptions {
		q.w.Header().Set("Allow", "GET, PUT, PATCH, POST, DELETE, OPTIONS")
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if q.r.URL.RawQuery != "" {
		query, err := url.ParseQuery(q.r.URL.RawQuery)
		if err != nil {
			return badRequest("The query string is malformed")
		}
		q.query = query
	}
	if err := q.protocol(); err != nil {
		return err
	}
	var err error
	if q.who, err = identity.FromContext(q.r.Context()); err != nil {
		return err
	}
	if q.t = q.s.tables[strings.ToLower(name)]; q.t == nil {
		return errNoTable
	}
	handler, err := q.method()
	if err != nil {
		return err
	}
	if q.t.access(q.op) == Disabled || q.op == opUndelete && !q.t.config.SoftDelete {
		return q.notAllowed(q.op.String())
	}
	return handler()
}

// route takes the path apart: /tables/name[/id][/]. Ids may hold anything that
// can be escaped in a path.
func (q *request) route() (name string, ok bool) {
	path := q.r.URL.EscapedPath()
	if len(path) < len(q.s.prefix) || !strings.EqualFold(path[:len(q.s.prefix)], q.s.prefix) {
		return "", false
	}
	name, id, _ := strings.Cut(path[len(q.s.prefix):], "/")
	id = strings.TrimSuffix(id, "/")
	if strings.Contains(id, "/") {
		return "", false
	}
	if id != "" {
		text, err := url.PathUnescape(id)
		if err != nil {
			return "", false
		}
		q.path, q.hasID = text, true
	}
	return name, true
}

// protocol settles the version: 2.0.x from the header, or without one from the
// query parameter in any letter case (azure-mobile-apps 4.0.2,
// apiVersionCheck.js); 3.0 from the parameter first, then the header
// (Microsoft.AspNetCore.Datasync, ProtocolVersion).
func (q *request) protocol() error {
	param := ""
	for key, values := range q.query {
		if strings.EqualFold(key, "zumo-api-version") && len(values) > 0 {
			param = values[0]
			break
		}
	}
	version := q.r.Header.Get("ZUMO-API-VERSION")
	if version == "" || isVersion(version, "3.0") && param != "" {
		version = param
	}
	if isVersion(param, "3.0") && !isVersion(version, "2.0") {
		version = param
	}
	switch {
	case isVersion(version, "3.0"):
		q.v3 = true
	case !isVersion(version, "2.0") || version == "2.0":
		q.v3 = strings.HasPrefix(version, "3.")
		return errVersion
	}
	return nil
}

// isVersion reports whether v is major.minor, or that with a dot and digits.
func isVersion(v, base string) bool {
	rest, ok := strings.CutPrefix(v, base)
	if !ok || rest == "" {
		return ok
	}
	digits := strings.TrimPrefix(rest, ".")
	return rest[0] == '.' && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// method finds what the request wants done.
func (q *request) method() (func() error, error) {
	switch q.r.Method {
	case http.MethodGet, http.MethodHead:
		q.op = opRead
		if q.hasID {
			return q.readOne, nil
		}
		return q.readMany, nil
	case http.MethodPost:
		if q.hasID {
			if q.v3 {
				break
			}
			q.op = opUndelete
			return q.undelete, nil
		}
		q.op = opInsert
		return q.insert, nil
	case http.MethodPatch:
		q.op = opUpdate
		return q.update, nil
	case http.MethodPut:
		if q.v3 && q.hasID {
			q.op = opUpdate
			return q.replace, nil
		}
		return nil, errNoTable
	case http.MethodDelete:
		q.op = opDelete
		if q.hasID {
			return q.remove, nil
		}
		return q.removeMany, nil
	}
	return nil, q.notAllowed(q.r.Method)
}

func (q *request) notAllowed(what string) error {
	return &httpError{status: http.StatusMethodNotAllowed, msg: "Method " + what + " is not allowed", plain: true}
}

// admit decides who may do the operation before any row is looked at.
func (q *request) admit() error {
	if q.t.access(q.op) == Authenticated && !q.who.Authenticated() {
		return errLogin
	}
	for _, c := range q.t.rules[q.op] {
		if c.UsesRow() {
			continue
		}
		if !q.holds(c, nil) {
			if !q.who.Authenticated() {
				return errLogin
			}
			return errRule
		}
	}
	return nil
}

// holds evaluates a rule; one that cannot be evaluated does not hold.
func (q *request) holds(c condition, row map[string]any) bool {
	f := identity.Facts{Principal: q.who, Row: row, Request: identity.Request{
		Method: q.r.Method, Path: q.r.URL.Path, Operation: q.op.String(), Time: q.now,
	}}
	if addr, err := netip.ParseAddrPort(q.r.RemoteAddr); err == nil {
		f.Request.Address = addr.Addr()
	}
	ok, err := c.Holds(q.r.Context(), f)
	if err != nil {
		q.s.options.Log.Warn("a rule could not be evaluated", "table", q.t.name, "operation", q.op.String(), "error",
			err)
		return false
	}
	return ok
}

// facts is a row as rules see it.
func facts(s *Shape, row []odata.Value) map[string]any {
	m := make(map[string]any, len(row))
	for i, v := range row {
		var x any
		switch v.Type {
		case odata.Boolean:
			x = v.Num != 0
		case odata.Integer:
			x = v.Num
		case odata.Number:
			x = v.Float()
		case odata.Date:
			x = v.Time()
		case odata.String, odata.Version:
			x = v.Plain()
		}
		m[s.Columns[i].Name] = x
	}
	return m
}

// visible reports whether the rules for reading let the caller see a row.
func (q *request) visible(s *Shape, row []odata.Value) bool {
	for _, c := range q.t.rules[opRead] {
		if c.UsesRow() && !q.holds(c, facts(s, row)) {
			return false
		}
	}
	return true
}

func (t *table) rowRules(op op) bool {
	for _, c := range t.rules[op] {
		if c.UsesRow() {
			return true
		}
	}
	return false
}

// guard is the check of row rules inside a write: they must hold for the row as
// it was and as it will be. A row that the caller may not even read is not
// there for them.
func (q *request) guard(s *Shape) func(before, after []odata.Value) error {
	if !q.t.rowRules(q.op) && !q.t.rowRules(opRead) {
		return nil
	}
	return func(before, after []odata.Value) error {
		if before != nil && !q.visible(s, before) {
			return ErrNotFound
		}
		for _, row := range [][]odata.Value{before, after} {
			if row == nil {
				continue
			}
			f := facts(s, row)
			for _, c := range q.t.rules[q.op] {
				if c.UsesRow() && !q.holds(c, f) {
					return errRule
				}
			}
		}
		return nil
	}
}

// scope is the condition that limits what the caller can reach at all: rows of
// their own, not expired, and unless wanted not deleted.
func (q *request) scope(s *Shape, deleted bool) odata.Expr {
	var own, fresh, live odata.Expr
	if q.t.config.PerUser {
		if i := s.Find(q.t.config.userColumn()); i >= 0 {
			own = odata.Compare{Op: odata.Eq, L: s.expr(i), R: odata.Literal{Value: odata.StringOf(q.who.User.ID)}}
		}
	}
	if keep := q.t.config.RecordsExpire; keep > 0 {
		fresh = odata.Compare{Op: odata.Gt, L: s.expr(colCreatedAt),
			R: odata.Literal{Value: odata.DateOf(q.now.Add(-keep).UnixMilli())}}
	}
	if s.SoftDelete && !deleted {
		live = odata.Compare{Op: odata.Eq, L: s.expr(colDeleted), R: odata.Literal{Value: odata.BooleanOf(false)}}
	}
	return odata.And(own, fresh, live)
}

// wantsDeleted reports whether deleted rows are asked for: any value in 2.0,
// true in 3.0, where a header may say it too.
func (q *request) wantsDeleted() bool {
	for key, values := range q.query {
		if strings.EqualFold(key, "__includeDeleted") && len(values) > 0 && values[0] != "" {
			return !q.v3 || strings.EqualFold(values[0], "true")
		}
	}
	return q.v3 && q.hasOption("include:deleted")
}

// hasOption looks into the header X-ZUMO-Options of protocol 3.0.
func (q *request) hasOption(option string) bool {
	for _, line := range q.r.Header.Values("X-ZUMO-Options") {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.ReplaceAll(part, " ", ""), option) {
				return true
			}
		}
	}
	return false
}

func (q *request) option(name string) (string, bool) {
	values, ok := q.query[name]
	if !ok || len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// deadline bounds the work in the database.
func (q *request) deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(q.r.Context(), q.s.options.Timeout)
}

// write, read and define ask the store within the time that a request has for
// its work in the database.
func (q *request) write(w Write) ([]odata.Value, error) {
	ctx, cancel := q.deadline()
	defer cancel()
	return q.s.store.Write(ctx, w)
}

func (q *request) read(s *Shape, id odata.Value, where odata.Expr) ([]odata.Value, error) {
	ctx, cancel := q.deadline()
	defer cancel()
	return q.s.store.Read(ctx, s, id, where)
}

func (q *request) define(s *Shape, fresh []ColumnDef) (*Shape, error) {
	ctx, cancel := q.deadline()
	defer cancel()
	return q.s.store.Extend(ctx, s, fresh)
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// body reads the request's body, bounded, and hands it to parse while the
// buffer is its own.
func (q *request) body(parse func([]byte) error) error {
	if q.r.ContentLength > q.s.options.MaxBody {
		return errLarge
	}
	buf := bytes.NewBuffer(make([]byte, 0, max(512, q.r.ContentLength+1)))
	if _, err := buf.ReadFrom(http.MaxBytesReader(q.w, q.r.Body, q.s.options.MaxBody)); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return errLarge
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return badRequest("The body is incomplete")
		}
		return badRequest("The body cannot be read")
	}
	return parse(bytes.TrimPrefix(buf.Bytes(), []byte("\xef\xbb\xbf")))
}
