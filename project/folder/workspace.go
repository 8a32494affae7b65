package folder

import (
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cordon-sec/cordon/project"
)

// FS returns an app's folder. Where it stands in a workspace or a repository, the files
// of the folders above it have names that begin with "../", up to the root of that and
// never beyond: npm, yarn and pnpm keep packages there, and Node finds them.
func FS(dir string) fs.FS {
	stands, err := filepath.Abs(dir)
	if err == nil {
		stands, err = filepath.EvalSymlinks(stands) // Node knows folders by where they stand
	}
	if err != nil {
		return os.DirFS(dir)
	}
	for root := stands; ; root = filepath.Dir(root) {
		if project.IsWorkspace(os.DirFS(root)) {
			below, err := filepath.Rel(root, stands)
			if err != nil {
				return os.DirFS(dir)
			}
			return project.Within(os.DirFS(root), filepath.ToSlash(below))
		}
		if root == filepath.Dir(root) {
			return os.DirFS(dir)
		}
	}
}
