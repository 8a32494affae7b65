//go:build unix

package watch

import (
	"io/fs"
	"syscall"
)

// inode returns the number of a file within its file system.
func inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Ino)
	}
	return 0
}
