// Package reactor serves many connections from one goroutine: a [Loop] waits
// for all of its descriptors at once and tells their handlers which are ready,
// one after the other. A connection then costs neither a goroutine nor a
// buffer while it is silent, and moving a message costs no switch between
// threads.
//
// Make a loop with New, register descriptors with Add, and let one goroutine
// call Run, which ends after Stop. Handlers run on that goroutine and must not
// block. Post alone (and Stop) may be called from others.
//
// It exists on Linux only (epoll(7)); elsewhere New returns ErrUnsupported.
package reactor
