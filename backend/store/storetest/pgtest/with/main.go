// Command with runs a command beside a PostgreSQL server of its own, which
// CORDON_TEST_POSTGRES names: one server for all test packages.
//
//	go run ./backend/store/storetest/pgtest/with go test ./...
//
// Without PostgreSQL on the machine the command runs all the same, and the tests
// say what they miss. The exit status is the command's.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"

	"github.com/cordon-sec/cordon/backend/store/storetest/pgtest"
)

func main() {
	// The server ends with the thread that started it.
	runtime.LockOSThread()
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "with: name a command to run")
		return 2
	}
	server, err := pgtest.Start(false)
	switch {
	case errors.Is(err, pgtest.ErrMissing):
		fmt.Fprintln(os.Stderr, "with:", err)
	case err != nil:
		fmt.Fprintln(os.Stderr, "with:", err)
		return 1
	default:
		defer server.Stop()
		if err := os.Setenv("CORDON_TEST_POSTGRES", server.Address()); err != nil {
			fmt.Fprintln(os.Stderr, "with:", err)
			return 1
		}
	}
	// An interrupt reaches the command too, whose end is awaited. It is caught and
	// not ignored: what ignores a signal hands that on to its children.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	command := exec.Command(args[0], args[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = command.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "with:", err)
		return 1
	}
	return 0
}
