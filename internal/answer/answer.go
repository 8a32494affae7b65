// Package answer watches what a handler answers.
package answer

import "net/http"

// Writer passes everything on and remembers the status. The zero status means
// that nothing was written yet, which is 200 once the handler returns.
type Writer struct {
	http.ResponseWriter
	status int
}

// Watch returns a writer over w.
func Watch(w http.ResponseWriter) *Writer { return &Writer{ResponseWriter: w} }

// WriteHeader is part of http.ResponseWriter.
func (w *Writer) WriteHeader(status int) {
	if w.status < http.StatusOK { // 1xx may be followed by others
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Status is the status of the answer.
func (w *Writer) Status() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// Unwrap lets http.ResponseController reach what is below.
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
