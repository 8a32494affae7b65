package event_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/cordon-sec/cordon/event"
)

// A recorder hands each event to its sinks: a log of JSON lines, a ring for the
// console. What a log says can be read again.
func Example() {
	var lines bytes.Buffer
	log, ring := event.NewLog(&lines, event.LogOptions{}), event.NewRing(100)
	event.NewRecorder(log, ring).Record(&event.Event{
		Time: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC), Type: event.Decision, Source: "gateway",
		App: "todo", Method: "CONNECT", Host: "evil.example", Port: 443, Verdict: event.Blocked, Reason: "not-listed",
	})
	if err := log.Close(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	e, err := event.Parse(lines.Bytes())
	fmt.Println(e.App, e.Verdict, e.Host, e.Reason, err)
	fmt.Println(len(ring.Latest()), "in the ring")
	// Output:
	// todo block evil.example not-listed <nil>
	// 1 in the ring
}
