package tables

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/cordon-sec/cordon/backend/tables/odata"
)

// The limits of webhooks: how many senders work beside each other, how many
// events wait for each, how often one is tried and how long an attempt takes.
const (
	hookSenders  = 8
	hookWaiting  = 1024
	hookBytes    = 32 << 20 // of all events that wait, and
	largeBytes   = 24 << 20 // of those that are larger than chunkBytes
	hookAttempts = 6
	hookTimeout  = 10 * time.Second
)

// Webhooks sends what happened to the configured addresses. Events of one row
// go through one sender and so arrive in order; a full queue drops the event
// and says so, because a request never waits for a webhook.
//
// Services that follow each other, as at a reload, share one, so that what waits
// is not lost and rows keep their order. It is safe for concurrent use.
type Webhooks struct {
	now    func() time.Time
	log    *slog.Logger
	pause  time.Duration // before the second attempt; doubles
	seed   maphash.Seed
	queues [hookSenders]chan hookEvent
	all    *semaphore.Weighted // hookBytes
	large  *semaphore.Weighted // largeBytes: large rows of few leave room for the others
	rows   [64]sync.Mutex
	tables [64]sync.RWMutex // held to read by who has one of rows
	cancel context.CancelFunc
	done   sync.WaitGroup
	once   sync.Once
	closed sync.RWMutex
	shut   bool
}

type hookEvent struct {
	table, url string
	client     *http.Client
	key        []byte
	body       []byte
}

// NewWebhooks starts the senders, which Close ends. The log takes what is not
// delivered; nil: slog.Default.
func NewWebhooks(log *slog.Logger) *Webhooks {
	if log == nil {
		log = slog.Default()
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &Webhooks{now: time.Now, log: log, pause: time.Second, seed: maphash.MakeSeed(), cancel: cancel,
		all: semaphore.NewWeighted(hookBytes), large: semaphore.NewWeighted(largeBytes)}
	for i := range h.queues {
		h.queues[i] = make(chan hookEvent, hookWaiting)
		h.done.Go(func() {
			for e := range h.queues[i] {
				h.deliver(ctx, e)
				h.release(e)
			}
		})
	}
	return h
}

// order makes writes to one row of a table with a webhook take turns until
// their events are queued, so that events have the order of the writes. It
// returns what ends the turn.
func (q *request) order(id odata.Value) func() {
	if q.t.config.Webhook == nil {
		return func() {}
	}
	h := q.s.hooks
	all := h.turns(q.t)
	all.RLock()
	if id.IsNull() {
		return all.RUnlock
	}
	m := &h.rows[maphash.String(h.seed, q.t.name+"/"+id.Plain())%uint64(len(h.rows))]
	m.Lock()
	return func() {
		m.Unlock()
		all.RUnlock()
	}
}

// orderAll is order for a write that may be about any row of the table.
func (q *request) orderAll() func() {
	if q.t.config.Webhook == nil {
		return func() {}
	}
	all := q.s.hooks.turns(q.t)
	all.Lock()
	return all.Unlock
}

func (h *Webhooks) turns(t *table) *sync.RWMutex {
	return &h.tables[maphash.String(h.seed, t.name)%uint64(len(h.tables))]
}

// notify queues the event of a request that succeeded; row is nil for reads.
// The payload is that of azure-mobile-apps 4.0.2, data/hooks/webhook.js.
func (q *request) notify(s *Shape, row []odata.Value) {
	hook := q.t.config.Webhook
	if hook == nil {
		return
	}
	name := q.op.String()
	if q.op == opInsert {
		name = "create"
	}
	b := appendJSONString([]byte(`{"operation":`), name)
	if row != nil {
		b = s.AppendRow(append(b, `,"item":`...), s.All(), row)
	}
	b = appendJSONString(append(b, `,"table":`...), q.t.name)
	if q.who.Authenticated() {
		b = appendJSONString(append(b, `,"userId":`...), q.who.User.ID)
	}
	turn := q.t.name + "/"
	if row != nil {
		turn += row[colID].Plain()
	}
	if q.hasID {
		b = appendJSONString(append(b, `,"id":`...), q.path)
		turn = q.t.name + "/" + q.path
	}
	e := hookEvent{table: q.t.name, url: hook.URL, client: q.s.options.Webhooks, key: []byte(hook.Secret),
		body: append(b, '}')}
	if len(e.key) == 0 {
		e.key = q.s.options.WebhookKey
	}
	q.s.hooks.send(turn, e)
}

func (h *Webhooks) send(turn string, e hookEvent) {
	h.closed.RLock()
	defer h.closed.RUnlock()
	if h.shut || e.client == nil {
		return
	}
	if h.hold(e) {
		select {
		case h.queues[maphash.String(h.seed, turn)%hookSenders] <- e:
			return
		default:
			h.release(e)
		}
	}
	h.log.Error("a webhook's queue is full, the event is lost", "table", e.table)
}

// hold makes sure that an event may wait, and release gives its room back.
func (h *Webhooks) hold(e hookEvent) bool {
	n, isLarge := int64(len(e.body)), len(e.body) > chunkBytes
	if isLarge && !h.large.TryAcquire(n) {
		return false
	}
	if !h.all.TryAcquire(n) {
		if isLarge {
			h.large.Release(n)
		}
		return false
	}
	return true
}

func (h *Webhooks) release(e hookEvent) {
	n := int64(len(e.body))
	h.all.Release(n)
	if n > chunkBytes {
		h.large.Release(n)
	}
}

// deliver sends one event, several times if need be. Between the attempts it
// waits twice as long each time.
func (h *Webhooks) deliver(ctx context.Context, e hookEvent) {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails, see crypto/rand
	delivery := hex.EncodeToString(id[:])
	pause := h.pause
	for attempt := 1; ; attempt++ {
		again, err := h.attempt(ctx, e, delivery)
		if err == nil {
			return
		}
		if !again || attempt == hookAttempts || ctx.Err() != nil {
			h.log.Error("a webhook was not delivered", "table", e.table, "attempts", attempt, "error", err)
			return
		}
		wait := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			wait.Stop()
		case <-wait.C:
		}
		pause *= 2
	}
}

// attempt sends the event once and reports whether another attempt may help.
func (h *Webhooks) attempt(ctx context.Context, e hookEvent, delivery string) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(e.body))
	if err != nil {
		return false, errors.New("the address is not a URL")
	}
	at := strconv.FormatInt(h.now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "Cordon-Webhook/1")
	r.Header.Set("X-Cordon-Delivery", delivery)
	if len(e.key) > 0 {
		r.Header.Set("X-Cordon-Signature", "t="+at+",v1="+SignWebhook(e.key, at, e.body))
	}
	answer, err := e.client.Do(r)
	if err != nil {
		return true, fmt.Errorf("sending: %w", err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection is used again
	switch code := answer.StatusCode; {
	case code < 300:
		return false, nil
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		return true, fmt.Errorf("the answer was %d", code)
	default:
		return false, fmt.Errorf("the answer was %d", code)
	}
}

// SignWebhook returns the signature that a webhook's request carries after
// "v1=": HMAC-SHA-256 in hexadecimal over the time (the text after "t="), a dot
// and the body. Receivers compute it again and compare in constant time.
func SignWebhook(key []byte, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(at))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Close sends what waits until ctx is done; what is left then is lost.
func (h *Webhooks) Close(ctx context.Context) error {
	h.once.Do(func() {
		h.closed.Lock()
		h.shut = true
		h.closed.Unlock()
		for _, c := range h.queues {
			close(c)
		}
	})
	sent := make(chan struct{})
	go func() {
		h.done.Wait()
		close(sent)
	}()
	select {
	case <-sent:
	case <-ctx.Done():
		h.cancel()
		<-sent
		return fmt.Errorf("webhooks: %w", ctx.Err())
	}
	h.cancel()
	return nil
}
