package main

import (
	"testing"

	"github.com/cordon-sec/cordon/internal/browsertest"
	"github.com/cordon-sec/cordon/internal/proctest"
)

// strangersLinks opens links that bring a token or an error which nobody asked
// for: they leave the address and change nothing else. mark is what the page
// keeps of a sign-in that it began; a broken answer to one is told, and the page
// goes on.
func strangersLinks(t *testing.T, u *upRunning, mark string) {
	t.Helper()
	const token = `%7B%22user%22%3A%7B%22userId%22%3A%22sid%3Astranger%22%7D%2C` +
		`%22authenticationToken%22%3A%22a.b.c%22%7D`
	p := u.browse(t)
	open := func(fragment string) {
		t.Helper()
		p.Navigate("about:blank")
		p.Navigate(u.page + fragment)
		p.WaitFor(`location.hash === "" && document.querySelector("#who").textContent.includes("Nobody")`)
	}
	for _, fragment := range []string{"#token=" + token, "#token=%7B", "#token=%", "#error=Call%20us"} {
		open(fragment)
		if said := browsertest.Eval[string](p, `document.querySelector("#message").textContent`); said != "" {
			t.Errorf("%s makes the page say %q", fragment, said)
		}
		if kept := browsertest.Eval[int](p, `sessionStorage.length`); kept != 0 {
			t.Errorf("%s leaves something in the session", fragment)
		}
	}
	p.Expect(browsertest.VisibleError("Sign-in failed").Maybe("where the page marks its message up as an alert"))
	for fragment, want := range map[string]string{
		"#token=%7B": "Sign-in failed: ", "#token=%": "Sign-in failed: ", "#token=null": "Sign-in failed: ",
		"#token=%7B%7D": "Sign-in failed: ", "#error=It%20was%20refused": "Sign-in failed: It was refused",
	} {
		browsertest.Eval[int](p, `sessionStorage.setItem("`+mark+`", "yes"), 1`)
		open(fragment)
		p.WaitFor(browsertest.Shows("#message", want))
	}
	// The mark counts once.
	open("#token=" + token)
}

func TestInitPageTakesNoStrangersToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if status, _, errs := runCommand(t, "init", dir, "--name", "A", "--table", "item"); status != exitFine {
		t.Fatalf("status %d: %s", status, errs)
	}
	strangersLinks(t, startUp(t, dir, proctest.FreePort(t)), "begun")
}
