//go:build !linux

package pgtest

import "os/exec"

// runAs leaves the user as it is: where this runs, tests do not run as root.
func runAs(*exec.Cmd, uint32, uint32) {}
