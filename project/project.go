// Package project reads an app's folder: it finds the config.xml where the
// platforms keep it, the pages with their Content-Security-Policy, the app's
// scripts, package.json and capacitor.config.json, and says which platforms
// the app ships to.
//
// It works on an fs.FS, so that a folder, an archive and a test read the same.
// Sizes are bounded; what was not read is listed, never left out in silence.
package project

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// Limits on what is read of a folder.
const (
	// MaxFile is the largest page or script in bytes.
	MaxFile = 4 << 20
	// MaxTotal is how many bytes of pages and scripts are read in all.
	MaxTotal = 64 << 20
	// MaxFiles is how many pages and scripts are read.
	MaxFiles = 5000
	// MaxManifest is the largest package.json or capacitor.config.json.
	MaxManifest = 1 << 20
	// MaxLock is the largest package-lock.json.
	MaxLock = 16 << 20
)

// Options say what to read.
type Options struct {
	// Config is the config.xml's name in the folder; "" looks for it.
	Config string
	// Document is the config.xml, where it was read already; nil: Config is read.
	Document *configxml.Document
	// Targets are the platforms to look at; none: those that the project
	// names, see Targets.
	Targets []policy.Target
	// Now is the time that pins are judged by; zero: none that ends is.
	Now time.Time
	// WebApps says that a web app is read too which has neither a config.xml nor a
	// Capacitor configuration, as far as its tool is known: its pages and sources.
	WebApps bool
	// Folders are where the platforms of a Capacitor project stand ("android", "ios"), from
	// its folder on, where its command line says so; else the configuration says it.
	Folders map[string]string
}

// NotFoundError reports a folder without a config.xml or
// capacitor.config.json.
type NotFoundError struct {
	// Looked are the names that were looked for, in order.
	Looked []string
	// Below are the folders further down that have one.
	Below []string
	// Code is a file that stands for one and is code, or "".
	Code string
	// Capacitor is the package of Capacitor that package.json depends on, or "".
	Capacitor string
}

// Error lists the places that were looked at, and says where an app is.
func (e *NotFoundError) Error() string {
	var where []string
	for _, dir := range e.Below {
		where = append(where, fmt.Sprintf("there is one in %s/: cordon check %s", dir, dir))
	}
	if e.Code != "" {
		where = append(where, e.Code+" is the list of a Meteor app, and code: build the app (meteor build), then name "+
			"the config.xml in .meteor/local/cordova-build")
	}
	if e.Capacitor != "" {
		where = append(where, fmt.Sprintf("package.json depends on %s, and the configuration that Capacitor reads is "+
			"not here either (%s): it must be beside package.json", e.Capacitor, strings.Join(capacitorNames, ", ")))
	}
	if len(where) > 0 {
		return "no config.xml here; " + strings.Join(where, "; ")
	}
	return "no config.xml here (looked for " + strings.Join(e.Looked, ", ") +
		"); name the file, or run in the app's folder"
}

// TooLargeError reports a file that is larger than what is read.
type TooLargeError struct {
	Name string
	Size int64
	Max  int64
}

// Error names the file and both sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s has %d bytes, more than the %d that are read; check that this is the right file", e.Name,
		e.Size, e.Max)
}

// IrregularError reports a config.xml that is no ordinary file.
type IrregularError struct {
	Name string
	// What is what it is instead: "a folder" or "not an ordinary file".
	What string
}

// Error names the file and what it is.
func (e *IrregularError) Error() string {
	return e.Name + " is " + e.What + "; name a config.xml"
}

// patterns lists where the platforms keep the config.xml, in the order in
// which it is looked for.
var patterns = []string{
	"config.xml",
	"www/config.xml",
	"res/xml/config.xml",
	"platforms/android/app/src/main/res/xml/config.xml",
	"platforms/ios/*/config.xml",
	"platforms/*/config.xml",
	"platforms/*/www/config.xml",
	"platforms/*/res/xml/config.xml",
}

const capacitorFile = "capacitor.config.json"

// FindConfig returns the name of the config.xml of a folder, found as the
// platforms find it. Without any it is a *NotFoundError.
func FindConfig(fsys fs.FS) (string, error) {
	for _, pattern := range patterns {
		matches, err := fs.Glob(fsys, pattern)
		if err != nil {
			return "", fmt.Errorf("look for %s: %w", pattern, err)
		}
		for _, name := range matches {
			if info, err := fs.Stat(fsys, name); err == nil && !info.IsDir() {
				return name, nil
			}
		}
	}
	return "", notFound(fsys)
}

// below are the folders in which tools and monorepos keep an app.
var below = []string{"src-cordova", "src-capacitor", "cordova", "capacitor", "mobile", "app", "client", "frontend",
	"web", "apps/*", "packages/*", "projects/*"}

// maxBelow is how many of them are named.
const maxBelow = 8

// notFound says where an app is instead.
func notFound(fsys fs.FS) *NotFoundError {
	e := &NotFoundError{Looked: patterns}
	for _, pattern := range below {
		matches, _ := fs.Glob(fsys, pattern) // the patterns are well formed
		for _, dir := range matches {
			if len(e.Below) < maxBelow && (exists(fsys, dir+"/config.xml") || exists(fsys, dir+"/www/config.xml") ||
				slices.ContainsFunc(capacitorNames, func(name string) bool { return exists(fsys, dir+"/"+name) })) {
				e.Below = append(e.Below, dir)
			}
		}
	}
	if exists(fsys, "mobile-config.js") {
		e.Code = "mobile-config.js"
	}
	depends := readDepends(fsys)
	if i := slices.IndexFunc(capacitorPackages, depends.on); i >= 0 {
		e.Capacitor = capacitorPackages[i]
	}
	return e
}

// Read reads a folder. A config.xml that cannot be parsed is a
// *configxml.SyntaxError; a Capacitor project needs none.
func Read(fsys fs.FS, o Options) (*app.App, error) {
	r, err := readShips(fsys, o)
	if err != nil {
		return nil, err
	}
	p, name := r.project, ""
	if p.Config != nil {
		name = p.Config.Name()
	}
	if p.Web != "" {
		r.webApp()
	} else {
		r.web(name)
	}
	r.sources()
	if o.Config == "" && o.Document == nil && p.Web == "" {
		r.nothing(name)
	}
	certificates, err := Certificates(fsys)
	if err != nil {
		r.skip("www/certificates", reason(err))
	}
	p.Certificates, p.StrayCertificates = certificates, strayCertificates(fsys)
	p.Native = r.natives()
	r.privacy()
	r.hooks()
	return p, nil
}

// unreadable says why a project without a config.xml has no configuration that
// could be read; nil where that is said among what is unknown.
func (r *reader) unreadable() error {
	if len(r.unknowns) > 0 {
		return nil
	}
	p := r.project
	for _, s := range p.Skipped {
		if s.Name == p.Capacitor.Name {
			return &UnreadError{s.Name, s.Why}
		}
	}
	return &UnreadError{p.Capacitor.Name, "it is empty"}
}

// UnreadError says why the one configuration of a project could not be read.
type UnreadError struct{ Name, Why string }

// Error names the file and why.
func (e *UnreadError) Error() string { return e.Name + ": " + e.Why }

// ReadConfig reads and parses one config.xml. A file that is too large is a
// *TooLargeError, a folder or device an *IrregularError, a malformed file a
// *configxml.SyntaxError.
func ReadConfig(fsys fs.FS, name string) (*configxml.Document, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, &IrregularError{Name: name, What: "a folder"}
	case !info.Mode().IsRegular():
		return nil, &IrregularError{Name: name, What: "not an ordinary file"}
	case info.Size() > configxml.MaxSize:
		return nil, &TooLargeError{Name: name, Size: info.Size(), Max: configxml.MaxSize}
	}
	data, err := readBounded(fsys, name, configxml.MaxSize)
	if err != nil {
		return nil, err
	}
	return configxml.Parse(name, data)
}

// readBounded reads a file, at most max bytes of it; a longer one is a
// *TooLargeError.
func readBounded(fsys fs.FS, name string, max int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int64(0)
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	if size > max {
		return nil, &TooLargeError{Name: name, Size: size, Max: max}
	}
	data := make([]byte, 0, size+512)
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if int64(len(data)) > max {
			return nil, &TooLargeError{Name: name, Size: int64(len(data)), Max: max}
		}
		if errors.Is(err, io.EOF) {
			return data, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
}

func exists(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.Mode().IsRegular()
}

// reader collects the files of a folder.
type reader struct {
	fsys    fs.FS
	project *app.App
	up      int // how many folders above the project are read too
	// android and ios are where the platforms of a Capacitor project are.
	android, ios platformFolder
	// folders are those that the caller knows, see Options.
	folders map[string]string
	// chosen are the keys of its configuration whose value a condition chooses.
	chosen []string

	files int
	total int64

	unknowns []configxml.Unknown
	told     int // how many of them are in the document
	// pluginFiles are the plugin.xml files of the plugins that count.
	pluginFiles []*pluginFile
}

func (r *reader) skip(name, why string) {
	r.project.Skipped = append(r.project.Skipped, app.Skipped{Name: name, Why: why})
}

// manifest reads a small file of the folder's root, if it is there.
func (r *reader) manifest(name string) app.File { return r.bounded(name, MaxManifest) }

func (r *reader) bounded(name string, limit int64) app.File {
	f := app.File{Name: name}
	if !r.readable(name) {
		return f
	}
	data, err := readBounded(r.fsys, name, limit)
	if err != nil {
		r.cannot(name, reason(err), "")
		return f
	}
	f.Data = blankMark(data)
	return f
}

// blankMark puts spaces where a byte order mark stands before JSON: npm skips it, and
// each other byte keeps its place.
func blankMark(data []byte) []byte {
	if rest, marked := bytes.CutPrefix(data, []byte("\uFEFF")); marked {
		return append([]byte("   "), rest...)
	}
	return data
}

func reason(err error) string {
	var large *TooLargeError
	if errors.As(err, &large) {
		return fmt.Sprintf("it has %d bytes, more than the %d that are read", large.Size, large.Max)
	}
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return failed.Err.Error()
	}
	return err.Error()
}

// webRoot returns the folder that holds the app's pages.
func (r *reader) webRoot(config string) string {
	candidates := []string{"www"}
	if dir := webDir(&r.project.Capacitor); dir != "" {
		candidates = []string{dir}
	}
	switch base, _, inPlatform := strings.Cut(config, "/res/xml/"); {
	case inPlatform && strings.HasPrefix(config, "platforms/"):
		candidates = append([]string{path.Join(base, "assets/www")}, candidates...)
	case strings.HasPrefix(config, "platforms/ios/"):
		candidates = append([]string{"platforms/ios/www"}, candidates...)
	case strings.HasPrefix(config, "platforms/"):
		candidates = append([]string{path.Join(path.Dir(config), "www")}, candidates...)
	}
	if exists(r.fsys, "AndroidManifest.xml") || exists(r.fsys, "Info.plist") { // a package that ships
		candidates = append(candidates, "assets/www", "assets/public", "public")
	}
	if len(r.project.Capacitor.Data) > 0 {
		candidates = append(candidates,
			r.inPlatforms([]string{"android/app/src/main/assets/public", "ios/App/App/public"})...)
	}
	for _, dir := range append(candidates, r.otherRoots()...) {
		if info, err := fs.Stat(r.fsys, dir); err == nil && info.IsDir() {
			return dir
		}
	}
	if name := r.startName(); name != "" && exists(r.fsys, name) {
		return "." // a packed widget: pages beside the config.xml
	}
	return ""
}

// startName returns the start page relative to the folder of the pages, "" if
// it is not a file of the app.
func (r *reader) startName() string {
	name := "index.html"
	if r.project.Config != nil {
		for _, e := range r.project.Config.For("") {
			if src, ok := e.Attr("src"); ok && e.Name == "content" && src.Value != "" {
				name = src.Value
			}
		}
	}
	for _, own := range []string{"https://localhost/", "local:///"} {
		name = strings.TrimPrefix(name, own)
	}
	if strings.Contains(name, "://") {
		return ""
	}
	if i := strings.IndexAny(name, "?#"); i >= 0 {
		name = name[:i]
	}
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" || !fs.ValidPath(name) {
		return "index.html"
	}
	return name
}
