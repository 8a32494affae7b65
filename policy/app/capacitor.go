package app

import (
	"fmt"

	"github.com/cordon-sec/cordon/internal/jsonspan"
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
	root, err := jsonspan.Parse(f.Data)
	if err != nil {
		at := jsonspan.Offset(f.Data, err)
		return Capacitor{}, &CapacitorError{f.Place(at, at), "it is not valid JSON: " + err.Error()}
	}
	if root.Kind != '{' {
		return Capacitor{}, &CapacitorError{f.Place(root.Start, root.End),
			"a Capacitor configuration must be an object"}
	}
	c := Capacitor{}
	for _, field := range []struct {
		name  string
		value jsonspan.Value
		to    *string
	}{
		{"appName", root.At("appName"), &c.AppName},
		{"webDir", root.At("webDir"), &c.WebDir},
		{"server.url", root.At("server", "url"), &c.ServerURL},
	} {
		if err := readText(f, field.value, field.name, field.to); err != nil {
			return Capacitor{}, err
		}
	}
	list := root.At("server", "allowNavigation")
	if list.IsNull() {
		return c, nil
	}
	if list.Kind != '[' {
		return Capacitor{}, &CapacitorError{
			f.Place(list.Start, list.End), "server.allowNavigation must be a list of hosts"}
	}
	for _, item := range list.Items {
		mask := CapacitorMask{Place: f.Place(item.Start, item.End)}
		if err := readText(f, item, "an entry of server.allowNavigation", &mask.Host); err != nil {
			return Capacitor{}, err
		}
		if !item.IsNull() {
			c.AllowNavigation = append(c.AllowNavigation, mask)
		}
	}
	return c, nil
}

// readText takes the text of a value, if it is there.
func readText(f *File, v jsonspan.Value, name string, to *string) error {
	text, ok := v.Text()
	if !ok && !v.IsNull() {
		return &CapacitorError{f.Place(v.Start, v.End), name + " must be a text in quotes"}
	}
	*to = text
	return nil
}
