package gateway

import (
	"bufio"
	"bytes"
	"net/http"
	"time"
)

// answer is what an exchange answers on a connection without an HTTP server.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the fields, to be changed before WriteHeader.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader sets the status.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write adds to the body.
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// bytes returns the response as it goes out.
func (a *answer) bytes() []byte {
	var b bytes.Buffer
	w := bufio.NewWriterSize(&b, 512)
	w.WriteString("HTTP/1.1 ")
	w.WriteString(statusLine(a.status))
	w.WriteString("\r\n")
	a.Header()["Date"] = []string{time.Now().UTC().Format(http.TimeFormat)}
	_ = a.header.Write(w)
	w.WriteString("\r\n")
	w.Write(a.body.Bytes())
	w.Flush()
	return b.Bytes()
}
