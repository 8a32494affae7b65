package project

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/appbound"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/privacy"
)

// capacitorIOS is where Capacitor's tools keep the app of its iOS project.
const capacitorIOS = "ios/App/App/"

// inCapacitorIOS is a file of a Capacitor project's iOS app, below ios.path where the
// configuration has it. Without it and without the app's Info.plist there is no platform
// to write to.
func (w *placement) inCapacitorIOS(name string) (string, error) {
	r := &reader{fsys: w.fsys, project: &app.App{}, up: above(w.fsys)}
	r.capacitor()
	plist, name := r.inPlatform(capacitorIOS+"Info.plist"), r.inPlatform(capacitorIOS+name)
	switch {
	case name == "":
		return "", fmt.Errorf("%s: ios.path is %q, which leads out of the project and its workspace: nothing is "+
			"written there", r.ios.at.Place, r.ios.at.Value)
	case !exists(w.fsys, plist) && !exists(w.fsys, name):
		return "", fmt.Errorf("no %s: add the platform first (npx cap add ios)", plist)
	}
	return name, nil
}

// BuiltBy reports whether Capacitor and Cordova build an app, by its targets. A
// configuration that cannot be read is Capacitor's all the same, where nothing names
// Cordova's platforms.
func BuiltBy(a *app.App) (capacitor, cordova bool) {
	skipped := func(s app.Skipped) bool { return s.Name == a.Capacitor.Name }
	if len(a.Capacitor.Data) == 0 && (a.Capacitor.Name == "" || a.Capacitor.Name == capacitorFile) &&
		!slices.ContainsFunc(a.Skipped, skipped) { // there is none
		return false, true
	}
	for _, t := range a.Targets {
		if strings.HasPrefix(t.Platform, "capacitor-") {
			capacitor = true
		} else {
			cordova = true
		}
	}
	if unread := len(a.Capacitor.Data) == 0 && len(a.Engines) == 0; !cordova || unread && !capacitor {
		return true, false
	}
	return capacitor, cordova
}

// ofCapacitor reports whether the iOS app is Capacitor's: that one reads nothing of a
// config.xml.
func (w *placement) ofCapacitor() bool {
	capacitor, cordova := BuiltBy(w.app)
	return capacitor && (!cordova || slices.ContainsFunc(w.app.Targets, func(t policy.Target) bool {
		return t.Platform == "capacitor-ios"
	}))
}

// appBound puts the array into the app's Info.plist. Tools do not write the key, so
// that what is there is a person's.
func (w *placement) appBound(export.Artifact) error {
	name := w.layout.Plist
	if w.ofCapacitor() {
		var err error
		if name, err = w.inCapacitorIOS("Info.plist"); err != nil {
			return err
		}
	}
	if name == "" && exists(w.fsys, capacitorIOS+"Info.plist") { // Capacitor's, without its configuration
		name = capacitorIOS + "Info.plist"
	}
	if name == "" {
		return fmt.Errorf("no platforms/ios/*/*-Info.plist and no %sInfo.plist: add the platform first (cordova "+
			"platform add ios, npx cap add ios)", capacitorIOS)
	}
	data, err := current(w.fsys, name)
	if err != nil {
		return err
	}
	doc, err := configxml.Parse(name, data)
	if err != nil {
		return err
	}
	array, _ := export.AppBoundDomains(w.source, "\t")
	edited, had, err := setPlist(doc, appbound.Key, strings.TrimSpace(array))
	if err != nil {
		return err
	}
	if had && !w.force && !bytes.Equal(edited, data) {
		return &OwnedError{Name: name, What: appbound.Key}
	}
	w.changes = append(w.changes, Change{Name: name, Old: data, New: edited})
	return nil
}

// privacy puts what is known of tracking into the app's privacy manifest: in a
// Capacitor project the file, else the <privacy-manifest> of config.xml, from which
// cordova-ios writes the file at each prepare.
func (w *placement) privacy(a export.Artifact) error {
	name := capacitorIOS + privacy.FileName
	if w.ofCapacitor() {
		var err error
		if name, err = w.inCapacitorIOS(privacy.FileName); err != nil {
			return err
		}
	}
	switch {
	case exists(w.fsys, name):
		return w.setPrivacy(name, func(doc *configxml.Document) (*configxml.Element, error) { return plistDict(doc) })
	case w.ofCapacitor(), exists(w.fsys, capacitorIOS+"Info.plist"):
		w.changes = append(w.changes, Change{Name: name, New: a.Content})
		w.losses = append(w.losses, export.Loss{Rule: name,
			Message: "the file is new: add it to the app's target in Xcode, or it does not ship"})
		return nil
	case w.app.Config == nil:
		return fmt.Errorf("no %sInfo.plist: add the platform first (npx cap add ios)", capacitorIOS)
	}
	return w.setPrivacy(w.app.Config.Name(), func(doc *configxml.Document) (*configxml.Element, error) {
		return privacyElement(doc), nil
	})
}

// setPrivacy sets the keys in a file; find returns the element that holds them, nil
// for one that is not there yet. A key that is there stays, unless something else was
// stated, and that replaces it by force alone.
func (w *placement) setPrivacy(name string, find func(*configxml.Document) (*configxml.Element, error)) error {
	data, err := current(w.fsys, name)
	if err != nil {
		return err
	}
	edited := data
	for _, e := range w.source.PrivacyEntries("") {
		doc, err := configxml.Parse(name, edited)
		if err != nil {
			return err
		}
		dict, err := find(doc)
		if err != nil {
			return err
		}
		value := strings.TrimSpace(e.Value)
		switch have := valueIn(dict, e.Key); {
		case dict == nil:
			edited, err = withPrivacyElement(doc, e.Key, value)
		case have != nil && (!w.source.Stated || saysTracking(have, &w.source)):
			continue
		case have != nil && !w.force:
			return &OwnedError{Name: name, What: e.Key}
		default:
			edited, _, err = setDict(doc, dict, e.Key, indented(doc, value, blanksOf(doc, dict)))
		}
		if err != nil {
			return err
		}
	}
	w.changes = append(w.changes, Change{Name: name, Old: data, New: edited})
	return nil
}

// valueIn is the value of a key in an element that holds keys with their values, nil
// without one.
func valueIn(dict *configxml.Element, key string) *configxml.Element {
	if dict == nil {
		return nil
	}
	for i := 0; i+1 < len(dict.Children); i += 2 {
		if e := dict.Children[i]; e.Name == "key" && strings.TrimSpace(e.Text) == key {
			return dict.Children[i+1]
		}
	}
	return nil
}

// saysTracking reports whether a value of a privacy manifest says what was stated, in
// whatever order and spelling.
func saysTracking(value *configxml.Element, s *export.Source) bool {
	if value.Name != "array" {
		return value.Name == "true" && len(s.Tracking) > 0
	}
	var have []string
	for _, item := range value.Children {
		name, why := privacy.ReadDomain(item.Text)
		if item.Name != "string" || why != "" {
			return false
		}
		have = append(have, name)
	}
	slices.Sort(have)
	return slices.Equal(slices.Compact(have), slices.Sorted(slices.Values(s.Tracking)))
}

// privacyElement is the <privacy-manifest> that cordova-ios takes, nil if there is none.
func privacyElement(doc *configxml.Document) *configxml.Element {
	for _, platform := range doc.Root().Children {
		if platform.Name != "platform" || platform.Value("name") != "ios" {
			continue
		}
		for _, e := range platform.Children {
			if e.Name == "privacy-manifest" && e.TagEnd < e.End {
				return e
			}
		}
	}
	return nil
}

// withPrivacyElement adds a <privacy-manifest> with one key, in the <platform> for iOS
// that is there or a new one at the end of the file.
func withPrivacyElement(doc *configxml.Document, key, value string) ([]byte, error) {
	root, line := doc.Root(), lineEnd(doc.Bytes())
	element := func(indent string) string {
		inner := indent + "    "
		return indent + "<privacy-manifest>" + line + inner + "<key>" + key + "</key>" + line + inner +
			indented(doc, value, inner) + line + indent + "</privacy-manifest>" + line
	}
	for _, platform := range root.Children {
		if platform.Name == "platform" && platform.Value("name") == "ios" && platform.TagEnd < platform.End {
			at := platform.TagEnd + bytes.LastIndex(doc.Bytes()[platform.TagEnd:platform.End], []byte("</"))
			at -= len(lastBlanks(doc.Bytes()[:at]))
			return doc.Apply(configxml.Edit{Start: at, End: at, New: element("        ")})
		}
	}
	if root.TagEnd == root.End {
		return nil, fmt.Errorf("%s: the root element is empty, write it with an end tag", doc.Name())
	}
	at := root.TagEnd + bytes.LastIndex(doc.Bytes()[root.TagEnd:root.End], []byte("</"))
	return doc.Apply(configxml.Edit{Start: at, End: at, New: "    <platform name=\"ios\">" + line +
		element("        ") + "    </platform>" + line})
}

// indented puts blanks before each line of a value but the first.
func indented(doc *configxml.Document, value, blanks string) string {
	return strings.ReplaceAll(value, "\n", lineEnd(doc.Bytes())+blanks)
}

// blanksOf are those before the first element in another one.
func blanksOf(doc *configxml.Document, e *configxml.Element) string {
	if len(e.Children) == 0 {
		return ""
	}
	return string(lastBlanks(doc.Bytes()[:e.Children[0].Start]))
}

// lastBlanks returns the blanks at the end of a text, up to the line's beginning.
func lastBlanks(data []byte) []byte {
	return data[len(bytes.TrimRight(data, " \t")):]
}

// plistDict returns the outermost dictionary of a property list.
func plistDict(doc *configxml.Document) (*configxml.Element, error) {
	root := doc.Root()
	if root.Name != "plist" || len(root.Children) != 1 || root.Children[0].Name != "dict" {
		return nil, fmt.Errorf("%s: not a property list with a dictionary", doc.Name())
	}
	return root.Children[0], nil
}

// setPlist replaces the value of a key of the outermost dictionary, or adds the key at
// its end; had says that it was there.
func setPlist(doc *configxml.Document, key, value string) (edited []byte, had bool, err error) {
	dict, err := plistDict(doc)
	if err != nil {
		return nil, false, err
	}
	return setDict(doc, dict, key, value)
}

// setDict is setPlist for an element that holds keys with their values.
func setDict(doc *configxml.Document, dict *configxml.Element, key, value string) ([]byte, bool, error) {
	for i := 0; i < len(dict.Children); i += 2 {
		e := dict.Children[i]
		if e.Name != "key" || i+1 == len(dict.Children) || dict.Children[i+1].Name == "key" {
			return nil, false, fmt.Errorf("%s: its dictionary is not made of keys with values", doc.Name())
		}
		if strings.TrimSpace(e.Text) == key {
			old := dict.Children[i+1]
			edited, err := doc.Apply(configxml.Edit{Start: old.Start, End: old.End, New: value})
			return edited, true, err
		}
	}
	if len(dict.Children) == 0 {
		return nil, false, fmt.Errorf("%s: its dictionary is empty", doc.Name())
	}
	last := dict.Children[len(dict.Children)-1]
	indent := lineEnd(doc.Bytes()) + blanksOf(doc, dict)
	edited, err := doc.Apply(configxml.Edit{Start: last.End, End: last.End,
		New: indent + "<key>" + key + "</key>" + indent + value})
	return edited, false, err
}
