package needs_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/needs"
)

// short writes needs as "directive source", sorted, each once.
func short(list []needs.Need) string {
	var all []string
	for _, n := range list {
		if text := n.Directive + " " + n.Source; !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func TestScripts(t *testing.T) {
	const elements = "style-src-elem 'unsafe-inline'"
	const attributes = "style-src-attr 'unsafe-inline'"
	const eval = "script-src 'unsafe-eval'"
	const wasm = "script-src 'wasm-unsafe-eval'"
	const handlers = "script-src-attr 'unsafe-inline'"
	const inherited = "script-src-elem 'unsafe-inline'"
	for _, test := range []struct{ name, code, want string }{
		{"a style element", `d.head.append(document.createElement("style"))`, elements},
		{"minified", "var t=e.createElement(`style`);", elements},
		{"in a namespace", `document.createElementNS(ns, 'style')`, elements},
		{"of React, for a precedence", `case"style":return a=(l.ownerDocument||l).createElement("style"),vl(a),` +
			`Ce(a,u.precedence,l),t.instance=a`, ""},
		{"in a comment", `// document.createElement("style")` + "\n" + `/* new Function("x") */ f()`, ""},
		{"as markup", `$('head').append('<style>p{color:red}</style>')`, elements},
		{"another element", `document.createElement("styles"); document.createElement("link")`, ""},
		{"a style attribute", `e.setAttribute("style", x)`, attributes},
		{"of Angular", `r.setAttribute(e,"style",t)`, attributes},
		{"markup with a style", `x.innerHTML = '<p class="a" style="color:red">';`, attributes},
		{"escaped markup", `x.innerHTML = "<p style=\"color:red\">"`, attributes},
		{"a style by properties", `e.style.color = "red"; e.style.cssText = "x"; a = b style="c"`, ""},
		{"markup with a handler", `x.innerHTML = '<a href="#" onclick="go()">'`, handlers},
		{"a handler attribute", `e.setAttribute('onclick', 'go()')`, handlers},
		{"a question of React", `e.setAttribute("oninput","return;"); x = typeof e.oninput`, ""},
		{"a handler function", `e.onclick = go; f(" on x")`, ""},
		{"eval", `var x = eval(text)`, eval},
		{"eval of the window", `window.eval(text)`, eval},
		{"eval of something else", `math.eval(text); evaluate(x); "eval(x)"; medieval(y)`, ""},
		{"Function", `return new Function("a", body)`, eval},
		{"Function for the global object", `Function("return this")(); isFunction(x); new Function()`, ""},
		{"a timer with text", `setTimeout("go()", 10)`, eval},
		{"a timer", `setTimeout(go, 10); setInterval(function () {}, 5)`, ""},
		{"AngularJS", `var x = {noUnsafeEval: 1}; new Function('$filter', code)`, ""},
		{"WebAssembly", `WebAssembly.instantiateStreaming(fetch("a.wasm"))`, wasm},
		{"WebAssembly in a text", `log("WebAssembly.instantiate")`, ""},
		{"a picture", `img.src = 'data:image/jpeg;base64,' + d`, "img-src data:"},
		{"a picture that is looked for", `if (s.startsWith("data:image/png")) go(); x === "data:image/gif"`, ""},
		{"a font", `new FontFace('a', 'data:font/woff2;base64,AA')`, "font-src data:"},
		{"a sound", `a.src = "data:audio/wav;base64,AA"`, "media-src data:"},
		{"some data", `x.src = "data:" + type + ";base64," + y`, "img-src data:, media-src data:"},
		{"data that is fetched", `fetch("data:application/octet-stream;base64,AA")`, "connect-src data:"},
		{"data in a frame", `iframe.src = "data:text/html,<p>"`, "frame-src data:, " + inherited},
		{"data to keep", `link.href = "data:text/csv;charset=utf-8," + rows`, ""},
		{"a style sheet in a script", "css(`a{background:url(\"data:image/svg+xml,x\")}" +
			"@font-face{src:url(data:application/octet-stream;base64,x)}`)", "font-src data:, img-src data:"},
		{"a worker of data", `new Worker("data:text/javascript,x")`, "worker-src data:"},
		{"a module of data", `import("data:text/javascript,x")`, "script-src data:"},
		{"a canvas", `show(canvas.toDataURL())`, "img-src data:"},
		{"a picture of a blob", `image.src = URL.createObjectURL(b)`, "img-src blob:"},
		{"a film of a blob", `video.src = window.URL.createObjectURL(b)`, "media-src blob:"},
		{"a blob", `show(URL.createObjectURL(b))`, "img-src blob:, media-src blob:"},
		{"a blob to keep", `var a = document.createElement("a"); a.download = "x"; a.href = ` +
			`URL.createObjectURL(b)`, ""},
		{"a frame of a blob", `iframe.src = URL.createObjectURL(b)`, "frame-src blob:, " + inherited},
		{"a blob that is fetched", `fetch(URL.createObjectURL(b))`, "connect-src blob:"},
		{"a worker of a blob", `var u = URL.createObjectURL(new Blob([s])); w = new Worker(u)`, "worker-src blob:"},
		{"a film by way of a variable", `photo(); var a = URL.createObjectURL(b); done(a); ` +
			strings.Repeat("x(y); ", 100) + `player.video.src = a;`, "media-src blob:"},
		{"a film and a link", `var u = URL.createObjectURL(b); a.download = "x"; a.href = u; videoEl.src = u`,
			"media-src blob:"},
		{"a film of a member", `this.url = URL.createObjectURL(b); ` + strings.Repeat("x(y); ", 100) +
			`const v = document.createElement("video"); v.src = this.url;`, "media-src blob:"},
		{"a film and a picture", `let u = URL.createObjectURL(b); img.src = u; audio.setAttribute("src", u)`,
			"img-src blob:, media-src blob:"},
		{"a frame by way of a variable", `u=URL.createObjectURL(b);` + strings.Repeat("x(y);", 100) +
			`t=document.createElement("iframe");t.src=u`, "frame-src blob:, " + inherited},
		{"data in a frame by way of a variable", `const page = "data:text/html," + x; ` +
			strings.Repeat("x(y); ", 100) + `myFrame.iframe.src = page`, "frame-src data:, " + inherited},
		{"a worker by way of a variable", `const w = URL.createObjectURL(b);` + strings.Repeat("x(y); ", 100) +
			`run(new Worker(w))`, "worker-src blob:"},
		{"something that loads", `const u = URL.createObjectURL(photo); el.src = u`, "img-src blob:"},
		{"something else that loads", `const u = URL.createObjectURL(b); el.src = u`, "img-src blob:, media-src blob:"},
		{"another variable", `const url = URL.createObjectURL(b); a.download = 1; a.href = url; el.src = url2`, ""},
		{"a plug-in", `document.createElement("object")`, "object-src 'self'"},
		{"a plug-in in markup", `x.innerHTML = "<embed src='a.pdf'>"; y = "<object data='a.svg'></object>"`,
			"object-src 'self'"},
		{"no plug-in", `a = "<objects>"; createElement("objects"); x < object; log("an <objection")`, ""},
		{"a page that is written into a frame", `frame.srcdoc = page`, inherited},
		{"the same by an attribute", `f.setAttribute('srcdoc', page)`, inherited},
		{"one that is looked for", `if (f.srcdoc == x) go(); attributes = ["srcdoc"]`, ""},
		{"a worker of a file", `new Worker("worker.js"); new Worker(new URL("w.js", import.meta.url))`, ""},
		{"a file of the device", `img.src = "cdvfile://localhost/persistent/a.png"`, "img-src cdvfile:, " +
			"media-src cdvfile:"},
		{"a made file URL", `entry.toInternalURL()`, "img-src cdvfile:, media-src cdvfile:"},
		{"a provider's picture", `x.src = "content://media/" + id`, "img-src content:, media-src content:"},
		{"a file of Ionic", `fetch("ionic://localhost/_app_file_/a")`, "connect-src ionic:"},
		{"an inline script", `document.write("<script>go()</" + "script>")`, "script-src-elem 'unsafe-inline'"},
		{"a script that is written", `document.write("<script src='a.js'></" + "script>")`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &app.App{Scripts: []app.File{{Name: "www/app.js", Data: []byte(test.code)}}}
			if got := short(needs.Of(a, "")); got != test.want {
				t.Errorf("needs %q, want %q", got, test.want)
			}
		})
	}
}

func TestProject(t *testing.T) {
	doc, err := configxml.Parse("config.xml", []byte("<widget>\n<plugin name=\"cordova-plugin-camera\"/>\n"+
		"<plugin name=\"cordova-plugin-file\"/>\n</widget>"))
	if err != nil {
		t.Fatal(err)
	}
	wk, err := configxml.Parse(
		"config.xml",
		[]byte(`<widget><plugin name="cordova-plugin-wkwebview-engine"/></widget>`),
	)
	if err != nil {
		t.Fatal(err)
	}
	target := func(text string) policy.Target {
		made, err := policy.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	android, ios5, ios7 := target("android@12.0.0"), target("ios@5.1.1"), target("ios@7.0.0")
	manifest := app.File{Name: "package.json", Data: []byte("{\n\"dependencies\": {\"@ionic/core\": \"8\"},\n" +
		"\"devDependencies\": {\"@angular/platform-browser\": \"19\", \"vue\": \"3\"}}")}
	css := app.File{Name: "www/a.css", Data: []byte("a{background:url( 'data:image/png;base64,A')}\n" +
		"@font-face{src:url(data:font/woff;base64,A)}")}
	for _, test := range []struct {
		name, platform, want string
		app                  app.App
	}{
		{"nothing", "", "", app.App{Config: wk, Targets: []policy.Target{ios7}}},
		{"the bridge of iOS before 6", "", "frame-src gap:", app.App{Targets: []policy.Target{ios5}}},
		{"the bridge on Android", "android", "", app.App{Targets: []policy.Target{ios5, android}}},
		{"the bridge of the new web view", "", "", app.App{Config: wk, Targets: []policy.Target{ios5}}},
		{"plugins", "", "img-src cdvfile:, img-src content:, media-src cdvfile:",
			app.App{Config: doc, Targets: []policy.Target{android, ios7}}},
		{"plugins on iOS", "ios", "img-src cdvfile:, media-src cdvfile:",
			app.App{Config: doc, Targets: []policy.Target{android, ios7}}},
		{"a plugin that is installed", "", "img-src cdvphotolibrary:",
			app.App{Config: doc, Plugins: []app.Plugin{{ID: "cordova-plugin-photo-library"}}}},
		{"packages", "", "style-src-attr 'unsafe-inline', style-src-elem 'unsafe-inline'", app.App{Package: manifest}},
		{"style sheets", "", "font-src data:, img-src data:", app.App{Styles: []app.File{css}}},
		{"the platform's own script", "", "", app.App{Scripts: []app.File{
			{Name: "www/cordova.js", Data: []byte("eval(x)")},
			{Name: "www/plugins/cordova-plugin-cordon/www/policy.js", Data: []byte("WebAssembly.compile(x)")}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := short(needs.Of(&test.app, test.platform)); got != test.want {
				t.Errorf("needs %q, want %q", got, test.want)
			}
		})
	}
}

// What asks is named with its place and its library.
func TestAskers(t *testing.T) {
	bundle := "x(1);\n/*! */var s=document.createElement(\"style\");s.setAttribute(\"data-emotion\",k)"
	a := &app.App{
		Package: app.File{
			Name: "package.json",
			Data: []byte("{\"dependencies\":\n{\"lit\": \"3\", \"lit-element\": \"4\", " +
				"\"styled-components\": \"6\"}}"),
		},
		Scripts: []app.File{{Name: "www/main.js", Data: []byte(bundle)}},
	}
	grouped := needs.Group(needs.Of(a, ""))
	if len(grouped) != 1 {
		t.Fatalf("%d groups: %+v", len(grouped), grouped)
	}
	want := "package.json:2:2 (lit), package.json:2:14 (lit-element), package.json:2:34 (styled-components) and others"
	if got := grouped[0].Askers(); got != want {
		t.Errorf("asked by %q, want %q", got, want)
	}
	a.Package.Data = nil
	if got, want := needs.Group(needs.Of(a, ""))[0].Askers(), "www/main.js:2:22 (@emotion/css)"; got != want {
		t.Errorf("asked by %q, want %q", got, want)
	}
}

func TestGrants(t *testing.T) {
	for _, test := range []struct{ value, has, named string }{
		{"", "", ""},
		{"none", "", ""},
		{"found", "style-elements style-attributes handlers data blob schemes workers wasm", ""},
		{"found, eval", "style-elements style-attributes handlers data blob schemes workers wasm eval",
			"script-src 'unsafe-eval'"},
		{"data workers", "data workers", "font-src data:, img-src data:, media-src data:, worker-src blob:"},
	} {
		doc, err := configxml.Parse(
			"config.xml",
			[]byte(`<widget><preference name="CordonPageNeeds" value="`+test.value+
				`"/></widget>`),
		)
		if err != nil {
			t.Fatal(err)
		}
		grants, err := needs.ReadGrants(doc, "")
		if err != nil {
			t.Fatal(err)
		}
		var has []string
		for _, class := range needs.Classes() {
			if grants.Has(class) {
				has = append(has, class)
			}
		}
		if got := strings.Join(has, " "); got != test.has {
			t.Errorf("%q grants %q, want %q", test.value, got, test.has)
		}
		if got := short(grants.Named()); got != test.named {
			t.Errorf("%q names %q, want %q", test.value, got, test.named)
		}
	}
	if usual := (needs.Grants{}); usual.Has("eval") || usual.Has("") || !usual.Has("data") {
		t.Error("the usual grants are not what is found, eval apart")
	}
	for _, value := range []string{"styles", "none data", "Found"} {
		doc, err := configxml.Parse("config.xml", []byte(`<widget><preference name="CordonPageNeeds" value="`+value+
			`"/></widget>`))
		if err != nil {
			t.Fatal(err)
		}
		var wrong *needs.GrantError
		if _, err := needs.ReadGrants(doc, ""); !errors.As(err, &wrong) {
			t.Errorf("%q: %v", value, err)
		}
	}
}

// FuzzInScript: no script makes the search fail, and every place is in the file.
func FuzzInScript(f *testing.F) {
	for _, seed := range []string{`createElement("style")`, `x="data:`, `new ` +
		`Worker(`, `Function(`, `a.b.createObjectURL(`,
		`"`, `setTimeout(`, "`<style`", `"<p style=\"`, `url(data:`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		a := &app.App{Scripts: []app.File{{Name: "a.js", Data: code}}, Styles: []app.File{{Name: "a.css", Data: code}}}
		for _, n := range needs.Of(a, "") {
			if n.Place.End > len(code) || n.Place.Start >= n.Place.End || n.Directive == "" || n.Source == "" ||
				n.What == "" {
				t.Errorf("%+v in %q", n, code)
			}
		}
	})
}
