package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	hostname "github.com/cordon-sec/cordon/host"
	"github.com/cordon-sec/cordon/internal/jsonspan"
	"github.com/cordon-sec/cordon/internal/wording"
	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/app"
	"github.com/cordon-sec/cordon/policy/capacitor"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/propose"
	"github.com/cordon-sec/cordon/project"
	"github.com/cordon-sec/cordon/project/folder"
	"github.com/cordon-sec/cordon/record"
)

// recordedApp is the app that is recorded for.
type recordedApp struct {
	dir string
	// doc is its config.xml; made says that it is not there yet.
	doc  *configxml.Document
	made bool
	// capacitor is its Capacitor configuration, nil without one.
	capacitor *capacitor.Config
	// unread says that code, or a choice in it, keeps some of that from being known.
	unread bool
}

// openRecorded reads what is to get a list.
func openRecorded(path string) (*recordedApp, error) {
	read, dir, err := folder.Open(path, nil)
	if err != nil {
		return nil, err
	}
	r := &recordedApp{dir: dir, doc: read.Config}
	if err := r.configured(read); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	switch {
	case r.doc != nil:
		return r, nil
	case r.capacitor == nil:
		return nil, fmt.Errorf("%s: no config.xml to propose lines for; name one with --config", dir)
	}
	r.made = true
	r.doc, err = configxml.Parse("config.xml", []byte(r.newConfig("")))
	return r, err
}

// configured reads the app's Capacitor configuration, if it has one. Of code that is not
// read without running it only its name is known.
func (r *recordedApp) configured(read *app.App) (err error) {
	written := writtenConfiguration(r.dir, "")
	if len(read.Capacitor.Data) == 0 && written == "" {
		return nil
	}
	r.unread = slices.ContainsFunc(read.Switched, func(s app.Switched) bool { return s.Place.File == written })
	if doc := read.Ships(); doc != nil {
		r.unread = r.unread ||
			slices.ContainsFunc(doc.Unknowns(), func(u configxml.Unknown) bool { return u.Place.File == written })
	}
	if len(read.Capacitor.Data) == 0 && written != "capacitor.config.json" {
		r.capacitor, r.unread = &capacitor.Config{File: written}, true
		return nil
	}
	r.capacitor, err = capacitor.Read(read.Capacitor.Name, read.Capacitor.Data)
	return err
}

// file is what is recorded for, as a person named it.
func (r *recordedApp) file() string {
	name := r.doc.Name()
	if r.made {
		name = writtenConfiguration(r.dir, r.capacitor.File)
	}
	return filepath.Join(r.dir, filepath.FromSlash(name))
}

// newConfig is the config.xml of a project that has none, with lines for hosts.
func (r *recordedApp) newConfig(lines string) string {
	return capacitorXML(writtenConfiguration(r.dir, r.capacitor.File), lines)
}

// isPage reports whether a page was opened.
func isPage(o propose.Observation) bool { return o.Kind == policy.Navigation.String() }

// leaveOut returns what was seen of other places than the app's own, and notes what a
// tunnel hides.
func (r *recordedApp) leaveOut(w io.Writer, seen []propose.Observation) []propose.Observation {
	server := &r.capacitor.Server
	var left []string
	hidden := false
	seen = slices.DeleteFunc(slices.Clone(seen), func(o propose.Observation) bool {
		own := hostname.IsLoopback(o.Host) ||
			server.Hostname.Written() && strings.EqualFold(o.Host, server.Hostname.Value)
		if own && !slices.Contains(left, o.Host) {
			left = append(left, o.Host)
		}
		hidden = hidden || !own && o.Kind == ""
		return own
	})
	slices.Sort(left)
	for _, host := range left {
		fmt.Fprintf(w, "note: %s is left out: it is this machine, or the app itself\n", wording.Printable(host))
	}
	if hidden {
		fmt.Fprintln(w, "note: it was not always seen what asked, so that a page that opened inside the app may be "+
			"among the lines for requests; --inspect and --har see it")
	}
	return seen
}

// describePages writes what becomes of server.allowNavigation.
func describePages(w io.Writer, r *recordedApp, pages *record.Pages) {
	if len(pages.Added)+len(pages.Refused) > 0 {
		fmt.Fprintln(w, "# server.allowNavigation (pages that opened inside the app)")
	}
	for _, p := range pages.Added {
		host := strings.TrimPrefix(p.Line.Origin, "https://")
		fmt.Fprintf(w, "#   %q  %s\n", wording.Printable(host), askedBy(p))
		fmt.Fprintf(w, "#     think twice: on Android its pages may call the app's native code\n")
		for _, warning := range p.Warnings {
			fmt.Fprintf(w, "#     think twice: %s\n", warning)
		}
	}
	for _, refused := range pages.Refused {
		fmt.Fprintf(w, "#   not written: %s: %s\n", wording.Printable(refused.Host), refused.Reason)
	}
	for _, d := range pages.Dropped {
		fmt.Fprintf(w, "# not asked for: line %d of %s, %q\n", d.Place.Line, wording.Printable(d.Place.File),
			wording.Printable(d.Value))
	}
	if pages.Changed() && !r.editable() {
		r.describeByHand(w, pages)
	}
}

// describeByHand says what a person is to write into code. What stands there and was not
// read must stay, so that a list that leaves it out is not named.
func (r *recordedApp) describeByHand(w io.Writer, pages *record.Pages) {
	name := wording.Printable(writtenConfiguration(r.dir, r.capacitor.File))
	if !r.unread {
		fmt.Fprintf(w, "# %s is code and stays as it is; write there: server: { allowNavigation: %s }\n", name,
			wording.Printable(jsonList(pages.Entries)))
		return
	}
	var hosts []string
	for _, p := range pages.Added {
		hosts = append(hosts, strings.TrimPrefix(p.Line.Origin, "https://"))
	}
	if len(hosts) > 0 {
		fmt.Fprintf(w, "# %s is code that was not read in full, and stays as it is; add to its "+
			"server.allowNavigation, and keep what stands there: %s\n", name, wording.Printable(jsonList(hosts)))
	}
}

// editable reports whether the configuration is JSON that a person wrote.
func (r *recordedApp) editable() bool { return r.capacitor.File == "capacitor.config.json" }

// jsonList writes texts as JSON and JavaScript do.
func jsonList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		data, _ := json.Marshal(text) // a text always encodes
		quoted[i] = string(data)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// opened is the configuration with the entries, none where it is code.
func (r *recordedApp) opened(pages *record.Pages) ([]project.Change, error) {
	if !pages.Changed() || !r.editable() {
		return nil, nil
	}
	old, err := os.ReadFile(filepath.Join(r.dir, r.capacitor.File))
	if err != nil {
		return nil, wording.FileError(filepath.Join(r.dir, r.capacitor.File), err)
	}
	data, err := jsonspan.Set(old, "server", "allowNavigation", jsonList(pages.Entries))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(r.dir, r.capacitor.File), err)
	}
	return []project.Change{{Name: r.capacitor.File, Old: old, New: data}}, nil
}
