package project

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
)

// capacitorNames are the configurations of a Capacitor project, in the order in
// which its command line looks for them (@capacitor/cli 7, config.ts).
var capacitorNames = []string{"capacitor.config.ts", "capacitor.config.js", capacitorFile}

// capacitorCopies are where cap copy writes the evaluated configuration.
// The last one is its place in a package.
var capacitorCopies = []string{"android/app/src/main/assets/" + capacitorFile, "ios/App/App/" + capacitorFile,
	"assets/" + capacitorFile}

// capacitor reads the configuration of a Capacitor project. One that is code is
// read without running it; where something in it is computed, the evaluated copy
// counts that Capacitor made of it.
func (r *reader) capacitor() app.File {
	for _, name := range capacitorNames {
		switch {
		case !exists(r.fsys, name):
		case name == capacitorFile:
			return r.manifest(name)
		default:
			return r.capacitorCode(name)
		}
	}
	for _, name := range capacitorCopies {
		if exists(r.fsys, name) {
			return r.manifest(name)
		}
	}
	return app.File{Name: capacitorFile}
}

func (r *reader) capacitorCode(name string) app.File {
	source := r.manifest(name)
	if source.Data == nil {
		return source
	}
	made, left, chosen, err := readLiteral(source.Data)
	for i := range chosen {
		r.project.Switched = append(r.project.Switched, app.Switched{What: chosen[i].said(),
			Place: policy.Place{File: name, Line: chosen[i].line, Column: 1}})
	}
	if err == nil && len(left) == 0 {
		return app.File{Name: name, Data: made}
	}
	for _, copied := range capacitorCopies {
		if exists(r.fsys, copied) {
			return r.manifest(copied)
		}
	}
	if err != nil {
		r.skip(name, err.Error()+"; "+runCapCopy)
		line := 1
		var code *codeError
		if errors.As(err, &code) {
			line = code.line
		}
		r.unknown(policy.Place{File: name, Line: line, Column: 1}, "",
			"%s is code, so that the app's configuration is not known: %v; %s", name, err, runCapCopy)
		return app.File{Name: name}
	}
	for _, c := range left {
		what := c.path + " is computed"
		if c.path == "..." {
			what = "code adds to the configuration or changes it"
		}
		r.skip(name, fmt.Sprintf("line %d: %s; %s", c.line, what, runCapCopy))
		r.unknown(policy.Place{File: name, Line: c.line, Column: 1}, "", "%s, so that its value is not known; %s", what,
			runCapCopy)
	}
	return app.File{Name: name, Data: made}
}

const runCapCopy = "run npx cap copy, then the copy below android/ or ios/ is read"

// hasCapacitor reports whether a folder has a configuration of Capacitor.
func hasCapacitor(fsys fs.FS) bool {
	return slices.ContainsFunc(capacitorNames, func(name string) bool { return exists(fsys, name) }) ||
		exists(fsys, "assets/"+capacitorFile) // of a package
}
