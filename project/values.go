package project

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/native"
)

// maxValues is how many files are looked at for what names in native files stand for, and
// maxTexts how many values a build setting may have.
const (
	maxValues = 2000
	maxTexts  = 100
)

// valueFiles, gradleFiles and settingFiles are where a project gives names their values:
// Android's resources, the scripts of Gradle, and the build settings of Xcode.
var (
	valueFiles = []string{
		"android/app/src/*/res/values*/*.xml",
		"android/capacitor-cordova-android-plugins/src/main/res/values*/*.xml",
		"res/values*/*.xml", // of a package
		"platforms/android/app/src/main/res/values*/*.xml",
		"platforms/android/res/values*/*.xml",
	}
	gradleFiles = []string{
		"android/app/*.gradle", "android/app/*.gradle.kts", "android/*.gradle", "android/*.gradle.kts",
		"android/capacitor-cordova-android-plugins/*.gradle",
		"platforms/android/app/*.gradle", "platforms/android/*.gradle", "platforms/android/*/*.gradle",
	}
	settingFiles = []string{
		"ios/*/*.xcodeproj/project.pbxproj", "ios/*.xcodeproj/project.pbxproj",
		"ios/*.xcconfig", "ios/*/*.xcconfig", "ios/*/*/*.xcconfig",
		"platforms/ios/*.xcodeproj/project.pbxproj",
		"platforms/ios/*.xcconfig", "platforms/ios/*/*.xcconfig",
	}
)

// valueReader finds what names in native files stand for. It reads no file before it is
// asked for a name that may stand in it.
type valueReader struct {
	*nativeReader
	resources []valueFile
	found     map[string]native.Meaning // of resources
	gradle    *gradleValues
	settings  map[string]native.Meaning
	looked    bool // for the files of resources
	files     int
	bytes     int
	// Why a resource, or a build setting, may have other values than those found.
	resourceDoubt, settingDoubt, unreadProject string
}

// valueFile is a file of Android's resources, parsed once it is asked for what it holds.
type valueFile struct {
	name string
	data []byte
	made *configxml.Document
}

// lookup is the native.Lookup of the project.
func (v *valueReader) lookup(name native.Name) native.Meaning {
	switch name.Kind {
	case native.OfResource:
		return v.resource(name.Text)
	case native.OfGradle:
		m := v.ofGradle().placeholder(name.Text)
		if name.Text == "applicationId" && len(m.Texts) == 0 && v.project.Config != nil {
			if id := packageName(v.project.Config.Root(), "android"); id != "" {
				m.Texts = append(m.Texts, native.Given{Text: id, Place: v.project.Config.Root().Place()})
			}
		}
		return m
	}
	m := v.ofXcode()[name.Text]
	if m.Unknown == "" {
		m.Unknown = v.settingDoubt
	}
	return m
}

// each calls visit for the files of the patterns that come into an app which is released,
// and for those that they take in, which visit returns by their names from the project's
// folder on. It says why one of them was not read, "" if all were.
func (v *valueReader) each(patterns []string, limit int64, visit func(name string, data []byte) []string) string {
	var names []string
	for _, pattern := range v.inPlatforms(patterns) {
		matches, _ := fs.Glob(v.fsys, pattern) // the patterns are well formed
		for _, name := range matches {
			if v.shipped(name) && !ofDebug(name) {
				names = append(names, name)
			}
		}
	}
	doubt, read := "", map[string]bool{}
	for len(names) > 0 {
		name := names[0]
		names = names[1:]
		if read[name] || !exists(v.fsys, name) {
			continue
		}
		read[name] = true
		if v.files++; v.files > maxValues || v.bytes > MaxTotal {
			return fmt.Sprintf("more than the %d files, or %d bytes, that are looked at may give it another value",
				maxValues, MaxTotal)
		}
		data, err := readBounded(v.fsys, name, limit)
		v.bytes += len(data)
		if err != nil {
			doubt = mayGive(name, reason(err))
			continue
		}
		for _, other := range visit(name, data) {
			if !v.reads(other) {
				doubt = mayGive(other, name+" takes it in, and it stands outside the project and its workspace")
				continue
			}
			names = append(names, other)
		}
	}
	return doubt
}

// mayGive says that a file which was not read may give a name another value.
func mayGive(name, why string) string {
	return fmt.Sprintf("%s, which may give it another value, was not read: %s", name, why)
}

// ofDebug reports whether a file of build settings is, by its name, for debugging.
func ofDebug(name string) bool {
	return path.Ext(name) == ".xcconfig" && strings.Contains(strings.ToLower(path.Base(name)), "debug")
}

// resource returns the values of a resource, such as bool/cleartext, on all devices.
func (v *valueReader) resource(text string) native.Meaning {
	m, known := v.found[text]
	if !known {
		m = v.findResource(text)
		if v.found == nil {
			v.found = make(map[string]native.Meaning)
		}
		v.found[text] = m
	}
	return m
}

func (v *valueReader) findResource(text string) native.Meaning {
	if !v.looked {
		v.looked = true
		v.resourceDoubt = v.each(valueFiles, MaxManifest, func(name string, data []byte) []string {
			v.resources = append(v.resources, valueFile{name: name, data: data})
			return nil
		})
	}
	kind, name, _ := strings.Cut(text, "/")
	m := v.ofGradle().resource(text)
	for _, f := range v.fragments {
		if f.Kind == native.Values {
			addResource(&m, f.Unset, f.Elements, kind, name)
		}
	}
	for i := range v.resources {
		f := &v.resources[i]
		if !bytes.Contains(f.data, []byte(`"`+name+`"`)) && !bytes.Contains(f.data, []byte(`'`+name+`'`)) {
			continue
		}
		if f.made == nil {
			doc, err := configxml.Parse(f.name, f.data)
			if err != nil {
				m.Unknown = mayGive(f.name, lineAndWhy(err))
				continue
			}
			f.made = doc
		}
		addResource(&m, nil, f.made.Root().Children, kind, name)
	}
	if m.Unknown == "" {
		m.Unknown = v.resourceDoubt
	}
	return m
}

// addResource adds the values that elements of a file give a resource: <bool name>, or
// <item type="bool" name>.
func addResource(m *native.Meaning, unset map[int]string, elements []*configxml.Element, kind, name string) {
	for _, e := range elements {
		is := e.Name == kind || e.Name == "item" && e.Value("type") == kind
		if !is || e.Value("name") != name {
			continue
		}
		text := strings.TrimSpace(e.Text)
		switch why := unset[e.Start]; {
		case len(e.Children) > 0:
			m.Unknown = fmt.Sprintf("%s:%d gives it markup", e.Place().File, e.Place().Line)
			continue
		case why != "" && strings.Contains(text, "$"):
			m.Unknown = why
			continue
		}
		if kind == "string" {
			text = strings.ReplaceAll(strings.Trim(text, `"`), `\`, "")
		}
		m.Texts = append(m.Texts, native.Given{Text: text, Place: e.Place()})
	}
}

// ofGradle reads the scripts of Gradle: those of the platform, and those that config.xml
// and plugins bring.
func (v *valueReader) ofGradle() *gradleValues {
	if v.gradle != nil {
		return v.gradle
	}
	v.gradle = &gradleValues{}
	if doubt := v.each(gradleFiles, MaxManifest, v.gradle.read); doubt != "" {
		v.gradle.doubt = doubt
	}
	if v.project.Config != nil {
		v.scripts(v.project.Config, ".")
	}
	for _, f := range v.pluginFiles {
		v.scripts(f.Document, f.dir())
	}
	return v.gradle
}

// scripts reads the scripts of Gradle that a config.xml or plugin.xml brings: <framework
// type="gradleReference" src>, and <resource-file src target> of one.
func (v *valueReader) scripts(doc *configxml.Document, dir string) {
	doc.Scoped(func(e *configxml.Element, platform string) {
		reference := e.Name == "framework" && e.Value("type") == "gradleReference" ||
			e.Name == "resource-file" && path.Ext(e.Value("target")) == ".gradle"
		name := path.Join(dir, slashed(e.Value("src")))
		if !reference || platform == "ios" {
			return
		}
		if !v.reads(name) || strings.ContainsAny(name, `*?[\`) {
			v.gradle.doubt = mayGive(name, "it stands outside the project and its workspace, or has no plain name")
			return
		}
		if doubt := v.each([]string{name}, MaxManifest, v.gradle.read); doubt != "" {
			v.gradle.doubt = doubt
		}
	})
}

// ofXcode reads the build settings of Xcode: what every configuration but the one for
// debugging gives them.
func (v *valueReader) ofXcode() map[string]native.Meaning {
	if v.settings != nil {
		return v.settings
	}
	v.settings = make(map[string]native.Meaning)
	v.settingDoubt = v.each(settingFiles, 8*MaxManifest, func(name string, data []byte) []string {
		if path.Ext(name) == ".xcconfig" {
			return readXCConfig(name, data, v.set)
		}
		if err := readPBXProject(name, data, v.set); err != nil {
			v.skip(name, err.Error())
			v.unreadProject = mayGive(name, err.Error())
		}
		return nil
	})
	if v.settingDoubt == "" {
		v.settingDoubt = v.unreadProject
	}
	return v.settings
}

// set notes a value of a build setting.
func (v *valueReader) set(setting string, given native.Given) {
	m := v.settings[setting]
	if len(m.Texts) >= maxTexts {
		m.Unknown = "it has too many values"
		v.settings[setting] = m
		return
	}
	if !slices.ContainsFunc(m.Texts, func(have native.Given) bool { return have.Text == given.Text }) {
		m.Texts = append(m.Texts, given)
		v.settings[setting] = m
	}
}
