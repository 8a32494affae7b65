package project

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/native"
	"github.com/cordon-sec/cordon/policy/privacy"
)

// privacyFiles are where the app's own privacy manifest stands: in Capacitor's project,
// beside config.xml or at the root of a package, and in Cordova's platform, where
// prepare writes it from 7.1.0 on.
var privacyFiles = []string{
	"ios/App/App/" + privacy.FileName,
	"ios/App/" + privacy.FileName,
	privacy.FileName,
	"platforms/ios/*/" + privacy.FileName,
}

// privacy reads the app's privacy manifests, and completes what plugins bring.
func (r *reader) privacy() {
	r.privacyElements()
	for _, name := range append(r.privacyResources(), r.inPlatforms(privacyFiles)...) {
		matches, _ := fs.Glob(r.fsys, name) // the patterns are well formed
		for _, match := range matches {
			r.privacyFile(match)
		}
	}
	r.capacitorLibraries()
	r.installedPods()
}

// privacyResources are the manifests that a <resource-file> of config.xml copies.
func (r *reader) privacyResources() []string {
	var names []string
	if r.project.Config == nil {
		return nil
	}
	for _, e := range r.project.Config.For("ios") {
		source := path.Clean(strings.ReplaceAll(e.Value("src"), `\`, "/"))
		if e.Name == "resource-file" && path.Base(source) == privacy.FileName && fs.ValidPath(source) &&
			!strings.ContainsAny(source, `*?[\`) {
			names = append(names, source)
		}
	}
	return names
}

func (r *reader) privacyFile(name string) {
	known := func(m app.PrivacyManifest) bool { return m.Name == name }
	if slices.ContainsFunc(r.project.PrivacyManifests, known) || !r.readable(name) {
		return
	}
	data, err := readBounded(r.fsys, name, MaxManifest)
	if err != nil {
		r.skip(name, reason(err))
		return
	}
	m := app.PrivacyManifest{File: app.File{Name: name, Data: data}, Generated: strings.HasPrefix(name, "platforms/")}
	m.Place = policy.Place{File: name, Line: 1, Column: 1}
	parsePrivacy(&m, data)
	r.project.PrivacyManifests = append(r.project.PrivacyManifests, m)
}

// parsePrivacy reads what a privacy manifest holds.
func parsePrivacy(m *app.PrivacyManifest, data []byte) {
	value, err := native.ParsePropertyList(m.Name, data)
	var problem *native.Problem
	switch {
	case errors.As(err, &problem):
		m.Place, m.Wrong = problem.Place, problem.Msg
	case err != nil:
		m.Wrong = err.Error()
	default:
		m.Value = value
	}
}

// privacyElements reads the <privacy-manifest> of config.xml: cordova-ios takes the
// first one directly inside <platform name="ios"> (PlatformConfigParser.js).
func (r *reader) privacyElements() {
	doc := r.project.Config
	if doc == nil {
		return
	}
	counted := false
	doc.Root().Walk(func(e *configxml.Element) bool {
		if e.Name != "privacy-manifest" {
			return true
		}
		m := app.PrivacyManifest{File: app.File{Name: doc.Name(), Data: doc.Bytes()}, Place: e.Place(), Element: true}
		parent := e.Parent
		inside := parent != nil && parent.Name == "platform" && parent.Value("name") == "ios" &&
			parent.Parent == doc.Root()
		switch {
		case !inside:
			m.Ignored = `it must stand directly inside <platform name="ios">`
		case counted:
			m.Ignored = "cordova-ios takes the first one, and this is another"
		default:
			counted = true
			parsePrivacy(&m, asPropertyList(doc.Bytes(), e))
		}
		r.project.PrivacyManifests = append(r.project.PrivacyManifests, m)
		return true
	})
}

// asPropertyList makes a property list of an element that holds what is inside its
// dictionary, in which everything has the place that it has in the file.
func asPropertyList(data []byte, e *configxml.Element) []byte {
	list := blank(data[:e.Start])
	if e.TagEnd == e.End { // <privacy-manifest/>
		return append(list, "<dict/>"...)
	}
	const tag = "<dict>"
	list = append(append(list, tag...), blank(data[e.Start+len(tag):e.TagEnd])...)
	end := e.TagEnd + bytes.LastIndex(data[e.TagEnd:e.End], []byte("</"))
	return append(append(list, data[e.TagEnd:end]...), "</dict>"...)
}

// blank puts a space for every byte that ends no line.
func blank(data []byte) []byte {
	made := bytes.Repeat([]byte{' '}, len(data))
	for i, c := range data {
		if c == '\n' || c == '\r' {
			made[i] = c
		}
	}
	return made
}

// libraries notes the libraries of others that a plugin.xml asks for or brings on iOS:
// <podspec> with its pods, <framework type="podspec"> and <framework custom="true">.
func (r *reader) libraries(p app.Plugin, doc *configxml.Document) {
	add := func(e *configxml.Element, name, spec string) *app.Library {
		l := app.Library{Name: name, Spec: spec, Plugin: p.ID, Version: p.Version, Place: e.Place()}
		r.project.Libraries = append(r.project.Libraries, l)
		return &r.project.Libraries[len(r.project.Libraries)-1]
	}
	for _, platform := range doc.Root().Children {
		if platform.Name != "platform" || platform.Value("name") != "ios" {
			continue
		}
		platform.Walk(func(e *configxml.Element) bool {
			src := e.Value("src")
			switch {
			case e.Name == "pod" && e.Value("name") != "":
				add(e, e.Value("name"), e.Value("spec"))
			case e.Name == "framework" && e.Value("type") == "podspec" && src != "":
				add(e, src, e.Value("spec"))
			case e.Name == "framework" && e.Value("custom") == "true" && src != "":
				src = strings.ReplaceAll(src, `\`, "/")
				r.bundled(add(e, frameworkName(src), ""), path.Join(path.Dir(p.Manifest), src))
			}
			return true
		})
	}
}

// frameworkName is the name of a framework by its folder.
func frameworkName(src string) string {
	base := path.Base(src)
	return strings.TrimSuffix(base, path.Ext(base))
}

// maxFramework is how many entries of a framework are looked at.
const maxFramework = 5000

// bundled says whether a framework's folder holds a privacy manifest. One that is not
// there, or too large to be looked through, says nothing.
func (r *reader) bundled(l *app.Library, dir string) {
	if !fs.ValidPath(dir) {
		return
	}
	if info, err := fs.Stat(r.fsys, dir); err != nil || !info.IsDir() {
		return
	}
	entries := 0
	err := fs.WalkDir(r.fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if entries++; err != nil || entries > maxFramework {
			return fs.ErrInvalid
		}
		l.Manifest = l.Manifest || d.Name() == privacy.FileName
		return nil
	})
	l.Bundled = err == nil
}

// dependencyLine is a dependency in a podspec: s.dependency 'Name', '~> 1.2'.
var dependencyLine = regexp.MustCompile(`^\s*\w+\.dependency\s*\(?\s*['"]([^'"]+)['"]((?:\s*,\s*['"][^'"]+['"])*)`)

var quotedName = regexp.MustCompile(`['"]([^'"]+)['"]`)

// capacitorLibraries notes what the podspecs of the packages that a Capacitor project
// depends on ask for. A podspec is Ruby, which is not run: a line that writes its
// dependency down is read.
func (r *reader) capacitorLibraries() {
	if len(r.project.Capacitor.Data) == 0 {
		return
	}
	root, err := jsonspan.Parse(r.project.Package.Data)
	if err != nil {
		return // which is a finding of its own, unless there is no file
	}
	for _, m := range root.At("dependencies").Members {
		if !fs.ValidPath(m.Key) || strings.HasPrefix(m.Key, "@capacitor/") || strings.ContainsAny(m.Key, `*?[\`) {
			continue
		}
		matches, _ := fs.Glob(r.fsys, path.Join("node_modules", m.Key, "*.podspec")) // the pattern is well formed
		for _, name := range matches {
			r.podspec(m.Key, name)
		}
	}
}

func (r *reader) podspec(id, name string) {
	data, err := readBounded(r.fsys, name, MaxManifest)
	if err != nil {
		r.skip(name, reason(err))
		return
	}
	version := ""
	if manifest, err := readBounded(r.fsys, path.Join(path.Dir(name), "package.json"), MaxManifest); err == nil {
		if root, err := jsonspan.Parse(manifest); err == nil {
			version, _ = root.At("version").Text()
		}
	}
	at := 0
	for line := range bytes.Lines(data) {
		if m := dependencyLine.FindSubmatch(line); m != nil {
			var specs []string
			for _, s := range quotedName.FindAllSubmatch(m[2], -1) {
				specs = append(specs, string(s[1]))
			}
			r.project.Libraries = append(r.project.Libraries, app.Library{Name: string(m[1]),
				Spec: strings.Join(specs, ","), Plugin: id, Version: version,
				Place: policy.PlaceIn(name, data, at, at+len(bytes.TrimRight(line, "\r\n")))})
		}
		at += len(line)
	}
}

// podLocks are where CocoaPods writes down what it installed.
var podLocks = []string{"platforms/ios/Podfile.lock", "ios/App/Podfile.lock"}

// podLine is a pod in the list of a Podfile.lock: "  - FirebaseCore (10.12.0):".
var podLine = regexp.MustCompile(`^  - "?([^"\s(]+) \(([0-9][0-9.]*)\)"?:?\s*$`)

// installedPods notes which versions of the libraries are installed.
func (r *reader) installedPods() {
	versions := make(map[string]string)
	for _, name := range r.inPlatforms(podLocks) {
		if !r.readable(name) {
			continue
		}
		data, err := readBounded(r.fsys, name, MaxManifest)
		if err != nil {
			r.skip(name, reason(err))
			continue
		}
		for line := range bytes.Lines(data) {
			if m := podLine.FindSubmatch(line); m != nil {
				versions[string(m[1])] = string(m[2])
			}
		}
	}
	for i := range r.project.Libraries {
		l := &r.project.Libraries[i]
		pod, _, _ := strings.Cut(l.Name, "/")
		if l.Installed = versions[l.Name]; l.Installed == "" {
			l.Installed = versions[pod]
		}
	}
}
