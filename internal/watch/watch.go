// Package watch tells that files have changed, by looking at them: that works for
// files that are written in place, renamed over, or links that are turned, on
// every file system and in every container.
//
// It reads nothing and keeps no content. Whoever reads the files marks them first,
// so that no change falls between the reading and the next look, and keeps what
// was good if the new content is not.
package watch

import (
	"context"
	"os"
	"sync"
	"time"
)

// Stamp tells one state of a file from another. Stamps compare with ==; the zero
// Stamp is that of a file that is not there.
type Stamp struct {
	there    bool
	modified int64 // nanoseconds
	size     int64
	inode    uint64 // 0 where the system has none
}

// Look returns the stamp of a file, of what a link leads to.
func Look(path string) Stamp {
	info, err := os.Stat(path)
	if err != nil {
		return Stamp{}
	}
	return Stamp{there: true, modified: info.ModTime().UnixNano(), size: info.Size(), inode: inode(info)}
}

// Exists reports whether the file was there.
func (s Stamp) Exists() bool { return s.there }

// Files knows how files looked before they were read. The zero Files knows none.
// It is safe for concurrent use.
type Files struct {
	mu   sync.Mutex
	seen map[string]Stamp
}

// Mark notes how files look, before they are read. Others are no longer watched.
func (f *Files) Mark(paths ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = make(map[string]Stamp, len(paths))
	for _, path := range paths {
		f.seen[path] = Look(path)
	}
}

// Add marks the files that are not marked yet: those that only a file that was
// just read has named.
func (f *Files) Add(paths ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = make(map[string]Stamp, len(paths))
	}
	for _, path := range paths {
		if _, known := f.seen[path]; !known {
			f.seen[path] = Look(path)
		}
	}
}

// Changed reports whether a file that is there looks different from when it was
// marked. One that is missing is being replaced.
func (f *Files) Changed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for path, before := range f.seen {
		if now := Look(path); now != before && now.Exists() {
			return true
		}
	}
	return false
}

// Every calls do after each interval until the context ends. It starts no
// goroutine: it is what its caller's goroutine does.
func Every(ctx context.Context, interval time.Duration, do func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if ctx.Err() == nil { // of two that are ready, select takes any
				do()
			}
		}
	}
}

// hung is when a file system is taken to hang: nothing ends a call into it.
const hung = 2 * time.Second

// Await is how a program that ends waits for whoever reads files: until done is
// closed, but not for a file system that hangs.
func Await(done <-chan struct{}) {
	timer := time.NewTimer(hung)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
