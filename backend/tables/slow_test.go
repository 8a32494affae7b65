package tables

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// shapes is a store whose tables are as they are defined; it keeps no rows.
type shapes struct{ Store }

func (shapes) DefineAll(_ context.Context, all []Definition) ([]Defined, error) {
	out := make([]Defined, len(all))
	for i, d := range all {
		shape, err := NewShape(d.Name, d.Columns, d.SoftDelete)
		if err != nil {
			return nil, err
		}
		out[i].Shape = shape
	}
	return out, nil
}

// pipes is a listener for connections within the test.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (pipes) Close() error { return nil }

func (pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowBody: the first chunk of a body has twenty seconds, each that follows five;
// what is slower is answered with 408, and its connection ends.
func TestSlowBody(t *testing.T) {
	for _, test := range []struct {
		name string
		sent int // of 256 KiB, and then nothing more
		want time.Duration
	}{
		{"nothing", 0, 20 * time.Second},
		{"less than a chunk", 1000, 20 * time.Second},
		{"more than a chunk", 100 << 10, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { slowBody(t, test.sent, test.want) })
		})
	}
}

func slowBody(t *testing.T, sent int, want time.Duration) {
	s, err := New(t.Context(), Config{"item": {Columns: map[string]Column{"text": {Type: "string"}}}}, shapes{},
		Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	accepts := make(pipes)
	server := http.Server{Handler: s, ReadTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(accepts) }()
	client, other := net.Pipe()
	defer client.Close()
	accepts <- other

	began := time.Now()
	_, err = fmt.Fprintf(client, "POST /tables/item HTTP/1.1\r\nHost: a.example\r\nZUMO-API-VERSION: 2.0.0\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", 256<<10, strings.Repeat(" ", sent))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusRequestTimeout || !answer.Close ||
		string(body) != `{"error":"The body took too long to arrive"}` {
		t.Errorf("%d %s, %v; the connection ends: %v", answer.StatusCode, body, err, answer.Close)
	}
	if took := time.Since(began); took != want {
		t.Errorf("after %v, want %v", took, want)
	}
	close(accepts)
	_ = server.Close() // the client is gone
	if err := <-ended; !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}
