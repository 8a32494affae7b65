package port

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"testing"
)

// The process that holds a port is named with its number; what is no question of
// ports stays as it is.
func TestExplain(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	_, err = net.Listen("tcp", held.Addr().String())
	if err == nil {
		t.Fatal("a port was opened twice")
	}
	var taken *TakenError
	explained := Explain(fmt.Errorf("listen: %w", err))
	if !errors.As(explained, &taken) {
		t.Fatalf("the port is taken, and it says %v", explained)
	}
	if want := "listen: " + err.Error() + ": it is held by " + taken.Holder; explained.Error() != want {
		t.Errorf("it says %q, want %q", explained, want)
	}
	holder := unnamed
	if _, err := os.Stat("/proc/self/comm"); err == nil {
		name, err := os.ReadFile("/proc/self/comm")
		if err != nil {
			t.Fatal(err)
		}
		holder = fmt.Sprintf("%s (process %d)", name[:len(name)-1], os.Getpid())
	}
	if taken.Holder != holder {
		t.Errorf("the holder is %q, want %q", taken.Holder, holder)
	}
	if other := Explain(fs.ErrPermission); other != fs.ErrPermission {
		t.Errorf("another error became %v", other)
	}
}
