// Package settle gives back the memory that only the start of a server needed:
// what reading its configuration left behind, and the pages of the program that
// initialisation touched.
package settle

import (
	"context"
	"runtime/debug"
	"time"
)

// after is when a server has begun.
const after = time.Second

// Run waits until a server has begun and gives memory back, once. It returns then,
// or when the context ends.
func Run(ctx context.Context) {
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
		debug.FreeOSMemory()
		dropStartPages()
	}
}
