package project

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"slices"
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
	return targets(newInstalls(nil, p)).list
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
func engines(n *installs) []app.Engine {
	list, p := packageEngines(n), n.project
	if p.Config == nil {
		return list
	}
	for _, e := range configEngines(p.Config) {
		i := slices.IndexFunc(list, func(other app.Engine) bool { return other.Name == e.Name })
		switch {
		case i < 0:
			if installed := n.platform(e.Name); installed != "" {
				e.Spec = installed
			}
			list = append(list, e)
		case list[i].Spec == "":
			list[i].Spec = e.Spec
		}
	}
	return list
}

func packageEngines(n *installs) []app.Engine {
	var list []app.Engine
	p := n.project
	var manifest struct {
		Cordova struct {
			Platforms []string `json:"platforms"`
		} `json:"cordova"`
	}
	specs := make(map[string]string)
	for name, spec := range n.asked {
		if platform, ok := strings.CutPrefix(name, "cordova-"); ok && knownPlatform(platform) {
			specs[platform] = spec
		}
	}
	if json.Unmarshal(p.Package.Data, &manifest) != nil {
		return nil
	}
	for _, name := range manifest.Cordova.Platforms {
		if _, ok := specs[name]; !ok && knownPlatform(name) {
			specs[name] = ""
		}
	}
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		at := bytes.Index(p.Package.Data, []byte(`"cordova-`+name+`"`))
		if at < 0 {
			at = max(0, bytes.Index(p.Package.Data, []byte(`"`+name+`"`)))
		}
		spec := specs[name]
		if installed := n.platform(name); installed != "" {
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
		if e.Name == "engine" && knownPlatform(e.Value("name")) {
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
// into the range that is known. It is named where the spec is one version, or a range of
// one major whose versions all decide the same, of which it is the lowest; else it is the
// highest that is known and allowed, as npm would install it, which is assumed, and
// others are the versions of the range that decide otherwise. It is assumed too where the
// version's major is newer than those that are known.
func target(name, spec string) (t policy.Target, others []policy.Target, named, ok bool) {
	platform, ok := dialect.Lookup(name)
	if !ok {
		return policy.Target{}, nil, false, false
	}
	t = policy.Target{Platform: name, Version: platform.Latest}
	versions, isRange := policy.ParseRange(spec)
	if platform.Latest.IsZero() {
		return t, nil, true, true
	}
	if !isRange { // a folder, a repository, a tag: its version is not known
		return t, nil, false, true
	}
	version, classes := versions.Lowest, classesOf(&platform, versions)
	if version.Major > platform.Latest.Major {
		return t, nil, false, true // what it changes is not known
	}
	if named = versions.Exact || len(classes) == 1 && oneMajor(versions); !named {
		version = highest(platform, versions)
	}
	t.Version = version
	if version.Compare(platform.First) < 0 {
		t.Version = platform.First
	}
	if spec = strings.TrimSpace(spec); named || spec == "" || spec == "*" { // which nobody chose
		return t, nil, named, true
	}
	for i, class := range classes {
		last := i+1 == len(classes)
		if t.Version.Compare(class) < 0 || !last && t.Version.Compare(classes[i+1]) >= 0 {
			others = append(others, policy.Target{Platform: name, Version: class})
		}
	}
	return t, others, false, true
}

// classesOf returns the lowest version of a range for each way in which the range's
// versions of a platform decide, oldest first.
func classesOf(platform *dialect.Platform, versions policy.Range) []policy.Version {
	var list []policy.Version
	for i, from := range platform.Breaks {
		below := policy.Version{}
		if i+1 < len(platform.Breaks) {
			below = platform.Breaks[i+1].Version
		}
		if v, ok := versions.First(from.Version, below); ok {
			list = append(list, v)
		}
	}
	return list
}

// oneMajor reports whether all versions of a range have one major.
func oneMajor(versions policy.Range) bool {
	_, more := versions.First(policy.Version{Major: versions.Lowest.Major + 1}, policy.Version{})
	return !more
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
