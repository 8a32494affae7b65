// Package configfile reads the configurations that a person names, and waits for
// none: a named pipe without a writer would hold the reader for good.
package configfile

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cordon-sec/cordon/internal/wording"
)

// Read returns the bytes of a regular file of at most max bytes. A pipe that the
// shell has opened already, as /dev/stdin or one of /dev/fd, is read too.
func Read(name string, max int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, wording.FileError(name, err)
	}
	if what := kind(info.Mode()); what != "" && !opened(name) {
		return nil, fmt.Errorf("%s must be a regular file, and it is a %s: name the file itself",
			name, what)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, wording.FileError(name, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, max+1))
	if err == nil && int64(len(data)) > max {
		err = fmt.Errorf("%s must be at most %d bytes, and it is larger", name, max)
	}
	return data, err
}

// CheckRegular refuses what can be read once only, for a reader that looks again when
// the file changes.
func CheckRegular(name string) error {
	info, err := os.Stat(name)
	if err != nil || info.IsDir() {
		return nil // the reading says it better
	}
	if what := kind(info.Mode()); what != "" {
		return fmt.Errorf("%s must be a regular file, and it is a %s: it is read again when it changes", name, what)
	}
	return nil
}

// kind names what is not a regular file.
func kind(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return ""
	case mode.IsDir():
		return "folder"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// opened reports whether a name stands for a descriptor of this process: opening
// it waits for nobody.
func opened(name string) bool {
	name = filepath.Clean(name)
	return name == "/dev/stdin" || strings.HasPrefix(name, "/dev/fd/") || strings.HasPrefix(name, "/proc/self/fd/")
}
