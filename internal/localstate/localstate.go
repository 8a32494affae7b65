// Package localstate is the folder .cordon beside a configuration: what belongs
// to this machine and not to the project, such as a development authority, the
// token of the operators' listener, or a log. It is private to its owner, and
// kept out of the project's history.
package localstate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Name is the folder's name.
const Name = ".cordon"

// Path returns the path of an entry in the folder beside a configuration in dir.
func Path(dir string, name ...string) string {
	return filepath.Join(append([]string{dir, Name}, name...)...)
}

// Make makes the folder where there is none, in dir, and returns its path.
func Make(dir string) (string, error) {
	folder := Path(dir)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	ignore := filepath.Join(folder, ".gitignore")
	if _, err := os.Lstat(ignore); !errors.Is(err, fs.ErrNotExist) {
		return folder, err
	}
	if err := os.WriteFile(ignore, []byte("*\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep %s out of the project's history: %w", folder, err)
	}
	return folder, nil
}
