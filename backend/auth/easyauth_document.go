package auth

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/cordon-sec/cordon/internal/wording"
)

// easyNode is one value of a document about App Service's authentication. It
// knows its place, and whether the import has looked at it: what was not looked
// at is said, never dropped.
type easyNode struct {
	path   string
	fields map[string]*easyNode // of an object, by lower-case name; nil of all others
	items  []*easyNode          // of an array
	value  any                  // a string, bool, json.Number or nil
	array  bool
	used   bool
}

// maxEasyDepth bounds how deep a document may nest.
const maxEasyDepth = 64

// readEasyDocument reads a JSON document in the encodings that the tools write:
// UTF-8, and UTF-16 with a byte order mark as PowerShell does. An object that
// says one thing twice (in whatever letter case) is refused: which of the two
// counts is anybody's guess.
func readEasyDocument(data []byte) (*easyNode, error) {
	data = utf8Text(data)
	var probe any
	if err := json.Unmarshal(data, &probe); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return readEasyNode(decoder, "", 0)
}

// utf8Text takes a byte order mark away, and UTF-16 with it.
func utf8Text(data []byte) []byte {
	if text, ok := bytes.CutPrefix(data, []byte{0xef, 0xbb, 0xbf}); ok {
		return text
	}
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return data
	}
	var units []uint16
	for data = data[2:]; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return []byte(string(utf16.Decode(units)))
}

func readEasyNode(decoder *json.Decoder, path string, depth int) (*easyNode, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if depth > maxEasyDepth {
		return nil, fmt.Errorf("%s nests deeper than %d levels", wording.Printable(path), maxEasyDepth)
	}
	n := &easyNode{path: path}
	switch token {
	case json.Delim('{'):
		n.fields = map[string]*easyNode{}
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			name := key.(string) // the text is JSON
			child, err := readEasyNode(decoder, joinPath(path, name), depth+1)
			if err != nil {
				return nil, err
			}
			if n.fields[strings.ToLower(name)] != nil {
				return nil, fmt.Errorf("%s is there twice", wording.Printable(child.path))
			}
			n.fields[strings.ToLower(name)] = child
		}
	case json.Delim('['):
		n.array = true
		for decoder.More() {
			child, err := readEasyNode(decoder, fmt.Sprintf("%s[%d]", path, len(n.items)), depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, child)
		}
	default:
		n.value = token
		return n, nil
	}
	_, err = decoder.Token() // the closing bracket
	return n, err
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// field returns a member, nil if it is absent or null.
func (n *easyNode) field(name string) *easyNode {
	if n == nil || n.fields == nil {
		return nil
	}
	child := n.fields[strings.ToLower(name)]
	if child.empty() {
		return nil
	}
	return child
}

// empty reports whether there is nothing: null, "" or [].
func (n *easyNode) empty() bool {
	return n == nil || n.fields == nil && !n.array && (n.value == nil || n.value == "") || n.array && len(n.items) == 0
}

// null reports whether a value is null.
func (n *easyNode) null() bool { return n.fields == nil && !n.array && n.value == nil }

// said reports whether the import has found anything at all to look at.
func (n *easyNode) said() bool {
	return n.used && !n.empty() || slices.ContainsFunc(n.children(), (*easyNode).said)
}

// text is a string member of a resource, "" if it is none.
func (n *easyNode) text(name string) string {
	if child := n.field(name); child != nil {
		text, _ := child.value.(string)
		return text
	}
	return ""
}

// children lists the members in a fixed order.
func (n *easyNode) children() []*easyNode {
	all := slices.Clone(n.items)
	for _, name := range slices.Sorted(maps.Keys(n.fields)) {
		all = append(all, n.fields[name])
	}
	return all
}

// easySettings is one set of settings in a document.
type easySettings struct {
	node     *easyNode
	template *easyNode // the deployment template that it is in, nil if none or a nested one
	// condition says that Azure may not deploy it.
	condition bool
}

var (
	configType = regexp.MustCompile(`(?i)^(microsoft\.web/sites/(slots/)?)?config$`)
	configName = regexp.MustCompile(`(?i)\bauthsettings(v2)?\b`)
)

// findEasySettings looks for settings wherever the tools put them: at the top (a
// file), in `properties` (Azure Resource Manager, az), in `value` (a list), and in
// the resources of a template, nested ones and those by name (Bicep) included. In a
// nested template what its own parameters and variables say does not count.
func findEasySettings(n, template *easyNode, nested bool) []easySettings {
	var found []easySettings
	if n == nil {
		return nil
	}
	if n.array {
		for _, item := range n.items {
			found = append(found, findEasySettings(item, template, nested)...)
		}
		return found
	}
	if isEasyV2(n) || isEasyV1(n) {
		return []easySettings{{node: n, template: template}}
	}
	if n.field("resources") != nil && n.field("type") == nil && !nested {
		template = n
	}
	kind := n.text("type")
	properties := n.field("properties")
	ours := kind == "" || configType.MatchString(kind) && configName.MatchString(n.text("name"))
	if ours && properties != nil {
		found = append(found, findEasySettings(properties, template, nested)...)
	} else if inner := properties.field("template"); inner != nil {
		found = append(found, findEasySettings(inner, nil, true)...)
	}
	if condition := n.field("condition"); condition != nil && condition.value != true {
		for i := range found {
			found[i].condition = true
		}
	}
	if kind == "" {
		found = append(found, findEasySettings(n.field("value"), template, nested)...)
		found = append(found, findEasySettings(n.field("template"), template, nested)...)
	}
	if resources := n.field("resources"); resources != nil {
		for _, resource := range resources.children() {
			found = append(found, findEasySettings(resource, template, nested)...)
		}
	}
	return found
}

// isEasyV2 reports whether an object is authsettingsV2, or a file of the same
// shape.
func isEasyV2(n *easyNode) bool {
	return slices.ContainsFunc([]string{"platform", "globalValidation", "identityProviders", "httpSettings", "login"},
		func(name string) bool { return n.field(name) != nil && n.field(name).fields != nil })
}

// isEasyV1 reports whether an object is authsettings, the first version: all of
// it at one level.
func isEasyV1(n *easyNode) bool {
	if n.field("enabled") != nil && (n.field("clientId") != nil || n.field("issuer") != nil) {
		return true
	}
	return slices.ContainsFunc([]string{"unauthenticatedClientAction", "tokenStoreEnabled", "aadClaimsAuthorization",
		"defaultProvider", "googleClientId", "facebookAppId", "gitHubClientId", "twitterConsumerKey",
		"microsoftAccountClientId", "isAuthFromFile", "allowedExternalRedirectUrls"},
		func(name string) bool { return n.field(name) != nil })
}

// errNoEasySettings says that a document is about something else.
var errNoEasySettings = errors.New("holds no settings of App Service Authentication: neither a file with platform, " +
	"globalValidation, identityProviders, httpSettings or login, nor the answer of " +
	"`az webapp auth show`, nor a template with Microsoft.Web/sites/config authsettings or authsettingsV2")

// theEasySettings returns the only settings of a document, with the expressions
// of a template replaced by what they stand for.
func theEasySettings(root *easyNode) (*easyNode, error) {
	found := findEasySettings(root, nil, false)
	switch {
	case len(found) == 0:
		return nil, errNoEasySettings
	case len(found) > 1:
		var places []string
		for _, f := range found {
			places = append(places, first(wording.Printable(f.node.path), "the top"))
		}
		return nil, fmt.Errorf("holds several settings, at %s: keep those of one site", wording.Join(places))
	}
	n := found[0].node
	if found[0].condition {
		return nil, fmt.Errorf("%s is deployed under a condition: import what is deployed, as `az webapp auth show` "+
			"prints it", first(wording.Printable(n.path), "the top"))
	}
	if isEasyV2(n) && isEasyV1(n) {
		return nil, errors.New("mixes both versions of the settings: keep those that the site uses")
	}
	if err := resolveEasy(n, found[0].template, 0); err != nil {
		return nil, err
	}
	return n, nil
}

var easyReference = regexp.MustCompile(`^\[(parameters|variables)\('([^']+)'\)\]$`)

// ofTheClient are the settings that let nobody in by themselves: a parameter's
// default may stand for them.
var ofTheClient = regexp.MustCompile(`(?i)\.(registration\.(clientId|appId|consumerKey|\w+SettingName)|` +
	`login\.scopes(\[\d+\])?)$`)

// resolveEasy replaces a template's variables by their values, and the parameters of
// a client by their defaults. Any other expression is an error: what it gives is
// known to Azure, or to whoever deployed it, only.
func resolveEasy(n, template *easyNode, depth int) error {
	if inlineSecret(n.path) {
		return nil // its value is never looked at
	}
	text, _ := n.value.(string)
	if strings.HasPrefix(text, "[[") {
		n.value = text[1:] // how a template writes a text that begins with a bracket
	} else if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		var stands *easyNode
		if m := easyReference.FindStringSubmatch(text); m != nil {
			stands = template.field(m[1]).field(m[2])
			if m[1] == "parameters" {
				if !ofTheClient.MatchString(n.path) {
					return fmt.Errorf("%s depends on the parameter %q, whose value the file does not have: import "+
						"what is deployed, as `az webapp auth show` prints it", wording.Printable(n.path),
						wording.Printable(m[2]))
				}
				stands = stands.field("defaultValue")
			}
		}
		if stands == nil || depth > maxEasyDepth {
			return fmt.Errorf("%s is an expression that only Azure can evaluate: import what is deployed, as "+
				"`az webapp auth show` prints it", wording.Printable(n.path))
		}
		n.value, n.array, n.items, n.fields = stands.value, stands.array, stands.items, stands.fields
		return resolveEasy(n, template, depth+1)
	}
	for _, child := range n.children() {
		if err := resolveEasy(child, template, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// inlineSecret reports whether a path names a secret itself, which the first
// version of the settings may hold.
func inlineSecret(path string) bool {
	name := strings.ToLower(path[strings.LastIndexByte(path, '.')+1:])
	return strings.HasSuffix(name, "secret")
}
