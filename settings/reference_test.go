package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/golden"
)

const referenceFile = "../docs/reference/cordon-yaml.md"

// referenceParts are the definitions in the order of the page.
var referenceParts = [][2]string{
	{"settings.App", "app"}, {"settings.Server", "server"}, {"auth.Config", "identity"},
	{"auth.ProviderConfig", "identity.providers.{name}"}, {"auth.Endpoints", "identity.providers.{name}.endpoints"},
	{"tables.Table", "tables.{name}"}, {"tables.Operation", "tables.{name}.read, insert, update, delete, undelete"},
	{"tables.Webhook", "tables.{name}.webhook"}, {"services.Service", "services.{name}"},
	{"services.Method", "services.{name}.get, post, put, patch, delete"}, {"settings.Egress", "egress"},
	{"config.Config", "gateway"}, {"config.App", "gateway.apps[]"},
	{"config.Credential", "gateway.apps[].credential"}, {"config.Private", "gateway.apps[].private[]"},
	{"config.Pin", "gateway.apps[].pins[]"}, {"config.Limits", "gateway.limits and gateway.apps[].limits"},
	{"config.TLS", "gateway.tls"}, {"config.CA", "gateway.ca"}, {"config.Timeouts", "gateway.timeouts"},
	{"settings.Telemetry", "telemetry"},
}

// reference writes the page from the schema.
func reference(t *testing.T) []byte {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root struct {
		Properties map[string]map[string]any
		Defs       map[string]struct{ Properties map[string]map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	head, err := os.ReadFile("testdata/reference-head.md")
	if err != nil {
		t.Fatal(err)
	}
	b.Write(head)
	referenceTable(&b, "Top level", root.Properties)
	seen := map[string]bool{}
	for _, part := range referenceParts {
		definition, ok := root.Defs[part[0]]
		if !ok {
			t.Errorf("there is no %s", part[0])
		}
		seen[part[0]] = true
		referenceTable(&b, "`"+part[1]+"`", definition.Properties)
		if part[0] == "settings.Server" {
			b.WriteString("\n`tls` as a mapping has `cert` and `key`, PEM files that are read again when they " +
				"change.\n")
		}
		if part[0] == "tables.Table" {
			b.WriteString("\nA column is the name of its type, or a mapping with `type`, `default`, `unique`, " +
				"`required` and `ignore_case`; an index is a column or a list of columns.\n")
		}
	}
	for name := range root.Defs {
		if !seen[name] {
			t.Errorf("the page leaves out %s", name)
		}
	}
	return b.Bytes()
}

func referenceTable(b *bytes.Buffer, title string, properties map[string]map[string]any) {
	fmt.Fprintf(b, "\n## %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", title)
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		p := properties[key]
		def := ""
		switch d := p["default"].(type) {
		case nil:
		case []any:
			def = strings.Trim(fmt.Sprint(d...), "[]")
		case float64:
			def = fmt.Sprintf("%.0f", d)
		default:
			def = fmt.Sprint(d)
		}
		if def != "" {
			def = "`" + def + "`"
		}
		text, _ := p["description"].(string)
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", key, valueOf(p), def, strings.ReplaceAll(text, "|", "\\|"))
	}
}

// valueOf names the kind of a value.
func valueOf(p map[string]any) string {
	if words, ok := p["enum"].([]any); ok {
		var all []string
		for _, word := range words {
			if text, ok := word.(string); ok {
				all = append(all, "`"+text+"`")
			}
		}
		return strings.Join(all, ", ")
	}
	pattern, _ := p["pattern"].(string)
	switch {
	case p["$ref"] != nil || p["type"] == "object":
		return "mapping"
	case p["oneOf"] != nil:
		return "word or mapping"
	case strings.Contains(pattern, "ns|us"):
		return "duration"
	case pattern != "":
		return "secret"
	}
	kind, _ := p["type"].(string)
	return map[string]string{"array": "list", "string": "text", "integer": "number", "number": "number",
		"boolean": "true or false"}[kind]
}

// TestReference compares the page with the source. The descriptions are embedded:
// after a change of them, -update takes a second run.
func TestReference(t *testing.T) {
	golden.Compare(t, referenceFile, reference(t))
}
