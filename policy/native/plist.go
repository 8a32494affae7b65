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
	text := strings.TrimSpace(v.Text)
	switch v.Type {
	case TypeBool:
		return v.Bool
	case TypeNumber:
		return strings.Trim(text, "0.+-") != ""
	case TypeString:
		text = strings.TrimLeft(strings.TrimLeft(text, "+-"), "0")
		return text != "" && strings.ContainsRune("YyTt123456789", rune(text[0]))
	}
	return false
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
func (s *Set) addInfo(f *Fragment) {
	if f.info == nil {
		return
	}
	if f.Parent != "" {
		s.Entries = append(s.Entries, Entry{Key: f.Parent, Value: f.info, Place: f.Place, Fragment: f})
		return
	}
	if f.info.Type != TypeDict {
		s.Problems = append(s.Problems, Problem{f.Place, "Info.plist must hold a dictionary"})
		return
	}
	for _, e := range f.info.Entries {
		e.Fragment = f
		s.Entries = append(s.Entries, e)
	}
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
