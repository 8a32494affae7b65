package console

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/event"
)

// Traffic is where decisions come from; *event.Ring is one.
type Traffic interface {
	// Page returns up to limit events older than number before (0: the newest)
	// that keep accepts, newest first, and the number for the following page, 0
	// if there is none.
	Page(before uint64, limit int, keep func(*event.Event) bool) (page []event.Event, next uint64)
}

// trafficPage is one page of decisions.
type trafficPage struct {
	Filter  trafficFilter
	Events  []event.Event
	Next    uint64
	Newest  bool
	CanList bool // a denied request can lead to the line that would allow it
}

type trafficFilter struct {
	Verdict   event.Verdict
	Host, App string
}

// Listable reports whether a line in the app's rules could let through what was
// refused.
func (p trafficPage) Listable(e event.Event) bool {
	return p.CanList && e.Verdict == event.Blocked && e.Host != "" && e.Reason != event.ReasonPageFixed
}

// Verdicts are the choices of the filter, "" for every one.
func (trafficPage) Verdicts() []event.Verdict {
	return []event.Verdict{"", event.Allowed, event.Blocked, event.Reported, event.Failed}
}

// Query is the filter as the query of a link.
func (p trafficPage) Query() template.URL {
	values := url.Values{}
	for name, value := range map[string]string{"verdict": string(p.Filter.Verdict), "host": p.Filter.Host,
		"app": p.Filter.App} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return template.URL(values.Encode())
}

const trafficRows = 100

func (c *console) traffic(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	filter := trafficFilter{Verdict: event.Verdict(query.Get("verdict")), Host: strings.ToLower(query.Get("host")),
		App: query.Get("app")}
	before, err := strconv.ParseUint(query.Get("before"), 10, 64)
	if err != nil {
		before = 0
	}
	page := trafficPage{Filter: filter, Newest: before == 0, CanList: c.config.Policy != nil}
	page.Events, page.Next = c.config.Traffic.Page(before, trafficRows, filter.keep)
	c.render(w, r, "traffic", "Traffic", "events", page)
}

func (f *trafficFilter) keep(e *event.Event) bool {
	return e.Type != event.Close &&
		(f.Verdict == "" || e.Verdict == f.Verdict) &&
		(f.Host == "" || strings.Contains(e.Host, f.Host)) &&
		(f.App == "" || e.App == f.App)
}
