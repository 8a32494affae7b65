package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// TestConsole looks at every page of the console in a browser: dark and light,
// wide and as narrow as a phone, without a script or style that its own policy
// refuses, and by keyboard.
func TestConsole(t *testing.T) {
	t.Parallel()
	port := proctest.FreePort(t)
	dir := todoCopy(t, port)
	clientLibrary(t, dir)
	config := filepath.Join(dir, "config.xml")
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	// Something to find, and to scroll for.
	careless := strings.Replace(string(data),
		"</widget>", "    <access origin=\"http://*.example.net\" />\n"+
			"    <access origin=\"*\" launch-external=\"yes\" />\n</widget>", 1)
	if err := os.WriteFile(config, []byte(careless), 0o644); err != nil {
		t.Fatal(err)
	}
	u := startUp(t, dir, port)
	app := u.browse(t)
	app.Navigate(u.page)
	signInByPopup(app, "ann@example.com")
	for _, text := range []string{"buy milk", "bake bread",
		"a long text that shows what becomes of long texts in a narrow table"} {
		addItem(app, text)
	}
	app.WaitFor(browsertest.Shows("#state", inStep))
	proxied := u.client(t, true)
	for _, refused := range []string{"https://tracker.example.net/", "https://ads.example.org:8443/",
		"http://cdn.example.net/lib.js"} {
		if response, err := proxied.Get(refused); err == nil {
			response.Body.Close()
		}
	}
	_, _, people := apptest.Get(t, http.DefaultClient, u.console+"people")
	user := people[strings.Index(people, "/people/user?id="):]
	user = user[:strings.Index(user, `"`)]

	desk := desk(t)
	// The line that is proposed comes with a warning, which is what is looked at.
	desk.Expect(browsertest.VisibleError("Think twice:"))
	for name, path := range map[string]string{
		"policy": "policy?url=https://maps.example.com/", "traffic": "traffic",
		"allow": "policy/allow?scheme=http&host=cdn.example.net&port=80", "tables": "tables/todoitem",
		"people": "people", "user": strings.TrimPrefix(user, "/"), "tablelist": "tables",
	} {
		for _, look := range []struct {
			name          string
			width, height int64
			scheme        string
		}{{"wide-light", 1280, 900, "light"}, {"wide-dark", 1280, 900, "dark"}, {"phone-light", 390, 844, "light"}} {
			desk.Look(look.width, look.height, look.scheme)
			desk.Navigate(u.console + path)
			desk.WaitFor(`document.querySelector("main h1")`)
			desk.Screenshot(name + "-" + look.name)
			if overflow := browsertest.Eval[int](desk,
				`document.documentElement.scrollWidth - document.documentElement.clientWidth`); overflow > 0 {
				t.Errorf("%s, %s: %d pixels stand out on the right", name, look.name, overflow)
			}
		}
	}
	tryByKeyboard(desk, u)
	editRow(t, desk, u)
}

// tryByKeyboard reaches the box for URLs by the Tab key and asks without a
// mouse; the answer comes without a new page.
func tryByKeyboard(p *browsertest.Page, u *upRunning) {
	p.Look(1280, 900, "light")
	p.Navigate(u.console + "policy")
	p.WaitFor(`document.querySelector("#url")`)
	browsertest.Eval[bool](p, `window.samePage = true`)
	for range 12 {
		p.Do(chromedp.KeyEvent("\t"))
		if browsertest.Eval[string](p, `document.activeElement.id`) == "url" {
			break
		}
	}
	p.Do(chromedp.KeyEvent("https://media.example.com/picture.svg\r"))
	p.WaitFor(browsertest.Shows("#try", "cordon"))
	p.WaitFor(browsertest.Shows("#try", "allow"))
	p.WaitFor("window.samePage")
	p.Screenshot("policy-tried")
}

// editRow changes a cell and deletes a row.
func editRow(t testing.TB, p *browsertest.Page, u *upRunning) {
	p.Navigate(u.console + "tables/todoitem")
	allowChanges(t, p, u)
	p.Do(chromedp.WaitVisible(chromedp.CSS("input[value='buy milk']")),
		chromedp.SetValue(chromedp.CSS("input[value='buy milk']"), "buy oat milk"),
		chromedp.SendKeys(chromedp.CSS("input[value='buy milk']"), "\r"))
	p.WaitFor(browsertest.Shows("[role=status]", "Saved"))
	p.WaitFor(`document.querySelector("input[value='buy oat milk']")`)
	p.Click("tr:has(input[value='buy oat milk']) form[action$='/delete'] button")
	p.WaitFor(browsertest.Shows("[role=status]", "Deleted"))
	p.WaitFor(browsertest.Shows("tr.deleted", "buy oat milk"))
}
