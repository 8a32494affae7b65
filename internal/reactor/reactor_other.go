//go:build !linux

package reactor

import "errors"

// Loop does not exist on this system.
type Loop struct{}

// New returns an error: there are no loops on this system.
func New() (*Loop, error) { return nil, errors.ErrUnsupported }
