package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/cordon-sec/cordon/policy"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/lint"
	"github.com/cordon-sec/cordon/policy/propose"
)

// capacitorRules is the part of a Capacitor configuration that says where the
// app may go (CapacitorConfig of @capacitor/cli 7, declarations.ts).
type capacitorRules struct {
	Server struct {
		URL             string   `json:"url"`
		AllowNavigation []string `json:"allowNavigation"`
	} `json:"server"`
}

// capacitorPolicy makes rules of a Capacitor configuration: each host of
// server.allowNavigation over https, and nothing else.
func (a *appFolder) capacitorPolicy() (*appPolicy, error) {
	app, _, err := openProject(a.dir, nil)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(a.dir, filepath.FromSlash(app.Capacitor.Name))
	var read capacitorRules
	if err := json.Unmarshal(app.Capacitor.Data, &read); err != nil {
		return nil, jsonPlace(name, app.Capacitor.Data, err)
	}
	source, err := os.ReadFile(name)
	if err != nil {
		return nil, inputError(name, err)
	}
	var text strings.Builder
	var notes []string
	lines := map[int]string{}
	fmt.Fprintf(&text, "<widget xmlns=\"http://www.w3.org/ns/widgets\">\n<name>%s</name>\n", configxml.Escape(a.name))
	for _, host := range read.Server.AllowNavigation {
		at := entryPlace(name, source, host)
		if problem := unlistable(host); problem != "" {
			notes = append(notes, fmt.Sprintf("%s: server.allowNavigation %q grants nothing here: %s", at, host, problem))
			continue
		}
		lines[len(lines)+3] = at
		fmt.Fprintln(&text, propose.Line{Element: "access", Origin: originOfMask(host)})
	}
	text.WriteString("</widget>\n")
	for _, skipped := range app.Skipped {
		if skipped.Name == app.Capacitor.Name { // what is computed grants nothing
			notes = append(notes, fmt.Sprintf("%s: %s", name, skipped.Why))
		}
	}
	if read.Server.URL != "" {
		notes = append(notes, fmt.Sprintf("%s: server.url is not used here: --app-url names a development server", name))
	}
	doc, err := configxml.Parse(name, []byte(text.String()))
	if err != nil {
		return nil, err
	}
	made, err := newAppPolicy(doc, a.origins, lines)
	if err != nil {
		return nil, err
	}
	made.notes = notes
	return made, nil
}

// originOfMask writes a mask of Capacitor as an origin over https.
func originOfMask(mask string) string {
	if mask == "*" {
		return "https://*"
	}
	return "https://" + strings.ToLower(mask)
}

// unlistable says why a mask cannot be enforced as it is meant, "" if it can.
// Capacitor matches masks part by part (HostMask.java); here "*" stands alone or
// before whole names.
func unlistable(mask string) string {
	switch {
	case mask == "*":
		return ""
	case address(mask):
		return ""
	case strings.Contains(mask, "://"):
		return "it must be a host without a scheme, as in " + strings.SplitN(mask, "://", 2)[1]
	case !listable(strings.TrimPrefix(mask, "*.")):
		return "it must be a host's name, alone or behind \"*.\""
	}
	return ""
}

// address reports whether a mask is an IPv4 address as everybody writes it.
func address(mask string) bool {
	ip, err := netip.ParseAddr(mask)
	return err == nil && ip.Is4()
}

// entryPlace is where an entry stands in the source: the first text in quotes
// that equals it, and the file alone where it was computed.
func entryPlace(name string, source []byte, entry string) string {
	for _, quote := range []string{`"`, `'`, "`"} {
		if at := bytes.Index(source, []byte(quote+entry+quote)); at >= 0 {
			f := lint.File{Name: name, Data: source}
			return f.Place(at, at+len(entry)+2).String()
		}
	}
	return policy.Place{File: name, Line: 1, Column: 1}.String()
}

// jsonPlace gives an error of JSON its file, line and column.
func jsonPlace(name string, data []byte, err error) error {
	offset := int64(-1)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	if offset < 0 {
		return fmt.Errorf("%s: %w", name, err)
	}
	before := data[:min(int(offset), len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Errorf("%s:%d:%d: %w", name, line, len(before)-bytes.LastIndexByte(before, '\n')-1, err)
}
