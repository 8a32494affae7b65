// Command cordon keeps a hybrid mobile app inside the hosts that its
// config.xml names: it explains, checks and repairs the file, writes the
// native configuration, and enforces the same policy on the wire and at the
// backend. Run "cordon --help".
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(run())
}

// run is main with an exit status, so that scripts in tests can call it.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends a command at once that does not end by itself.
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
