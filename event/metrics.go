package event

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts events in a Prometheus registry of its own. No label holds a
// value that a client chooses: hosts and paths are in the log only.
type Metrics struct {
	registry  *prometheus.Registry
	decisions *prometheus.CounterVec
	bytes     *prometheus.CounterVec
	lookup    prometheus.Histogram
	connect   prometheus.Histogram
	total     *prometheus.HistogramVec
	notices   *prometheus.CounterVec
}

// NewMetrics returns metrics on a new registry that also describes the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cordon_decisions_total", Help: "Requests that were decided, by app, verdict and reason.",
		}, []string{"source", "app", "verdict", "reason"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cordon_bytes_total", Help: "Bytes moved for apps, by direction as the app sees it.",
		}, []string{"source", "app", "direction"}),
		lookup: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cordon_lookup_seconds", Help: "Time to resolve names.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}),
		connect: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cordon_connect_seconds", Help: "Time to connect to an address.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}),
		total: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cordon_duration_seconds", Help: "Time from the request to its end, or to the end of what it opened.",
			Buckets: prometheus.ExponentialBuckets(0.001, 8, 8),
		}, []string{"type"}),
		notices: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cordon_notices_total", Help: "Notices to the operator, by reason.",
		}, []string{"source", "reason"}),
	}
	m.registry.MustRegister(m.decisions, m.bytes, m.lookup, m.connect, m.total, m.notices,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Registry returns the registry, for parts that add metrics of their own.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Gauge adds a value that is read whenever the metrics are.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// WatchLog adds the log's losses to the metrics.
func (m *Metrics) WatchLog(l *Log) {
	m.Gauge("cordon_log_queue", "Events that wait for the log's writer.",
		func() float64 { return float64(len(l.queue)) })
	m.Gauge("cordon_log_failed_events", "Events that the log's writer refused.",
		func() float64 { return float64(l.Failed()) })
}

// Handler serves the metrics in Prometheus' text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Record counts the event.
func (m *Metrics) Record(e *Event) {
	switch e.Type {
	case Notice:
		m.notices.WithLabelValues(e.Source, e.Reason).Inc()
		return
	case Decision:
		m.decisions.WithLabelValues(e.Source, e.App, string(e.Verdict), e.Reason).Inc()
		if e.Lookup > 0 {
			m.lookup.Observe(e.Lookup.Seconds())
		}
		if e.Connect > 0 {
			m.connect.Observe(e.Connect.Seconds())
		}
	}
	if e.Up > 0 {
		m.bytes.WithLabelValues(e.Source, e.App, "up").Add(float64(e.Up))
	}
	if e.Down > 0 {
		m.bytes.WithLabelValues(e.Source, e.App, "down").Add(float64(e.Down))
	}
	if e.Total > 0 {
		m.total.WithLabelValues(string(e.Type)).Observe(e.Total.Seconds())
	}
}
