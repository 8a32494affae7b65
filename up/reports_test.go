package up

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/event"
	"github.com/cordon-sec/cordon/internal/apptest"
)

// postReport posts a report as a browser does.
func postReport(t testing.TB, u *running, contentType, body string, header ...string) int {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, u.page+".cordon/reports", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := u.client(t, false).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// What a page's own policy refuses is seen beside the gateway's refusals, with
// the line that would allow it; nothing secret of it is kept.
func TestUpReports(t *testing.T) {
	t.Parallel()
	dir := todo(t)
	u := start(t, Config{Dir: dir})
	page := u.page + "index.html?code=secret-code"
	one := `{"csp-report":{"document-uri":"` + page +
		`","effective-directive":"connect-src","violated-directive":"connect-src",
		"blocked-uri":"https://tracker.example.net/collect?user=secret-user","source-file":"` + u.page + `js/app.js?v=secret-version",
		"line-number":7,"column-number":3,"disposition":"enforce"}}`
	batch := `[{"type":"csp-violation","age":1,"url":"` + page + `","body":{"documentURL":"` + page +
		`","effectiveDirective":"script-src-elem",
		"blockedURL":"inline","disposition":"enforce","lineNumber":4,"sourceFile":"` + page + `"}},
		{"type":"deprecation","url":"` + page + `","body":{"id":"x"}}]`
	for _, test := range []struct {
		name, contentType, body string
		header                  []string
		want                    int
	}{
		{"report-uri", "application/csp-report", one, []string{"Sec-Fetch-Site", "same-origin"}, http.StatusNoContent},
		{"report-to", "application/reports+json", batch, nil, http.StatusNoContent},
		{"the same again", "application/csp-report", one, nil, http.StatusNoContent},
		{"another site", "application/csp-report", strings.Replace(one, "tracker", "forged", 1),
			[]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"no report", "application/csp-report", "<html>", nil, http.StatusBadRequest},
		{"another type", "text/plain", one, nil, http.StatusBadRequest},
		{"a large one", "application/csp-report", strings.Repeat(" ", maxReports+1), nil,
			http.StatusRequestEntityTooLarge},
	} {
		if got := postReport(t, u, test.contentType, test.body, test.header...); got != test.want {
			t.Errorf("%s: status %d, want %d", test.name, got, test.want)
		}
	}
	status, _, _ := apptest.Get(t, u.client(t, false), u.page+".cordon/reports")
	if status != http.StatusMethodNotAllowed {
		t.Errorf("reading the reports: status %d", status)
	}
	_, _, body := apptest.Get(t, http.DefaultClient, u.console+"traffic?verdict=block")
	for _, want := range []string{
		"<b>tracker.example.net</b>", "connect-src of the page&#39;s policy refused it on /index.html (/js/app.js:7)",
		`href="/console/policy/allow?scheme=https&amp;host=tracker.example.net&amp;port=0"`,
		"inline code or style on /index.html (/index.html:4) was refused by script-src-elem: " +
			"move it into a file of the app",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("Traffic does not show %q:\n%s", want, body)
		}
	}
	if strings.Contains(body, "secret") || strings.Contains(body, "forged") || strings.Count(body, "page-policy") != 2 {
		t.Errorf("Traffic shows too much:\n%s", body)
	}
	if err := u.stop(); err != nil {
		t.Error(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, ".cordon", "events.jsonl"))
	if err != nil || strings.Contains(string(log), "secret") {
		t.Errorf("the log holds a secret, or is not there: %v", err)
	}
	wantLogged(t, log)
}

// wantLogged looks for the one report about a host in the log.
func wantLogged(t testing.TB, log []byte) {
	t.Helper()
	var found []map[string]any
	for line := range strings.Lines(string(log)) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e["host"] == "tracker.example.net" {
			found = append(found, e)
		}
	}
	if len(found) != 1 || found[0]["source"] != "page" || found[0]["verdict"] != string(event.Blocked) ||
		found[0]["kind"] != "xhr" ||
		found[0]["path"] != "/collect" {
		t.Errorf("the log has %v", found)
	}
}

// The link to a line is there only where that line would let the request
// through; elsewhere the detail says what to do.
func TestUpReportsOfferWhatHelps(t *testing.T) {
	t.Parallel()
	dir := appDir(t, map[string]string{
		"config.xml": `<widget id="a.b" xmlns="http://www.w3.org/ns/widgets"><name>A</name>` +
			`<allow-navigation href="https://a.example/*"/></widget>`,
		"www/index.html": `<!doctype html><title>A</title><script src="https://maps.example.com/named.js"></script>`,
	})
	u := start(t, Config{Dir: dir})
	for _, test := range []struct {
		directive, blocked string
		listable           bool
		want               string
	}{
		{"connect-src", "https://maps.example.com/a", true, ""},
		{"connect-src", "wss://maps.example.com/a", true, ""},
		{"img-src", "http://maps.example.com:8080/a", true, ""},
		{"font-src", "https://maps.example.com/a", true, ""},
		{"media-src", "https://maps.example.com/a", true, ""},
		{"frame-src", "https://maps.example.com/a", true, ""},
		{"script-src-elem", "https://maps.example.com/named.js", true, ""},
		{"script-src-elem", "https://maps.example.com/other.js", true, ""},
		{"script-src-elem", "https://cdn.example.com/added.js", false, "name it in the page&#39;s own markup"},
		{"style-src-elem", "https://maps.example.com/a.css", false, "name it in the page&#39;s own markup"},
		{"worker-src", "https://cdn.example.com/w.js", false, "a worker must be a file of the app"},
		{"form-action", "https://maps.example.com/a", false, "must be listed with allow-navigation"},
		{"base-uri", "https://maps.example.com/", false, "the page&#39;s base must stay at the app"},
		{"object-src", "https://maps.example.com/a", false, "plug-ins are never loaded"},
		{"manifest-src", "https://maps.example.com/a", false, "no line of the app&#39;s rules changes that"},
		{"connect-src", "blob", false, "what a blob: URL holds"},
	} {
		body := `{"csp-report":{"document-uri":"` + u.page + `","effective-directive":"` + test.directive +
			`","blocked-uri":"` + test.blocked + `","line-number":1}}`
		if got := postReport(t, u, "application/csp-report", body); got != http.StatusNoContent {
			t.Fatalf("%s %s: status %d", test.directive, test.blocked, got)
		}
		_, _, shown := apptest.Get(t, http.DefaultClient, u.console+"traffic?verdict=block")
		newest, _, _ := strings.Cut(shown[strings.Index(shown, "<tbody>"):], "</tr>")
		got := strings.Contains(newest, "/policy/allow?")
		if got != test.listable || !strings.Contains(newest, test.want) {
			t.Errorf("%s %s: a line is offered: %v, want %v, and %q in it:\n%s",
				test.directive, test.blocked, got, test.listable, test.want, newest)
		}
	}
}
