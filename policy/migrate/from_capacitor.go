package migrate

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
)

// FromCapacitor writes the config.xml that says what a Capacitor configuration says. doc
// is the document of what ships (app.App.Ships), which has the configuration; Options.From
// is the Capacitor platform that the new one is compared with. It fails if doc has no such
// configuration, or a target is unknown.
func FromCapacitor(doc *configxml.Document, o Options) (*Result, error) {
	config := doc.Capacitor()
	if config == nil {
		return nil, fmt.Errorf("%s: there is no Capacitor configuration beside it that could be read as %s", doc.Name(),
			o.From.Platform)
	}
	if !strings.HasPrefix(o.From.Platform, "capacitor-") {
		return nil, fmt.Errorf("%s: to read a Capacitor configuration, --from must be capacitor-android or "+
			"capacitor-ios", config.File)
	}
	if o.To.Platform == Capacitor || strings.HasPrefix(o.To.Platform, "capacitor-") {
		return nil, fmt.Errorf("%s: it is a Capacitor configuration already; --to must be a platform of Cordova",
			config.File)
	}
	old, err := dialect.Compile(doc, o.From)
	if err != nil {
		return nil, err
	}
	w := &listWriter{doc: doc, config: config}
	w.write()
	const name = "config.xml"
	data := []byte(w.text.String())
	after, err := configxml.Parse(name, data)
	if err != nil {
		return nil, fmt.Errorf("%s: the result would not be readable: %w", name, err)
	}
	compiled, err := dialect.Compile(after, o.To)
	if err != nil {
		return nil, err
	}
	report := diff.Compare([]diff.Pair{{Old: old, New: compiled}}, diff.Options{})
	return &Result{Name: name, Data: data, Made: true, Notes: w.notes, Report: report}, nil
}

// listWriter is a config.xml that is being written for a Capacitor app.
type listWriter struct {
	doc    *configxml.Document
	config *capacitor.Config
	text   strings.Builder
	notes  []Note
}

func (w *listWriter) line(format string, values ...any) {
	for i, value := range values {
		values[i] = configxml.Escape(fmt.Sprint(value))
	}
	fmt.Fprintf(&w.text, format+"\n", values...)
}

func (w *listWriter) note(at capacitor.Text, message string) {
	w.notes = append(w.notes, Note{at.Place, at.Value, message})
}

func (w *listWriter) write() {
	w.line(`<?xml version="1.0" encoding="utf-8"?>`)
	w.line(`<widget id="%s" version="1.0.0" xmlns="http://www.w3.org/ns/widgets">`,
		w.config.AppID.Or("com.example.app"))
	w.line(`    <name>%s</name>`, w.config.AppName.Or("App"))
	w.line(`    <content src="%s"/>`, w.config.Server.AppStartPath.Or("index.html"))
	w.access()
	w.line(`    <allow-intent href="*"/>`)
	for _, mask := range w.config.Server.AllowNavigation {
		w.mask(mask)
	}
	for _, p := range w.config.Cordova.Preferences {
		w.line(`    <preference name="%s" value="%s"/>`, p.Name, p.Value.Value)
	}
	w.origin("android", "Scheme")
	w.origin("ios", "scheme")
	w.line(`</widget>`)
	w.notes = append(w.notes, Note{Place: policy.Place{File: w.config.File, Line: 1, Column: 1}, Text: "Capacitor",
		Message: "it hands every page that is not listed to another app and limits no request of a page, so the " +
			`lines with "*" keep that: write the hosts that the app needs instead of them`})
	if url := w.config.Server.URL; url.Written() {
		w.note(url, "the app starts at this address, for live reload: config.xml starts with the built pages")
	}
}

// access writes the list that Cordova plugins ask, which stands for "*" unless it is written.
func (w *listWriter) access() {
	if w.config.Cordova.AccessOrigins == nil {
		w.line(`    <access origin="*"/>`)
		return
	}
	for _, origin := range w.config.Cordova.AccessOrigins.Items {
		w.line(`    <access origin="%s"/>`, origin.Value)
	}
}

// mask writes an entry of server.allowNavigation.
func (w *listWriter) mask(mask capacitor.Text) {
	host := strings.ToLower(mask.Value)
	labels, below := strings.CutPrefix(host, "*.")
	switch {
	case host == "*":
		w.line(`    <allow-navigation href="*"/>`)
		return
	case labels == "" || strings.ContainsAny(labels, "*:/?#@ \t\r\n"):
		w.note(mask, "no entry of a config.xml can say this mask, so it is left out: write its hosts")
		return
	case below:
		w.note(mask, "an entry covers "+labels+" and every level below it, where the star stands for one label")
	case !strings.Contains(host, "."):
		w.note(mask, "an entry covers this host alone, where Android takes a mask of one label for every host that "+
			"ends in it")
	}
	for _, scheme := range []string{"https", "http"} {
		w.line(`    <allow-navigation href="%s://%s/*"/>`, scheme, host)
	}
}

// origin writes where a platform serves the app's pages from, so that what they have
// stored stays theirs.
func (w *listWriter) origin(platform, scheme string) {
	target, err := dialect.ParseTarget("capacitor-" + platform)
	if err != nil {
		return
	}
	own := dialect.OwnOrigin(w.doc, target)
	w.line(`    <platform name="%s">`, platform)
	w.line(`        <preference name="%s" value="%s"/>`, scheme, own.Scheme)
	w.line(`        <preference name="hostname" value="%s"/>`, own.Host)
	w.line(`    </platform>`)
}
