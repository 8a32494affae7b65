package server

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordon-sec/cordon/internal/answer"
)

// measure counts requests by part and status, and times them. No label holds
// what a client chooses.
func measure(registry *prometheus.Registry, next http.Handler) http.Handler {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cordon_http_requests_total",
		Help: "Requests to the backend, by part and status."}, []string{"part", "status"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "cordon_http_seconds",
		Help: "Time to answer a request to the backend.", Buckets: []float64{.0005, .002, .01, .05, .25, 1, 5, 30}},
		[]string{"part"})
	registry.MustRegister(requests, seconds)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, seen := time.Now(), answer.Watch(w)
		defer func() {
			part := partOf(r.URL.Path)
			requests.WithLabelValues(part, strconv.Itoa(seen.Status())).Inc()
			seconds.WithLabelValues(part).Observe(time.Since(began).Seconds())
		}()
		next.ServeHTTP(seen, r)
	})
}

func partOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first = strings.ToLower(first); first {
	case "tables", "api", ".auth", "push", "swagger":
		return strings.TrimPrefix(first, ".")
	}
	return "other"
}
