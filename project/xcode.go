package project

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/native"
)

// settingLine is a line of an .xcconfig: NAME = value, perhaps for some builds alone, as in
// NAME[sdk=iphoneos*] = value.
var settingLine = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)((?:\[[^\]]*\])*)\s*=\s*(.*?)\s*;?\s*$`)

// includeLine is a line of an .xcconfig that takes another one in, which may be missing
// where a question mark stands.
var includeLine = regexp.MustCompile(`^\s*#include\??\s*"([^"]+)"`)

// readXCConfig reads a file of build settings, and returns the names of those that it takes
// in. What is for some builds alone counts as well, but for those for debugging. What
// CocoaPods writes has no settings of the app's own, and is left out.
func readXCConfig(name string, data []byte, set func(setting string, given native.Given)) (included []string) {
	source, start := configxml.NewForeign(name, data), 0
	for line := range strings.Lines(string(data)) {
		at := start
		start += len(line)
		if m := includeLine.FindStringSubmatch(line); m != nil && !strings.Contains(m[1], "Pods/") {
			other := m[1]
			if !path.IsAbs(other) {
				other = path.Join(path.Dir(name), other)
			}
			included = append(included, other)
			continue
		}
		line, _, _ = strings.Cut(line, "//")
		m := settingLine.FindStringSubmatch(line)
		if m == nil || strings.Contains(strings.ToLower(m[2]), "config=debug") {
			continue
		}
		set(m[1], native.Given{Text: m[3], Place: source.Element(at, at, "").Place()})
	}
	return included
}

// readPBXProject reads the build settings that a project of Xcode writes out, for every
// configuration but those for debugging.
func readPBXProject(name string, data []byte, set func(setting string, given native.Given)) error {
	p := &openParser{text: string(data)}
	root, err := p.value(0)
	if err != nil {
		return err
	}
	source := configxml.NewForeign(name, data)
	for _, object := range root.at("objects").values {
		debugging := strings.Contains(strings.ToLower(object.at("name").text), "debug")
		if object.at("isa").text != "XCBuildConfiguration" || debugging {
			continue
		}
		settings := object.at("buildSettings")
		for i, key := range settings.keys {
			value, texts := settings.values[i], []string{settings.values[i].text}
			for _, item := range value.values {
				texts = append(texts, item.text)
			}
			setting, _, _ := strings.Cut(key, "[")
			text := strings.TrimPrefix(strings.Join(texts, " "), " ")
			set(setting, native.Given{Text: text, Place: source.Element(value.start, value.start, "").Place()})
		}
	}
	return nil
}

// openValue is a value of a property list in the format of NeXT: a text, or a list, or a
// dictionary.
type openValue struct {
	text   string
	keys   []string
	values []*openValue
	start  int
}

// at returns the value of a key, an empty one if there is none.
func (v *openValue) at(key string) *openValue {
	for i, k := range v.keys {
		if k == key {
			return v.values[i]
		}
	}
	return &openValue{}
}

type openParser struct {
	text   string
	pos    int
	values int
}

// maxOpenDepth and maxOpenValues bound what is read of such a file.
const (
	maxOpenDepth  = 50
	maxOpenValues = 1 << 20
)

var errOpenFormat = errors.New("it is not a project of Xcode")

// skip passes over blank space and comments.
func (p *openParser) skip() {
	for p.pos < len(p.text) {
		rest := p.text[p.pos:]
		switch {
		case rest[0] <= ' ':
			p.pos++
		case strings.HasPrefix(rest, "//"):
			p.pos = endOf(p.text, p.pos, "\n", 0)
		case strings.HasPrefix(rest, "/*"):
			p.pos = endOf(p.text, p.pos+2, "*/", 2)
		default:
			return
		}
	}
}

// takes passes over a mark, if it comes next.
func (p *openParser) takes(mark byte) bool {
	p.skip()
	if p.pos < len(p.text) && p.text[p.pos] == mark {
		p.pos++
		return true
	}
	return false
}

func (p *openParser) value(depth int) (*openValue, error) {
	p.skip()
	v := &openValue{start: p.pos}
	if p.values++; depth > maxOpenDepth || p.values > maxOpenValues {
		return nil, fmt.Errorf("%w that is read: it nests too deep, or is too large", errOpenFormat)
	}
	switch {
	case p.takes('{'):
		for !p.takes('}') {
			key, err := p.string()
			if err != nil {
				return nil, err
			}
			if !p.takes('=') {
				return nil, errOpenFormat
			}
			value, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			if v.keys, v.values = append(v.keys, key), append(v.values, value); !p.takes(';') {
				return nil, errOpenFormat
			}
		}
		return v, nil
	case p.takes('('):
		for !p.takes(')') {
			item, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			v.values = append(v.values, item)
			p.takes(',')
		}
		return v, nil
	}
	var err error
	v.text, err = p.string()
	return v, err
}

// string reads a text, in quotes or without.
func (p *openParser) string() (string, error) {
	p.skip()
	start := p.pos
	if p.takes('"') {
		var text strings.Builder
		for ; p.pos < len(p.text); p.pos++ {
			switch c := p.text[p.pos]; {
			case c == '"':
				p.pos++
				return text.String(), nil
			case c == '\\' && p.pos+1 < len(p.text):
				p.pos++
				text.WriteByte(p.text[p.pos])
			default:
				text.WriteByte(c)
			}
		}
		return "", errOpenFormat
	}
	for p.pos < len(p.text) && (isWord(p.text[p.pos]) || strings.IndexByte("._/$:-", p.text[p.pos]) >= 0) {
		p.pos++
	}
	if p.pos == start {
		return "", errOpenFormat
	}
	return p.text[start:p.pos], nil
}
