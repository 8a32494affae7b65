package tables

import (
	"cmp"
	"net/http"
	"net/netip"

	"github.com/cordon-sec/cordon/backend/identity"
	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Who may do what is decided here, by the operation and never by the request's
// form: the same for every protocol, for rows that are named and for rows that a
// filter finds.

// rule is a condition of a table and the operation that it is asked about. A rule
// that undelete has from update is asked about an update.
type rule struct {
	condition
	as op
}

// AccessTo returns who may do an operation: "read", "insert", "update", "delete" or
// "undelete".
func (t Table) AccessTo(operation string) Access {
	for op := opRead; op <= opUndelete; op++ {
		if op.String() == operation {
			return t.access(op)
		}
	}
	return Disabled
}

// access is who may do op. Undelete without a word of its own is as strict as the
// stricter of update and delete: it changes a row, and takes back what somebody was
// allowed to delete. Rows of users need a user.
func (t Table) access(op op) Access {
	a := cmp.Or(t.operation(op).Access, t.Access, Anonymous)
	if op == opUndelete && t.Undelete.Access == "" {
		a = stricter(t.access(opUpdate), t.access(opDelete))
	}
	if t.PerUser {
		a = stricter(a, Authenticated)
	}
	return a
}

func stricter(a, b Access) Access {
	for _, strict := range []Access{Disabled, Authenticated} {
		if a == strict || b == strict {
			return strict
		}
	}
	return Anonymous
}

// compile makes the rules of every operation: the table's own and the operation's.
// Undelete without a rule of its own has those of update and of delete besides.
func (t *table) compile() error {
	made := map[string]condition{}
	for op := opRead; op <= opUndelete; op++ {
		for _, source := range []string{t.config.Rule, t.config.operation(op).Rule} {
			if source == "" {
				continue
			}
			if made[source] == nil {
				c, err := identity.CompileCondition(source)
				if err != nil {
					return &ConfigError{t.name, "rule", err.Error()}
				}
				made[source] = c
			}
			t.rules[op] = append(t.rules[op], rule{made[source], op})
		}
	}
	if t.config.Undelete.Rule == "" {
		t.rules[opUndelete] = append(append(t.rules[opUndelete], t.rules[opUpdate]...), t.rules[opDelete]...)
	}
	return nil
}

func (t *table) rowRules(op op) bool {
	for _, r := range t.rules[op] {
		if r.UsesRow() {
			return true
		}
	}
	return false
}

// admit decides who may do an operation before any row is looked at, and before
// the body is read. To callers who may read no row, no row is there that they
// could change: what they are told does not depend on any.
func (q *request) admit(op op) error {
	if err := q.may(op); err != nil {
		return err
	}
	if op != opRead && op != opInsert && !q.mayRead() {
		return ErrNotFound
	}
	return nil
}

func (q *request) may(op op) error {
	switch access := q.t.config.access(op); {
	case access == Disabled, op == opUndelete && !q.t.config.SoftDelete:
		return q.notAllowed(op.String())
	case access == Authenticated && !q.who.Authenticated():
		return errLogin
	}
	for _, r := range q.t.rules[op] {
		if r.UsesRow() || q.holds(r, nil) {
			continue
		}
		if !q.who.Authenticated() {
			return errLogin
		}
		return errRule
	}
	return nil
}

// mayRead reports whether the caller may read rows at all, whatever is in them.
func (q *request) mayRead() bool {
	if q.reads == unasked {
		q.reads = no
		if q.may(opRead) == nil {
			q.reads = yes
		}
	}
	return q.reads == yes
}

// once is the answer to a question that is asked once a request.
type once uint8

const (
	unasked once = iota
	no
	yes
)

// usualMethods are the methods that rules see.
var usualMethods = map[op]string{opRead: http.MethodGet, opInsert: http.MethodPost, opUpdate: http.MethodPatch,
	opDelete: http.MethodDelete, opUndelete: http.MethodPost}

// holds evaluates a rule; one that cannot be evaluated does not hold. A write asks
// the rules for reading as a read would, and whatever method a client's protocol has
// for the operation: one operation has one answer.
func (q *request) holds(r rule, row map[string]any) bool {
	f := identity.Facts{Principal: q.who, Row: row, Request: identity.Request{
		Method: usualMethods[r.as], Path: q.r.URL.Path, Operation: r.as.String(), Time: q.now,
	}}
	if addr, err := netip.ParseAddrPort(q.r.RemoteAddr); err == nil {
		f.Request.Address = addr.Addr()
	}
	ok, err := r.Holds(q.r.Context(), f)
	if err != nil {
		q.s.options.Log.Warn("a rule could not be evaluated", "table", q.t.name, "operation", r.as.String(), "error",
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

// visible reports whether the caller may read a row.
func (q *request) visible(s *Shape, row []odata.Value) bool {
	if !q.mayRead() {
		return false
	}
	for _, r := range q.t.rules[opRead] {
		if r.UsesRow() && !q.holds(r, facts(s, row)) {
			return false
		}
	}
	return true
}

// guard is the check of row rules inside a write. A row that the caller may not
// read is not there for them. A patch that revives a deleted row beside changing
// it has to be allowed as both.
func (q *request) guard(s *Shape) func(before, after []odata.Value) error {
	if !q.t.rowRules(q.op) && !q.t.rowRules(opRead) && !q.revives {
		return nil
	}
	return func(before, after []odata.Value) error {
		if before != nil && !q.visible(s, before) {
			return ErrNotFound
		}
		if q.revives && before[colDeleted].Bool() {
			if err := q.may(opUndelete); err != nil {
				return err
			}
			if !q.permits(s, opUndelete, before, after) {
				return errRule
			}
		}
		if !q.permits(s, q.op, before, after) {
			return errRule
		}
		return nil
	}
}

// permits reports whether the rules over rows let the operation change one: they
// must hold for the row as it was and as it will be. What is deleted is judged as
// it was.
func (q *request) permits(s *Shape, op op, before, after []odata.Value) bool {
	if op == opDelete {
		after = nil
	}
	for _, row := range [][]odata.Value{before, after} {
		if row == nil {
			continue
		}
		f := facts(s, row)
		for _, r := range q.t.rules[op] {
			if r.UsesRow() && !q.holds(r, f) {
				return false
			}
		}
	}
	return true
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

// only is what a removal of several rows passes over: rows that the caller may not
// read are not there, so that no filter tells anything of them.
func (q *request) only(s *Shape) func(row []odata.Value) bool {
	if !q.t.rowRules(opRead) {
		return nil
	}
	return func(row []odata.Value) bool { return q.visible(s, row) }
}
