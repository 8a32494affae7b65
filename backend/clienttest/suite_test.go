package clienttest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/lane"
)

// suiteTables are the tables that the client's own browser suite
// (azure-mobile-apps-client 2.0.1, e2etest/tests) expects.
const suiteTables = `  intidroundtriptable: { id: number, dynamic_schema: true, columns: {name: string, date1: date, bool: boolean, integer: number, number: number}, soft_delete: false }
  roundtriptable: { dynamic_schema: true, columns: {name: string, date1: date, bool: boolean, integer: number, number: number}, soft_delete: false }
  intIdMovies: { id: number, columns: &movie {title: string, duration: number, mpaaRating: string, releaseDate: date, bestPictureWinner: boolean, year: number}, page_size: 1000 }
  movies: { columns: *movie, page_size: 1000 }
  blog_posts: { dynamic_schema: true, columns: {title: string, commentCount: number, showComments: boolean, data: string} }
  blog_comments: { dynamic_schema: true, columns: {postid: string, name: string, commentText: string} }
  public: { dynamic_schema: true }
  authenticated: { dynamic_schema: true, access: authenticated, per_user: true }
  w8jsServerQueryMovies: { columns: *movie }
`

// notOurs are the tests of the suite that need a table with server code of its
// own: it answers with the parameters that it got. The parameters themselves
// reach the server and are ignored, which TestNode covers.
var notOurs = []string{"Passing additional parameters in CRUD operations"}

// TestSuite runs the client's own browser suite as its authors wrote it. The
// page replaces only its buttons.
func TestSuite(t *testing.T) {
	lane.Real(t)
	dir := modules(t)
	browsertest.Find(t)
	client := filepath.Join(dir, "azure-mobile-apps-client")
	file := bundle(t, dir, "suite.js")
	databases(t, func(t *testing.T, database string) {
		mux := http.NewServeMux()
		mux.Handle("/e2etest/", http.StripPrefix("/e2etest/",
			http.FileServer(http.Dir(filepath.Join(client, "e2etest")))))
		mux.HandleFunc("/bundle.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
		address := backend(t, database, suiteTables, "localhost")
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, suitePage(address))
		})
		outcomes := newPage(t, mux).visit(t, "/", 4*time.Minute, refusals(address)...)
		outcomes = slices.DeleteFunc(outcomes, func(o outcome) bool {
			return slices.ContainsFunc(notOurs, func(n string) bool { return strings.HasSuffix(o.Name, n) })
		})
		report(t, outcomes, 204)
	})
}

func suitePage(address string) string {
	var b strings.Builder
	b.WriteString(`<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script>
		var NativePromise = Promise; // the suite has a Promise of its own
		window.onerror = function (message, file, line) {
			fetch('/outcome', { method: 'POST', body: JSON.stringify({ name: 'page', ok: false, error: message + ' ' + file + ':' + line }) });
		};
	</script><script src="/bundle.js"></script>` + "\n")
	for _, script := range []string{"misc/thirdparty/jquery-2.1.1.js", "misc/target/browser/Promises.js",
		"misc/target/browser/platformSpecificFunctions.js", "misc/testframework/testFramework.js",
		"tests/shared/roundTripTests.js", "tests/shared/mobileServiceTable.Functional.js",
		"tests/shared/queryTestData.js", "tests/shared/queryTests.js", "tests/shared/updateDeleteTests.js",
		"tests/shared/loginTests.js", "tests/shared/miscTests.js", "tests/shared/apiTests.js",
		"tests/shared/allTests.js"} {
		fmt.Fprintf(&b, "<script src=\"/e2etest/%s\"></script>\n", script)
	}
	fmt.Fprintf(&b, `<script>
		testPlatform.alert = function (text, done) { if (done) done(); };
		zumo.initializeClient(%q);
		var queue = NativePromise.resolve();
		function send(o) { queue = queue.then(function () { return fetch('/outcome', { method: 'POST', body: JSON.stringify(o) }); }); }
		var groups = zumo.testGroups.filter(function (g) { return g.name.indexOf('All tests') !== 0; });
		// The suite's movies, which its server had from the start.
		function fill(i) {
			var movies = zumo.tests.getQueryTestData();
			if (i === movies.length) return next(0);
			zumo.getClient().getTable('intIdMovies').insert(movies[i]).done(function () {
				movies[i].id = 'Movie ' + ('00' + i).slice(-3);
				zumo.getClient().getTable('movies').insert(movies[i]).done(function () { fill(i + 1); });
			});
		}
		fill(0);
		function next(i) {
			if (i === groups.length) return send({ done: true });
			var group = groups[i];
			group.tests = group.tests.filter(function (t) { return t.canRunUnattended; });
			group.runTests(null, function (test) {
				if (test.statusText() !== 'skipped') send({ name: group.name + ': ' + test.name, ok: test.statusText() === 'passed', error: test.getLogs() });
			}, function () { next(i + 1); });
		}
	</script>`, address)
	return b.String()
}

// suiteAPI is the API that the suite calls: it tells what it was called with,
// as JSON, as XML or as text without brackets.
func suiteAPI(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	out := map[string]any{"method": r.Method, "user": map[string]any{"level": "anonymous"}}
	status, format := http.StatusOK, "json"
	query := map[string]any{}
	for k, v := range r.URL.Query() {
		switch k {
		case "format":
			format = v[0]
		case "status":
			status, _ = strconv.Atoi(v[0])
		default:
			query[k] = v[0]
		}
	}
	if len(query) > 0 {
		out["query"] = query
	}
	if len(body) > 0 {
		var value any
		if strings.Contains(r.Header.Get("Content-Type"), "json") && json.Unmarshal(body, &value) == nil {
			out["body"] = value
		} else {
			out["body"] = string(body)
		}
	}
	for k, v := range r.Header {
		if strings.HasPrefix(strings.ToLower(k), "x-test-zumo-") {
			w.Header()[k] = v
		}
	}
	switch format {
	case "xml":
		reply(w, status, "text/xml", "<root>"+xmlOf(out)+"</root>")
	case "other":
		text, _ := json.Marshal(out)
		reply(w, status, "text/plain",
			strings.NewReplacer("[", "__[__", "]", "__]__", "{", "__{__", "}", "__}__").Replace(string(text)))
	default:
		text, _ := json.Marshal(out)
		reply(w, status, "application/json", string(text))
	}
}

func xmlOf(v any) string {
	switch v := v.(type) {
	case []any:
		var b strings.Builder
		for _, x := range v {
			b.WriteString("<item>" + xmlOf(x) + "</item>")
		}
		return "<array>" + b.String() + "</array>"
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		var b strings.Builder
		for _, k := range keys {
			b.WriteString("<" + k + ">" + xmlOf(v[k]) + "</" + k + ">")
		}
		return b.String()
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}
