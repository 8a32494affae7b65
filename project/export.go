package project

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/native"
)

// placements put an export where it belongs in a project. Those of other formats
// are files at the artifact's own path.
var placements = map[string]func(*placement, export.Artifact) error{
	export.CSP:    (*placement).pages,
	"android-nsc": (*placement).android,
	"ios-ats":     (*placement).ios,
	"capacitor":   (*placement).capacitor,

	export.IOSAppBound:     (*placement).appBound,
	export.PrivacyManifest: (*placement).privacy,
}

// placement collects what an export changes in a project.
type placement struct {
	fsys   fs.FS
	layout Layout
	html   []app.Page
	source export.Source
	force  bool
	// app is what the pages belong to, with the scripts and style sheets beside
	// them; platform is the one that they are for, "" for all.
	app      *app.App
	platform string
	// webAssembly lets pages compile WebAssembly.
	webAssembly bool
	// copies says that the pages are made anew from others at each build, so that
	// nothing that a person wrote is lost with their policies.
	copies  bool
	changes []Change
	losses  []export.Loss
}

// Place returns what an export changes in a project, and what it loses. Files
// that are as they should be are among the changes, so that a caller can say
// so. An *OwnedError means that a person's work is in the way and force is not
// set; the losses are told with it.
func Place(fsys fs.FS, p *app.App, s export.Source, e export.Exporter, force bool) ([]Change, []export.Loss, error) {
	layout, err := sourceLayout(fsys)
	if err != nil {
		return nil, nil, err
	}
	w := &placement{fsys: fsys, layout: layout, html: p.Pages, source: s, force: force, app: p}
	return w.run(e)
}

func (w *placement) run(e export.Exporter) ([]Change, []export.Loss, error) {
	w.source.Page = export.Page{} // each page is told of by itself
	artifact := e.Export(w.source)
	place, ok := placements[e.Name]
	if !ok {
		place = (*placement).file
	}
	if err := place(w, artifact); err != nil {
		return nil, w.losses, fmt.Errorf("export %s: %w", e.Name, err)
	}
	return w.changes, append(artifact.Losses, w.losses...), nil
}

// mark is in every file that an export writes as a whole: "Written by cordon
// export" where that begins a sentence, "written by …" in Format.Header.
const mark = "ritten by cordon export"

// file writes an artifact as a file of its own. A format without comments
// cannot be marked: what is there is only replaced by the same or by force.
func (w *placement) file(a export.Artifact) error {
	old, err := current(w.fsys, a.Path)
	if err != nil {
		return err
	}
	if old != nil && !w.force && !bytes.Equal(old, a.Content) && !bytes.Contains(old, []byte(mark)) {
		return &OwnedError{Name: a.Path, What: "the file"}
	}
	w.changes = append(w.changes, Change{Name: a.Path, Old: old, New: a.Content})
	return nil
}

// pages puts a policy into the head of every page.
func (w *placement) pages(export.Artifact) error {
	shared, err := SharedBy(w.app, w.platform)
	if err != nil {
		return err
	}
	w.unread()
	var owned *OwnedError
	for i := range w.html {
		page := &w.html[i]
		what := CSPPage(page, shared)
		what.WebAssembly = w.webAssembly
		made, losses := export.PagePolicy(w.source, what)
		data, ok := withPolicy(page, made.String())
		if !ok {
			if page.Whole {
				w.losses = append(w.losses, export.Loss{Rule: page.Name,
					Message: "the page has no <head> that a policy can be put into: nothing limits what it loads"})
			}
			continue
		}
		for _, loss := range losses {
			if loss.Place.IsZero() {
				w.pageLoss(page, loss)
			}
		}
		loses, opens := w.changed(what.Existing, losses)
		if owned == nil && len(loses)+len(opens) > 0 {
			owned = &OwnedError{Name: page.Name, What: "its Content-Security-Policy", Loses: loses, Opens: opens}
		}
		w.changes = append(w.changes, Change{Name: page.Name, Old: page.Data, New: data})
	}
	switch {
	case owned != nil:
		return owned
	case len(w.changes) == 0:
		return fmt.Errorf("the project has no page to put a policy into")
	}
	return nil
}

// changed lists what a page's own policy has and the new one has not, and what the new
// one lets in and the page's own keeps out, where a person wrote that policy and force
// is not set.
func (w *placement) changed(existing csp.Policy, losses []export.Loss) (loses, opens []string) {
	if w.force || w.copies || export.IsPagePolicy(existing) {
		return nil, nil
	}
	for _, loss := range losses {
		if loss.Drops != "" {
			loses = append(loses, loss.Drops)
		}
		if loss.Opens != "" {
			opens = append(opens, loss.Opens)
		}
	}
	return loses, opens
}

// pageLoss notes what a page loses; what all pages share is said once.
func (w *placement) pageLoss(page *app.Page, loss export.Loss) {
	if !loss.Need {
		loss.Rule = page.Name
	}
	if !slices.Contains(w.losses, loss) {
		w.losses = append(w.losses, loss)
	}
}

// unread says which scripts and style sheets were not read: nobody knows what they
// need.
func (w *placement) unread() {
	for _, s := range w.app.Skipped {
		if kindOf(s.Name) == notRead && s.Name != w.layout.Web {
			continue
		}
		w.losses = append(w.losses, export.Loss{Rule: s.Name, Need: true,
			Message: "it was not read (" + s.Why + "), so what it needs of the policy is not known"})
	}
}

// android writes the resource, and names it in the manifest.
func (w *placement) android(a export.Artifact) error {
	name := w.layout.Manifest
	manifest, err := current(w.fsys, name)
	if err != nil {
		return err
	}
	if manifest == nil {
		return fmt.Errorf("no %s: add the platform first (cordova platform add android)", name)
	}
	a.Path = w.layout.Resource
	if err := w.file(a); err != nil {
		return err
	}
	edited, err := w.nameConfig(name, manifest)
	if err != nil {
		return err
	}
	w.changes = append(w.changes, Change{Name: name, Old: manifest, New: edited})
	return nil
}

// nameConfig sets android:networkSecurityConfig on the application.
func (w *placement) nameConfig(name string, manifest []byte) ([]byte, error) {
	const attribute, value = "networkSecurityConfig", "@xml/network_security_config"
	f, err := native.NewFile(native.Manifest, name, manifest)
	if err != nil {
		return nil, err
	}
	applications := native.Merge([]*native.Fragment{f}).At("/manifest/application")
	if len(applications) == 0 {
		return nil, fmt.Errorf("%s: no <application>", name)
	}
	application := applications[0]
	if a, ok := application.Attribute(attribute); ok {
		if a.Value != value && !w.force {
			return nil, &OwnedError{Name: name, What: "android:" + attribute}
		}
		return f.Document.Apply(a.Source.SetValue(value))
	}
	e := application.Element
	at := e.Start + len("<") + len(e.Name)
	if e.Prefix != "" {
		at += len(e.Prefix) + 1
	}
	for _, a := range application.Attributes {
		// Cordova's tools write attributes in alphabetical order: behind
		// the last one before it, the next prepare leaves it in place.
		if a.Android && a.Name < attribute {
			at = max(at, a.Source.End)
		}
	}
	return f.Document.Apply(configxml.Edit{Start: at, End: at, New: ` android:` + attribute + `="` + value + `"`})
}

// ios puts the dictionary into the app's Info.plist. cordova-ios writes the
// dictionary anew at each prepare, so what is there is always replaced.
func (w *placement) ios(export.Artifact) error {
	name := w.layout.Plist
	if name == "" {
		return fmt.Errorf("no platforms/ios/*/*-Info.plist: add the platform first (cordova platform add ios)")
	}
	data, err := current(w.fsys, name)
	if err != nil {
		return err
	}
	doc, err := configxml.Parse(name, data)
	if err != nil {
		return err
	}
	dictionary, losses := export.TransportSecurity(w.source, "\t")
	w.losses = append(w.losses, losses...)
	edited, _, err := setPlist(doc, "NSAppTransportSecurity", strings.TrimSpace(dictionary))
	if err != nil {
		return err
	}
	w.changes = append(w.changes, Change{Name: name, Old: data, New: edited})
	return nil
}
