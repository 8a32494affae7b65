//go:build !linux

package server

// dropStartPages does nothing where the system does not offer it.
func dropStartPages() {}
