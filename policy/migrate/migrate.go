// Package migrate rewrites a config.xml that was written for one platform and
// version so that another one decides the same URLs the same way, as closely as
// its language can say it.
//
// What the old platform grants by each element is read, and written in the
// words of the new one: in place, with every other byte as it was. An element
// that both read alike stays untouched. What could not be kept is not guessed:
// both policies are compared, and every difference is reported with a URL that
// both were asked about.
//
// [File] does it: the [Result] has the new file, the notes for people and the
// comparison (package diff), and Result.Lossless says whether anything changed.
// File fails
// if a target is unknown or the file cannot be edited.
//
// The package is pure, and its functions are safe for concurrent use.
package migrate

import (
	"fmt"
	"slices"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/dialect"
	"github.com/cordon-sec/cordon/policy/diff"
)

// Capacitor is the name of the target that has no config.xml: its list is in
// capacitor.config.json.
const Capacitor = "capacitor"

// Options say how to migrate.
type Options struct {
	From, To policy.Target
	// TopLevel are the top-level domains that a final ".*" of iOS up to 3.0
	// stands for, without a dot, such as "org" or "co.uk".
	TopLevel []string
	// Hosts are hosts that other wildcards inside names stand for.
	Hosts []string
}

// Note is something that the new file says differently, or does not say.
type Note struct {
	// Place is the element's in the old file.
	Place policy.Place
	// Text is the origin or href as written.
	Text    string
	Message string
}

// Result is a migrated file with what a person has to know of it.
type Result struct {
	// Name is the new file's name, Data its bytes.
	Name string
	Data []byte
	// Made says that the file is a new one beside what was read, not the old one rewritten.
	Made bool
	// Notes are about single elements, in file order.
	Notes []Note
	// Report compares the old file as the old platform reads it with the new
	// file as the new platform does.
	Report *diff.Report
}

// Lossless reports whether every URL is decided as before, as far as that
// could be decided.
func (r *Result) Lossless() bool { return len(r.Report.Lines) == 0 && len(r.Report.Doubts) == 0 }

// File migrates a document. It fails if a target is unknown or the file cannot
// be edited.
func File(doc *configxml.Document, o Options) (*Result, error) {
	if o.To.Platform == Capacitor {
		return toCapacitor(doc, o)
	}
	m, err := newMigration(doc, o)
	if err != nil {
		return nil, err
	}
	m.rewrite()
	data, err := doc.Apply(m.edits...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doc.Name(), err)
	}
	after, err := configxml.Parse(doc.Name(), data)
	if err != nil {
		return nil, fmt.Errorf("%s: the result would not be readable: %w", doc.Name(), err)
	}
	compiled, err := dialect.Compile(after, o.To)
	if err != nil {
		return nil, err
	}
	report := diff.Compare([]diff.Pair{{Old: m.old, New: compiled}}, diff.Options{})
	return &Result{Name: doc.Name(), Data: data, Notes: m.notes, Report: report}, nil
}

// migration is the work on one file.
type migration struct {
	doc      *configxml.Document
	options  Options
	from, to reader
	// old is the file as the old platform reads it, bare an empty one as the
	// new one does.
	old, bare *policy.Policy
	edits     []configxml.Edit
	notes     []Note
	// written are the lines that the new file has, so that none is there twice.
	written map[string]bool
	// stays are the elements that both platforms read alike.
	stays map[*configxml.Element]bool
	// last is the last element of the list, after which others are added, tail
	// what is, and gone the number of the edit that removes an element.
	last *configxml.Element
	tail []line
	gone map[*configxml.Element]int
}

func newMigration(doc *configxml.Document, o Options) (*migration, error) {
	old, err := dialect.Compile(doc, o.From)
	if err != nil {
		return nil, err
	}
	bare := old
	if o.To.Platform != Capacitor {
		empty, err := configxml.Parse(doc.Name(), []byte(`<widget><plugin name="cordova-plugin-whitelist"/></widget>`))
		if err != nil {
			return nil, err
		}
		if bare, err = dialect.Compile(empty, o.To); err != nil {
			return nil, err
		}
		o.To = bare.Target()
	}
	o.From = old.Target()
	m := &migration{
		doc: doc, options: o, from: readerOf(o.From), to: readerOf(o.To), old: old, bare: bare,
		written: map[string]bool{}, stays: map[*configxml.Element]bool{}, gone: map[*configxml.Element]int{},
	}
	// In the strict reading access opens pages where nothing else says which.
	apart := slices.ContainsFunc(doc.For(""), func(e *configxml.Element) bool { return e.Name == "allow-navigation" })
	m.from.accessNavigates = m.from.language == strictText && !apart
	m.to.accessNavigates = m.to.language == strictText && !apart && m.from.accessRole() == request|navigation
	return m, nil
}

// rewrite goes through the elements of the list that either platform reads.
func (m *migration) rewrite() {
	if m.options.From == m.options.To {
		return
	}
	elements := m.elements()
	for _, e := range elements {
		from := m.from.role(e)
		if m.ofOtherPlatform(e) {
			from = nothing
		}
		_, problem := m.from.readOrigin(m.from.text(e), e)
		m.stays[e] = from != nothing && problem == "" && m.sameReading(e, from)
		if m.to.role(e) != nothing && (from == nothing || m.stays[e]) {
			m.written[lineKey(e.Name, m.to.text(e), m.to.external(e))] = true
		}
	}
	for _, e := range elements {
		m.element(e)
	}
	m.noteUnaskedLaunches()
	m.plugin()
	m.finish()
}

// elements are the list's elements that stand in the root or in the element of
// one of the two platforms.
func (m *migration) elements() []*configxml.Element {
	var list []*configxml.Element
	for _, e := range m.doc.Root().Children {
		children := []*configxml.Element{e}
		if e.Name == "platform" {
			name := e.Value("name")
			if name != m.options.From.Platform && name != m.options.To.Platform {
				continue
			}
			children = e.Children
		}
		for _, child := range children {
			if slices.Contains([]string{"access", "allow-navigation", "allow-intent"}, child.Name) {
				list = append(list, child)
			}
		}
	}
	return list
}

// element rewrites one element: what the old platform grants by it, line by
// line, in the new one's words.
func (m *migration) element(e *configxml.Element) {
	if e.Parent == m.doc.Root() {
		m.last = e
	}
	role := m.from.role(e)
	if role == nothing || m.ofOtherPlatform(e) {
		return
	}
	var lines []line
	kept := false
	grants, problem := m.from.readOrigin(m.from.text(e), e)
	if m.stays[e] {
		kept = true
		lines = append(lines, m.companions(e, role, grants)...)
	} else {
		for _, each := range m.roles(e, role) {
			made, why := m.to.writeGrants(each, m.expandWildcards(grants))
			if why != "" && problem == "" {
				problem = why
			}
			lines = append(lines, m.asWritten(e, made)...)
		}
	}
	if problem != "" {
		m.note(e, problem)
	}
	if e.Parent != m.doc.Root() && m.options.From.Platform != m.options.To.Platform {
		// What stands in the old platform's own element stays its own.
		if kept {
			name, attribute := m.to.element(role)
			lines = append(lines, line{element: name, attribute: attribute, value: m.from.text(e),
				external: m.to.external(e)})
		}
		m.tail = append(m.tail, lines...)
		return
	}
	m.replace(e, lines, kept)
}

// roles are the elements that say a role. An allow-navigation covers requests
// by itself wherever there is one.
func (m *migration) roles(e *configxml.Element, from role) []role {
	if m.from.split && m.to.split && e.Name == "allow-navigation" {
		return []role{navigation}
	}
	return m.to.rolesFor(from)
}

// ofOtherPlatform reports whether an element stands in the other platform's own
// element, which the old platform does not see.
func (m *migration) ofOtherPlatform(e *configxml.Element) bool {
	p := e.Parent
	return p != nil && p.Name == "platform" && p.Value("name") != m.options.From.Platform
}

func (m *migration) note(e *configxml.Element, message string) {
	m.notes = append(m.notes, Note{Place: m.doc.Place(e.Start, e.TagEnd), Text: m.from.text(e), Message: message})
}
