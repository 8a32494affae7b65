package artifact

import (
	"archive/zip"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// decoder makes the file system of an Android package: it writes its compiled XML as
// text, within a budget.
type decoder struct {
	files map[string]*zip.File
	tree  *tree
	text  func(data []byte, name string) ([]byte, error)
	budget
	next map[string]int // how many folders a name was made for
}

// add puts the text of an entry into the tree.
func (d *decoder) add(f *zip.File, name string) error {
	data, err := d.unpack(f)
	if err != nil {
		return err
	}
	text, err := d.text(data, name)
	if err != nil {
		return &Error{f.Name, err.Error()}
	}
	d.tree.add(name, node{data: text})
	return d.made(f, text)
}

// apk makes the file system of an Android package.
func apk(files map[string]*zip.File) (*Package, error) {
	resources := newTable()
	d := &decoder{files: files, tree: newTree(), next: make(map[string]int)}
	d.text = func(data []byte, name string) ([]byte, error) {
		return decodeXML(data, resources, name == manifestName)
	}
	if f := files["resources.arsc"]; f != nil {
		data, err := d.unpack(f)
		if err != nil {
			return nil, err
		}
		if resources, err = readTable(data); err != nil {
			return nil, &Error{f.Name, err.Error()}
		}
	}
	if err := d.add(files[manifestName], manifestName); err != nil {
		return nil, err
	}
	if err := d.resources(resources); err != nil {
		return nil, err
	}
	values, err := resources.valuesXML()
	if err := d.values(files["resources.arsc"], values, err); err != nil {
		return nil, err
	}
	d.tree.assets(files, "")
	return &Package{FS: d.tree, Platform: "android"}, nil
}

// resources adds the XML resources: those of the table by the names that they have
// there, as the files' own may have been shortened, and the others by their own.
func (d *decoder) resources(t *table) error {
	list, err := t.xmlFiles()
	if err != nil {
		return &Error{"resources.arsc", err.Error()}
	}
	for _, name := range sorted(d.files) {
		if isResource(name) {
			list = append(list, xmlFile{path: name})
		}
	}
	taken := make(map[string]bool)
	for _, x := range list {
		f := d.files[x.path]
		if f == nil || taken[x.path] || x.name != "" && !plainName(x.name) {
			continue
		}
		taken[x.path] = true
		if err := d.file(f); err != nil {
			return err
		}
		if notCompiled(f) {
			continue
		}
		if err := d.add(f, d.nameOf(x)); err != nil {
			return err
		}
	}
	return nil
}

// values adds the file of the values that references stand for, which was made of an
// entry.
func (d *decoder) values(f *zip.File, text []byte, err error) error {
	if err != nil {
		return &Error{f.Name, err.Error()}
	}
	if text == nil {
		return nil
	}
	d.tree.add("res/values/values.xml", node{data: text})
	return d.made(f, text)
}

const manifestName = "AndroidManifest.xml"

// isResource reports whether a file is an XML resource by its name.
func isResource(name string) bool {
	ok, err := path.Match("res/xml*/*.xml", name)
	return ok && err == nil
}

// nameOf returns the name of a file for an XML resource: its own if that tells, and
// one in a folder for each kind of device otherwise, so that no file hides another.
func (d *decoder) nameOf(x xmlFile) string {
	base := path.Base(x.path)
	if x.name != "" {
		base = x.name + ".xml"
	}
	name := path.Join("res/xml", base)
	own := isResource(x.path) && base == path.Base(x.path) && (x.name == "" || d.files[name] != nil)
	if own && d.tree.nodes[x.path] == nil {
		return x.path
	}
	for d.tree.nodes[name] != nil {
		d.next[base]++
		name = path.Join("res/xml-x"+strconv.Itoa(d.next[base]), base)
	}
	return name
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
	d := &decoder{files: files, tree: newTree()}
	refers := make(map[string]bool)
	d.text = func(data []byte, name string) ([]byte, error) {
		if name == manifestName {
			return decodeProto(data, refers)
		}
		return decodeProto(data, nil)
	}
	if err := d.add(files["base/manifest/"+manifestName], manifestName); err != nil {
		return nil, err
	}
	for _, name := range sorted(files) {
		to, ok := strings.CutPrefix(name, "base/")
		if !ok || !isResource(to) {
			continue
		}
		if err := d.file(files[name]); err != nil {
			return nil, err
		}
		if err := d.add(files[name], to); err != nil {
			return nil, err
		}
	}
	if f := files["base/resources.pb"]; f != nil && len(refers) > 0 && f.UncompressedSize64 <= MaxEntry {
		data, err := d.unpack(f)
		if err != nil {
			return nil, err
		}
		values, err := protoValues(data, refers)
		if err := d.values(f, values, err); err != nil {
			return nil, err
		}
	}
	d.tree.assets(files, "base/")
	return &Package{FS: d.tree, Root: "base", Platform: "android"}, nil
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
	p.targets()
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
