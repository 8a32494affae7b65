package native

import (
	"fmt"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
)

// Type is the type of a value of a property list.
type Type uint8

// The types. Numbers, dates and data are kept as the text that stands for them.
const (
	TypeString Type = iota + 1
	TypeBool
	TypeNumber
	TypeDate
	TypeData
	TypeArray
	TypeDict
)

// Value is one value of a property list.
type Value struct {
	Type Type
	// Text is a string's, number's, date's or the data's text.
	Text string
	// Bool is a boolean's value.
	Bool bool
	// Items are an array's.
	Items []*Value
	// Entries are a dictionary's, in file order.
	Entries []Entry
	Place   policy.Place
	// Meaning is what a string comes to in which build settings stand. Where that is
	// one text, it is Text as well, and a string of an array that may be several is
	// several strings.
	Meaning Meaning
	// Written is what stands in the file, where Text is something else.
	Written string
}

// Entry is a key of a dictionary with its value.
type Entry struct {
	Key   string
	Value *Value
	// Place is that of the key.
	Place policy.Place
	// Fragment brings the entry, for one of Info.plist.
	Fragment *Fragment
}

// Get returns the value of a key, nil if there is none. Of several the last one
// counts, as Core Foundation has it.
func (v *Value) Get(key string) *Value {
	if v == nil {
		return nil
	}
	for i := len(v.Entries) - 1; i >= 0; i-- {
		if v.Entries[i].Key == key {
			return v.Entries[i].Value
		}
	}
	return nil
}

// True reports whether a value is true, or a number other than zero, or a
// string that NSString.boolValue takes for true.
func (v *Value) True() bool {
	if v == nil {
		return false
	}
	switch v.Type {
	case TypeBool:
		return v.Bool
	case TypeNumber:
		return strings.Trim(strings.TrimSpace(v.Text), "0.+-") != ""
	case TypeString:
		return trueText(v.Text)
	}
	return false
}

// trueText reports whether NSString.boolValue takes a text for true.
func trueText(text string) bool {
	text = strings.TrimLeft(strings.TrimLeft(strings.TrimSpace(text), "+-"), "0")
	return text != "" && strings.ContainsRune("YyTt123456789", rune(text[0]))
}

// Texts are the texts that a value may have, as far as they are known: what the build
// settings in it come to, in any configuration of the build.
func (v *Value) Texts() []Given {
	if len(v.Meaning.Texts) == 0 && v.Meaning.Unknown == "" {
		return []Given{{Text: v.Text, Place: v.Place}}
	}
	return v.Meaning.Texts
}

// Can returns the first text that the value may have, as far as is known, with which
// it is true or is not.
func (v *Value) Can(be bool) (Given, bool) {
	if v.Type != TypeString {
		return Given{Text: v.Text, Place: v.Place}, v.True() == be
	}
	for _, g := range v.Texts() {
		if trueText(g.Text) == be {
			return g, true
		}
	}
	return Given{}, false
}

// AsWritten returns the text that stands in the file.
func (v *Value) AsWritten() string {
	if v.Written != "" {
		return v.Written
	}
	return v.Text
}

// ParsePropertyList reads a property list, as XML or binary. An error is a
// [*Problem].
func ParsePropertyList(name string, data []byte) (*Value, error) {
	if isBinary(data) {
		return parseBinary(name, data)
	}
	doc, err := configxml.Parse(name, data)
	if err != nil {
		return nil, problemOf(name, err)
	}
	return documentValue(doc)
}

func documentValue(doc *configxml.Document) (*Value, error) {
	root := doc.Root()
	if root.Name == "plist" {
		if len(root.Children) != 1 {
			return nil, &Problem{doc.Place(root.Start, root.TagEnd), "<plist> must hold one value"}
		}
		root = root.Children[0]
	}
	v, problem := elementValue(doc, root)
	if problem != nil {
		return nil, problem
	}
	return v, nil
}

func elementValue(doc *configxml.Document, e *configxml.Element) (*Value, *Problem) {
	v := &Value{Place: doc.Place(e.Start, e.TagEnd)}
	switch e.Name {
	case "dict":
		v.Type = TypeDict
		return v, v.dict(doc, e)
	case "array":
		v.Type = TypeArray
		for _, child := range e.Children {
			item, problem := elementValue(doc, child)
			if problem != nil {
				return nil, problem
			}
			v.Items = append(v.Items, item)
		}
		return v, nil
	case "true", "false":
		v.Type, v.Bool = TypeBool, e.Name == "true"
	case "string":
		v.Type, v.Text = TypeString, e.Text
	case "integer", "real":
		v.Type, v.Text = TypeNumber, strings.TrimSpace(e.Text)
	case "date":
		v.Type, v.Text = TypeDate, strings.TrimSpace(e.Text)
	case "data":
		v.Type, v.Text = TypeData, strings.Join(strings.Fields(e.Text), "")
	default:
		return nil, &Problem{v.Place, fmt.Sprintf("<%s> is not a value of a property list", e.Name)}
	}
	if len(e.Children) > 0 {
		return nil, &Problem{v.Place, fmt.Sprintf("<%s> must hold no element", e.Name)}
	}
	return v, nil
}

func (v *Value) dict(doc *configxml.Document, e *configxml.Element) *Problem {
	for i := 0; i < len(e.Children); i += 2 {
		key := e.Children[i]
		place := doc.Place(key.Start, key.End)
		if key.Name != "key" {
			return &Problem{place, fmt.Sprintf("<dict> must hold a <key> here, not <%s>", key.Name)}
		}
		if i+1 == len(e.Children) {
			return &Problem{place, fmt.Sprintf("the key %q has no value", key.Text)}
		}
		value, problem := elementValue(doc, e.Children[i+1])
		if problem != nil {
			return problem
		}
		v.Entries = append(v.Entries, Entry{Key: key.Text, Value: value, Place: place})
	}
	return nil
}

// addInfo adds the keys that a fragment gives Info.plist.
func (s *Set) addInfo(f *Fragment, r *resolver) {
	if f.info == nil {
		return
	}
	if f.Parent != "" {
		e := Entry{Key: f.Parent, Value: f.info, Place: f.Place, Fragment: f}
		s.Entries = append(s.Entries, r.entry(f, e))
		return
	}
	if f.info.Type != TypeDict {
		s.Problems = append(s.Problems, Problem{f.Place, "Info.plist must hold a dictionary"})
		return
	}
	for _, e := range f.info.Entries {
		e.Fragment = f
		s.Entries = append(s.Entries, r.entry(f, e))
	}
}

// entry finds out what the values of a key mean, where the key is one whose effect is
// known here. What a build has compiled has no build settings in it any more.
func (r *resolver) entry(f *Fragment, e Entry) Entry {
	switch e.Key {
	case "NSAppTransportSecurity", "WKAppBoundDomains", "CFBundleURLTypes", "LSApplicationQueriesSchemes":
		if f.Document != nil {
			e.Value = r.values(f, e.Value)[0]
		}
	}
	return e
}

// values are what a value means: of a string, as many as it may be; the last one says
// that it may be another one. v is not changed.
func (r *resolver) values(f *Fragment, v *Value) []*Value {
	made := *v
	switch v.Type {
	case TypeDict:
		made.Entries = make([]Entry, len(v.Entries))
		for i, e := range v.Entries {
			made.Entries[i] = e
			made.Entries[i].Value = r.one(f, e.Value)
		}
	case TypeArray:
		made.Items = nil
		for _, item := range v.Items {
			made.Items = append(made.Items, r.values(f, item)...)
		}
	case TypeString:
		return r.strings(f, &made)
	}
	return []*Value{&made}
}

// one is what a value means, as one value.
func (r *resolver) one(f *Fragment, v *Value) *Value {
	if v.Type != TypeString {
		return r.values(f, v)[0]
	}
	made := *v
	r.strings(f, &made)
	return &made
}

// strings sets what a string means, and returns a string for each of its texts.
func (r *resolver) strings(f *Fragment, v *Value) []*Value {
	if !strings.Contains(v.Text, "$") {
		return []*Value{v}
	}
	v.Meaning = r.of(f, v.Place.Start, v.Text, v.Place)
	var list []*Value
	for _, g := range v.Meaning.Texts {
		each := *v
		each.Text, each.Written = g.Text, v.Text
		each.Meaning = Meaning{Texts: []Given{g}}
		list = append(list, &each)
	}
	switch {
	case v.Meaning.Unknown != "":
		list = append(list, v)
	case len(list) == 1:
		*v = *list[0]
	}
	return list
}

// Key returns what is said about a key of Info.plist.
func (s *Set) Key(name string) []Entry {
	var list []Entry
	for _, e := range s.Entries {
		if e.Key == name {
			list = append(list, e)
		}
	}
	return list
}
