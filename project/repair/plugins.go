package repair

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/lint"
)

// successor is what takes a retired plugin's place without a change of the
// app's own code: another package, or nothing.
type successor struct {
	name, version string
}

// successors of plugins. Where code has to change, a person has to.
var successors = map[string]successor{
	"cordova-plugin-http":                           {"cordova-plugin-advanced-http", "^3.3.1"},
	"phonegap-plugin-push":                          {"@havesource/cordova-plugin-push", "^5.0.0"},
	"cordova-plugin-console":                        {},
	"cordova-plugin-compat":                         {},
	"cordova-plugin-wkwebview-engine":               {},
	"cordova-plugin-crosswalk-webview":              {},
	"cordova-plugin-android-support-gradle-release": {},
	"cordova-plugin-legacy-whitelist":               {},
	"cordova-plugin-whitelist":                      {},
	"cordova-plugin-certificates":                   {},
}

// successorOf also knows the names of the registry that was closed in 2016.
func successorOf(name string) (successor, bool) {
	if rest, old := strings.CutPrefix(name, "org.apache.cordova."); old {
		return successor{name: "cordova-plugin-" + strings.ReplaceAll(rest, ".", "-")}, true
	}
	s, ok := successors[name]
	return s, ok
}

// replacePlugin replaces or removes a plugin in config.xml or package.json.
func (w *work) replacePlugin(f *lint.Finding) []candidate {
	if f.Place.File == w.project.Package.Name && w.project.Package.Data != nil {
		return w.replacePackage(f)
	}
	e := w.element(f)
	if e == nil || e.Name != "plugin" {
		return nil
	}
	attr, ok := e.Attr("name")
	if !ok {
		return nil
	}
	next, known := successorOf(attr.Value)
	switch {
	case !known:
		return nil
	case next.name == "":
		return []candidate{w.edit("remove "+attr.Value, false, w.project.Config.Removal(e))}
	}
	edits := []configxml.Edit{attr.SetValue(next.name)}
	for _, name := range []string{"spec", "version"} {
		switch spec, has := e.Attr(name); {
		case has && next.version != "":
			edits = append(edits, spec.SetValue(next.version))
		case has:
			edits = append(edits, w.project.Config.RemoveAttr(spec))
		}
	}
	return []candidate{w.edit("replace "+attr.Value+" by "+next.name, false, edits...)}
}

// replacePackage does the same to package.json, whose other bytes stay.
func (w *work) replacePackage(f *lint.Finding) []candidate {
	data := w.project.Package.Data
	name, ok := keyAt(data, f.Place.Start)
	if !ok {
		return nil
	}
	next, known := successorOf(name)
	if !known {
		return nil
	}
	c := candidate{file: w.project.Package.Name, summary: "replace " + name + " by " + next.name}
	if next.name == "" {
		c.summary = "remove " + name
	}
	for _, path := range [][]string{{"dependencies"}, {"devDependencies"}, {"cordova", "plugins"}} {
		members := membersAt(data, path)
		for i, m := range members {
			switch {
			case m.key != name:
			case next.name == "":
				c.edits = append(c.edits, removal(members, i))
			default:
				c.edits = append(c.edits, configxml.Edit{Start: m.start, End: m.keyEnd, New: strconv.Quote(next.name)})
				if next.version != "" && data[m.value] == '"' {
					c.edits = append(c.edits,
						configxml.Edit{Start: m.value, End: m.end, New: strconv.Quote(next.version)})
				} else if data[m.value] == '"' {
					c.edits = append(c.edits, configxml.Edit{Start: m.value, End: m.end, New: `"*"`})
				}
			}
		}
	}
	if len(c.edits) == 0 {
		return nil
	}
	return []candidate{c}
}

// keyAt returns the JSON string that stands at an offset.
func keyAt(data []byte, at int) (string, bool) {
	if at < 0 || at >= len(data) {
		return "", false
	}
	var key string
	err := json.NewDecoder(bytes.NewReader(data[at:])).Decode(&key)
	return key, err == nil
}

// member is one member of a JSON object: "key": value, with its bytes.
type member struct {
	key                       string
	start, keyEnd, value, end int
}

// removal is the edit that removes a member with the comma that goes with it.
func removal(members []member, i int) configxml.Edit {
	switch {
	case i+1 < len(members):
		return configxml.Edit{Start: members[i].start, End: members[i+1].start}
	case i > 0:
		return configxml.Edit{Start: members[i-1].end, End: members[i].end}
	}
	return configxml.Edit{Start: members[i].start, End: members[i].end}
}

// membersAt returns the members of the object that a path leads to.
func membersAt(data []byte, path []string) []member {
	start, end := 0, len(data)
	for _, name := range path {
		found := false
		for _, m := range members(data, start, end) {
			if m.key == name {
				start, end, found = m.value, m.end, true
			}
		}
		if !found {
			return nil
		}
	}
	return members(data, start, end)
}

// members reads the object between two offsets; none if there is no object.
func members(data []byte, start, end int) []member {
	decoder := json.NewDecoder(bytes.NewReader(data[start:end]))
	if first, err := decoder.Token(); err != nil || first != json.Delim('{') {
		return nil
	}
	at := func() int { return start + int(decoder.InputOffset()) }
	skip := func(from int, marks string) int {
		for from < end && strings.IndexByte(marks, data[from]) >= 0 {
			from++
		}
		return from
	}
	var all []member
	for decoder.More() {
		m := member{start: skip(at(), " \t\r\n,")}
		key, err := decoder.Token()
		if err != nil {
			return nil
		}
		m.key, _ = key.(string)
		m.keyEnd = at()
		m.value = skip(m.keyEnd, " \t\r\n:")
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil
		}
		m.end = at()
		all = append(all, m)
	}
	return all
}
