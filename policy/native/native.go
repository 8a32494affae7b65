// Package native reads what a project says about the native files of its app:
// AndroidManifest.xml, the network security configuration that it names, and
// Info.plist.
//
// Such a statement reaches the app in many ways: in the file itself, in a
// <config-file>, <edit-config> or <resource-file> of config.xml or of a
// plugin's plugin.xml, in the elements of cordova-custom-config. Whatever
// carries it, it is a [Fragment] here, and a [Set] merges all of them: what is
// said about <application>, which domains may be reached in cleartext, what
// Info.plist holds under a key, each with the place where it is written.
//
// The readings are the systems' own: Android's XmlConfigSource for the network
// security configuration, the property lists of Core Foundation for
// Info.plist, cordova-common for what a fragment changes.
//
// The package is pure. What it returns is not changed once it is made and is
// safe for concurrent use.
package native

import (
	"path"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// Kind is the kind of native file that a fragment is about.
type Kind uint8

// The kinds.
const (
	// Manifest is AndroidManifest.xml.
	Manifest Kind = iota + 1
	// Security is a network security configuration: an XML resource.
	Security
	// Info is Info.plist.
	Info
	// Values is a file of Android's resources that holds values, such as
	// res/values/strings.xml: what references in a manifest stand for.
	Values
)

// Carrier is what brings a fragment into the app.
type Carrier string

// The carriers.
const (
	// File is the native file itself.
	File Carrier = "file"
	// ConfigFile is a <config-file>: elements that are added below a parent.
	ConfigFile Carrier = "config-file"
	// EditConfig is an <edit-config>: attributes that are given to a target.
	EditConfig Carrier = "edit-config"
	// ResourceFile is a file that a <resource-file> copies.
	ResourceFile Carrier = "resource-file"
	// CustomConfigFile is a <custom-config-file> of cordova-custom-config.
	CustomConfigFile Carrier = "custom-config-file"
	// CustomPreference is a <custom-preference> of cordova-custom-config.
	CustomPreference Carrier = "custom-preference"
)

// Fragment is one statement of a project about a native file.
type Fragment struct {
	Kind    Kind
	Carrier Carrier
	// Name is the resource's name, for a network security configuration:
	// "network_security_config" for res/xml/network_security_config.xml.
	Name string
	// Parent says where the content counts: an element path such as
	// "/manifest/application", or a key of Info.plist; "" for a whole file.
	Parent string
	// Document holds the fragment, nil for a binary Info.plist.
	Document *configxml.Document
	// Elements are the content: the root of a whole file, else the children of
	// the element that carries it.
	Elements []*configxml.Element
	// Generated says that tools write the file from other places: what it says
	// is worth telling only where no source says it.
	Generated bool
	// Place is where the fragment begins.
	Place policy.Place
	// Unset says, by where an element of it starts, why a value of that element that
	// has a $ in it is not known: a plugin's variable has no value. nil for none.
	Unset map[int]string

	// attribute is what a <custom-preference> sets.
	attribute *Attribute
	// info is what a fragment of Info.plist holds.
	info *Value
}

// Problem is a native file, or a fragment of one, that cannot be read.
type Problem struct {
	Place policy.Place
	// Msg says what is wrong, as one clause.
	Msg string
}

// Error returns what is wrong, with the place.
func (p *Problem) Error() string { return p.Place.String() + ": " + p.Msg }

// Set is all that a project says about its native files.
type Set struct {
	// Fragments are in the order in which they were found.
	Fragments []*Fragment
	// Statements are the elements of AndroidManifest.xml.
	Statements []Statement
	// Configs are the network security configurations.
	Configs []*Config
	// Entries are the keys of Info.plist with their values.
	Entries []Entry
	// Problems are what could not be read.
	Problems []Problem

	components []Component
}

// Merge makes one picture of all fragments. What names in them stand for is not known.
func Merge(fragments []*Fragment) *Set { return MergeWith(fragments, nil) }

// MergeWith makes one picture of all fragments. lookup says what names in them stand
// for.
func MergeWith(fragments []*Fragment, lookup Lookup) *Set {
	s, r := &Set{Fragments: fragments}, &resolver{lookup: lookup}
	for _, f := range fragments {
		switch f.Kind {
		case Manifest:
			s.Statements = append(s.Statements, r.statements(f)...)
		case Security:
			s.Configs = append(s.Configs, readConfig(f))
		case Info:
			s.addInfo(f, r)
		}
	}
	s.components = s.readComponents(r)
	return s
}

// Content returns the bytes of a file that the set was read from, nil for one
// that is no text or was not read.
func (s *Set) Content(name string) []byte {
	if s == nil {
		return nil
	}
	for _, f := range s.Fragments {
		if f.Document != nil && f.Document.Name() == name {
			return f.Document.Bytes()
		}
	}
	return nil
}

// KindOf returns the kind of file that a name in a project or in a carrier's
// target means, 0 for one that this package does not read. A res/xml resource
// counts by its content: see [NewFile].
func KindOf(name string) Kind {
	name = strings.ReplaceAll(name, `\`, "/")
	base := path.Base(name)
	switch {
	case base == "AndroidManifest.xml":
		return Manifest
	case strings.HasSuffix(base, "Info.plist"):
		return Info
	case isXMLResource(name):
		return Security
	case isValues(name):
		return Values
	}
	return 0
}

// isValues reports whether a file holds values of Android's resources.
func isValues(name string) bool {
	dir := path.Base(path.Dir(name))
	return (dir == "values" || strings.HasPrefix(dir, "values-")) && path.Ext(name) == ".xml"
}

// isXMLResource reports whether a file is an XML resource of Android other than
// the config.xml, which package configxml reads.
func isXMLResource(name string) bool {
	dir := path.Base(path.Dir(name))
	return (dir == "xml" || strings.HasPrefix(dir, "xml-")) && path.Ext(name) == ".xml" &&
		path.Base(name) != "config.xml"
}

// NewFile reads a whole native file. It returns nil for an XML resource that is
// no network security configuration, and for a file of values that has none. An error
// is a [*Problem].
func NewFile(kind Kind, name string, data []byte) (*Fragment, error) {
	f := &Fragment{Kind: kind, Carrier: File, Name: ResourceName(name)}
	if kind == Info && isBinary(data) {
		f.Place = policy.Place{File: name, Line: 1, Column: 1}
		value, err := parseBinary(name, data)
		f.info = value
		return f, err
	}
	doc, err := configxml.Parse(name, data)
	if err != nil {
		return nil, problemOf(name, err)
	}
	root := doc.Root()
	f.Document, f.Elements, f.Place = doc, []*configxml.Element{root}, doc.Place(root.Start, root.TagEnd)
	switch {
	case kind == Security && root.Name != "network-security-config":
		return nil, nil
	case kind == Values:
		if root.Name != "resources" {
			return nil, nil
		}
		f.Elements = root.Children
	case kind == Manifest && root.Name != "manifest":
		return nil, &Problem{f.Place, "the root element of AndroidManifest.xml must be <manifest>"}
	case kind == Info:
		f.info, err = documentValue(doc)
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

func problemOf(name string, err error) error {
	if syntax, ok := err.(*configxml.SyntaxError); ok {
		return &Problem{syntax.Place, syntax.Msg + "; " + syntax.Remedy}
	}
	return &Problem{policy.Place{File: name, Line: 1, Column: 1}, err.Error()}
}

// ResourceName returns the name by which Android knows a resource's file.
func ResourceName(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	return strings.TrimSuffix(base, path.Ext(base))
}
