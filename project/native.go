package project

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/cordon-sec/cordon/policy/native"
)

// maxNative is how many native files of a project are read.
const maxNative = 500

// nativeFiles are where native files stand: those of Capacitor's platforms, those
// of Cordova's (with the layout before cordova-android 7), and those of a package
// that was taken apart. What Cordova's tools write comes last.
var nativeFiles = []string{
	"android/app/src/*/AndroidManifest.xml",
	"android/app/src/*/res/xml*/*.xml",
	"ios/App/*/Info.plist",
	cordovaManifest,
	"AndroidManifest.xml",
	"res/xml*/*.xml",
	"Info.plist",
	"*-Info.plist",
	"platforms/android/app/src/main/AndroidManifest.xml",
	"platforms/android/app/src/main/res/xml*/*.xml",
	"platforms/android/AndroidManifest.xml",
	"platforms/android/res/xml*/*.xml",
	"platforms/ios/*/*Info.plist",
}

// natives reads what the project says about its native files: the files
// themselves, and what config.xml and the plugins give them.
func (r *reader) natives() *native.Set {
	n := &nativeReader{reader: r, read: make(map[string]bool)}
	if r.project.Config != nil {
		n.carried(&pluginFile{Document: r.project.Config}, ".")
	}
	for _, f := range r.pluginFiles {
		n.carried(f, f.dir())
	}
	for _, pattern := range r.inPlatforms(nativeFiles) {
		matches, _ := fs.Glob(r.fsys, pattern) // the patterns are well formed
		for _, name := range matches {
			if kind := native.KindOf(name); kind != 0 && r.shipped(name) {
				n.file(kind, name)
			}
		}
	}
	values := &valueReader{nativeReader: n}
	return native.MergeWith(n.fragments, values.lookup)
}

// cordovaManifest is what Capacitor makes of the manifests of Cordova's plugins.
const cordovaManifest = "android/capacitor-cordova-android-plugins/src/main/AndroidManifest.xml"

type nativeReader struct {
	*reader
	fragments []*native.Fragment
	read      map[string]bool
}

// data reads a file once; nil if it was read before or cannot be.
func (n *nativeReader) data(name string) []byte {
	if n.read[name] || len(n.read) >= maxNative || !exists(n.fsys, name) {
		return nil
	}
	n.read[name] = true
	data, err := readBounded(n.fsys, name, MaxManifest)
	if err != nil {
		n.skip(name, reason(err))
	}
	return data
}

func (n *nativeReader) file(kind native.Kind, name string) *native.Fragment {
	data := n.data(name)
	if data == nil {
		return nil
	}
	f, err := native.NewFile(kind, name, data)
	if err != nil {
		n.unread(name, err)
		return nil
	}
	if f != nil {
		f.Generated = strings.HasPrefix(name, "platforms/") || name == n.inPlatform(cordovaManifest)
		n.fragments = append(n.fragments, f)
	}
	return f
}

func (n *nativeReader) unread(name string, err error) { n.skip(name, whyUnread(err)) }

// whyUnread says why a native file cannot be read, in a clause that its name comes
// before.
func whyUnread(err error) string {
	var problem *native.Problem
	if errors.As(err, &problem) {
		return fmt.Sprintf("line %d: %s", problem.Place.Line, problem.Msg)
	}
	return err.Error()
}

// carried adds what a config.xml or plugin.xml gives native files; dir is the
// folder of the files that it names.
func (n *nativeReader) carried(file *pluginFile, dir string) {
	fragments, resources, problems := native.Carried(file.Document)
	for _, f := range fragments {
		f.Unset = file.unset
	}
	n.fragments = append(n.fragments, fragments...)
	for i := range problems {
		n.unread(file.Name(), &problems[i])
	}
	for _, res := range resources {
		name := path.Join(dir, slashed(res.Source))
		place := res.Element.Place()
		if !n.reads(name) {
			n.skip(name, fmt.Sprintf("line %d of %s copies it, and it stands outside the project and its workspace",
				place.Line, file.Name()))
			continue
		}
		if !exists(n.fsys, name) {
			n.skip(name, fmt.Sprintf("line %d of %s copies it, and it is not there", place.Line, file.Name()))
			continue
		}
		if f := n.file(native.KindOf(res.Target), name); f != nil {
			f.Carrier, f.Name = native.ResourceFile, native.ResourceName(res.Target)
		}
	}
}
