package csp_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/policy/csp"
)

// Reports as Chromium 156 (report-uri and Reporting API), Firefox and a browser
// of Level 2 send them.
const (
	chromiumOne = `{"csp-report":{"document-uri":"http://localhost:8443/index.html?code=1","referrer":"",` +
		`"violated-directive":"connect-src",` +
		`"effective-directive":"connect-src","original-policy":"default-src 'self'; report-uri ` +
		`/.cordon/reports","disposition":"enforce",` +
		`"blocked-uri":"https://u:p@Tracker.example.net:8443/a%2Fb?user=1#x","line-number":217,"column-number":5,` +
		`"source-file":"http://localhost:8443/js/app.js?v=2","status-code":200,"script-sample":""}}`
	chromiumBatch = `[{"age":12,"body":{"blockedURL":"inline","columnNumber":1,"disposition":"enforce",` +
		`"documentURL":"https://localhost:8443/",` +
		`"effectiveDirective":"script-src-elem","lineNumber":4,"originalPolicy":"x","referrer":"","sample":"",` +
		`"sourceFile":"https://localhost:8443/",` +
		`"statusCode":200},"type":"csp-violation","url":"https://localhost:8443/","user_agent":"Mozilla"},` +
		`{"type":"deprecation","body":{"id":"x"}}]`
	firefoxOne = `{"csp-report":{"blocked-uri":"data","column-number":1,"disposition":"report",` +
		`"document-uri":"http://localhost:8443/",` +
		`"effective-directive":"img-src","original-policy":"img-src ` +
		`'self'","referrer":"","status-code":200,"violated-directive":"img-src"}}`
	levelTwo = `{"csp-report":{"document-uri":"http://localhost/","violated-directive":"script-src ` +
		`'self'","blocked-uri":"self"}}`
)

func TestParseReports(t *testing.T) {
	for name, test := range map[string]struct {
		kind, body string
		want       []csp.Violation
	}{
		"chromium, report-uri": {"application/csp-report", chromiumOne,
			[]csp.Violation{{Document: "http://localhost:8443/index.html",
				Blocked: "https://tracker.example.net:8443/a%2Fb", Directive: "connect-src",
				Source: "http://localhost:8443/js/app.js", Line: 217, Column: 5, Enforced: true}}},
		"chromium, report-to": {"application/reports+json; charset=utf-8", chromiumBatch,
			[]csp.Violation{{Document: "https://localhost:8443/",
				Blocked: "inline", Directive: "script-src-elem", Source: "https://localhost:8443/", Line: 4, Column: 1,
				Enforced: true}}},
		"firefox, report only": {"application/csp-report", firefoxOne,
			[]csp.Violation{{Document: "http://localhost:8443/",
				Blocked: "data", Directive: "img-src", Column: 1}}},
		"level 2": {"application/csp-report", levelTwo,
			[]csp.Violation{{Document: "http://localhost/", Blocked: "inline",
				Directive: "script-src", Enforced: true}}},
		"nothing of ours": {"application/reports+json", `[{"type":"crash"}]`, nil},
		"many": {"application/reports+json",
			"[" + strings.TrimSuffix(strings.Repeat(`{"type":"csp-violation","body":{"effectiveDirective":"img-src",`+
				`"blockedURL":"blob"}},`, 101), ",") + "]",
			many(100, csp.Violation{Blocked: "blob", Directive: "img-src", Enforced: true})},
	} {
		got, err := csp.ParseReports(test.kind, []byte(test.body))
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func many(n int, v csp.Violation) []csp.Violation {
	var all []csp.Violation
	for range n {
		all = append(all, v)
	}
	return all
}

func TestParseReportsRefuses(t *testing.T) {
	for _, test := range []struct{ kind, body, want string }{
		{"", chromiumOne, "it has no content type"},
		{"text/html", chromiumOne, `must be application/csp-report or application/reports+json, not "text/html"`},
		{"application/csp-report", "<html>", "it is not valid JSON"},
		{"application/csp-report", "{}", `there is no "csp-report" in it`},
		{"application/csp-report", levelTwo + "{}", "something follows the JSON"},
		{"application/csp-report", `{"csp-report":{"blocked-uri":"x"}}`,
			"the directive must be a name such as img-src"},
		{"application/csp-report", `{"csp-report":{"effective-directive":"img-src\n'self'"}}`,
			"the directive must be a name such as img-src"},
		{"application/csp-report", `{"csp-report":{"line-number":"four"}}`,
			`"csp-report.line-number" must not be a JSON string`},
		{"application/reports+json", chromiumOne, `must not be a JSON object`},
	} {
		got, err := csp.ParseReports(test.kind, []byte(test.body))
		if err == nil || !strings.Contains(err.Error(), test.want) || got != nil {
			t.Errorf("%s %s: %v %v", test.kind, test.body, got, err)
		}
	}
}

func TestViolationKind(t *testing.T) {
	for directive, want := range map[string]string{
		"connect-src": "xhr", "script-src-attr": "script", "worker-src": "script", "style-src-elem": "style",
		"img-src": "image", "font-src": "font", "media-src": "media", "frame-src": "frame", "child-src": "frame",
		"form-action": "navigation", "base-uri": "other",
	} {
		if got := (&csp.Violation{Directive: directive}).Kind(); got != want {
			t.Errorf("%s is %s, want %s", directive, got, want)
		}
	}
	if got := (&csp.Violation{Directive: "connect-src", Blocked: "wss://x.example/"}).Kind(); got != "websocket" {
		t.Errorf("a WebSocket is %s", got)
	}
}

func FuzzParseReports(f *testing.F) {
	for _, text := range []string{chromiumOne, firefoxOne, levelTwo, "{}",
		`{"csp-report":{"effective-directive":"a","blocked-uri":"%zz"}}`} {
		f.Add("application/csp-report", []byte(text))
	}
	f.Add("application/reports+json", []byte(chromiumBatch))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		all, err := csp.ParseReports(kind, body)
		if err != nil && all != nil || len(all) > 100 {
			t.Fatalf("%d violations and the error %v", len(all), err)
		}
		for _, v := range all {
			for _, text := range []string{v.Document, v.Blocked, v.Source, v.Directive} {
				if len(text) > 4096 || strings.ContainsFunc(text, unicode.IsControl) {
					t.Errorf("%q is kept", text)
				}
			}
			for _, text := range []string{v.Document, v.Blocked, v.Source} {
				if strings.ContainsAny(text, "?#") {
					t.Errorf("%q holds a query", text)
				}
			}
		}
	})
}
