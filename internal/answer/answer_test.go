package answer

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestStatus(t *testing.T) {
	for want, handle := range map[int]http.HandlerFunc{
		200: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) },
		404: func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		201: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusCreated)
			w.WriteHeader(http.StatusTeapot)
		},
	} {
		w := Watch(httptest.NewRecorder())
		handle(w, httptest.NewRequest("GET", "/", nil))
		if w.Status() != want {
			t.Errorf("got %d, want %d", w.Status(), want)
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("flush: %v", err)
		}
	}
}
