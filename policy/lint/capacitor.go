package lint

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cordon-sec/cordon/policy"
)

// Capacitor is what a Capacitor configuration says of an app, as far as Cordon
// reads it (CapacitorConfig of @capacitor/cli 7, declarations.ts). Keys count as
// they are spelled there: the platforms tell capitals apart.
type Capacitor struct {
	AppName         string
	WebDir          string          // the folder of the built pages, as written
	ServerURL       string          // server.url, the pages' address in live reload
	AllowNavigation []CapacitorMask // server.allowNavigation
}

// CapacitorMask is one entry of server.allowNavigation: a host, in which "*"
// stands for a label.
type CapacitorMask struct {
	Host  string
	Place policy.Place
}

// CapacitorError says where a Capacitor configuration cannot be read, and why.
type CapacitorError struct {
	Place policy.Place
	Why   string
}

// Error says where and why.
func (e *CapacitorError) Error() string { return fmt.Sprintf("%s: %s", e.Place, e.Why) }

// ReadCapacitor reads the configuration in a file, which must be JSON. A value
// that is null counts as absent. An error is a *CapacitorError.
func ReadCapacitor(f *File) (Capacitor, error) {
	var all json.RawMessage
	if err := json.Unmarshal(f.Data, &all); err != nil {
		at := len(f.Data)
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			at = int(syntax.Offset) - 1
		}
		return Capacitor{}, &CapacitorError{f.Place(at, at), "it is not valid JSON: " + err.Error()}
	}
	root := parseJSON(f.Data)
	if root.kind != '{' {
		return Capacitor{}, &CapacitorError{f.Place(root.start, root.end), "a Capacitor configuration must be an object"}
	}
	c := Capacitor{}
	for _, field := range []struct {
		name string
		node node
		to   *string
	}{
		{"appName", root.at("appName"), &c.AppName},
		{"webDir", root.at("webDir"), &c.WebDir},
		{"server.url", root.at("server", "url"), &c.ServerURL},
	} {
		if err := field.node.readText(f, field.name, field.to); err != nil {
			return Capacitor{}, err
		}
	}
	list := root.at("server", "allowNavigation")
	if list.isNull() {
		return c, nil
	}
	if list.kind != '[' {
		return Capacitor{}, &CapacitorError{
			f.Place(list.start, list.end), "server.allowNavigation must be a list of hosts"}
	}
	for _, item := range list.array {
		mask := CapacitorMask{Place: f.Place(item.start, item.end)}
		if err := item.readText(f, "an entry of server.allowNavigation", &mask.Host); err != nil {
			return Capacitor{}, err
		}
		if !item.isNull() {
			c.AllowNavigation = append(c.AllowNavigation, mask)
		}
	}
	return c, nil
}

// readText takes the text of a node, if it is there.
func (n node) readText(f *File, name string, to *string) error {
	text, ok := n.text()
	if !ok && !n.isNull() {
		return &CapacitorError{f.Place(n.start, n.end), name + " must be a text in quotes"}
	}
	*to = text
	return nil
}

// isNull reports whether a value is absent or null.
func (n node) isNull() bool { return n.kind == 0 || n.kind == 's' && n.value == nil }
