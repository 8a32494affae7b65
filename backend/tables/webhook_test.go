package tables

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// receiver is the other end of a webhook.
type receiver struct {
	mu     sync.Mutex
	bodies []string
	refuse int // how many requests to answer with 503
	status int
	keys   map[string]bool
	wrong  []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	at, sum, _ := strings.Cut(q.Header.Get("X-Cordon-Signature"), ",v1=")
	if sum != SignWebhook([]byte("key"), strings.TrimPrefix(at, "t="), body) {
		r.wrong = append(r.wrong, q.Header.Get("X-Cordon-Signature"))
	}
	r.keys[q.Header.Get("X-Cordon-Delivery")] = true
	if r.refuse > 0 {
		r.refuse--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.bodies = append(r.bodies, string(body))
	w.WriteHeader(r.status)
}

func hooks(t *testing.T, r *receiver) (*Webhooks, string) {
	r.keys = map[string]bool{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	h := NewWebhooks(slog.New(slog.NewTextHandler(io.Discard, nil)))
	h.pause = time.Millisecond
	return h, server.URL
}

// TestWebhookOrder sends many events of a few rows to a receiver that refuses
// now and then. All arrive, signed, those of one row in order.
func TestWebhookOrder(t *testing.T) {
	r := &receiver{refuse: 5, status: 204}
	h, url := hooks(t, r)
	for i := range 200 {
		row := i % 7
		h.send(fmt.Sprint("t/", row),
			hookEvent{table: "t", url: url, client: http.DefaultClient, key: []byte("key"),
				body: fmt.Appendf(nil, `{"row":%d,"n":%d}`, row, i)})
	}
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := map[int]int{}
	for _, body := range r.bodies {
		var e struct{ Row, N int }
		if err := json.Unmarshal([]byte(body), &e); err != nil {
			t.Fatal(err)
		}
		if e.N < last[e.Row] {
			t.Errorf("row %d: event %d came after %d", e.Row, e.N, last[e.Row])
		}
		last[e.Row] = e.N
	}
	if len(r.bodies) != 200 || len(r.keys) != 200 || len(r.wrong) != 0 {
		t.Errorf("%d events, %d deliveries, wrong signatures %v", len(r.bodies), len(r.keys), r.wrong)
	}
	h.send("t/1", hookEvent{url: url}) // after the end it is dropped, and nothing breaks
}

// TestWebhookRefused does not repeat what the receiver does not want, and gives
// up when there is no time left.
func TestWebhookRefused(t *testing.T) {
	r := &receiver{status: 400}
	h, url := hooks(t, r)
	h.send("x", hookEvent{url: url, client: http.DefaultClient, key: []byte("key"), body: []byte("{}")})
	if err := h.Close(t.Context()); err != nil || len(r.bodies) != 1 {
		t.Errorf("%d attempts, %v", len(r.bodies), err)
	}
	r = &receiver{refuse: 1000}
	h, url = hooks(t, r)
	h.pause = time.Hour
	h.send("x", hookEvent{url: url, client: http.DefaultClient, key: []byte("key"), body: []byte("{}")})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.Close(ctx); err == nil {
		t.Error("an event that was never delivered was called sent")
	}
}

// TestWebhookPayload is the payload of the original.
func TestWebhookPayload(t *testing.T) {
	r := &receiver{status: 200}
	h, url := hooks(t, r)
	shape, err := NewShape("todo", []ColumnDef{{Name: "id", Type: odata.String}, {Name: "createdAt", Type: odata.Date},
		{Name: "updatedAt", Type: odata.Date}, {Name: "version", Type: odata.Version}}, false)
	if err != nil {
		t.Fatal(err)
	}
	row := []odata.Value{odata.StringOf("a"), odata.DateOf(0), odata.DateOf(0), odata.VersionOf(1)}
	q := request{
		s: &Service{hooks: h, options: Options{Webhooks: http.DefaultClient, WebhookKey: []byte("key")}},
		t: &table{name: "Todo", config: Table{Webhook: &Webhook{URL: url}}},
	}
	q.op = opInsert
	q.notify(shape, row)
	q.op, q.path, q.hasID = opDelete, "a", true
	q.notify(shape, row)
	q.op = opRead
	q.notify(shape, nil)
	if err := h.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	const item = `{"id":"a","createdAt":"1970-01-01T00:00:00.000Z","updatedAt":"1970-01-01T00:00:00.000Z",` +
		`"version":"AAAAAAAAAAE="}`
	want := []string{`{"operation":"create","item":` + item + `,"table":"Todo"}`,
		`{"operation":"delete","item":` + item + `,"table":"Todo","id":"a"}`,
		`{"operation":"read","table":"Todo","id":"a"}`}
	if fmt.Sprint(r.bodies) != fmt.Sprint(want) {
		t.Errorf("payloads:\n%s", strings.Join(r.bodies, "\n"))
	}
}

// TestWebhooksWaitWithinBounds: what waits for a receiver that hangs is bounded by its
// bytes, large events leave room for others, and all of it is given back.
func TestWebhooksWaitWithinBounds(t *testing.T) {
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hanging.Close()
	h := NewWebhooks(slog.New(slog.DiscardHandler))
	waiting := func() (n int) {
		for _, q := range h.queues {
			n += len(q)
		}
		return n
	}
	const size = 1 << 20
	for i := range 100 {
		h.send(fmt.Sprint("large/", i), hookEvent{url: hanging.URL, client: hanging.Client(), body: make([]byte, size)})
	}
	if n := waiting(); n > largeBytes/size || n < largeBytes/size-hookSenders {
		t.Errorf("%d large events wait", n)
	}
	before := waiting()
	for i := range 100 {
		h.send(fmt.Sprint("small/", i), hookEvent{url: hanging.URL, client: hanging.Client(), body: make([]byte, 1000)})
	}
	if n := waiting(); n < before+100-hookSenders {
		t.Errorf("%d of 100 small events wait", n-before)
	}
	close(release)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := h.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if !h.all.TryAcquire(hookBytes) || !h.large.TryAcquire(largeBytes) {
		t.Error("room is lost")
	}
}
