package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// On a terminal init asks for what no flag says, and again for what would not
// work.
func TestInitAsks(t *testing.T) {
	for name, test := range map[string]struct {
		begin   newApp
		answers string
		want    newApp
		asked   []string
	}{
		"defaults": {newApp{}, "\n\n\n\n",
			newApp{Name: "my app", ID: "com.example.myapp", Hosts: []string{}, Tables: []string{"item"}},
			[]string{"The app's name [my app]: ", "[com.example.myapp]: ", "with blanks between [none]: ",
				"with blanks between [item]: "}},
		"answers": {newApp{}, "Tickets\norg.example.t\nAPI.example.com, https://img.example.com/\nticket note\n",
			newApp{Name: "Tickets", ID: "org.example.t", Hosts: []string{"api.example.com", "img.example.com"},
				Tables: []string{"ticket", "note"}}, nil},
		"mistakes": {newApp{Name: "A"}, "nodots\norg.example.a\n*\napi.example.com\na-b\nnone\n",
			newApp{Name: "A", ID: "org.example.a", Hosts: []string{"api.example.com"}, Tables: []string{}},
			[]string{`"nodots": an id must be words with dots between`, `"*": it must be a host's name`,
				`"a-b": a table's name must be letters`}},
		"flags": {newApp{Name: "A", ID: "a.b", Hosts: []string{}, Tables: []string{"t"}}, "",
			newApp{Name: "A", ID: "a.b", Hosts: []string{}, Tables: []string{"t"}}, nil},
	} {
		var said bytes.Buffer
		got := test.begin
		if err := got.ask(strings.NewReader(test.answers), &said, "my app"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, want := range test.asked {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%s: it did not say %q: %s", name, want, said.String())
			}
		}
	}
	var app newApp
	if err := app.ask(strings.NewReader("nodots\n"), &bytes.Buffer{}, "x"); err == nil ||
		!strings.Contains(err.Error(), "no answer to") {
		t.Errorf("answers that end too early: %v", err)
	}
}

// A folder that builds its pages keeps them.
func TestInitLeavesPagesAlone(t *testing.T) {
	dir := apptest.Folder(t, map[string]string{"package.json": "{}"})
	var out bytes.Buffer
	if status := execute(t.Context(), []string{"init", dir}, strings.NewReader(""), &out, &out); status != exitFine {
		t.Fatalf("status %d: %s", status, out.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "config.xml")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "www")); err == nil {
		t.Error("it made pages beside the app's own")
	}
}

// The page that init makes works under up at once: sign-in, rows of the first
// table, a call to the first host, the way to the console.
func TestInitPageWorks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tickets")
	var out bytes.Buffer
	args := []string{"init", dir, "--name", "Tom & Jerry's <Tickets>", "--host", "api.example.com", "--table", "ticket",
		"--table", "note"}
	if status := execute(t.Context(), args, strings.NewReader(""), &out, &out); status != exitFine {
		t.Fatalf("status %d: %s", status, out.String())
	}
	u := startUp(t, dir, proctest.FreePort(t))
	p := u.browse(t)
	p.Look(390, 844, "dark")
	p.Navigate(u.page)
	if title := browsertest.Eval[string](p, "document.title"); title != "Tom & Jerry's <Tickets>" {
		t.Errorf("the title is %q", title)
	}
	p.Screenshot("init-signed-out")
	p.Click("#in")
	p.WaitFor(browsertest.Shows("#who", "Signed in as sid:"))
	addItem(p, "first ticket")
	p.Type("#text", "second ticket\r")
	p.WaitFor(`document.querySelector("#list").children.length === 2`)
	p.Click("#list li:last-child button")
	p.WaitFor(`document.querySelector("#list").textContent.includes("first ticket") && ` +
		`document.querySelector("#list").children.length === 1`)
	// The name leads nowhere: the gateway lets it through, and it does not answer.
	p.Expect(browsertest.Failed("https://api.example.com/"))
	p.Click("#call")
	p.WaitFor(browsertest.Shows("#answer", "It did not answer."))
	p.Screenshot("init-signed-in")
	if link := browsertest.Eval[string](p,
		`document.querySelector("#console").hidden ? "hidden" : document.querySelector("#console").href`); link !=
		u.page+".cordon/console" {
		t.Errorf("the way to the console is %q", link)
	}
	beside := desk(t)
	beside.Navigate(u.page)
	beside.Click("#console")
	beside.WaitFor(`location.href.startsWith("` + u.console + `")`)
	p.Click("#out")
	p.WaitFor(browsertest.Shows("#who", "Nobody"))
}

// Hosts are written as browsers and config.xml read them.
func TestInitHosts(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"api.example.com": "api.example.com", "HTTPS://API.example.com./": "api.example.com",
		"https://b\u00fccher.example": "xn--bcher-kva.example", "api.example.com:8443": "api.example.com:8443",
		"api.example.com:443": "api.example.com", "api.example.com:08443": "api.example.com:8443",
		"r3---sn.x.example": "r3---sn.x.example",
		"[::1]":             "", "fd00::1": "", "10.0.0.1": "", "0x7f.1": "", "1.2.3": "", "\uff11\uff10.0.0.1": "",
		"api.example.com:": "", "api.example.com:0": "", "api.example.com:x": "", "api.example.com:65536": "",
		"http://api.example.com": "", "a b": "", "*": "", "*.example.com": "", "api.example.com/x": "", "": "",
	} {
		got, err := cleanHosts([]string{written})
		if want == "" && err == nil || want != "" && (err != nil || len(got) != 1 || got[0] != want) {
			t.Errorf("%q became %q (%v), want %q", written, got, err, want)
		}
	}
	for answer, want := range map[string]bool{"y": true, "Yes": true, "yikes": false, "yes please": false, "": false} {
		if isYes(answer) != want {
			t.Errorf("%q is a yes: %v, want %v", answer, !want, want)
		}
	}
}
