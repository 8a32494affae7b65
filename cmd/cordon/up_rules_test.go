package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rewrite changes one file of a folder.
func rewrite(t testing.TB, file string, change func(string) string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(change(string(data))), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Each save is one line on the terminal, and a broken one leaves the last good
// policy in force, with a banner on every page of the console.
func TestUpTellsOfEachSave(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	dir := todoCopy(t, port)
	u := startUp(t, dir, port)
	config := filepath.Join(dir, "config.xml")
	good := "https://media.example.com"
	rewrite(t, config, func(s string) string { return s + "<again/>" })
	broken := "config.xml:21:1: a second root element; keep one root element and move the rest into it"
	if !u.words.wait("cordon: " + filepath.Join(dir, broken) + "; the last good rules stay in force\n") {
		t.Fatal(u.said())
	}
	status, header, _ := fetch(t, u.client(t, false), u.page)
	if csp := header.Get("Content-Security-Policy"); status != http.StatusOK || !strings.Contains(csp, good) {
		t.Errorf("with a broken file the page has status %d and the policy %q", status, csp)
	}
	for _, page := range []string{"policy", "traffic", "tables"} {
		if _, _, body := fetch(t, http.DefaultClient, u.console+page); !strings.Contains(body, `class="banner"`) ||
			!strings.Contains(body, broken+". The last good rules stay in force.") ||
			!strings.Contains(body, `href="/console/traffic"`) {
			t.Errorf("the console's page %s has no banner: %s", page, body)
		}
	}
	rewrite(t, config, func(s string) string {
		return strings.Replace(strings.TrimSuffix(s, "<again/>"), good, "https://new.example.com", 1)
	})
	if !u.words.wait("cordon: " + config + " was read again: its rules are in force\n") {
		t.Fatal(u.said())
	}
	if _, _, body := fetch(t, http.DefaultClient, u.console+"traffic"); strings.Contains(body, `class="banner"`) {
		t.Error("the banner stays after the file was mended")
	}
	// What the gateway refuses is in force for the pages as little: a pin that
	// binds no host.
	rewrite(t, config, func(s string) string {
		return strings.Replace(s,
			"</widget>", `<access origin="https://refused.example.com" /><cordon:pin xmlns:cordon="urn:cordon:1" `+
				`sha256="x"/></widget>`, 1)
	})
	if !u.words.wait("the host is empty; the last good rules stay in force\n") {
		t.Fatal(u.said())
	}
	if _, header, _ := fetch(t, u.client(t, false), u.page); strings.Contains(header.Get("Content-Security-Policy"),
		"refused.example.com") {
		t.Error("the pages follow rules that the gateway refused")
	}
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	if !u.words.wait("config.xml: no such file or folder; the last good rules stay in force\n") {
		t.Fatal(u.said())
	}
	if err := os.WriteFile(config, data, 0o644); err != nil {
		t.Fatal(err)
	}
	rewrite(t, config, func(s string) string {
		s, _, _ = strings.Cut(s, `<access origin="https://refused`)
		return strings.Replace(s, "https://new.example.com", "*", 1) + "</widget>"
	})
	if !u.words.wait("warning: the file allows every host: only addresses, ports and framing are checked\n") {
		t.Fatal(u.said())
	}
	said := u.said()
	for text, want := range map[string]int{"stay in force": 3, "was read again": 2} {
		if n := strings.Count(said, text); n != want {
			t.Errorf("%q was said %d times, want %d:\n%s", text, n, want, said)
		}
	}
}

// What the terminal claims follows from the policy: every host once, the
// wildcard by its name, and no line that promises a refusal where there is none.
func TestUpSummaryIsTrue(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	dir := todoCopy(t, port)
	config := filepath.Join(dir, "config.xml")
	rewrite(t, config, func(s string) string {
		return strings.Replace(s, "</widget>", `    <access origin="https://media.example.com" />
    <access origin="https://*.cdn.example.com" />
    <access origin="https://todo.example.com:8443/api" />
</widget>`, 1)
	})
	u := startUp(t, dir, port)
	said := u.words.text()
	for _, want := range []string{
		"enforces " + config + ": todo.example.com, media.example.com, *.cdn.example.com\n",
		"curl --proxy http://" + u.proxy + " http://demo.localhost:" + port + "/tip   # allowed in development\n",
		"curl --proxy http://" + u.proxy + " https://not-listed.example/   # on no list: 403\n",
		"for devices https://localhost:" + port + "/\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "cleartext") || strings.Contains(said, ".cordon/config.xml") {
		t.Errorf("it warns of what it added itself:\n%s", said)
	}
	u.stop()

	rewrite(t, config, func(s string) string {
		return strings.Replace(s, "</widget>", `    <access origin="*" />`+"\n</widget>", 1)
	})
	u = startUp(t, dir, freePort(t))
	said = u.words.text()
	u.stop()
	if strings.Contains(said, "not-listed.example") || !strings.Contains(said, ", * (every host)\n") {
		t.Errorf("with * on the list it says:\n%s", said)
	}

	// What is promised is what the platform's reading enforces, and nothing in a
	// name reaches the terminal raw.
	rewrite(t, config, func(s string) string {
		s = strings.Replace(s, `<access origin="*" />`, `<access origin="https://not-listed.e*" />`, 1)
		return strings.Replace(s, "<name>Todo</name>", "<name>To\u009b31mdo</name>", 1)
	})
	u = startUp(t, dir, freePort(t), "--platform", "wp8@3.8.2")
	said = u.words.text()
	if strings.Contains(said, "not-listed.example/   # on no list") ||
		!strings.Contains(said, "https://not-listed.e*") ||
		!strings.Contains(said, `To\u009b31mdo`) {
		t.Errorf("as wp8 reads it, it says:\n%s", said)
	}
}

// Traffic names the user's own file, and what cordon up added by its own name.
func TestUpPlaces(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	dir := todoCopy(t, port)
	u := startUp(t, dir, port)
	proxied := u.client(t, true)
	if status, _, _ := fetch(t, proxied, "http://demo.localhost:"+port+"/tip"); status != http.StatusOK {
		t.Errorf("the stand-in: status %d", status)
	}
	// The name does not resolve: what counts is the line that let it through.
	if response, err := proxied.Get("https://media.example.com/"); err == nil {
		_ = response.Body.Close()
	}
	_, _, body := fetch(t, http.DefaultClient, u.console+"traffic?verdict=allow")
	if !strings.Contains(body, developmentPlace) || strings.Contains(body, ".cordon") {
		t.Errorf("the stand-in's line has another place: %s", body)
	}
	_, _, body = fetch(t, http.DefaultClient, u.console+"traffic?host=media.example.com")
	if !strings.Contains(body, `title="`+filepath.Join(dir, "config.xml")+`:11:5"`) {
		t.Errorf("the place of the line is not in the user's file: %s", body)
	}
	if _, err := os.Stat(filepath.Join(dir, ".cordon", "config.xml")); err == nil {
		t.Error("a second config.xml was written")
	}
}
