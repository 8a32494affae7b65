package project

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
)

// versions sets the platforms that the project names with their versions, and the
// targets: those that are asked for, else what the project is built for. Of a
// version, what is installed comes first, then package-lock.json, then package.json,
// then <engine>, then PhoneGap's; where nothing names one, the latest is assumed, which
// is noted.
func (r *reader) versions(asked []policy.Target) {
	p := r.project
	p.Engines = engines(r.fsys, p)
	p.Targets = asked
	if len(asked) == 0 {
		p.Targets, p.Assumed = targets(r.fsys, p)
	}
}

// installedVersion returns the version of a platform that is installed, which is
// exact where package.json gives a range: npm's package, else what the platform
// that was added to the project says of itself, else what npm would install.
func installedVersion(fsys fs.FS, p *app.App, platform string) string {
	if fsys == nil || !fs.ValidPath(platform) || strings.Contains(platform, "/") {
		return ""
	}
	dir := "platforms/" + platform
	for _, read := range []func() string{
		func() string { return versionOfPackage(fsys, "node_modules/cordova-"+platform) },
		func() string { return versionOfPackage(fsys, dir) },
		func() string { return listedVersion(fsys, platform) },
		func() string { return versionOfScript(fsys, dir+"/cordova/version") },
		func() string { return versionOfScript(fsys, dir+"/CordovaLib/VERSION") },
		func() string { return versionOfScript(fsys, dir+"/VERSION") },
		func() string { return lockedVersion(&p.Lock, "cordova-"+platform) },
	} {
		if version := read(); version != "" {
			return version
		}
	}
	return ""
}

// versionOfPackage is the version in a folder's package.json.
func versionOfPackage(fsys fs.FS, dir string) string {
	data, err := readBounded(fsys, path.Join(dir, "package.json"), MaxManifest)
	if err != nil {
		return ""
	}
	var manifest struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(blankMark(data), &manifest) != nil {
		return ""
	}
	return manifest.Version
}

// lockedVersion is the version of a package that package-lock.json holds, "" for none
// or for another package under its name.
func lockedVersion(lock *app.File, name string) string {
	if !bytes.Contains(lock.Data, []byte(name+`"`)) {
		return ""
	}
	type locked struct{ Name, Version string }
	var all struct{ Packages, Dependencies map[string]locked }
	if json.Unmarshal(lock.Data, &all) != nil {
		return ""
	}
	found, ok := all.Packages["node_modules/"+name]
	if !ok && len(all.Packages) == 0 {
		found = all.Dependencies[name] // of npm before 7
	}
	if found.Name != "" && found.Name != name {
		return ""
	}
	return found.Version
}

// listedVersion is what platforms/platforms.json, which Cordova's tools write, says
// of a platform.
func listedVersion(fsys fs.FS, platform string) string {
	data, err := readBounded(fsys, "platforms/platforms.json", MaxManifest)
	if err != nil {
		return ""
	}
	var list map[string]string
	if json.Unmarshal(data, &list) != nil {
		return ""
	}
	return versionIn.FindString(list[platform])
}

// versionOfScript is the version in the program that a platform of Cordova 3 to 9
// tells its version by, or in its VERSION file.
func versionOfScript(fsys fs.FS, name string) string {
	if !exists(fsys, name) {
		return ""
	}
	data, err := readBounded(fsys, name, 64<<10)
	if err != nil {
		return ""
	}
	if m := scriptVersion.FindSubmatch(data); m != nil {
		return string(m[1])
	}
	return ""
}

var scriptVersion = regexp.MustCompile(`(?m)(?:VERSION\s*=\s*["']|^)(\d{1,4}\.\d{1,4}\.\d{1,4})`)

// phonegap is the version of PhoneGap that a config.xml asks PhoneGap Build for.
func phonegap(doc *configxml.Document) (value string, at policy.Place) {
	for _, e := range doc.For("") {
		if e.Name == "preference" && strings.EqualFold(e.Value("name"), "phonegap-version") {
			value, at = e.Value("value"), e.Place()
		}
	}
	return value, at
}

// phonegapCLI are the platforms of each version of Cordova's command line, which
// PhoneGap Build names cli-VERSION: platformsConfig.json of cordova-lib.
var phonegapCLI = []struct{ cli, android, ios policy.Version }{
	{policy.Version{Major: 5, Minor: 1, Patch: 1}, vers(4, 0, 2), vers(3, 8, 0)},
	{policy.Version{Major: 5, Minor: 2}, vers(4, 1, 0), vers(3, 9, 0)},
	{policy.Version{Major: 6}, vers(5, 1, 0), vers(4, 0, 1)},
	{policy.Version{Major: 6, Minor: 1}, vers(5, 1, 1), vers(4, 1, 0)},
	{policy.Version{Major: 6, Minor: 3}, vers(5, 2, 0), vers(4, 2, 0)},
	{policy.Version{Major: 6, Minor: 4}, vers(6, 0, 0), vers(4, 3, 0)},
	{policy.Version{Major: 6, Minor: 5}, vers(6, 1, 1), vers(4, 3, 0)},
	{policy.Version{Major: 7}, vers(6, 2, 2), vers(4, 4, 0)},
	{policy.Version{Major: 7, Minor: 1}, vers(6, 3, 0), vers(4, 5, 1)},
	{policy.Version{Major: 8}, vers(7, 0, 0), vers(4, 5, 4)},
	{policy.Version{Major: 8, Minor: 1}, vers(7, 1, 1), vers(4, 5, 4)},
	{policy.Version{Major: 9}, vers(8, 0, 0), vers(5, 0, 0)},
	{policy.Version{Major: 10}, vers(9, 0, 0), vers(6, 1, 0)},
}

func vers(major, minor, patch int) policy.Version {
	return policy.Version{Major: major, Minor: minor, Patch: patch}
}

// phonegapVersion returns the version of a platform that a version of PhoneGap
// builds: up to 4 it is PhoneGap's own, from cli-5 on that of the command line.
func phonegapVersion(value, platform string) string {
	cli, isCLI := strings.CutPrefix(strings.ToLower(strings.TrimSpace(value)), "cli-")
	version, err := policy.ParseVersion(versionIn.FindString(cli))
	if err != nil || platform != "android" && platform != "ios" {
		return ""
	}
	if !isCLI && version.Major < 5 {
		return version.String()
	}
	made := policy.Version{}
	for _, row := range phonegapCLI {
		if version.Compare(row.cli) < 0 && !made.IsZero() {
			break
		}
		made = row.android
		if platform == "ios" {
			made = row.ios
		}
	}
	return made.String()
}

// chosen are the targets of a project as they are found.
type chosen struct {
	fsys    fs.FS
	project *app.App
	list    []policy.Target
	assumed []policy.Target
}

// add adds a platform by what names it. spec is its version as written, or "".
func (c *chosen) add(name, spec string) {
	if slices.ContainsFunc(c.list, func(t policy.Target) bool { return t.Platform == name }) {
		return
	}
	if installed := installedVersion(c.fsys, c.project, name); installed != "" {
		spec = installed
	} else if spec == "" && c.project.Config != nil {
		asked, _ := phonegap(c.project.Config)
		spec = phonegapVersion(asked, name)
	}
	c.addKnown(name, spec)
}

// elsewhere reports whether a version is a range of package.json and what npm made of it
// is not in the folder: a workspace keeps its packages in a folder further up.
func (c *chosen) elsewhere(name, spec string) bool {
	if c.fsys == nil || hasPackages(c.fsys) {
		return false
	}
	if versions, ok := app.ParseRange(spec); !ok || versions.Exact {
		return false
	}
	root, err := jsonspan.Parse(c.project.Package.Data)
	if err != nil {
		return false
	}
	names := []string{"cordova-" + name}
	if platform, is := strings.CutPrefix(name, "capacitor-"); is {
		names = []string{"@capacitor/" + platform, "@capacitor/core", "@capacitor/cli"}
	}
	for _, at := range []string{"dependencies", "devDependencies"} {
		for _, name := range names {
			if text, ok := root.At(at, name).Text(); ok && text == spec {
				return true
			}
		}
	}
	return false
}

// hasPackages reports whether npm's packages are in the folder.
func hasPackages(fsys fs.FS) bool {
	info, err := fs.Stat(fsys, "node_modules")
	return err == nil && info.IsDir()
}

// targets derives the targets from what the project names, and says of which the
// version is assumed.
func targets(fsys fs.FS, p *app.App) (list, assumed []policy.Target) {
	c := &chosen{fsys: fsys, project: p}
	for _, e := range p.Engines {
		c.add(e.Name, e.Spec)
	}
	if c.capacitor(); len(c.list) > 0 || p.Config == nil {
		return c.list, c.assumed
	}
	for _, e := range p.Config.Root().Children {
		if e.Name == "platform" {
			c.add(e.Value("name"), "")
		}
	}
	if len(c.list) > 0 {
		return c.list, c.assumed
	}
	if name := byNamespace(p.Config); name != "" {
		c.add(name, "")
		return c.list, c.assumed
	}
	if len(p.Capacitor.Data) > 0 { // the file is for the pages of a Capacitor app
		c.addKnown("capacitor-android", "")
		c.addKnown("capacitor-ios", "")
		return c.list, c.assumed
	}
	for _, t := range Common() {
		c.add(t.Platform, "")
	}
	return c.list, c.assumed
}

// capacitor adds the platforms of Capacitor that package.json names, at the
// versions that npm installed. A table without them has no such targets.
func (c *chosen) capacitor() {
	var manifest struct {
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if c.fsys == nil || c.project.Config != nil && len(c.project.Capacitor.Data) == 0 {
		return
	}
	_ = json.Unmarshal(c.project.Package.Data, &manifest) // what cannot be read names nothing, and is a finding
	for _, platform := range []string{"android", "ios"} {
		name := "capacitor-" + platform
		spec, named := manifest.Dependencies["@capacitor/"+platform]
		if !named {
			spec, named = manifest.DevDependencies["@capacitor/"+platform]
		}
		info, err := fs.Stat(c.fsys, platform)
		if _, known := dialect.Lookup(name); !known || !named && (err != nil || !info.IsDir()) {
			continue
		}
		if installed := versionOfPackage(c.fsys, "node_modules/@capacitor/"+platform); installed != "" {
			spec = installed
		} else if locked := lockedVersion(&c.project.Lock, "@capacitor/"+platform); locked != "" {
			spec = locked
		} else if spec == "" {
			for _, other := range []string{"@capacitor/core", "@capacitor/cli"} {
				if spec == "" {
					spec = manifest.Dependencies[other] + manifest.DevDependencies[other]
				}
			}
		}
		c.addKnown(name, spec)
	}
	if len(c.list) == 0 && c.project.Config == nil {
		for _, name := range []string{"capacitor-android", "capacitor-ios"} {
			c.addKnown(name, "")
		}
	}
}

func (c *chosen) addKnown(name, spec string) {
	t, named, ok := target(name, spec)
	if !ok {
		return
	}
	c.list = append(c.list, t)
	if !named || c.elsewhere(name, spec) {
		c.assumed = append(c.assumed, t)
	}
}
