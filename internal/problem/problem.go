// Package problem writes refusals as problem details (RFC 9457): an HTTP status
// with a JSON body that a program can read, and that says nothing about the
// policy behind it.
package problem

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// ContentType is the media type of problem details.
const ContentType = "application/problem+json"

// Problem is one refusal.
type Problem struct {
	// Type is a URI that names the kind of problem; "" stands for about:blank.
	Type string `json:"type,omitempty"`
	// Title is a short text that is the same for every problem of this kind;
	// "" stands for the status' own text.
	Title  string `json:"title,omitempty"`
	Status int    `json:"status"`
	// Detail is about this one occurrence.
	Detail string `json:"detail,omitempty"`
	// Reason is a code from the answering part's closed list.
	Reason string `json:"reason,omitempty"`
	// RequestID is the id under which the operator finds the event.
	RequestID string `json:"requestId,omitempty"`
}

// Bytes returns the problem as JSON.
func (p Problem) Bytes() []byte {
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	data, err := json.Marshal(p)
	if err != nil { // strings and numbers only: cannot happen
		return []byte("{}")
	}
	return append(data, '\n')
}

// Write answers with the problem.
func Write(w http.ResponseWriter, p Problem) {
	body := p.Bytes()
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client may be gone
}
