// Package artifact opens an app as it ships: an Android package (.apk), an Android
// App Bundle (.aab), an iOS package (.ipa), or the folder that a platform's tools
// made of it. What it returns is a file system shaped like a project's folder, so
// that package project reads it and the same rules judge it: compiled XML stands in
// it as text, under the name that resources go by.
//
// A package is a stranger's archive. Its entries are counted and their sizes bounded,
// names that lead outside, that occur twice or that are links are refused, and so is
// what is cut short: each is an [*Error] that says which entry and why.
package artifact

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Package is an app as it ships, opened.
type Package struct {
	// FS is shaped like a project's folder.
	FS fs.FS
	// Root is the folder inside the archive that FS shows, "" for the archive's own
	// root: it belongs in front of the names that people see.
	Root string
	// Platform is android or ios.
	Platform string
	// Targets are what the package was built with, as far as it says.
	Targets []policy.Target
	// Assumed are those of the targets whose version is assumed: Capacitor writes its
	// own into no file of an app.
	Assumed []policy.Target
}

// Error says what is wrong with a package.
type Error struct {
	// Entry is the entry of the archive, "" for the archive itself.
	Entry string
	Msg   string
}

// Error names the entry and what is wrong.
func (e *Error) Error() string {
	if e.Entry == "" {
		return e.Msg
	}
	return fmt.Sprintf("the entry %q: %s", e.Entry, e.Msg)
}

// IsPackage reports whether a file's name is one of a package.
func IsPackage(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".apk", ".aab", ".ipa":
		return true
	}
	return false
}

// Open opens a package. What kind it is, its content says. Every error about the
// package is an [*Error]. The file must stay open while FS is read.
func Open(r io.ReaderAt, size int64) (*Package, error) {
	files, err := entries(r, size)
	if err != nil {
		return nil, err
	}
	var p *Package
	switch {
	case files["AndroidManifest.xml"] != nil:
		p, err = apk(files)
	case files["base/manifest/AndroidManifest.xml"] != nil:
		p, err = aab(files)
	default:
		p, err = ipa(files)
	}
	if err != nil {
		return nil, err
	}
	p.targets()
	return p, nil
}

// targets says what a package was built with: the version stands in cordova.js. A
// package with Capacitor's configuration is Capacitor's.
func (p *Package) targets() {
	name := p.Platform
	for _, at := range []string{"assets/capacitor.config.json", "capacitor.config.json"} {
		t, err := dialect.ParseTarget("capacitor-" + p.Platform)
		if err == nil && isFile(p.FS, at) {
			p.Targets = []policy.Target{t}
			p.Assumed = p.Targets
			return
		}
	}
	for _, at := range []string{"assets/www/cordova.js", "www/cordova.js"} {
		if version := cordovaVersion(p.FS, at); version != "" && name == p.Platform {
			name += "@" + version
		}
	}
	t, err := dialect.ParseTarget(name)
	named := err == nil && name != p.Platform
	if err != nil { // such as a version that is newer than what is known
		t, err = dialect.ParseTarget(p.Platform)
	}
	if err == nil {
		p.Targets = []policy.Target{t}
	}
	if !named {
		p.Assumed = p.Targets
	}
}

// cordovaVersion reads the platform's version from its cordova.js.
func cordovaVersion(fsys fs.FS, name string) string {
	f, err := fsys.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, 1<<16))
	if err != nil {
		return ""
	}
	_, rest, ok := strings.Cut(string(head), "PLATFORM_VERSION_BUILD_LABEL = '")
	version, _, closed := strings.Cut(rest, "'")
	if !ok || !closed || len(version) > 20 {
		return ""
	}
	return version
}
