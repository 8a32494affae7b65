package project

import (
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// Common are the platforms to look at in a project that names none.
func Common() []policy.Target {
	var list []policy.Target
	for _, name := range []string{"android", "ios"} {
		if t, err := dialect.ParseTarget(name); err == nil {
			list = append(list, t)
		}
	}
	return list
}

// Targets returns the platforms that a config.xml, alone, is for: its <engine>
// elements with their versions, else the names of its <platform> elements,
// else what its namespaces tell (Tizen, BlackBerry), else the Common ones.
func Targets(doc *configxml.Document) []policy.Target {
	p := &app.App{Config: doc}
	p.Engines = configEngines(doc)
	return targets(nil, p).list
}

// Own returns the targets that are asked for. One that names no version has those that
// the project is built for, own; of a platform that the project is not built for, and
// of those that are assumed there, the version is assumed. Without asked they are own.
func Own(asked, own, ownAssumed []policy.Target) (list, assumed []policy.Target) {
	if len(asked) == 0 {
		return own, ownAssumed
	}
	add := func(t policy.Target, isAssumed bool) {
		if slices.Contains(list, t) {
			return
		}
		list = append(list, t)
		if isAssumed {
			assumed = append(assumed, t)
		}
	}
	for _, t := range asked {
		platform, _ := dialect.Lookup(t.Platform)
		if !t.Version.IsZero() || platform.Latest.IsZero() {
			add(t, false)
			continue
		}
		of := false
		for _, mine := range own {
			if mine.Platform == t.Platform {
				add(mine, slices.Contains(ownAssumed, mine))
				of = true
			}
		}
		if !of {
			add(policy.Target{Platform: t.Platform, Version: platform.Latest}, true)
		}
	}
	return list, assumed
}

// engines lists the platforms that a project names: cordova.platforms and the
// dependencies of package.json, and <engine> elements. Where both name one,
// package.json has priority, as Cordova's tools have it.
func engines(fsys fs.FS, p *app.App) []app.Engine {
	list := packageEngines(fsys, p)
	if p.Config == nil {
		return list
	}
	for _, e := range configEngines(p.Config) {
		i := slices.IndexFunc(list, func(other app.Engine) bool { return other.Name == e.Name })
		switch {
		case i < 0:
			if installed := installedVersion(fsys, p, e.Name); installed != "" {
				e.Spec = installed
			}
			list = append(list, e)
		case list[i].Spec == "":
			list[i].Spec = e.Spec
		}
	}
	return list
}

func packageEngines(fsys fs.FS, p *app.App) []app.Engine {
	var list []app.Engine
	var manifest struct {
		Cordova struct {
			Platforms []string `json:"platforms"`
		} `json:"cordova"`
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if json.Unmarshal(p.Package.Data, &manifest) != nil {
		return nil
	}
	specs := make(map[string]string)
	for _, dependencies := range []map[string]string{manifest.DevDependencies, manifest.Dependencies} {
		for name, spec := range dependencies {
			if platform, ok := strings.CutPrefix(name, "cordova-"); ok && knownPlatform(platform) {
				specs[platform] = spec
			}
		}
	}
	for _, name := range manifest.Cordova.Platforms {
		if _, ok := specs[name]; !ok {
			specs[name] = ""
		}
	}
	names := make([]string, 0, len(specs))
	for name := range specs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		at := strings.Index(string(p.Package.Data), `"cordova-`+name+`"`)
		if at < 0 {
			at = max(0, strings.Index(string(p.Package.Data), `"`+name+`"`))
		}
		spec := specs[name]
		if installed := installedVersion(fsys, p, name); installed != "" {
			spec = installed
		}
		list = append(list, app.Engine{Name: name, Spec: spec, Place: p.Package.Place(at, at)})
	}
	return list
}

func knownPlatform(name string) bool {
	if name == "browser" || name == "electron" || name == "osx" || name == "firefoxos" || name == "ubuntu" {
		return true
	}
	_, ok := dialect.Lookup(name)
	return ok && name != dialect.Strict && name != "w3c"
}

func configEngines(doc *configxml.Document) []app.Engine {
	var list []app.Engine
	for _, e := range doc.Root().Children {
		if e.Name == "engine" && e.Value("name") != "" {
			spec := e.Value("spec")
			if spec == "" {
				spec = e.Value("version")
			}
			list = append(list, app.Engine{Name: e.Value("name"), Spec: spec, Place: doc.Place(e.Start, e.TagEnd)})
		}
	}
	return list
}

// byNamespace tells the platform of a file that declares a platform's own
// namespace, or reads like one of a platform of its own.
func byNamespace(doc *configxml.Document) string {
	name := ""
	doc.Root().Walk(func(e *configxml.Element) bool {
		for _, a := range e.Attrs {
			switch {
			case a.Prefix != "xmlns":
			case strings.Contains(a.Value, "tizen.org"):
				name = "tizen"
			case strings.Contains(a.Value, "blackberry.com"):
				name = "blackberry10"
			}
		}
		if e.Prefix == "rim" || e.Name == "access" && e.Value("uri") != "" {
			name = "blackberry10"
		}
		return name == ""
	})
	return name
}

// target makes a known target of a platform's name and a version as written, moved
// into the range that is known. It is named where the spec is one version, or those of
// one major from one on, of which it is the lowest; else it is the highest that is
// known and allowed, which is assumed, as it is where the version's major is newer than
// those that are known.
func target(name, spec string) (t policy.Target, named, ok bool) {
	platform, ok := dialect.Lookup(name)
	if !ok {
		return policy.Target{}, false, false
	}
	t = policy.Target{Platform: name, Version: platform.Latest}
	versions, isRange := policy.ParseRange(spec)
	version := versions.Lowest
	switch {
	case platform.Latest.IsZero():
		return t, true, true
	case !isRange: // a folder, a repository, a tag: its version is not known
		return t, false, true
	case !versions.One:
		version = highest(platform, versions)
	}
	switch {
	case version.Major > platform.Latest.Major:
		return t, false, true // what it changes is not known
	default:
		t.Version = version
	}
	if version.Compare(platform.First) < 0 {
		t.Version = platform.First
	}
	return t, versions.One, true
}

// webDir returns the folder of the pages that a Capacitor configuration names,
// "" if it names none within the project.
func webDir(f *app.File) string {
	c, err := capacitor.Read(f.Name, f.Data)
	if err != nil || c.WebDir.Value == "" {
		return ""
	}
	dir := path.Clean(c.WebDir.Value) // ./dist and dist/ are meant as dist
	if !fs.ValidPath(dir) || dir == "." {
		return ""
	}
	return dir
}
