package export_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/needs"
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
		Handlers:      []string{"go()"},
	}
	made, losses := export.PagePolicy(source, page)
	want := "default-src 'self'; connect-src 'self' https://cdn.example/lib https://cdn.example/lib/ " +
		"wss://cdn.example/lib wss://cdn.example/lib/ https://api.example wss://api.example data:; " +
		"img-src 'self' https://cdn.example/lib https://cdn.example/lib/ https://api.example blob:; " +
		"media-src 'self' https://cdn.example/lib https://cdn.example/lib/ https://api.example data:; " +
		"font-src 'self' https://cdn.example/lib https://cdn.example/lib/ https://api.example data:; " +
		"frame-src 'self' https://cdn.example/lib https://cdn.example/lib/ https://api.example gap:; " +
		"script-src 'self' https://cdn.example/lib https://cdn.example/lib/ " +
		"'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; " +
		"script-src-attr 'unsafe-hashes' 'sha256-5KYv+PUboo5h+0+YAtGRPbwv5d/QxzHslP4YGnUaxRw='; " +
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
	for _, what := range []string{"evil.test", "event handlers run by their hashes", "eval",
		"has https://old.example, which is on no list", "has data: in frame-src, style-src, which"} {
		if !strings.Contains(all, what) {
			t.Errorf("the losses do not speak of %s:\n%s", what, all)
		}
	}
}

// What a page's own policy has stays as far as it is granted, and what the page
// needs is met or told.
func TestCSPNeeds(t *testing.T) {
	source, _ := sourceOf(t, `<access origin="https://api.example"/>`)
	asked := []needs.Need{
		{Directive: "style-src-elem", Source: needs.UnsafeInline, What: "puts styles in", By: "lib"},
		{Directive: "worker-src", Source: "blob:", What: "starts workers", By: "lib"},
		{Directive: "script-src", Source: needs.UnsafeEval, What: "makes code of text", By: "lib"},
		{Directive: "script-src-attr", Source: needs.UnsafeInline, What: "writes handlers", By: "lib"},
	}
	for _, test := range []struct{ grants, want, told string }{
		{"found", "connect-src 'self' https://api.example wss://api.example blob:; img-src 'self' " +
			"https://api.example " +
			"blob:; media-src 'self' https://api.example blob:; font-src 'self' https://api.example blob:; frame-src " +
			"'self' https://api.example gap:; script-src 'self'; worker-src 'self' blob:; style-src 'self' " +
			"'unsafe-inline'; style-src-elem 'self' 'unsafe-inline'; style-src-attr 'none'",
			`"eval" in the preference CordonPageNeeds`},
		{"found eval", "connect-src 'self' https://api.example wss://api.example blob:; img-src 'self' " +
			"https://api.example blob:; media-src 'self' https://api.example blob:; font-src 'self' " +
			"https://api.example " +
			"blob:; frame-src 'self' https://api.example gap:; script-src 'self' 'unsafe-eval'; worker-src " +
			"'self' blob:; " +
			"style-src 'self' 'unsafe-inline'; style-src-elem 'self' 'unsafe-inline'; style-src-attr 'none'",
			"lib writes handlers, which fails: no policy"},
		{"none", "connect-src 'self' https://api.example wss://api.example; img-src 'self' https://api.example; " +
			"media-src 'self' https://api.example; font-src 'self' https://api.example; frame-src 'self' " +
			"https://api.example; script-src 'self'; style-src 'self'", "policy has gap: in frame-src"},
	} {
		doc, err := configxml.Parse(
			"config.xml",
			[]byte(`<widget><preference name="CordonPageNeeds" value="`+test.grants+
				`"/></widget>`),
		)
		if err != nil {
			t.Fatal(err)
		}
		grants, err := needs.ReadGrants(doc, "")
		if err != nil {
			t.Fatal(err)
		}
		made, losses := export.PagePolicy(source,
			export.Page{Existing: csp.Parse("default-src 'self' blob: gap:"), Needs: asked, Grants: grants})
		want := "default-src 'self'; " + test.want + "; form-action 'self' https://api.example; object-src 'none'; " +
			"base-uri 'self'"
		if got := made.String(); got != want {
			t.Errorf("%s: policy\n%s\nwant\n%s", test.grants, got, want)
		}
		told := ""
		for _, loss := range losses {
			told += loss.Message + "\n"
		}
		if !strings.Contains(told, test.told) {
			t.Errorf("%s: nothing is said of %s:\n%s", test.grants, test.told, told)
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

// Whatever a page's own policy has, the new one has, or a loss names it.
func TestNothingIsDroppedInSilence(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 3))
	source, _ := sourceOf(t, `<access origin="https://api.example"/><access origin="https://*.cdn.example"/>`+
		`<allow-navigation href="https://nav.example/*"/>`)
	names := strings.Fields(
		"default-src connect-src img-src media-src font-src frame-src child-src script-src style-src " +
			"script-src-elem script-src-attr style-src-elem style-src-attr worker-src manifest-src object-src " +
			"form-action " +
			"base-uri frame-ancestors sandbox report-uri upgrade-insecure-requests require-trusted-types-for " +
			"navigate-to odd",
	)
	tokens := strings.Fields("'self' 'none' * https: http: ws: wss: data: blob: gap: gap://ready cdvfile: content: " +
		"filesystem: ionic: file: https://* https://api.example https://api.example/v1/ api.example " +
		"http://api.example " +
		"https://a.cdn.example *.cdn.example https://*.other.example https://evil.test:8443 https://nav.example:* " +
		"'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' 'strict-dynamic' 'unsafe-hashes' 'report-sample' " +
		"'nonce-r4nd0m' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=' odd 'script' allow-scripts")
	pages := []export.Page{
		{},
		{InlineScripts: []string{"alert(1)"}, Handlers: []string{"go()"}, StyleAttributes: []string{"color:red"}},
		{Needs: []needs.Need{{Directive: "style-src-elem", Source: needs.UnsafeInline, What: "x", By: "y"}}},
	}
	for range 3000 {
		var text []string
		for range 1 + random.IntN(4) {
			d := names[random.IntN(len(names))]
			for range random.IntN(4) {
				d += " " + tokens[random.IntN(len(tokens))]
			}
			text = append(text, d)
		}
		page := pages[random.IntN(len(pages))]
		page.Existing = csp.Parse(strings.Join(text, "; "))
		made, losses := export.PagePolicy(source, page)
		var told strings.Builder
		for _, loss := range losses {
			told.WriteString(loss.Message + "\n")
		}
		for _, d := range page.Existing.Directives {
			if strings.Contains(told.String(), "has "+d.Name+", which does nothing") {
				continue
			}
			if len(d.Sources) == 0 && !strings.Contains(made.String()+told.String(), d.Name) &&
				strings.Contains(d.Name, "-") {
				if _, ok := made.Effective(d.Name); !ok {
					t.Fatalf("%s: %s is gone in silence: %s", page.Existing, d.Name, made)
				}
			}
			for _, token := range d.Sources {
				if !strings.Contains(told.String(), token) && !allowsAll(made, d.Name, token) {
					t.Fatalf(
						"%s\nin %s, %s is gone in silence:\n%s\n%s",
						page.Existing,
						d.Name,
						token,
						made,
						told.String(),
					)
				}
			}
		}
	}
}

// allowsAll reports whether the policy has a source where a directive of the old
// one had it, or loads what that names; for what is not about loading, whether it
// has it anywhere.
func allowsAll(made csp.Policy, directive, token string) bool {
	switch {
	case strings.Contains(made.String(), token) && directive == "default-src":
		return true
	case directive == "default-src":
		directive = "connect-src"
	case directive == "child-src":
		directive = "frame-src"
	}
	d, ok := made.Effective(directive)
	if directive == "script-src" || directive == "style-src" {
		if elements, has := made.Get(directive + "-elem"); has {
			d = elements
		}
	}
	if !ok || d.Has(token) || token == "'none'" {
		return true
	}
	s, isSource := csp.ParseSource(token)
	if !isSource || s.Host == "" || s.Host == "*" {
		return false
	}
	url := strings.Replace(token, "*.", "any.", 1)
	if s.Scheme == "" {
		url = "https://" + url
	}
	return d.Allows(strings.Replace(url, ":*", ":9999", 1), "https://localhost/")
}
