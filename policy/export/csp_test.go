package export_test

import (
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/export"
)

const cspSelf = "https://self.invalid/"

func TestCSPLaw(t *testing.T) {
	for directive, kind := range map[string]policy.Kind{
		"connect-src": policy.XHR, "img-src": policy.Image, "media-src": policy.Media, "font-src": policy.Font,
		"form-action": policy.Navigation, "frame-src": policy.Frame,
	} {
		t.Run(directive, func(t *testing.T) {
			schemes := []string{"http", "https"}
			if directive == "connect-src" {
				schemes = append(schemes, "ws", "wss")
			}
			law{
				Export: writerOf("csp"),
				Reader: func(t testing.TB, content []byte) func(string) bool {
					p := csp.Parse(strings.TrimSpace(string(content)))
					if _, ok := p.Get(directive); !ok {
						t.Fatalf("no %s in %s", directive, content)
					}
					return func(url string) bool { return p.Allows(directive, url, cspSelf) }
				},
				Kind: kind, Schemes: schemes,
			}.Check(t)
		})
	}
}

func TestCSPPage(t *testing.T) {
	source, _ := sourceOf(t, `<access origin="https://cdn.example/lib/*"/><access origin="https://api.example"/>`)
	page := export.Page{
		Existing: csp.Parse("default-src 'self' data: gap:; img-src blob: https://old.example; script-src " +
			"'self' 'unsafe-eval'"),
		Scripts:       []string{"https://cdn.example/lib/x.js", "https://evil.test/x.js"},
		InlineScripts: []string{"alert(1)"},
		Handlers:      true,
	}
	made, losses := export.PagePolicy(source, page)
	want := "default-src 'self'; connect-src 'self' https://cdn.example/lib https://cdn.example/lib/ " +
		"wss://cdn.example/lib wss://cdn.example/lib/ https://api.example wss://api.example; " +
		"img-src 'self' https://cdn.example/lib https://cdn.example/lib/ https://api.example blob:; " +
		"media-src 'self' https://cdn.example/lib https://cdn.example/lib/ https://api.example data:; " +
		"font-src 'self' https://cdn.example/lib https://cdn.example/lib/ https://api.example data:; " +
		"frame-src 'self' https://cdn.example/lib https://cdn.example/lib/ https://api.example; " +
		"script-src 'self' https://cdn.example/lib https://cdn.example/lib/ " +
		"'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; " +
		"style-src 'self'; form-action 'self' https://cdn.example/lib https://cdn.example/lib/ https://api.example; " +
		"object-src 'none'; base-uri 'self'"
	if got := made.String(); got != want {
		t.Errorf("policy\n%s\nwant\n%s", got, want)
	}
	var messages []string
	for _, loss := range losses {
		messages = append(messages, loss.Message)
	}
	all := strings.Join(messages, "\n")
	for _, what := range []string{"evil.test", "event handlers", "eval",
		"has https://old.example, which is on no list"} {
		if !strings.Contains(all, what) {
			t.Errorf("the losses do not speak of %s:\n%s", what, all)
		}
	}
}

// Where a line for http grows to https, and another line covers that anyway,
// nothing is lost; a line for ws alone grows to http, too.
func TestCSPGrowth(t *testing.T) {
	for body, losses := range map[string]int{
		`<access origin="http://a.example"/>`:                                             1,
		`<access origin="http://a.example"/><access origin="https://a.example"/>`:         0,
		`<access origin="http://*.a.example"/><access origin="https://a.example"/>`:       1,
		`<access origin="http://a.example/p"/><access origin="https://*.a.example"/>`:     0,
		`<access origin="http://a.example:8080"/><access origin="https://a.example"/>`:    1,
		`<access origin="ws://a.example"/><access origin="https://a.example"/>`:           1,
		`<access origin="http://a.example"/><allow-navigation href="https://a.example"/>`: 1,
	} {
		source, _ := sourceOf(t, body)
		if got := writerOf("csp")(source).Losses; len(got) != losses {
			t.Errorf("%s: %+v, want %d losses", body, got, losses)
		}
	}
}
