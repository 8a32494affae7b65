package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
)

// capacitorNames are the configurations of a Capacitor project, in the order in
// which its command line looks for them (@capacitor/cli 7, config.ts).
var capacitorNames = []string{"capacitor.config.ts", "capacitor.config.js", capacitorFile}

// androidCopy and iosCopy are where cap copy writes the evaluated configuration.
const (
	androidCopy = "android/app/src/main/assets/" + capacitorFile
	iosCopy     = "ios/App/App/" + capacitorFile
)

// capacitor reads the configuration of a Capacitor project. One that is code is
// read without running it; where something in it is computed, the evaluated copy
// counts that Capacitor made of it.
func (r *reader) capacitor() app.File {
	f := r.configuration()
	r.setFolders(&f)
	r.doubtFolders()
	return f
}

func (r *reader) configuration() app.File {
	for _, name := range capacitorNames {
		switch {
		case !exists(r.fsys, name):
		case name == capacitorFile:
			return r.manifest(name)
		default:
			return r.capacitorCode(name)
		}
	}
	if counts := r.evaluated(); counts.Name != "" {
		return counts
	}
	return app.File{Name: capacitorFile}
}

func (r *reader) capacitorCode(name string) app.File {
	source := r.manifest(name)
	if source.Data == nil {
		return source
	}
	made, left, chosen, err := readLiteral(source.Data)
	if err == nil && len(left) == 0 {
		r.switched(name, chosen, whatOpensMore)
		return app.File{Name: name, Data: made}
	}
	r.setFolders(&app.File{Name: name, Data: made})
	counts, remedy := r.evaluated(), runCapCopy
	if counts.Name != "" {
		remedy = fmt.Sprintf("the copy %s counts, which may be older than the code: run npx cap copy", counts.Name)
	}
	for _, u := range notKnown(name, left, err) {
		if counts.Name == "" {
			r.skip(name, u.skipped+"; "+remedy)
		}
		r.unknown(policy.Place{File: name, Line: u.line, Column: 1}, "", "%s; %s", u.what, remedy)
	}
	if counts.Name == "" {
		r.switched(name, chosen, whatOpensMore)
		return app.File{Name: name, Data: made}
	}
	r.switched(name, chosen, "the copy "+counts.Name)
	return counts
}

const whatOpensMore = "what opens more"

// switched notes the values that a condition chooses, and which of them is judged.
func (r *reader) switched(name string, chosen []switched, judged string) {
	for i := range chosen {
		r.project.Switched = append(r.project.Switched, app.Switched{What: chosen[i].said(judged),
			Place: policy.Place{File: name, Line: chosen[i].line, Column: 1}})
		r.chosen = append(r.chosen, chosen[i].path)
	}
}

// unevaluated is what running a configuration alone would tell: in a clause, and as it
// is listed with the files that were not read.
type unevaluated struct {
	line          int
	what, skipped string
}

func notKnown(name string, left []computed, err error) []unevaluated {
	if err != nil {
		line := 1
		var code *codeError
		if errors.As(err, &code) {
			line = code.line
		}
		return []unevaluated{
			{line, fmt.Sprintf("%s is code, so that the app's configuration is not known: %v", name, err),
				err.Error()},
		}
	}
	var list []unevaluated
	for _, c := range left {
		what := c.path + " is computed"
		if c.path == "..." {
			what = "code adds to the configuration or changes it"
		}
		list = append(list, unevaluated{c.line, what + ", so that its value is not known",
			fmt.Sprintf("line %d: %s", c.line, what)})
	}
	return list
}

// evaluated returns the first copy of the configuration, without a name where there is
// none. Where the copies of the platforms or of a flavour differ, what counts for those
// that come later is not known.
func (r *reader) evaluated() app.File {
	var counts app.File
	for _, c := range r.copies() {
		switch {
		case !exists(r.fsys, c.name):
		case counts.Name == "":
			counts = r.manifest(c.name)
		case c.platform != "" && r.copiesDiffer(&counts, c.name):
			r.unknown(policy.Place{File: c.name, Line: 1, Column: 1}, "capacitor-"+c.platform,
				"%s differs from %s, which counts for both platforms; run npx cap copy", c.name, counts.Name)
		}
	}
	return counts
}

// copiesDiffer reports whether two copies say something else about anything but the
// plugins' classes, which cap sync lists for each platform.
func (r *reader) copiesDiffer(a *app.File, other string) bool {
	var one, two map[string]any
	b := r.manifest(other)
	if json.Unmarshal(a.Data, &one) != nil || json.Unmarshal(b.Data, &two) != nil {
		return !bytes.Equal(a.Data, b.Data)
	}
	delete(one, "packageClassList")
	delete(two, "packageClassList")
	return !reflect.DeepEqual(one, two)
}

const runCapCopy = "run npx cap copy, then the copy below android/ or ios/ is read"

// hasCapacitor reports whether a folder has a configuration of Capacitor.
func hasCapacitor(fsys fs.FS) bool {
	return slices.ContainsFunc(capacitorNames, func(name string) bool { return exists(fsys, name) }) ||
		exists(fsys, "assets/"+capacitorFile) // of a package
}
