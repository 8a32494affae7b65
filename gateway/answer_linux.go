package gateway

import (
	"bytes"
	"net/http"
	"time"
)

// answer is what a request is answered on a connection without an HTTP server.
type answer struct {
	header http.Header
	status int
	body   []byte
	room   [192]byte // for the bodies of refusals
}

// Header returns the fields, to be changed before WriteHeader.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = make(http.Header, 6) // with room for a refusal's
	}
	return a.header
}

// WriteHeader sets the status.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write adds to the body.
func (a *answer) Write(p []byte) (int, error) {
	if a.body == nil {
		a.body = a.room[:0]
	}
	a.body = append(a.body, p...)
	return len(p), nil
}

// appendTo appends the response as it goes out.
func (a *answer) appendTo(out []byte) []byte {
	out = append(out, "HTTP/1.1 "...)
	out = append(out, statusLine(a.status)...)
	out = append(out, "\r\nDate: "...)
	out = time.Now().UTC().AppendFormat(out, http.TimeFormat)
	out = append(out, "\r\n"...)
	b := bytes.NewBuffer(out)
	_ = a.header.Write(b)
	b.WriteString("\r\n")
	b.Write(a.body)
	return b.Bytes()
}
