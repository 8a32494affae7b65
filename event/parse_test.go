package event

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What Log writes, Parse reads: the same event.
func TestParseReadsTheLog(t *testing.T) {
	texts := rapid.StringMatching(`[ -~é\n]{0,20}`)
	addresses := rapid.SampledFrom([]netip.AddrPort{{}, netip.MustParseAddrPort("10.0.0.1:5"),
		netip.MustParseAddrPort("[fd00::1]:443")})
	spans := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, int64(24*time.Hour/time.Microsecond)).Draw(t, "µs")) * time.Microsecond
	})
	rapid.Check(t, func(t *rapid.T) {
		want := Event{
			ID: texts.Draw(t, "id"), Time: time.Unix(0, rapid.Int64Range(0, 4e18).Draw(t, "time")).UTC(),
			Type:   rapid.SampledFrom([]Type{Decision, Close, Notice}).Draw(t, "type"),
			Source: texts.Draw(t, "source"), App: texts.Draw(t, "app"), Identity: texts.Draw(t, "identity"),
			Client: addresses.Draw(t, "client"), Method: texts.Draw(t, "method"), Scheme: texts.Draw(t, "scheme"),
			Host: texts.Draw(t, "host"), Port: rapid.Uint16().Draw(t, "port"), Path: texts.Draw(t, "path"),
			Kind:    texts.Draw(t, "kind"),
			Verdict: rapid.SampledFrom([]Verdict{"", Allowed, Blocked, Reported, Failed}).Draw(t, "verdict"),
			Reason:  texts.Draw(t, "reason"), Rule: texts.Draw(t, "rule"), Place: texts.Draw(t, "place"),
			Detail: texts.Draw(t, "detail"), Address: addresses.Draw(t, "address"),
			Status: rapid.IntRange(0, 599).Draw(t, "status"), Up: rapid.Int64().Draw(t, "up"),
			Down: rapid.Int64().Draw(t, "down"), Lookup: spans.Draw(t, "lookup"), Connect: spans.Draw(t, "connect"),
			Total: spans.Draw(t, "total"),
		}
		var out bytes.Buffer
		l := NewLog(&out, LogOptions{})
		l.Record(&want)
		if err := l.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := Parse(out.Bytes())
		if err != nil {
			t.Fatalf("%v: %s", err, out.Bytes())
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
			t.Fatalf("%s\n%s", diff, out.Bytes())
		}
	})
}

func TestParse(t *testing.T) {
	old, err := Parse([]byte(`{"time":"x","level":"INFO","msg":"decision","at":"2026-01-02T03:04:05Z",` +
		`"verdict":"deny","dropped":3}`))
	if err != nil || old.Verdict != Blocked || !old.Time.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("a line of an earlier release: %+v, %v", old, err)
	}
	for line, want := range map[string]string{
		"":                                   "one JSON object",
		"[]":                                 "one JSON object",
		`{"msg":"decision","at":"now"}`:      "at must be a time",
		`{"msg":"secret"}`:                   "msg must be",
		`{"msg":"notice","verdict":"deny "}`: "the verdict must be",
		`{"msg":"close","at":"2026-01-02T03:04:05Z","client":"secret"}`: "client and address must be",
		`{"msg":"close","at":"2026-01-02T03:04:05Z","port":70000}`:      "one JSON object",
	} {
		if _, err := Parse([]byte(line)); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"msg":"decision","at":"2026-01-02T03:04:05Z","verdict":"deny","total_ms":1.5,"client":"[::1]:1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if e, err := Parse(data); err == nil && (e.Type == "" || e.Verdict == "deny") {
			t.Errorf("%q became %+v", data, e)
		}
	})
}
