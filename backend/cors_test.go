package backend

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// hybridOrigins reads the table of the guide: the entry of cors, the origins that
// it stands for, and the default.
func hybridOrigins(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile("../docs/guide/serve.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text),
		"| framework | version, platform | its pages' origin | entry of `cors` |\n|---|---|---|---|\n")
	if !ok {
		t.Fatal("the guide has no table of origins")
	}
	var rows [][]string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 {
			break
		}
		rows = append(rows, []string{strings.Trim(cells[1], " "), strings.Trim(cells[3], " `"), strings.Trim(cells[4],
			" `")})
	}
	return rows
}

// TestHybridOrigins holds the guide's table: each entry lets its origin in, for a
// request and a preflight, and nothing but `localhost` does so unasked.
func TestHybridOrigins(t *testing.T) {
	rows := hybridOrigins(t)
	if len(rows) < 12 {
		t.Fatalf("only %d rows", len(rows))
	}
	byDefault := newBackend(t, nil)
	for _, row := range rows {
		origin, entry := row[1], row[2]
		h := newBackend(t, func(o *Options) { o.CORS = []string{entry} })
		for _, origin := range strings.Split(origin, "`, `") {
			origin = strings.ReplaceAll(origin, "PORT", "4711")
			if got := do(h, "GET", "/tables/x", "Origin",
				origin).Header().Get("Access-Control-Allow-Origin"); got != origin {
				t.Errorf("%s: %s does not let %s in", row[0], entry, origin)
			}
			w := do(h, "OPTIONS", "/tables/x", "Origin", origin, "Access-Control-Request-Method", "PATCH",
				"Access-Control-Request-Headers", "x-zumo-auth,zumo-api-version,x_own.header")
			if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != origin ||
				w.Header().Get("Access-Control-Allow-Headers") != "x-zumo-auth,zumo-api-version,x_own.header" ||
				!strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "PATCH") {
				t.Errorf("preflight of %s: %d %v", origin, w.Code, w.Header())
			}
			for _, method := range []string{"GET", "OPTIONS"} {
				if got := do(h, method, "/tables/x", "Origin",
					origin).Header(); got.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s may send cookies along", origin)
				}
			}
			if entry != "localhost" && !strings.Contains(origin, "://localhost") &&
				do(byDefault, "GET", "/tables/x", "Origin", origin).Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s is let in by default", origin)
			}
		}
	}
}

// TestAnyPort has the wildcard of ports: any port of one host and scheme.
func TestAnyPort(t *testing.T) {
	h := newBackend(t, func(o *Options) {
		o.CORS = []string{"http://localhost:*", "http://10.0.2.2:*/", "http://[::1]:*", "tauri://localhost",
			"capacitor-electron://-", "null"}
	})
	for origin, want := range map[string]bool{"http://localhost:1": true, "http://localhost": true,
		"http://localhost:65535": true, "https://localhost:1": false, "http://10.0.2.2:8081": true,
		"http://10.0.2.20:8081": false, "http://10.0.2.2.evil.example:8081": false, "http://[::1]:5": true,
		"http://localhost:1.evil.example": false, "http://localhost.evil.example:1": false,
		"http://localhost:99999": false,
		"http://a@localhost:1":   false, "tauri://localhost": true, "tauri://localhost:1": false, "tauri://evil": false,
		"capacitor-electron://-": true, "capacitor-electron://-:1": false, "null": true,
		"file://": true, "NULL": false, "http://-": false} {
		if got := do(h, "GET", "/tables/x", "Origin",
			origin).Header().Get("Access-Control-Allow-Origin") != ""; got != want {
			t.Errorf("%s: %v", origin, got)
		}
	}
	for _, entry := range []string{"http://*:*", "http://:*", "http://localhost:1:*", "http://localhost:*:*",
		"*://localhost",
		"http://*.example:*", "http://localhost:*/path", "x://a b", "x://a:*b", "file://server",
	} {
		if CheckCORS([]string{entry}) == nil {
			t.Errorf("%s was taken", entry)
		}
	}
}
