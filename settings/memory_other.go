//go:build !linux

package settings

// dropStartPages does nothing where the system does not offer it.
func dropStartPages() {}
