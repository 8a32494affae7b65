package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// scheme makes the page dark or light.
func scheme(t *testing.T, ctx context.Context, value string) {
	t.Helper()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// screenshot keeps a picture of the page where CORDON_SCREENSHOTS names a
// folder.
func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("CORDON_SCREENSHOTS")
	if dir == "" {
		return
	}
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestConsole looks at every page of the console in a browser: dark and light,
// wide and as narrow as a phone, without a script or style that its own policy
// refuses, and by keyboard.
func TestConsole(t *testing.T) {
	port := freePort(t)
	dir := todoCopy(t, port)
	clientLibrary(t, dir)
	config := filepath.Join(dir, "config.xml")
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	// Something to find, and to scroll for.
	careless := strings.Replace(string(data), "</widget>", "    <access origin=\"http://*.example.net\" />\n    <access origin=\"*\" launch-external=\"yes\" />\n</widget>", 1)
	if err := os.WriteFile(config, []byte(careless), 0o644); err != nil {
		t.Fatal(err)
	}
	u := startUp(t, dir, port)
	app := openBrowser(t, u.proxy)
	do(t, app, chromedp.Navigate(u.page))
	signInByPopup(t, app, "ann@example.com")
	for _, text := range []string{"buy milk", "bake bread", "a long text that shows what becomes of long texts in a narrow table"} {
		addItem(t, app, text)
	}
	waitFor(t, app, shows("#state", "In step"))
	proxied := u.client(t, true)
	for _, refused := range []string{"https://tracker.example.net/", "https://ads.example.org:8443/", "http://cdn.example.net/lib.js"} {
		if response, err := proxied.Get(refused); err == nil {
			response.Body.Close()
		}
	}
	_, _, people := fetch(t, http.DefaultClient, u.console+"people")
	user := people[strings.Index(people, "/people/user?id="):]
	user = user[:strings.Index(user, `"`)]

	desk := openBrowser(t, "")
	for name, path := range map[string]string{
		"policy": "policy?url=https://maps.example.com/", "traffic": "traffic", "allow": "policy/allow?scheme=http&host=cdn.example.net&port=80",
		"tables": "tables/todoitem", "people": "people", "user": strings.TrimPrefix(user, "/"), "tablelist": "tables",
	} {
		for _, look := range []struct {
			name          string
			width, height int64
			scheme        string
		}{{"wide-light", 1280, 900, "light"}, {"wide-dark", 1280, 900, "dark"}, {"phone-light", 390, 844, "light"}} {
			scheme(t, desk, look.scheme)
			do(t, desk, chromedp.EmulateViewport(look.width, look.height), chromedp.Navigate(u.console+path), chromedp.WaitVisible(css("main h1")))
			screenshot(t, desk, name+"-"+look.name)
			if overflow, err := chromedp.Run(desk, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`)); err != nil || overflow > 0 {
				t.Errorf("%s, %s: %d pixels stand out on the right (%v)", name, look.name, overflow, err)
			}
		}
	}
	tryByKeyboard(t, desk, u)
	editRow(t, desk, u)
}

// tryByKeyboard reaches the box for URLs by the Tab key and asks without a
// mouse; the answer comes without a new page.
func tryByKeyboard(t *testing.T, ctx context.Context, u *upRunning) {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(u.console+"policy"), chromedp.WaitVisible(css("#url")))
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`window.samePage = true`)); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		do(t, ctx, chromedp.KeyEvent("\t"))
		if at, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.activeElement.id`)); err == nil && at == "url" {
			break
		}
	}
	do(t, ctx, chromedp.KeyEvent("https://media.example.com/picture.svg\r"))
	waitFor(t, ctx, shows("#try", "cordon"))
	waitFor(t, ctx, shows("#try", "allow"))
	waitFor(t, ctx, "window.samePage")
	screenshot(t, ctx, "policy-tried")
}

// editRow changes a cell and deletes a row.
func editRow(t *testing.T, ctx context.Context, u *upRunning) {
	t.Helper()
	do(t, ctx, chromedp.Navigate(u.console+"tables/todoitem"), chromedp.WaitVisible(css("input[value='buy milk']")))
	do(t, ctx, chromedp.SetValue(css("input[value='buy milk']"), "buy oat milk"), chromedp.SendKeys(css("input[value='buy milk']"), "\r"))
	waitFor(t, ctx, shows("[role=status]", "Saved"))
	waitFor(t, ctx, `document.querySelector("input[value='buy oat milk']")`)
	do(t, ctx, chromedp.Click(css("tr:has(input[value='buy oat milk']) form[action$='/delete'] button")))
	waitFor(t, ctx, shows("[role=status]", "Deleted"))
	waitFor(t, ctx, shows("tr.deleted", "buy oat milk"))
}
