package tables

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/backend/tables/odata"
	"github.com/cordon-sec/cordon/internal/origin"
)

// list runs the query and answers with its rows. The page is made before it is sent,
// unless it is long: then it is read again, and sent meanwhile.
func (q *request) list(ask page, count bool) error {
	ctx, cancel := q.deadline()
	defer cancel()
	buf := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= chunkBytes {
			buffers.Put(buf)
		}
	}()
	out := listing{b: (*buf)[:0], ask: ask, room: freeBytes, full: q.makeRoom}
	err := q.fill(ctx, &out, count)
	if errors.Is(err, errLongPage) {
		out = listing{}
		if err = q.stream(ask, count); err == nil {
			q.notify(ask.Shape, nil)
		}
		return err
	}
	if err != nil {
		return err
	}
	*buf = out.b
	q.json(http.StatusOK, out.b)
	q.notify(ask.Shape, nil)
	return nil
}

// fill runs the query and writes the whole answer.
func (q *request) fill(ctx context.Context, out *listing, count bool) error {
	ask := out.ask
	switch {
	case q.v3:
		out.b = append(out.b, `{"items":[`...)
	case count:
		out.b = append(out.b, `{"results":[`...)
	default:
		out.b = append(out.b, '[')
	}
	total, err := q.collect(ctx, out, count)
	if err != nil {
		return err
	}
	b := append(out.b, ']')
	if count {
		b = strconv.AppendInt(append(b, `,"count":`...), total, 10)
	}
	if !out.pull {
		b = q.nextPage(b, ask, out)
	}
	if q.v3 || count {
		b = append(b, '}')
	}
	out.b = b
	return nil
}

// listing is an answer that rows are added to.
type listing struct {
	b    []byte
	room int                       // how long b may be
	full func(*listing, int) error // what happens before it becomes longer
	sent bool                      // the answer has begun
	ask  page
	rows int64
	more bool // there is at least one row after those of the page
	pull bool
	keep bool          // the last row is needed
	last []odata.Value // the last row, if it is
}

func (l *listing) add(row []odata.Value) error {
	if l.rows == l.ask.Top && !l.pull {
		l.more = true
		return ErrStop
	}
	// What is escaped is counted where it may matter: it is six times as long at the most.
	if len(l.b)+6*textSize(row) > l.room {
		if need := len(l.b) + jsonSize(row); need > l.room {
			if err := l.full(l, need); err != nil {
				return err
			}
		}
	}
	if l.rows > 0 {
		l.b = append(l.b, ',')
	}
	l.b = l.ask.Shape.AppendRow(l.b, l.ask.Columns, row)
	l.rows++
	if l.keep {
		l.last = append(l.last[:0], row...)
	}
	return nil
}

// collect fills the listing and, if that is asked for, counts.
func (q *request) collect(ctx context.Context, out *listing, count bool) (total int64, err error) {
	var p pull
	counted := out.ask.Query
	if p, out.pull = q.pulling(&out.ask); out.pull {
		p.resume(&out.ask)
	}
	if err := q.goOn(&out.ask); err != nil {
		return 0, err
	}
	out.keep = out.pull || q.byStamp(&out.ask)
	run := out.ask.Query
	if q.v3 {
		run.Top++ // one more than the page says whether there is a next one
	}
	if q.t.rowRules(opRead) {
		total, err = q.filtered(ctx, run, count, out.add)
	} else {
		if err = q.s.store.Query(ctx, run, out.add); err == nil && count {
			total, err = q.s.store.Count(ctx, counted)
		}
	}
	if err == nil && out.pull && out.rows > 0 && out.rows == out.ask.Top {
		rest := p.rest(out.ask, out.last)
		if q.t.rowRules(opRead) {
			rest.Top = math.MaxInt64
			_, err = q.filtered(ctx, rest, false, out.add)
		} else {
			err = q.s.store.Query(ctx, rest, out.add)
		}
	}
	return total, err
}

// nextPage tells where the rest is: in a Link header in 2.0, in the body in
// 3.0.
func (q *request) nextPage(b []byte, ask page, out *listing) []byte {
	if !q.v3 {
		if out.rows > 0 && out.rows == ask.Top && !out.sent {
			q.w.Header()["Link"] = []string{q.link(ask.Skip+out.rows, ask.Top, "", wholeLink) + "; rel=next"}
		}
		return b
	}
	left := int64(-1)
	if ask.top >= 0 {
		left = ask.top - out.rows
	}
	if !out.more && (left < 0 || out.rows < ask.Top) || left == 0 || out.rows == 0 {
		return b
	}
	after := ""
	if out.keep {
		after = strconv.FormatInt(out.last[colUpdatedAt].Num, 10) + "," + out.last[colID].Plain()
	}
	return appendJSONString(append(b, `,"nextLink":`...), q.link(ask.Skip+out.rows, left, after, q.linkForm()))
}

// linkForm is what a link to the next page is to the client.
type linkForm uint8

const (
	wholeLink linkForm = iota // an address, as Microsoft.Datasync.Client follows it
	pathLink                  // its path and query
	queryLink                 // its query alone, as CommunityToolkit.Datasync.Client puts it behind a question mark
)

// linkForm is the form that the client asks for, or the one that it follows. The
// clients of the Community Toolkit, which are those from version 8 on, name no
// version of the protocol as long as nobody tells them to.
func (q *request) linkForm() linkForm {
	for form, word := range []string{pathLink: "path", queryLink: "query"} {
		if word != "" && (q.hasOption("nextLink:"+word) || q.hasOption("nextLink="+word)) {
			return linkForm(form)
		}
	}
	agent, found := strings.CutPrefix(q.r.UserAgent(), "Datasync/")
	major, _, _ := strings.Cut(agent, ".")
	if n, err := strconv.Atoi(major); q.silent || found && err == nil && n >= 8 {
		return queryLink
	}
	return wholeLink
}

// link is the request's own address with other $skip and $top, or with the place
// to go on after.
func (q *request) link(skip, top int64, after string, form linkForm) string {
	next := url.Values{}
	for k, v := range q.query {
		next[k] = v
	}
	next.Set("$skip", strconv.FormatInt(skip, 10))
	next.Del("$top")
	if after != "" {
		next.Del("$skip")
		next.Set(paramAfter, after)
	}
	if top >= 0 {
		next.Set("$top", strconv.FormatInt(top, 10))
	}
	query := strings.ReplaceAll(next.Encode(), "+", "%20")
	if form == queryLink {
		return query
	}
	tail := q.r.URL.EscapedPath() + "?" + query
	if form == pathLink {
		return tail
	}
	scheme := "http"
	if q.r.TLS != nil {
		scheme = "https"
	}
	if own := origin.Of(q.r.Context(), q.s.options.URL); own != nil && strings.EqualFold(own.Host, q.r.Host) {
		scheme = own.Scheme
	}
	// A front that terminates TLS says so. Whoever lies gets a link that does
	// not work.
	if said := q.r.Header.Get("X-Forwarded-Proto"); said == "https" || said == "http" {
		scheme = said
	}
	return scheme + "://" + q.r.Host + tail
}
