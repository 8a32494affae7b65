package project

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// ReadShips reads what says where the app may go, and none of its pages: the
// config.xml or Capacitor's configuration, the plugins, the config.xml files that
// platforms were built with, and the versions of the platforms. Errors are those of Read.
func ReadShips(fsys fs.FS, o Options) (*app.App, error) {
	r, err := readShips(fsys, o)
	if err != nil {
		return nil, err
	}
	return r.project, nil
}

func readShips(fsys fs.FS, o Options) (*reader, error) {
	r := &reader{fsys: fsys, project: &app.App{Now: o.Now, Config: o.Document}, up: above(fsys), folders: o.Folders}
	p := r.project
	if p.Config == nil {
		if err := r.findConfig(o); err != nil {
			return nil, err
		}
	}
	p.Package, p.Lock = r.packageFile(), r.bounded("package-lock.json", MaxLock)
	p.Capacitor = r.capacitor()
	if p.Web != "" {
		return r, nil // nothing binds it outside of its pages
	}
	if p.Config == nil && len(p.Capacitor.Data) == 0 {
		if err := r.unreadable(); err != nil {
			return nil, err
		}
	}
	r.effective()
	r.built()
	r.versions(o.Targets)
	r.capacitorBuilt()
	if late := r.unknowns[r.told:]; len(late) > 0 && p.Effective != nil {
		p.Effective = configxml.Effective(p.Effective.Name(), p.Effective, configxml.Additions{Unknown: late})
	}
	return r, nil
}

// findConfig reads the config.xml that is named, or the one that is found. A
// Capacitor project needs none, and a web app has none.
func (r *reader) findConfig(o Options) (err error) {
	name := o.Config
	if name == "" {
		name, err = FindConfig(r.fsys)
		var missing *NotFoundError
		if errors.As(err, &missing) {
			if hasCapacitor(r.fsys) {
				return nil
			}
			if o.WebApps && len(missing.Below) == 0 && missing.Code == "" {
				r.project.Web = webTool(r.fsys)
			}
			if r.project.Web != "" {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
	r.project.Config, err = ReadConfig(r.fsys, name)
	return err
}

// effective makes the document of what ships.
func (r *reader) effective() {
	p := r.project
	var add configxml.Additions
	add.Parts = r.plugins()
	name := p.Capacitor.Name
	if p.Config != nil {
		name = p.Config.Name()
		add.Parts = append(add.Parts, r.brought(p.Config, nil)...)
		add.Parts = append(add.Parts, r.devices(name, r.androids())...)
	}
	if len(p.Capacitor.Data) > 0 {
		add.Parts = append(add.Parts, r.generated()...)
		if read, err := capacitor.Read(p.Capacitor.Name, p.Capacitor.Data); err == nil {
			add.Capacitor = read
		} else {
			r.unknown(p.Capacitor.Place(0, 0), "", "%s cannot be read: %v", p.Capacitor.Name, err)
		}
	} else if p.Capacitor.Data != nil {
		r.unknown(p.Capacitor.Place(0, 0), "", "%s is empty, so that what it says is not known", p.Capacitor.Name)
	}
	add.Unknown, r.told = r.unknowns, len(r.unknowns)
	if len(add.Parts) == 0 && len(add.Unknown) == 0 && add.Capacitor == nil && !r.isProject() {
		return // a config.xml by itself says nothing about plugins
	}
	p.Effective = configxml.Effective(name, p.Config, add)
}

// isProject reports whether the folder is one that an app is built in, so that what it
// does not have the app does not have either.
func (r *reader) isProject() bool {
	if r.project.Package.Data != nil {
		return true
	}
	for _, name := range []string{"package.json", "plugins", "platforms"} {
		if _, err := fs.Stat(r.fsys, name); err == nil {
			return true
		}
	}
	return false
}

// devices are the elements of the config.xml files that Android reads on some devices
// instead of the one of that name: res/xml-v24/config.xml. What any device lets in
// counts; that a device may let in less is noted.
func (r *reader) devices(name string, platforms []string) []configxml.Part {
	base, ok := strings.CutSuffix(name, "res/xml/config.xml")
	if !ok {
		return nil
	}
	var parts []configxml.Part
	matches, _ := fs.Glob(r.fsys, base+"res/xml-*/config.xml") // no base that was found has a pattern in it
	for _, other := range matches {
		if !r.readable(other) {
			continue
		}
		doc, err := ReadConfig(r.fsys, other)
		if err != nil {
			r.cannot(other, lineAndWhy(err), "")
			continue
		}
		for _, platform := range platforms {
			parts = append(parts, configxml.Part{Platform: platform, Elements: doc.Root().Children})
			r.unknown(policy.Place{File: other, Line: 1, Column: 1}, platform,
				"some devices read %s instead of %s, and what is said is what the two come to together", other, name)
		}
	}
	return parts
}

// androids are the platforms that an Android package's config.xml is for: that of
// Cordova, and where there is a configuration of Capacitor its own, whose plugins read it.
func (r *reader) androids() []string {
	if len(r.project.Capacitor.Data) > 0 {
		return []string{"android", "capacitor-android"}
	}
	return []string{"android"}
}

// generated are the elements of the config.xml files that Capacitor writes for
// Cordova plugins.
func (r *reader) generated() []configxml.Part {
	var parts []configxml.Part
	for _, g := range [][2]string{
		{"capacitor-android", r.inPlatform("android/app/src/main/res/xml/config.xml")},
		{"capacitor-ios", r.inPlatform("ios/App/App/config.xml")},
		{"capacitor-android", "res/xml/config.xml"}, // of a package
	} {
		if g[1] == "" || !r.readable(g[1]) {
			continue
		}
		doc, err := ReadConfig(r.fsys, g[1])
		if err != nil {
			r.cannot(g[1], lineAndWhy(err), "")
			continue
		}
		parts = append(parts, configxml.Part{Platform: g[0], Elements: doc.Root().Children})
		if r.project.Config == nil || r.project.Config.Name() != g[1] {
			parts = append(parts, r.devices(g[1], []string{g[0]})...)
		}
	}
	return parts
}

// unknown notes what could not be established.
func (r *reader) unknown(at policy.Place, platform, format string, args ...any) {
	r.unknowns = append(r.unknowns, configxml.Unknown{
		What: fmt.Sprintf(format, args...), Place: at, Platform: platform})
}

// cannot notes a file that is there and cannot be read, and that something may
// stand in it; plugin is the plugin whose file it is, or "".
func (r *reader) cannot(name, why, plugin string) {
	r.skip(name, why)
	what := "what it says"
	if plugin != "" {
		what = "what the plugin " + plugin + " adds to the list"
	}
	r.unknown(policy.Place{File: name, Line: 1, Column: 1}, "", "%s was not read, so that %s is not known: %s", name,
		what, why)
}
