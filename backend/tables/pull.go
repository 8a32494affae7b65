package tables

import (
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// Clients that sync page by the last updatedAt that they have seen: "updatedAt
// ge T", and as long as a page ends at T itself they count its rows with $skip
// (azure-mobile-apps-client 2.0.1, sync/pull.js; IncrementalPullStrategy of the
// .NET client 4.2.0). While others write, counting loses rows: a row that was
// counted moves to a later updatedAt, and $skip then skips another one. The
// clients say in X-ZUMO-FEATURES that they sync (OL), and to them
//   - a page never ends between rows of one updatedAt: it has all of them, even
//     if that is more than $top;
//   - so $skip, which they send only after such a page, means "after T";
//   - there is no Link, whose $skip would count.

// pull is what of a query is special when a client syncs.
type pull struct {
	// after is the T of the query, in milliseconds.
	after int64
}

// pulling reports whether the query is a page of a pull.
func (q *request) pulling(ask *page) (pull, bool) {
	if q.v3 || !q.feature("OL") || len(ask.Order) != 1 || ask.Order[0].Desc {
		return pull{}, false
	}
	by, ok := ask.Order[0].By.(odata.Column)
	if !ok || by.Name != "updatedAt" || len(ask.Columns) != len(ask.Shape.Columns) {
		return pull{}, false
	}
	return sinceOf(ask.Where)
}

// sinceOf finds "updatedAt ge T" among the terms that must all hold.
func sinceOf(e odata.Expr) (pull, bool) {
	switch e := e.(type) {
	case odata.Logic:
		for _, term := range e.Terms {
			if p, ok := sinceOf(term); ok && !e.Or {
				return p, true
			}
		}
	case odata.Compare:
		column, isColumn := e.L.(odata.Column)
		literal, isLiteral := e.R.(odata.Literal)
		if isColumn && isLiteral && column.Name == "updatedAt" && e.Op == odata.Ge && literal.Value.Type == odata.Date {
			return pull{after: literal.Value.Num}, true
		}
	}
	return pull{}, false
}

// feature looks into X-ZUMO-FEATURES.
func (q *request) feature(name string) bool {
	for part := range strings.SplitSeq(q.r.Header.Get("X-ZUMO-FEATURES"), ",") {
		if strings.EqualFold(strings.TrimSpace(part), name) {
			return true
		}
	}
	return false
}

// resume makes $skip of a pull mean what the client means by it.
func (p pull) resume(ask *page) {
	if ask.Skip == 0 {
		return
	}
	ask.Skip = 0
	ask.Where = odata.And(ask.Where,
		odata.Compare{Op: odata.Gt, L: ask.Shape.expr(colUpdatedAt), R: odata.Literal{Value: odata.DateOf(p.after)}})
}

// rest is the query for the rows that bear the updatedAt of a page's last row
// and come after it.
func (p pull) rest(ask page, last []odata.Value) Query {
	rest := ask.Query
	rest.Top, rest.Skip = -1, 0
	rest.Where = odata.And(rest.Where,
		odata.Compare{Op: odata.Eq, L: rest.Shape.expr(colUpdatedAt), R: odata.Literal{Value: last[colUpdatedAt]}},
		odata.Compare{Op: odata.Gt, L: rest.Shape.expr(colID), R: odata.Literal{Value: last[colID]}})
	return rest
}

// Clients of 3.0 follow nextLink, whose form is the server's own affair. Where
// the order is that of updatedAt, it names the last row instead of counting
// rows, for the same reason.

// paramAfter is the parameter of such a link: milliseconds, a comma, the id.
const paramAfter = "__after"

// byStamp reports whether the next page of a query can go on after a row.
func (q *request) byStamp(ask *page) bool {
	if !q.v3 || len(ask.Order) != 1 || ask.Order[0].Desc || len(ask.Columns) != len(ask.Shape.Columns) ||
		q.t.rowRules(opRead) {
		return false // rows that rules leave out could not be counted
	}
	by, ok := ask.Order[0].By.(odata.Column)
	return ok && by.Name == "updatedAt"
}

// goOn limits a query to what comes after the row that its link names.
func (q *request) goOn(ask *page) error {
	text, ok := q.option(paramAfter)
	if !ok || !q.byStamp(ask) {
		return nil
	}
	stamp, id, found := strings.Cut(text, ",")
	ms, err := strconv.ParseInt(stamp, 10, 64)
	key, valid := q.t.idValue(ask.Shape, id)
	if !found || err != nil || !valid {
		return badRequest("The link to the next page is damaged")
	}
	updated, ids := ask.Shape.expr(colUpdatedAt), ask.Shape.expr(colID)
	at := odata.Literal{Value: odata.DateOf(ms)}
	ask.Where = odata.And(ask.Where, odata.Logic{Or: true, Terms: []odata.Expr{
		odata.Compare{Op: odata.Gt, L: updated, R: at},
		odata.Logic{Terms: []odata.Expr{odata.Compare{Op: odata.Eq, L: updated, R: at},
			odata.Compare{Op: odata.Gt, L: ids, R: odata.Literal{Value: key}}}},
	}})
	return nil
}
