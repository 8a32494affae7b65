//go:build !linux

package settle

// dropStartPages does nothing where the system does not offer it.
func dropStartPages() {}
