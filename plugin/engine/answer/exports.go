package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/cordon-sec/cordon/pin"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/pins"
	"github.com/cordon-sec/cordon/project"
)

// Change is one file that an export changes.
type Change struct {
	Name string `json:"name"`
	// Content is the whole new file, in base64 as JSON writes bytes.
	Content []byte `json:"content"`
}

// Loss is what an export could not say, or what a page will miss.
type Loss struct {
	Platform string `json:"platform"`
	Format   string `json:"format"`
	Line     int    `json:"line,omitempty"`
	Rule     string `json:"rule,omitempty"`
	Message  string `json:"message"`
	Widens   bool   `json:"widens"`
}

// Exported is the answer of Exports.
type Exported struct {
	// Changes are the files to write; what is already right is not among them.
	Changes []Change `json:"changes"`
	Losses  []Loss   `json:"losses"`
	// Platforms are the prepared platforms that were found.
	Platforms []string `json:"platforms"`
	// Engines are the folders that the in-app engine belongs into.
	Engines []string `json:"engines"`
}

// Exports says what the policy changes in every prepared platform of a
// project. Applied once, a second call finds nothing to change.
func Exports(files fs.FS, q Question) (Exported, error) {
	out := Exported{Changes: []Change{}, Losses: []Loss{}, Platforms: []string{}, Engines: []string{}}
	name, err := project.FindConfig(files)
	if err != nil {
		return out, noPolicy(nil, err)
	}
	read, err := project.Read(files, project.Options{Config: name, Folders: q.Folders})
	if err != nil {
		return out, err
	}
	doc := read.Ships()
	certificates, err := project.Certificates(files)
	if err != nil {
		return out, err
	}
	layouts, err := project.Layouts(files, q.Folders)
	if err != nil {
		return out, err
	}
	for _, layout := range layouts {
		set, problems := pins.Set(doc, layout.Platform, certificates)
		if len(problems) > 0 {
			return out, problems[0]
		}
		w := exporting{
			files: files, app: read, doc: doc, layout: layout, source: export.NewSource(doc, set),
			build: q.Build, preferences: ReadPreferences(doc, layout.Platform), out: &out,
		}
		if err := w.run(); err != nil {
			return out, err
		}
		out.Platforms = append(out.Platforms, layout.Platform)
	}
	return out, nil
}

// exporting is one platform's turn.
type exporting struct {
	files       fs.FS
	app         *app.App
	doc         *configxml.Document
	layout      project.Layout
	source      export.Source
	build       string
	preferences Preferences
	out         *Exported
}

func (w *exporting) run() error {
	settings, err := w.settings()
	if err != nil {
		return err
	}
	explain := len(settings) > 0 && w.preferences.explains(w.build)
	changes, losses, err := project.PlaceOn(w.files, w.layout, w.source, project.PlaceOptions{
		Formats: w.preferences.Exports, Force: w.preferences.Force, WebAssembly: explain,
		App: w.app,
	})
	if err != nil {
		return err
	}
	if explain {
		w.out.Engines = append(w.out.Engines, path.Join(w.layout.Web, "cordon"))
	}
	for _, c := range append(changes, settings...) {
		if !c.Same() {
			w.out.Changes = append(w.out.Changes, Change{c.Name, c.New})
		}
	}
	for _, loss := range losses {
		w.out.Losses = append(w.out.Losses, Loss{
			Platform: w.layout.Platform, Format: loss.Format, Line: loss.Place.Line, Rule: loss.Rule,
			Message: loss.Message, Widens: loss.Widens,
		})
	}
	return nil
}

// Settings are what the plugin's JavaScript has to know at run time.
type Settings struct {
	Platform string `json:"platform"`
	// Debug says that the app was certainly built for debugging.
	Debug bool `json:"debug"`
	// Pins are the hosts that are pinned.
	Pins []PinnedHost `json:"pins"`
	// Enforced says who makes the pins true in the web view: "native" (the
	// network security configuration of Android), "unverified" (iOS: its web
	// view is not known to) or "none".
	Enforced string `json:"enforced"`
	// Explain says that the engine is in the app.
	Explain bool `json:"explain"`
	// Config is the config.xml with the list alone, every line at its place.
	Config string `json:"config"`
}

// PinnedHost is one host that is pinned.
type PinnedHost struct {
	Host       string `json:"host"`
	Subdomains bool   `json:"subdomains"`
	// Expires is the day from whose beginning (UTC) the pin no longer counts,
	// or "".
	Expires string `json:"expires"`
}

const settingsName = "plugins/cordova-plugin-cordon/www/settings.js"

// settings writes the module that the plugin's JavaScript reads, where the
// platform has it.
func (w *exporting) settings() ([]project.Change, error) {
	name := path.Join(w.layout.Web, settingsName)
	old, err := fs.ReadFile(w.files, name)
	if err != nil {
		// The platform was prepared without the plugin's modules.
		return nil, nil
	}
	data, err := json.Marshal(Settings{
		Platform: w.layout.Platform, Debug: w.build == "debug", Pins: pinnedHosts(w.source.Pins),
		Enforced: w.enforced(), Explain: w.preferences.explains(w.build), Config: listAlone(w.doc),
	})
	if err != nil {
		return nil, fmt.Errorf("write the settings: %w", err)
	}
	var b bytes.Buffer
	b.WriteString("cordova.define(\"cordova-plugin-cordon.settings\", function(require, exports, module) {\n" +
		"module.exports = ")
	b.Write(data)
	b.WriteString(";\n});\n")
	return []project.Change{{Name: name, Old: old, New: b.Bytes()}}, nil
}

func (w *exporting) enforced() string {
	switch {
	case w.layout.Manifest != "" && slices.Contains(w.preferences.Exports, "android-nsc"):
		return "native"
	case w.layout.Plist != "":
		return "unverified"
	}
	return "none"
}

// pinnedHosts lists the hosts that the platform's own pins bind: certificates
// that stand in for the roots are no such pins.
func pinnedHosts(set *pin.Set) []PinnedHost {
	list := []PinnedHost{}
	for _, e := range set.Entries() {
		if e.Mode != pin.OnTopOfRoots || len(e.Hashes) == 0 {
			continue
		}
		h := PinnedHost{Host: e.Host, Subdomains: e.Subdomains}
		if !e.Expires.IsZero() {
			h.Expires = e.Expires.UTC().Format(time.DateOnly)
		}
		if !slices.Contains(list, h) {
			list = append(list, h)
		}
	}
	return list
}

// listAlone writes the elements that make the policy, and nothing else of the
// file: preferences and the like may hold what a page should not read. Each
// element of the file keeps its line; what plugins add stands before them.
func listAlone(doc *configxml.Document) string {
	var b bytes.Buffer
	b.WriteString("<widget>")
	line := 1
	for _, e := range doc.For("") {
		if e.Prefix != "" || !slices.Contains([]string{"access", "allow-navigation", "allow-intent", "content"},
			e.Name) {
			continue
		}
		for place := e.Place(); doc.Owns(e) && line < place.Line; line++ {
			b.WriteByte('\n')
		}
		b.WriteString("<" + e.Name)
		for _, a := range e.Attrs {
			if a.Prefix == "" && a.Name != "xmlns" {
				b.WriteString(" " + a.Name + `="` + configxml.Escape(a.Value) + `"`)
			}
		}
		b.WriteString("/>")
	}
	b.WriteString("</widget>")
	return b.String()
}
