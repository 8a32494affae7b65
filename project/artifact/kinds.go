package artifact

import (
	"archive/zip"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// apk makes the file system of an Android package.
func apk(files map[string]*zip.File) (*Package, error) {
	t := newTree()
	var resources *table
	if f := files["resources.arsc"]; f != nil {
		data, err := unpack(f)
		if err != nil {
			return nil, err
		}
		if resources, err = readTable(data); err != nil {
			return nil, &Error{f.Name, err.Error()}
		}
	}
	decode := func(f *zip.File, name string) error {
		data, err := unpack(f)
		if err != nil {
			return err
		}
		made, err := decodeXML(data, resources, name == manifestName)
		if err != nil {
			return &Error{f.Name, err.Error()}
		}
		t.add(name, node{data: made})
		return nil
	}
	if err := decode(files[manifestName], manifestName); err != nil {
		return nil, err
	}
	// Resources go by their names: the files' own may have been shortened.
	taken := make(map[string]bool)
	list, err := resources.xmlFiles()
	if err != nil {
		return nil, &Error{"resources.arsc", err.Error()}
	}
	for _, x := range list {
		f := files[x.path]
		if f == nil || taken[x.path] || !plainName(x.name) || notCompiled(f) {
			continue
		}
		taken[x.path] = true
		if err := decode(f, xmlName(t, x.name)); err != nil {
			return nil, err
		}
	}
	for _, name := range sorted(files) {
		if f := files[name]; strings.HasPrefix(name, "res/xml") && !taken[name] && !notCompiled(f) {
			if err := decode(f, name); err != nil {
				return nil, err
			}
		}
	}
	t.assets(files, "")
	return &Package{FS: t, Platform: "android"}, nil
}

const manifestName = "AndroidManifest.xml"

// xmlName returns the name of a file for an XML resource: one folder for each kind of
// device, so that no file hides another.
func xmlName(t *tree, name string) string {
	dir := "res/xml"
	for t.nodes[path.Join(dir, name+".xml")] != nil {
		dir += "-x"
	}
	return path.Join(dir, name+".xml")
}

// notCompiled reports whether a file is not compiled XML.
func notCompiled(f *zip.File) bool {
	r, err := f.Open()
	if err != nil {
		return false // which unpacking it will say
	}
	defer r.Close()
	var head [2]byte
	n, _ := r.Read(head[:])
	return n < 2 || head != [2]byte{chunkXML, 0}
}

// aab makes the file system of an App Bundle's base module.
func aab(files map[string]*zip.File) (*Package, error) {
	t := newTree()
	for _, name := range sorted(files) {
		to, ok := strings.CutPrefix(name, "base/")
		if !ok || path.Ext(name) != ".xml" {
			continue
		}
		switch {
		case to == "manifest/"+manifestName:
			to = manifestName
		case !strings.HasPrefix(to, "res/xml"):
			continue
		}
		data, err := unpack(files[name])
		if err != nil {
			return nil, err
		}
		made, err := decodeProto(data)
		if err != nil {
			return nil, &Error{name, err.Error()}
		}
		t.add(to, node{data: made})
	}
	t.assets(files, "base/")
	return &Package{FS: t, Root: "base", Platform: "android"}, nil
}

// ipa makes the file system of an iOS package: that of its app.
func ipa(files map[string]*zip.File) (*Package, error) {
	root := ""
	for _, name := range sorted(files) {
		dir, base := path.Split(name)
		if base == "Info.plist" && path.Dir(path.Clean(dir)) == "Payload" && strings.HasSuffix(dir, ".app/") {
			if root != "" {
				return nil, &Error{name, "there must be one app below Payload, and " + root + " is another"}
			}
			root = dir
		}
	}
	if root == "" {
		return nil, &Error{Msg: "it holds no AndroidManifest.xml, no base/manifest/AndroidManifest.xml and no " +
			"Payload/*.app/Info.plist: it must be an .apk, .aab or .ipa"}
	}
	t := newTree()
	for _, name := range sorted(files) {
		to, ok := strings.CutPrefix(name, root)
		if first, _, _ := strings.Cut(to, "/"); ok && slices.Contains(appFiles, first) {
			t.add(to, node{entry: files[name]})
		}
	}
	return &Package{FS: t, Root: strings.TrimSuffix(root, "/"), Platform: "ios"}, nil
}

// appFiles are what is read of an iOS app's folder.
var appFiles = []string{"Info.plist", "config.xml", "www", "public", "capacitor.config.json", "PrivacyInfo.xcprivacy"}

// assets adds what lies below assets/ as it is.
func (t *tree) assets(files map[string]*zip.File, below string) {
	for _, name := range sorted(files) {
		if to, ok := strings.CutPrefix(name, below); ok && strings.HasPrefix(to, "assets/") {
			t.add(to, node{entry: files[name]})
		}
	}
}

func sorted(files map[string]*zip.File) []string {
	list := make([]string, 0, len(files))
	for name := range files {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Folder returns the app that a platform's tools made in a folder, such as
// platforms/android, platforms/ios, or the android and ios of a Capacitor project;
// nil for any other folder.
func Folder(fsys fs.FS) *Package {
	var p *Package
	for _, dir := range []string{"app/src/main", "."} {
		if isFile(fsys, path.Join(dir, manifestName)) {
			p = &Package{Root: dir, Platform: "android"}
			break
		}
	}
	if p == nil {
		for _, pattern := range []string{"*/*-Info.plist", "App/App/Info.plist"} {
			matches, _ := fs.Glob(fsys, pattern) // the patterns are well formed
			for _, name := range matches {
				if p == nil && isFile(fsys, path.Join(path.Dir(name), "config.xml")) {
					p = &Package{Root: path.Dir(name), Platform: "ios"}
				}
			}
		}
	}
	if p == nil {
		return nil
	}
	sub, err := fs.Sub(fsys, p.Root)
	if err != nil {
		return nil
	}
	p.FS = iosFolder{sub, fsys}
	if p.Platform == "android" {
		p.FS = sub
	}
	p.Targets = targets(p)
	return p
}

func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.Mode().IsRegular()
}

// iosFolder is the folder of an iOS app's files, with the pages that stand beside it
// and become part of the app when it is built.
type iosFolder struct {
	fs.FS
	beside fs.FS
}

// Open opens a file of the app, or one of the pages beside it.
func (f iosFolder) Open(name string) (fs.File, error) {
	if name == "www" || strings.HasPrefix(name, "www/") {
		return f.beside.Open(name)
	}
	return f.FS.Open(name)
}
