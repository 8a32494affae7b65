package up

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/needs"
	"github.com/cordon-sec/cordon/project"
)

// pageNeeds are what all pages of an app need of their policies besides hosts, as
// long as none of its files changes.
type pageNeeds struct {
	mu     sync.Mutex
	stamp  [sha256.Size]byte
	shared project.Shared
}

// needs lists what the app's pages need besides hosts, and a stamp that is another
// one when its files are. With a development server the pages are not there to be
// read, and its package.json and config.xml tell.
func (a *appFolder) needs(rules *appPolicy) (project.Shared, [sha256.Size]byte) {
	root, err := os.OpenRoot(a.Dir)
	if err != nil {
		return project.Shared{}, [sha256.Size]byte{}
	}
	defer func() { _ = root.Close() }()
	stamp := a.stamp(root.FS(), rules)
	a.needed.mu.Lock()
	defer a.needed.mu.Unlock()
	if a.needed.stamp == stamp {
		return a.needed.shared, stamp
	}
	read := &app.App{Config: rules.doc, Package: app.File{Name: packageFile}}
	if info, err := root.Stat(packageFile); err == nil && info.Size() <= project.MaxManifest {
		read.Package.Data, _ = root.ReadFile(packageFile) // one that cannot be read names nothing
	}
	if a.Pages != "" {
		read = project.PagesIn(root.FS(), a.Pages, read)
	}
	shared, err := project.SharedBy(read, "browser")
	if err != nil {
		return project.Shared{}, stamp // rules with such a preference never come into force
	}
	a.needed.stamp, a.needed.shared = stamp, shared
	return a.needed.shared, stamp
}

const packageFile = "package.json"

// stamp tells one state of the files that the needs are read from from another.
func (a *appFolder) stamp(fsys fs.FS, rules *appPolicy) [sha256.Size]byte {
	h := sha256.New()
	_, _ = h.Write(rules.digest[:]) // a hash never fails
	note := func(name string, info fs.FileInfo) {
		fmt.Fprintln(h, name, info.Size(), info.ModTime().UnixNano())
	}
	if info, err := fs.Stat(fsys, packageFile); err == nil {
		note(packageFile, info)
	}
	if a.Pages != "" {
		_ = fs.WalkDir(fsys, a.Pages, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil // PagesIn says so
			case d.IsDir() && (path.Base(name) == "node_modules" || name != a.Pages && hidden(path.Base(name))):
				return fs.SkipDir
			case d.IsDir() || !project.IsAsset(name):
				return nil
			}
			if info, err := d.Info(); err == nil {
				note(name, info)
			}
			return nil
		})
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// broken says what the policy of the start page would stop in the app, before
// somebody sees it happen.
func (a *appFolder) broken(rules *appPolicy) []string {
	if a.Pages == "" {
		return nil
	}
	shared, _ := a.needs(rules)
	name, data := a.readPage("/")
	if data == nil {
		return nil
	}
	_, losses := rules.makePolicy(name, data, shared)
	var all []string
	for _, loss := range losses {
		if loss.Place.IsZero() && !loss.Widens {
			all = append(all, path.Join(a.Pages, name)+": "+loss.Message)
		}
	}
	return all
}

// setting names what lets a page do what its policy refused, for the end of a
// sentence; "" where nothing should.
func (a *appFolder) setting(directive, blocked string) string {
	source := blocked + ":"
	switch blocked {
	case "inline":
		source = needs.UnsafeInline
	case "eval":
		source, directive = needs.UnsafeEval, "script-src"
	case "wasm-eval":
		source, directive = needs.WasmEval, "script-src"
	}
	switch directive {
	case "style-src":
		directive = "style-src-elem"
	case "script-src":
		if blocked == "inline" {
			directive = "script-src-elem"
		}
	}
	class := needs.Need{Directive: directive, Source: source}.Class()
	if class == "" || !strings.Contains(directive, "-src") {
		return ""
	}
	return fmt.Sprintf("<preference name=%q value=%q /> in %s lets it pass", needs.Preference, needs.Found+" "+class,
		a.preferences())
}

// preferences is the file that the preferences of the app stand in.
func (a *appFolder) preferences() string {
	if a.Config != "" {
		return a.Config
	}
	return "config.xml"
}
