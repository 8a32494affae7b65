package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cordon-sec/cordon/internal/apptest"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// Serve reads its configuration again when it changes and on SIGHUP, and says
// what came of it; a broken file leaves the last good one in force.
func TestServeReloads(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "cordon.yaml")
	port := proctest.FreePort(t)
	const good = "identity: { providers: { development: { type: development } } }\ntelemetry: { log: none }\n"
	text := "server: { listen: \"127.0.0.1:" + port + "\", tls: off }\n" + good
	note, both := "tables: { note: { access: anonymous } }\n",
		"tables: { note: { access: anonymous }, other: { access: anonymous } }\n"
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(config+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(config+".new", config); err != nil {
			t.Fatal(err)
		}
	}
	write(text + note)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, out := io.Pipe()
	words := newWords(read)
	status := make(chan int, 1)
	go func() {
		status <- execute(ctx, []string{"serve", "--config", config}, strings.NewReader(""), out, out)
		_ = out.Close()
	}()
	if !words.wait("Data in ") {
		t.Fatal(words.text())
	}
	table := func(name string) int {
		t.Helper()
		code, _, _ := apptest.Get(
			t,
			http.DefaultClient,
			"http://localhost:"+port+"/tables/"+name+"?zumo-api-version=2.0.0",
		)
		return code
	}
	if table("note") != http.StatusOK || table("other") != http.StatusNotFound {
		t.Fatalf("at the start: note %d, other %d", table("note"), table("other"))
	}
	write(text + both)
	if !words.wait("cordon: " + config + " was read again: it is in force\n") {
		t.Fatal(words.text())
	}
	if table("other") != http.StatusOK {
		t.Errorf("the table of the new file: %d", table("other"))
	}
	write(text + "tables: { note: { acces: anonymous } }\n")
	if !words.wait("cordon: "+config+" is not in force; what was stays: ", `unknown field "acces"`) {
		t.Fatal(words.text())
	}
	if table("other") != http.StatusOK {
		t.Errorf("after a broken file: %d", table("other"))
	}
	write(strings.Replace(text, port, "8499", 1) + note)
	if !words.wait("a changed server.listen takes a restart") {
		t.Fatal(words.text())
	}
	before := words.text()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if !words.wait(before + "cordon: " + config + " is not in force") {
		t.Errorf("SIGHUP reads nothing again:\n%s", words.text())
	}
	cancel()
	if code := <-status; code != exitFine {
		t.Errorf("the end: %d\n%s", code, words.text())
	}
}
