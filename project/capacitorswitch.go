package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// switched is a value that a condition chooses, such as an environment or a flavour.
type switched struct {
	path   string
	line   int
	values []string // as JSON
}

// choice reads "condition ? one : other" without deciding the condition: what opens
// more of the two is written, and both are listed. It is false, with nothing read,
// for any other expression, and where it is not certain what opens more.
func (p *literalParser) choice(path string) bool {
	here, before := p.place, len(p.switches)
	refuse := func() bool {
		p.place, p.switches = here, p.switches[:before]
		return false
	}
	question, colon, end, ok := p.conditional()
	if !ok || before >= maxComputed {
		return refuse()
	}
	one, okOne := p.branch(path, question, colon)
	other, okOther := p.branch(path, colon, end)
	if !okOne || !okOther {
		return refuse()
	}
	made, unsure, err := wider(path, one, other)
	if err != nil || slices.Contains(unsure, path) {
		return refuse()
	}
	p.place = end
	for _, key := range unsure {
		p.leave(key, here.line)
	}
	p.switches = append(p.switches, switched{path, here.line, []string{string(one), string(other)}})
	p.emit(string(made), here.line, here.column)
	return true
}

// conditional finds the parts of a conditional expression: the places of its question
// mark and colon, and its end.
func (p *literalParser) conditional() (question, colon, end place, ok bool) {
	open := 0
	p.skip(func(c byte, depth int) bool {
		if depth != 0 {
			return depth < 0
		}
		switch next := byte(0); c {
		case '?':
			if p.at+1 < len(p.data) {
				next = p.data[p.at+1]
			}
			if next == '?' || next == '.' || p.at > 0 && p.data[p.at-1] == '?' {
				return false
			}
			if open++; open == 1 {
				question = p.place
			}
		case ':':
			if open--; open == 0 && colon.line == 0 {
				colon = p.place
			}
		}
		return strings.IndexByte(",;}])", c) >= 0
	})
	return question, colon, p.place, question.line > 0 && colon.line > 0 && open == 0
}

// branch reads the value between two places as a configuration of its own.
func (p *literalParser) branch(path string, from, to place) ([]byte, bool) {
	q := &literalParser{data: p.data[:to.at], place: from, depth: p.depth, outLine: from.line, outColumn: from.column}
	q.step() // over the question mark or the colon
	if err := q.value(path); err != nil || len(q.left) > 0 || q.at < to.at {
		return nil, false
	}
	p.switches = append(p.switches, q.switches...)
	var made bytes.Buffer
	if json.Compact(&made, q.out.Bytes()) != nil {
		return nil, false
	}
	return made.Bytes(), true
}

// wider returns the union of two values, and the keys whose values differ without
// one of them opening more for certain: those are null in it.
func wider(path string, one, other []byte) (made []byte, unsure []string, err error) {
	var a, b any
	if err := errors.Join(json.Unmarshal(one, &a), json.Unmarshal(other, &b)); err != nil {
		return nil, nil, err
	}
	var u uniting
	made, err = json.Marshal(u.union(path, a, b))
	return made, u.unsure, err
}

// uniting collects the keys of which it is not certain what opens more.
type uniting struct{ unsure []string }

func (u *uniting) union(path string, a, b any) any {
	x, isA := a.(map[string]any)
	y, isB := b.(map[string]any)
	switch {
	case reflect.DeepEqual(a, b), ofNoMatter(path):
		return a
	case (isA || a == nil) && (isB || b == nil):
		made := map[string]any{}
		for _, key := range keysOf(x, y) {
			made[key] = u.union(join(path, key), x[key], y[key])
		}
		return made
	}
	if made, ok := unite(path, a, b); ok {
		return made
	}
	u.unsure = append(u.unsure, path)
	return nil
}

// keysOf returns the keys of two objects, in order.
func keysOf(a, b map[string]any) []string {
	all := maps.Clone(b)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, a)
	return slices.Sorted(maps.Keys(all))
}

// ofNoMatter reports whether a key says nothing about what the app may reach.
func ofNoMatter(path string) bool {
	name, under := strings.CutPrefix(path, "plugins.")
	switch path {
	case "appId", "appName", "backgroundColor", "ios.backgroundColor", "android.backgroundColor", "ios.scheme":
		return true
	}
	return under && !strings.HasPrefix(name, "CapacitorHttp") && !strings.HasPrefix(name, "CapacitorCookies")
}

// opens are the flags that open something and are off where they are not written.
var opens = []string{"server.cleartext", "allowMixedContent", "android.useLegacyBridge",
	"android.webContentsDebuggingEnabled", "ios.webContentsDebuggingEnabled", "plugins.CapacitorHttp.enabled",
	"plugins.CapacitorCookies.enabled"}

// unite returns what opens more of two values that differ, and whether that is
// certain: an absent value stands for what the platform does by itself, which is
// more for one key and less for another.
func unite(path string, a, b any) (any, bool) {
	x, isA := a.(bool)
	y, isB := b.(bool)
	flags := (isA || a == nil) && (isB || b == nil)
	switch {
	case path == "android.allowMixedContent" && flags:
		// Where it is not written the key at the top stands in, which may be on.
		return x || y, x || y || isA && isB
	case flags && slices.Contains(opens, path):
		return x || y, true
	case flags && path == "ios.limitsNavigationsToAppBoundDomains":
		return x && y, true
	case path == "server.url":
		return uniteURL(a, b)
	case path == "server.allowNavigation", path == "cordova.accessOrigins":
		x, isA := a.([]any)
		y, isB := b.([]any)
		absent := path == "server.allowNavigation" // of accessOrigins stands for every host
		return append(slices.Clone(x), y...), (isA || absent && a == nil) && (isB || absent && b == nil)
	}
	return nil, false
}

// uniteURL takes the address that is there, and http before https.
func uniteURL(a, b any) (any, bool) {
	x, isA := a.(string)
	y, isB := b.(string)
	switch {
	case a == nil && isB:
		return y, true
	case b == nil && isA:
		return x, true
	case !isA || !isB:
		return nil, false
	case strings.TrimPrefix(x, "https:") == strings.TrimPrefix(y, "http:"):
		return y, true
	}
	return x, strings.TrimPrefix(y, "https:") == strings.TrimPrefix(x, "http:")
}

// said describes a value that is chosen, for people; judged is which of them counts.
func (s *switched) said(judged string) string {
	values := make([]string, len(s.values))
	for i, v := range s.values {
		if values[i] = v; len(v) > 80 {
			values[i] = v[:77] + "..."
		}
	}
	return fmt.Sprintf("%s is %s, as a condition says; %s is judged", s.path, strings.Join(values, " or "), judged)
}
