package project

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
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
	n := newInstalls(r.fsys, p)
	n.folders = map[string]string{"android": r.android.dir, "ios": r.ios.dir}
	p.Engines = engines(n)
	own := targets(n)
	p.Targets, p.Assumed = Own(asked, own.list, own.assumed)
	p.Alternatives = own.alternatives
	for _, newer := range own.newer {
		r.doubtNewer(newer)
	}
}

// doubtNewer notes that a platform is newer than those that are known. Of a lone
// config.xml nothing else is known either, and it stays one.
func (r *reader) doubtNewer(n newer) {
	p := r.project
	u := configxml.Unknown{Platform: n.target.Platform, Place: r.named(n.target.Platform), Reading: true,
		What: fmt.Sprintf("%s is %s, which is newer than what is known: what is said is what %s does",
			n.target.Platform, n.version, n.target)}
	p.Newer = append(p.Newer, u)
	doc := p.Ships()
	if doc == nil {
		return
	}
	p.Effective = configxml.Effective(doc.Name(), doc,
		configxml.Additions{Unknown: []configxml.Unknown{u}, Lone: p.Effective == nil})
}

// named is where the project names a platform.
func (r *reader) named(platform string) policy.Place {
	p := r.project
	for _, e := range p.Engines {
		if e.Name == platform {
			return e.Place
		}
	}
	name := strings.Replace(platform, "capacitor-", "@capacitor/", 1)
	if at, is := p.Dependency(name); is {
		return at
	}
	if p.Config != nil {
		return policy.Place{File: p.Config.Name(), Line: 1, Column: 1}
	}
	return policy.Place{File: p.Capacitor.Name, Line: 1, Column: 1}
}

// platform returns the version of a platform that is installed, which is
// exact where package.json gives a range: npm's package, else what the platform
// that was added to the project says of itself, else what npm would install.
func (n *installs) platform(platform string) string {
	fsys := n.fsys
	if fsys == nil || !knownPlatform(platform) {
		return ""
	}
	dir := "platforms/" + platform
	for _, read := range []func() string{
		func() string { return packageVersion(fsys, "cordova-"+platform) },
		func() string { return versionOfPackage(fsys, dir) },
		func() string { return listedVersion(fsys, platform) },
		func() string { return versionOfScript(fsys, dir+"/cordova/version") },
		func() string { return versionOfScript(fsys, dir+"/CordovaLib/VERSION") },
		func() string { return versionOfScript(fsys, dir+"/VERSION") },
		func() string { return n.locked("cordova-" + platform) },
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
	asked, ok := policy.ParseRange(list[platform])
	if !ok || asked.Lowest.IsZero() {
		return ""
	}
	return asked.Lowest.String()
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
	asked, ok := policy.ParseRange(cli)
	version := asked.Lowest
	if !ok || version.IsZero() || platform != "android" && platform != "ios" {
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
	*installs
	list    []policy.Target
	assumed []policy.Target
	// alternatives are the other versions that assumed ones may be, see
	// app.App.Alternatives.
	alternatives []policy.Target
	newer        []newer
}

// newer is a version that is newer than those that are known, and the target that
// stands for it.
type newer struct {
	target  policy.Target
	version policy.Version
}

// add adds a platform by what names it. spec is its version as written, or "".
func (c *chosen) add(name, spec string) {
	if slices.ContainsFunc(c.list, func(t policy.Target) bool { return t.Platform == name }) {
		return
	}
	if installed := c.platform(name); installed != "" {
		spec = installed
	} else if spec == "" && c.project.Config != nil {
		asked, _ := phonegap(c.project.Config)
		spec = phonegapVersion(asked, name)
	}
	c.addKnown(name, spec)
}

// hasPackages reports whether npm's packages are in the folder.
func hasPackages(fsys fs.FS) bool { return isFolder(fsys, "node_modules") }

func isFolder(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.IsDir()
}

// targets derives the targets from what the project names, and says of which the
// version is assumed.
func targets(n *installs) *chosen {
	c, p := &chosen{installs: n}, n.project
	for _, e := range p.Engines {
		c.add(e.Name, e.Spec)
	}
	if c.capacitor(); len(c.list) > 0 || p.Config == nil {
		return c
	}
	for _, e := range p.Config.Root().Children {
		if e.Name == "platform" {
			c.add(e.Value("name"), "")
		}
	}
	if len(c.list) > 0 {
		return c
	}
	if name := byNamespace(p.Config); name != "" {
		c.add(name, "")
		return c
	}
	if c.hasCapacitor() { // the file is for the pages of a Capacitor app
		c.addKnown("capacitor-android", "")
		c.addKnown("capacitor-ios", "")
		return c
	}
	for _, t := range Common() {
		c.add(t.Platform, "")
	}
	return c
}

// capacitor adds the platforms of Capacitor that package.json names, at the
// versions that npm installed. A table without them has no such targets.
func (c *chosen) capacitor() {
	var manifest struct {
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	if c.fsys == nil || c.project.Config != nil && !c.hasCapacitor() {
		return
	}
	_ = json.Unmarshal(c.project.Package.Data, &manifest) // what cannot be read names nothing, and is a finding
	for _, platform := range []string{"android", "ios"} {
		name := "capacitor-" + platform
		spec, named := manifest.Dependencies["@capacitor/"+platform]
		if !named {
			spec, named = manifest.DevDependencies["@capacitor/"+platform]
		}
		added := isFolder(c.fsys, c.folders[platform])
		if _, known := dialect.Lookup(name); !known || !named && !added {
			continue
		}
		if installed := packageVersion(c.fsys, "@capacitor/"+platform); installed != "" {
			spec = installed
		} else if locked := c.locked("@capacitor/" + platform); locked != "" {
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

// hasCapacitor reports whether the project is one of Capacitor: also where its
// configuration is there and cannot be read.
func (c *chosen) hasCapacitor() bool {
	return len(c.project.Capacitor.Data) > 0 || c.fsys != nil && hasCapacitor(c.fsys)
}

func (c *chosen) addKnown(name, spec string) {
	t, other, named, ok := target(name, spec)
	if !ok {
		return
	}
	c.list = append(c.list, t)
	c.alternatives = append(c.alternatives, other...)
	if versions, is := policy.ParseRange(spec); is && versions.Lowest.Major > t.Version.Major && !t.Version.IsZero() {
		c.newer = append(c.newer, newer{t, versions.Lowest})
	}
	if !named || c.unresolved(name, spec) {
		c.assumed = append(c.assumed, t)
	}
}

// unresolved reports whether a version is a range of package.json: what npm made of it
// was not found then, neither here nor in the workspace.
func (c *chosen) unresolved(name, spec string) bool {
	if versions, ok := policy.ParseRange(spec); !ok || versions.Exact {
		return false
	}
	names := []string{"cordova-" + name}
	if platform, is := strings.CutPrefix(name, "capacitor-"); is {
		names = []string{"@capacitor/" + platform, "@capacitor/core", "@capacitor/cli"}
	}
	return slices.ContainsFunc(names, func(name string) bool { return c.asked[name] == spec })
}
