//go:build !linux

package main

import (
	"context"
	"errors"
	"time"
)

var errLinux = errors.New("it must run on Linux")

func enclose(context.Context, []string) error { return errLinux }

func furnish(string) error { return errLinux }

func (p *process) cpu() time.Duration { return 0 }
