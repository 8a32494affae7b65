package caught_test

import (
	"errors"
	"testing"

	"github.com/cordon-sec/cordon/internal/caught"
)

// The frames of the recovery, of other modules and of the runtime are left out, and
// so are addresses and the value.
func TestPanic(t *testing.T) {
	const stack = "goroutine 7 [running]:\nruntime/debug.Stack()\n\t/go/src/runtime/debug/stack.go:26 +0x5e\n" +
		"example/backend/store/rows.Guarded.func1()\n\t/src/backend/store/rows/queue.go:66 +0x3c\n" +
		"panic({0x1, 0x2})\n\t/go/src/runtime/panic.go:783 +0x132\n" +
		"example/backend/tables.guard(...)\n\t/src/backend/tables/write.go:12\n" +
		"example/other.f()\n\t/src/other/other.go:3 +0x1\n" +
		"example/backend/store/rows.Guarded()\n\t/src/backend/store/rows/queue.go:69 +0x57\n"
	want := "*errors.errorString at backend/tables/write.go:12 < backend/store/rows/queue.go:69"
	if got := caught.Panic(errors.New("a row"), []byte(stack)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := caught.Panic("a row", nil); got != "string at " {
		t.Errorf("without a stack: %s", got)
	}
}
