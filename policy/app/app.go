// Package app is an app as a value: what its folder says, read. Package project
// fills it in, and everything that judges an app (lint, export, repair, the
// commands, the console) takes it from there. File names in it are relative to
// the folder, with forward slashes.
//
// The package is pure: it reads no files and no clock.
//
// What an App holds it owns: fill it in, then share it. Its methods change nothing
// and are safe for concurrent use once nobody changes the App.
package app

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/native"
	"github.com/cordon-sec/cordon/policy/pins"
	"github.com/cordon-sec/cordon/policy/plugins"
)

// App is an app's folder, read. It is not changed once it is filled in, and safe
// for concurrent use from then on.
type App struct {
	// Config is the config.xml as written, which fixes edit; nil in a project
	// that has none (Capacitor).
	Config *configxml.Document
	// Effective is the config.xml with what plugins and other files add to it;
	// nil: nothing was looked for besides the config.xml. Ships has both.
	Effective *configxml.Document
	// Plugins are the plugins that the project names or has installed.
	Plugins []Plugin
	// Web is the tool that builds the pages, such as vite, of a web app that has
	// neither a config.xml nor a Capacitor configuration; "" for any other app.
	Web string
	// Targets are the platforms that the app ships to.
	Targets []policy.Target
	// Assumed are those of the targets whose version nothing names: the latest that is
	// known, where only a newer one is named too; the highest known one of a range whose
	// versions decide differently, or that spans majors; and the lowest of another range of
	// package.json of which nothing is installed. What is said depends on it.
	Assumed []policy.Target
	// Alternatives are versions of assumed targets' ranges that decide otherwise than
	// what is assumed, one for each way in which they do.
	Alternatives []policy.Target
	// Newer are those of the facts that are not known which are platforms whose
	// version is newer than those that are known.
	Newer []configxml.Unknown
	// Engines are the platforms that the project names itself, those without a
	// list of their own (browser, electron) included.
	Engines []Engine
	// Pages are the HTML files of the app.
	Pages []Page
	// Scripts are the JavaScript files of the app.
	Scripts []File
	// Styles are the style sheets of the app.
	Styles []File
	// NoPages says why no page and no script was read; nil where one was, or none was
	// looked for.
	NoPages *NoPages
	// Switched are the values of a configuration that a condition chooses.
	Switched []Switched
	// Built are the platforms' own config.xml files, as they were built.
	Built []Built
	// Copies are the platforms' own copies of the Capacitor configuration that say
	// something else than it.
	Copies []Copy
	// Hooks are the programs that the tools run while they make the app.
	Hooks []Hook
	// Artifact says that this is an app as it ships, which is judged and not mended: a
	// package, or the folder that a platform's tools made.
	Artifact bool
	// Package is package.json, without data if there is none.
	Package File
	// Lock is package-lock.json, without data if there is none.
	Lock File
	// Capacitor is the Capacitor configuration as JSON, without data if there is
	// none.
	Capacitor File
	// Native is what the project says about its native files, nil where nobody
	// looked.
	Native *native.Set
	// PrivacyManifests are the app's privacy manifests for iOS.
	PrivacyManifests []PrivacyManifest
	// Libraries are the libraries of others for iOS that plugins bring, as far as
	// files say so.
	Libraries []Library
	// Certificates are the .cer files that the app ships.
	Certificates []pins.File
	// StrayCertificates are the names of .cer files in other usual places of the
	// project, which no plugin loads.
	StrayCertificates []string
	// Now is the time that pins are judged by; zero: none that ends is.
	Now time.Time
	// Served are what pinned hosts showed; nil if nobody asked them.
	Served []Served
	// Beside is the project that a package stands in, for comparing; nil for none.
	Beside *App
	// Skipped are the files that were not read, and why.
	Skipped []Skipped
	// Base is put before file names in what is written for people and
	// programs: the folder as the user named it, "" or "." for the current one.
	Base string
}

// Ships returns the document of what ships, which everything is decided over:
// what is effective, else the config.xml as written. It is nil for an app with
// neither a config.xml nor anything that stands for one.
func (a *App) Ships() *configxml.Document {
	if a.Effective != nil {
		return a.Effective
	}
	return a.Config
}

// NotJudged says in a clause what of the app nothing can be said about, "" where all
// of it is judged.
func (a *App) NotJudged() string {
	if a.Web == "" {
		return ""
	}
	return "what the app may reach besides what its pages' own policies say: there is no config.xml and no " +
		"Capacitor configuration here, so that no native policy binds it"
}

// Assumes reports whether the version of a target is assumed.
func (a *App) Assumes(t policy.Target) bool { return slices.Contains(a.Assumed, t) }

// Shown returns a file's name as reports write it.
func (a *App) Shown(name string) string {
	if a.Base == "" || a.Base == "." {
		return name
	}
	return path.Join(a.Base, name)
}

// Served is what a pinned host showed when it was asked.
type Served struct {
	Host string
	// Chain is the verified chain in DER, the host's own certificate first.
	Chain [][]byte
	// Err says why there is none, or "".
	Err string
}

// Engine is a platform that a project names.
type Engine struct {
	// Name is Cordova's name of the platform.
	Name string
	// Spec is the version range as written, or "".
	Spec string
	// Place is where it is named.
	Place policy.Place
}

// Plugin is a plugin that a project names or has installed.
type Plugin struct {
	// ID is the plugin's id, which is the name of its npm package too.
	ID string
	// Version is the version that is installed, "" if that is not known.
	Version string
	// Spec is the version range as written where it is named, or "".
	Spec string
	// Place is where it is named: in config.xml, in package.json, or else its
	// plugin.xml.
	Place policy.Place
	// Manifest is the name of its plugin.xml, "" if that was not found.
	Manifest string
}

// PluginAt returns the plugin that an element comes from which stands at a place:
// in its plugin.xml, or, for one that is known without it, where it is named. It is
// nil for what the app itself says.
func (a *App) PluginAt(at policy.Place) *Plugin {
	for i := range a.Plugins {
		p := &a.Plugins[i]
		if p.Manifest != "" && p.Manifest == at.File ||
			p.Manifest == "" && p.Place.File == at.File && p.Place.Start == at.Start && !at.IsZero() {
			return p
		}
	}
	return nil
}

// Missing returns the plugins that are named, were not found, and of which it is
// not known what they add.
func (a *App) Missing() []*Plugin {
	var list []*Plugin
	for i := range a.Plugins {
		if p := &a.Plugins[i]; p.Manifest == "" {
			if _, ok := plugins.At(p.ID, p.Spec); !ok {
				list = append(list, p)
			}
		}
	}
	return list
}

// Hook is a program that the tools run while they make an app, which may change what
// ships.
type Hook struct {
	// When is the moment by the tools' own name: after_prepare, capacitor:sync:after.
	When string
	// Runs is the file, or the command.
	Runs string
	// Plugin is the plugin that brings it, "" for the app itself.
	Plugin string
	Place  policy.Place
}

// NoPages is a project in which no page was found.
type NoPages struct {
	// Why says in a clause where pages were looked for, and what to run.
	Why string
	// Place is what says where they are, such as webDir, or the file that stands for
	// the project.
	Place policy.Place
}

// Switched is a value of a configuration that a condition chooses between others,
// such as an environment or a flavour.
type Switched struct {
	// What says the values in a clause.
	What  string
	Place policy.Place
}

// Built is a platform's own config.xml, as it was built.
type Built struct {
	// Platform is the platform that it is built for.
	Platform string
	Document *configxml.Document
	// Extra are its entries that the project's document does not have, the first of
	// them; More is how many there are besides.
	Extra []*configxml.Element
	More  int
}

// Copy is a platform's own copy of the Capacitor configuration, which ships.
type Copy struct {
	File
	Differences []Difference
	// Flavour says that it is one of Gradle's other source sets, whose file takes the
	// place of the one that Capacitor's tools write.
	Flavour bool
}

// Counts says in a clause when the copy is what ships.
func (c *Copy) Counts() string {
	if c.Flavour {
		return "the file of this flavour takes the place of what npx cap copy writes"
	}
	return "the copy ships until npx cap copy is run"
}

// Difference is a value of a copy that the configuration does not have.
type Difference struct {
	// What says the value in a clause.
	What  string
	Place policy.Place
	// Wider says that the copy opens more.
	Wider bool
}

// Skipped is a file that was not read.
type Skipped struct {
	Name string
	// Why completes "was not read:".
	Why string
}

// File is one file of the project.
type File struct {
	Name string
	Data []byte
}

// Place returns where in the file the bytes from start to end stand.
func (f *File) Place(start, end int) policy.Place {
	return policy.PlaceIn(f.Name, f.Data, start, end)
}

// Page is one HTML file, taken apart.
type Page struct {
	File
	// Start says that the app opens this page first.
	Start bool
	// Whole says that the file is a document of its own rather than a
	// fragment: it has a doctype, an html or a head element.
	Whole bool
	// Tags are the tags that load or configure something, and those with a style
	// attribute or an inline event handler, in file order.
	Tags []Tag
	// Inline are the spans of inline scripts.
	Inline []Span
}

// Span is a range of bytes, End exclusive.
type Span struct{ Start, End int }

// Tag is one start tag of a page.
type Tag struct {
	// Name is in lower case.
	Name       string
	Attrs      []TagAttr
	Start, End int
	// InHead says that the tag stands in the head.
	InHead bool
}

// TagAttr is one attribute of a tag; its value is decoded.
type TagAttr struct {
	// Name is in lower case.
	Name, Value          string
	ValueStart, ValueEnd int
}

// Attr returns the first attribute of that name.
func (t *Tag) Attr(name string) (TagAttr, bool) {
	for _, a := range t.Attrs {
		if a.Name == name {
			return a, true
		}
	}
	return TagAttr{}, false
}

// Value returns the value of the first attribute of that name, or "".
func (t *Tag) Value(name string) string {
	a, _ := t.Attr(name)
	return a.Value
}

// Inside returns where the text of an element stands that holds no markup, such
// as a script or a style.
func (p *Page) Inside(tag *Tag) Span {
	start := min(tag.End, len(p.Data))
	end := start
	for end < len(p.Data) {
		n := bytes.Index(p.Data[end:], []byte("</"))
		if n < 0 {
			return Span{Start: start, End: len(p.Data)}
		}
		end += n
		if name := end + len("</"); name+len(tag.Name) <= len(p.Data) &&
			strings.EqualFold(string(p.Data[name:name+len(tag.Name)]), tag.Name) {
			break
		}
		end += len("</")
	}
	return Span{Start: start, End: end}
}

// StartPage returns the page that the app opens first, or nil.
func (a *App) StartPage() *Page {
	for i := range a.Pages {
		if a.Pages[i].Start {
			return &a.Pages[i]
		}
	}
	return nil
}

// Content returns the bytes of one of the app's files, nil for a file that
// was not read.
func (a *App) Content(name string) []byte {
	if a.Config != nil && a.Config.Name() == name {
		return a.Config.Bytes()
	}
	if data := a.foreign(name); data != nil {
		return data
	}
	for _, f := range []*File{&a.Package, &a.Lock, &a.Capacitor} {
		if f.Name == name {
			return f.Data
		}
	}
	for i := range a.Copies {
		if a.Copies[i].Name == name {
			return a.Copies[i].Data
		}
	}
	for i := range a.Pages {
		if a.Pages[i].Name == name {
			return a.Pages[i].Data
		}
	}
	for _, files := range [][]File{a.Scripts, a.Styles} {
		for i := range files {
			if files[i].Name == name {
				return files[i].Data
			}
		}
	}
	for i := range a.PrivacyManifests {
		if a.PrivacyManifests[i].Name == name {
			return a.PrivacyManifests[i].Data
		}
	}
	return a.Native.Content(name)
}

// foreign returns the bytes of a plugin.xml or a built config.xml.
func (a *App) foreign(name string) []byte {
	if a.Effective != nil {
		for _, part := range a.Effective.Parts() {
			for _, e := range part.Elements {
				if doc := e.Document(); doc.Name() == name {
					return doc.Bytes()
				}
			}
		}
	}
	for i := range a.Built {
		if doc := a.Built[i].Document; doc.Name() == name {
			return doc.Bytes()
		}
	}
	return nil
}
