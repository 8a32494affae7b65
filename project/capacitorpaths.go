package project

import (
	"io/fs"
	"path"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
)

// platformFolder is where a Capacitor project keeps a platform.
type platformFolder struct {
	// dir is the folder, "" where it is not read.
	dir string
	// at is android.path or ios.path, where the configuration has it.
	at capacitor.Text
}

// capacitorFolder returns the folder of a platform: android.path or ios.path of the
// configuration, from the project's folder on, else the platform's name
// (loadAndroidConfig and loadIOSConfig of @capacitor/cli 3.0.0 to 8.4.2). The command
// line follows it anywhere; what lies outside the project and its workspace is not read.
func capacitorFolder(fsys fs.FS, f *app.File, platform string) platformFolder {
	c, err := capacitor.Read(f.Name, f.Data)
	if err != nil { // which is said elsewhere
		return platformFolder{dir: platform}
	}
	at := c.Android.Path
	if platform == "ios" {
		at = c.IOS.Path
	}
	if !at.Written() {
		return platformFolder{dir: platform}
	}
	return platformFolder{folderThatIsRead(fsys, at.Value), at}
}

// folderThatIsRead is the name of a folder that a configuration names, "" where it is
// not read.
func folderThatIsRead(fsys fs.FS, written string) string {
	dir := slashed(written)
	odd := strings.ContainsAny(dir, "*?[:") // a pattern to those who look below it, or a drive
	if dir = path.Clean(dir); odd || path.IsAbs(dir) || outside(dir) > above(fsys) {
		return ""
	}
	return dir
}

// setFolders notes where the platforms of a Capacitor project are. What the caller knows
// counts: a configuration that is code may compute it.
func (r *reader) setFolders(f *app.File) {
	r.android, r.ios = capacitorFolder(r.fsys, f, "android"), capacitorFolder(r.fsys, f, "ios")
	if dir, known := r.folders["android"]; known {
		r.android.dir = folderThatIsRead(r.fsys, dir)
	}
	if dir, known := r.folders["ios"]; known {
		r.ios.dir = folderThatIsRead(r.fsys, dir)
	}
}

// doubtFolders says which platform stands where nothing is read.
func (r *reader) doubtFolders() {
	for _, p := range []struct {
		name   string
		folder platformFolder
	}{{"android", r.android}, {"ios", r.ios}} {
		if at := p.folder.at; p.folder.dir == "" && at.Written() {
			r.unknown(at.Place, "capacitor-"+p.name, "%s.path is %q, which leads out of the project and its "+
				"workspace, so that the platform's own files are not read: what they say is not known", p.name,
				at.Value)
		}
	}
}

// inPlatform turns a name or pattern below android/ or ios/ into one below the folder
// that the platform has instead; "" where that is not read.
func (r *reader) inPlatform(name string) string {
	first, rest, _ := strings.Cut(name, "/")
	folder := platformFolder{}
	switch first {
	case "android":
		folder = r.android
	case "ios":
		folder = r.ios
	default:
		return name
	}
	switch {
	case folder.dir != "":
		return path.Join(folder.dir, rest)
	case folder.at.Written():
		return ""
	}
	return name // nobody looked for a configuration
}

// inPlatforms is inPlatform for a list; what is not read is left out.
func (r *reader) inPlatforms(names []string) []string {
	var list []string
	for _, name := range names {
		if name = r.inPlatform(name); name != "" {
			list = append(list, name)
		}
	}
	return list
}

// shipped reports whether what stands in a folder of Gradle's source sets, below the
// folder of the platform, comes into an app that is released.
func (r *reader) shipped(name string) bool {
	rest, ok := strings.CutPrefix(name, r.inPlatform("android/app/src")+"/")
	set, _, _ := strings.Cut(rest, "/")
	return !ok || set != "debug" && !strings.HasPrefix(set, "test") && !strings.HasPrefix(set, "androidTest")
}

// copied is a platform's copy of the configuration.
type copied struct{ platform, name string }

// copies are where cap copy writes the evaluated configuration, and where one of
// Gradle's other source sets has a file that takes its place in the app: that of a
// flavour. Those of a package come last.
func (r *reader) copies() []copied {
	var list []copied
	if name := r.inPlatform(androidCopy); name != "" {
		list = append(list, copied{"android", name})
		// No folder that was found makes the pattern another one.
		matches, _ := fs.Glob(r.fsys, r.inPlatform("android/app/src")+"/*/assets/"+capacitorFile)
		for _, other := range matches {
			if other != name && r.shipped(other) {
				list = append(list, copied{"android", other})
			}
		}
	}
	if name := r.inPlatform(iosCopy); name != "" {
		list = append(list, copied{"ios", name})
	}
	return append(list, copied{"", "assets/" + capacitorFile})
}
