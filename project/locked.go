package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
)

// installs tells which versions of packages npm installed, or would install, for a
// project.
type installs struct {
	fsys    fs.FS // nil for a config.xml alone
	project *app.App
	// folders are where Capacitor's platforms stand.
	folders map[string]string
	// asked are the ranges of package.json, by package.
	asked map[string]string
	// lock is the package-lock.json that counts, nil for none; member is the name of the
	// project in a workspace's. They are looked for and parsed once.
	looked bool
	lock   *lockFile
	member string
}

// lockFile is a package-lock.json, the one of npm before 7 included.
type lockFile struct {
	data                   []byte
	Packages, Dependencies map[string]lockedPackage
}

type lockedPackage struct {
	Name, Version, Resolved string
	Link                    bool
}

func newInstalls(fsys fs.FS, p *app.App) *installs {
	n := &installs{fsys: fsys, project: p, asked: make(map[string]string)}
	var manifest struct{ DevDependencies, Dependencies map[string]string }
	if json.Unmarshal(p.Package.Data, &manifest) != nil {
		return n // what cannot be read names nothing, and is a finding
	}
	for _, list := range []map[string]string{manifest.DevDependencies, manifest.Dependencies} {
		for name, spec := range list {
			n.asked[name] = spec
		}
	}
	return n
}

// locked is the version of a package that package-lock.json holds, the project's own or
// its workspace's; "" for none, for another package under its name, and for one that
// package.json does not allow: npm install takes another one then.
func (n *installs) locked(name string) string {
	if !n.looked {
		n.looked = true
		n.findLock()
	}
	if n.lock == nil || !bytes.Contains(n.lock.data, []byte(name+`"`)) {
		return ""
	}
	found := n.lock.find(n.member, name)
	if found.Name != "" && found.Name != name {
		return ""
	}
	wanted, isRange := policy.ParseRange(n.asked[name])
	version, isVersion := policy.ParseRange(found.Version)
	if isRange && isVersion && !wanted.Allows(version.Lowest) {
		return ""
	}
	return found.Version
}

// findLock reads the project's package-lock.json, else the first of the folders above
// it in its workspace, of which it is a member.
func (n *installs) findLock() {
	if len(n.project.Lock.Data) > 0 {
		n.lock = parseLock(n.project.Lock.Data)
		return
	}
	if n.fsys == nil {
		return
	}
	for up := range above(n.fsys) {
		data, err := readBounded(n.fsys, strings.Repeat("../", up+1)+"package-lock.json", MaxLock)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		n.member = memberName(n.project)
		if own := outside(n.project.Package.Name) == 0; err == nil && (n.member != "" || !own) {
			n.lock = parseLock(data)
		}
		return
	}
}

// parseLock parses a package-lock.json that may name a platform's package.
func parseLock(data []byte) *lockFile {
	l := &lockFile{data: data}
	if !bytes.Contains(data, []byte("cordova-")) && !bytes.Contains(data, []byte("@capacitor/")) {
		return nil
	}
	if json.Unmarshal(data, l) != nil {
		return nil // which is a finding of its own
	}
	return l
}

// find returns a package as it is held for a member of the workspace, or for the
// project itself that the file stands beside.
func (l *lockFile) find(member, name string) lockedPackage {
	folder := "."
	if member != "" {
		link := l.Packages["node_modules/"+member]
		if folder = link.Resolved; !link.Link || !fs.ValidPath(folder) {
			return lockedPackage{}
		}
	}
	for _, dir := range nodeModules(folder, 0) {
		if found, ok := l.Packages[path.Join(dir, name)]; ok {
			return found
		}
	}
	if len(l.Packages) > 0 {
		return lockedPackage{}
	}
	return l.Dependencies[name] // of npm before 7
}

// memberName is the name of the project's own package, "" where it has none of its own.
func memberName(p *app.App) string {
	if outside(p.Package.Name) > 0 {
		return ""
	}
	var manifest struct{ Name string }
	if json.Unmarshal(p.Package.Data, &manifest) != nil {
		return "" // which is a finding of its own
	}
	return manifest.Name
}
