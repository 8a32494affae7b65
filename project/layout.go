package project

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/pins"
)

// Layout is where a platform that was added to a project keeps what exports
// change. Names are relative to the project, with slashes; "" for what the
// platform does not have.
type Layout struct {
	// Platform is the platform's name, such as "android".
	Platform string
	// Web is the folder of the app's pages as they are built into the app.
	Web string
	// Manifest is the AndroidManifest.xml, Resource the network security
	// configuration that it names.
	Manifest, Resource string
	// Plist is the Info.plist of an iOS app.
	Plist string
}

// The layouts of cordova-android 7 and later, cordova-ios, cordova-browser,
// cordova-electron, and of Capacitor's two platforms.
var layouts = []Layout{
	androidLayout("platforms/android/app/src/main", "assets/www"),
	{Platform: "ios", Web: "platforms/ios/www", Plist: "platforms/ios/*/*-Info.plist"},
	{Platform: "browser", Web: "platforms/browser/www"},
	{Platform: "electron", Web: "platforms/electron/www"},
	androidLayout("android/app/src/main", "assets/public"),
	{Platform: "ios", Web: "ios/App/App/public", Plist: "ios/App/App/Info.plist"},
}

func androidLayout(base, web string) Layout {
	return Layout{
		Platform: "android", Web: path.Join(base, web),
		Manifest: path.Join(base, "AndroidManifest.xml"),
		Resource: path.Join(base, "res/xml/network_security_config.xml"),
	}
}

// Layouts returns the platforms that stand in a project's folder, prepared:
// those whose folder of pages is there. Folders are as in [Options].
func Layouts(fsys fs.FS, folders map[string]string) ([]Layout, error) {
	r := &reader{fsys: fsys, project: &app.App{}, up: above(fsys), folders: folders}
	r.capacitor()
	var list []Layout
	for _, l := range layouts {
		l.Web, l.Manifest = r.inPlatform(l.Web), r.inPlatform(l.Manifest)
		l.Resource, l.Plist = r.inPlatform(l.Resource), r.inPlatform(l.Plist)
		if l.Web == "" || !isFolder(fsys, l.Web) {
			continue
		}
		if err := l.findPlist(fsys); err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

// sourceLayout is the layout that cordon export writes to: the pages are the
// project's own, the rest is that of Cordova's platforms.
func sourceLayout(fsys fs.FS) (Layout, error) {
	l := layouts[0]
	l.Plist = layouts[1].Plist
	err := l.findPlist(fsys)
	return l, err
}

// findPlist replaces the pattern of the property list by the file: App/
// App-Info.plist since cordova-ios 8, before that one named after the app.
func (l *Layout) findPlist(fsys fs.FS) error {
	if !strings.Contains(l.Plist, "*") {
		return nil
	}
	matches, err := fs.Glob(fsys, l.Plist)
	l.Plist = ""
	for _, name := range matches {
		if strings.TrimSuffix(path.Base(name), "-Info.plist") == path.Base(path.Dir(name)) {
			l.Plist = name
		}
	}
	return err
}

// PlaceOptions are how exports are put into a prepared platform.
type PlaceOptions struct {
	// Formats are the names of the formats, such as "csp"; those that mean
	// nothing to a platform are passed over there.
	Formats []string
	// Force replaces what a person wrote.
	Force bool
	// WebAssembly lets pages compile WebAssembly.
	WebAssembly bool
	// App is the project: its config.xml, package.json, targets and plugins say
	// what its pages need besides what stands in the platform; nil for none.
	App *app.App
}

// LayoutLoss is a loss with the format that it belongs to.
type LayoutLoss struct {
	// Format is the format's name.
	Format string
	export.Loss
}

// ofPlatforms are the formats that are put into a prepared platform.
var ofPlatforms = []string{export.CSP, export.AndroidNSC, export.IOSATS}

// PlaceOn returns what exports change in one prepared platform, and what they
// lose: the policy in every page, the network security configuration and its
// mention in the manifest, the dictionary in the Info.plist. Applying the
// changes and asking again yields changes that are all the same.
func PlaceOn(fsys fs.FS, l Layout, s export.Source, o PlaceOptions) ([]Change, []LayoutLoss, error) {
	var changes []Change
	var losses []LayoutLoss
	for _, name := range o.Formats {
		e, ok := export.Find(name)
		if !ok || !slices.Contains(ofPlatforms, name) {
			return nil, nil, fmt.Errorf("%q: the format of a prepared platform must be csp, android-nsc or ios-ats",
				name)
		}
		w := &placement{fsys: fsys, layout: l, source: s, force: o.Force, webAssembly: o.WebAssembly,
			app: &app.App{}, platform: l.Platform, copies: true}
		if name == "csp" {
			w.app = PagesIn(fsys, l.Web, o.App)
			w.html = w.app.Pages
		}
		if !w.concerned(name) {
			continue
		}
		made, lost, err := w.run(e)
		if err != nil {
			return nil, nil, err
		}
		changes = append(changes, made...)
		for _, loss := range lost {
			losses = append(losses, LayoutLoss{name, loss})
		}
	}
	return changes, losses, nil
}

// concerned reports whether a format means anything to the platform.
func (w *placement) concerned(format string) bool {
	switch format {
	case "csp":
		return len(w.html) > 0
	case "android-nsc":
		return w.layout.Manifest != ""
	case "ios-ats":
		return w.layout.Plist != ""
	}
	return false
}

// PagesIn is a project with the pages, scripts and style sheets of a folder, such as
// those that stand in a prepared platform. Pages of plugins are not the app's. A
// nil project is one of which nothing else is known.
func PagesIn(fsys fs.FS, dir string, project *app.App) *app.App {
	made := &app.App{}
	if project != nil {
		*made = *project
		made.Pages, made.Scripts, made.Styles, made.Skipped = nil, nil, nil, nil
	}
	r := &reader{fsys: fsys, project: made}
	r.folder(dir, "")
	made.Pages = slices.DeleteFunc(made.Pages, func(p app.Page) bool {
		return strings.HasPrefix(p.Name, dir+"/plugins/")
	})
	return made
}

// IsAsset reports whether a file is one that PagesIn reads, by its name.
func IsAsset(name string) bool { return kindOf(name) != notRead }

// Certificates reads the .cer files that the app ships, in any case of their
// suffix: whether devices load them is for package pins to say.
func Certificates(fsys fs.FS) ([]pins.File, error) {
	const dir = "www/certificates"
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	var files []pins.File
	for _, entry := range entries {
		if entry.IsDir() || !strings.EqualFold(path.Ext(entry.Name()), ".cer") {
			continue
		}
		name := path.Join(dir, entry.Name())
		data, err := readBounded(fsys, name, MaxManifest)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		files = append(files, pins.File{Name: name, Data: data})
	}
	return files, nil
}

// strayFolders are where certificates for pinning are found in projects, besides
// the folder that plugins read.
var strayFolders = []string{".", "certificates", "certs", "cert", "res", "resources", "www", "www/assets",
	"www/certs", "www/cert", "src/certificates", "src/assets", "src/assets/certificates"}

// strayCertificates returns the names of the .cer files in these folders.
func strayCertificates(fsys fs.FS) []string {
	var names []string
	for _, dir := range strayFolders {
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil {
			continue // most projects have none of them
		}
		for _, entry := range entries {
			if !entry.IsDir() && strings.EqualFold(path.Ext(entry.Name()), ".cer") {
				names = append(names, path.Join(dir, entry.Name()))
			}
		}
	}
	return names
}
