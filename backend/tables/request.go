package tables

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// request is one request on its way.
type request struct {
	s   *Service
	w   http.ResponseWriter
	r   *http.Request
	t   *table
	who *identity.Principal
	op  op
	v3  bool
	// silent says that the request names no version of the protocol.
	silent bool
	path   string // the id, or ""
	hasID  bool
	query  url.Values
	now    time.Time
	reads  once // whether the caller may read rows at all
	// revives says that an update also undeletes the row, if it is deleted.
	revives bool
	// refusal is what an update is answered with that is refused as an undelete too.
	refusal error
	limit   int64   // of the body
	in, out holding // what it holds of the budgets for bodies and for answers
	// end is when an answer that is long must have been sent.
	end  time.Time
	said int // how many of the columns that a write sets are of the request
	// fresh are the columns that the item needs and the stored shape lacks.
	stored *Shape
	fresh  []ColumnDef
}

// ServeHTTP answers requests below the prefix.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := request{s: s, w: w, r: r, now: s.options.Now()}
	q.in = holding{of: s.memory.bodies, from: r.RemoteAddr}
	q.out = holding{of: s.memory.answers, from: r.RemoteAddr}
	h := w.Header()
	h["Cache-Control"] = headerNoCache
	h["Pragma"] = headerNoCache
	h["Expires"] = headerZero
	h["X-Zumo-Server-Version"] = headerServer
	defer q.letGo()
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
		query, err := parseQuery(q.r.URL.RawQuery)
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
	q.limit = q.s.options.MaxBody
	if err := q.admit(q.op); err != nil && !q.mayUndelete(err) {
		return err
	}
	return handler()
}

// maxUndelete is the longest body of a patch that is read to say how it is refused.
const maxUndelete = 1024

// mayUndelete reports whether a request that is refused as an update is a patch of
// 3.0 whose body has to be read, because it may prove to undelete. One that is
// refused as an undelete, too, but with other words, is read as far as undeletes go.
func (q *request) mayUndelete(refusal error) bool {
	if !q.v3 || q.r.Method != http.MethodPatch {
		return false
	}
	other := q.admit(opUndelete)
	if other == nil {
		return true
	}
	if other.Error() == refusal.Error() || q.r.ContentLength > maxUndelete {
		return false
	}
	q.refusal, q.limit = refusal, maxUndelete
	return true
}

// parseQuery reads a query string in which only & separates: clients send the
// semicolons of their texts as they are.
//
// A nextLink that a client has put behind its own address, as those of Datasync do,
// counts as what it asks for.
func parseQuery(raw string) (url.Values, error) {
	if strings.HasPrefix(raw, "http://") || strings.HasPrefix(raw, "https://") || strings.HasPrefix(raw, "/") {
		if _, query, found := strings.Cut(raw, "?"); found {
			raw = query
		}
	}
	return url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
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
// (Microsoft.AspNetCore.Datasync, ProtocolVersion). A request that says nothing has
// the version that the operator has set for it, if any.
func (q *request) protocol() error {
	param := ""
	for key, values := range q.query {
		if strings.EqualFold(key, "zumo-api-version") && len(values) > 0 {
			param = values[0]
			break
		}
	}
	version := q.r.Header.Get("ZUMO-API-VERSION")
	if version == "" && param == "" {
		version, q.silent = q.s.options.DefaultVersion, true
	}
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
		if q.v3 && !q.hasID {
			break
		}
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

// sendsJSON reports whether the body is what 3.0 takes: JSON, or of no type.
func (q *request) sendsJSON() bool {
	media, _, _ := mime.ParseMediaType(q.r.Header.Get("Content-Type"))
	return media == "" && q.r.Header.Get("Content-Type") == "" || strings.Contains(media, "json")
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}
