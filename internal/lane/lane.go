// Package lane says which tests run where, so that the everyday run stays short
// and nothing is left out in silence:
//
//	make test   everything that is quick, in minutes
//	make real   besides, real toolchains and clients that take long
//	make soak   the long forms, for hours
//
// CORDON_LANE names the lane: test (the default), real or soak. What a machine
// lacks skips a test, with the reason; where CORDON_REQUIRE_ALL is set, as in
// continuous integration, it fails the test.
package lane

import (
	"os"
	"testing"
	"time"
)

// Real skips a test that belongs to make real: one that drives a real toolchain
// or a real client for longer than a few seconds. It is the first statement of
// the test, where scripts/real.sh looks for it.
func Real(t testing.TB) {
	t.Helper()
	if name := os.Getenv("CORDON_LANE"); name != "real" && name != "soak" {
		t.Skip("it drives a real toolchain or client: it runs in make real")
	}
}

// Rounds is how often a test repeats something: few in make test, more in make
// real, many in make soak.
func Rounds(few, more, many int) int {
	switch os.Getenv("CORDON_LANE") {
	case "soak":
		return many
	case "real":
		return more
	}
	return few
}

// Until waits for what announces itself by no event, such as the end of the
// goroutines that another part owns, and fails the test if that takes too long.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-limit.C:
			t.Fatalf("still not: %s", what)
		}
	}
}

// Missing ends a test for want of something on this machine.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CORDON_REQUIRE_ALL") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}
