package project_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dop251/goja"
	rbac "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	"golang.org/x/tools/txtar"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/cordon-sec/cordon/internal/golden"
	"github.com/cordon-sec/cordon/policy/configxml"
	"github.com/cordon-sec/cordon/policy/csp"
	"github.com/cordon-sec/cordon/policy/export"
	"github.com/cordon-sec/cordon/policy/pins"
	"github.com/cordon-sec/cordon/project"
)

// The exports of the examples, byte for byte.
func TestExamples(t *testing.T) {
	for _, name := range []string{"clean", "template", "legacy", "dreadful"} {
		t.Run(name, func(t *testing.T) {
			fsys := os.DirFS(filepath.Join("../examples", name))
			app, err := project.Read(fsys, project.Options{})
			if err != nil {
				t.Fatal(err)
			}
			set, problems := pins.Set(app.Config, "", app.Certificates)
			if len(problems) > 0 {
				t.Fatal(problems[0])
			}
			got := &txtar.Archive{}
			for _, e := range export.Exporters() {
				artifact := e.Export(export.NewSource(app.Config, set))
				valid(t, e.Name, artifact.Content)
				var losses strings.Builder
				for _, loss := range artifact.Losses {
					losses.WriteString(loss.Place.String() + ": " + loss.Rule + ": " + loss.Message + "\n")
				}
				got.Files = append(got.Files, txtar.File{Name: e.Name, Data: artifact.Content},
					txtar.File{Name: e.Name + " losses", Data: []byte(losses.String())})
			}
			golden.Compare(t, filepath.Join("testdata/exports", name+".txtar"), txtar.Format(got))
		})
	}
}

// valid checks that a file is one of its format at all; the law of each format
// says what it means.
func valid(t *testing.T, format string, content []byte) {
	t.Helper()
	switch format {
	case "csp":
		if p := csp.Parse(strings.TrimSpace(string(content))); len(p.String()) == 0 ||
			strings.Contains(string(content), "\n\n") {
			t.Errorf("csp: %s", content)
		}
	case "android-nsc", "ios-ats", "ios-app-bound-domains", "privacy-manifest":
		decoder := xml.NewDecoder(strings.NewReader(string(content)))
		domains := map[string]bool{}
		for domain := false; ; {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v\n%s", format, err, content)
			}
			switch token := token.(type) {
			case xml.StartElement:
				domain = token.Name.Local == "domain"
			case xml.CharData:
				if name := strings.TrimSpace(string(token)); domain && name != "" {
					if domains[name] {
						t.Errorf("android-nsc: %s stands twice, on which the app crashes", name)
					}
					domains[name] = true
				}
			}
		}
	case "capacitor", "electron", "chrome-policy":
		if !json.Valid(content) {
			t.Errorf("%s: not JSON:\n%s", format, content)
		}
	case "envoy":
		var wrapped anypb.Any
		var filter rbac.RBAC
		if err := protojson.Unmarshal(content, &wrapped); err != nil {
			t.Errorf("envoy: %v\n%s", err, content)
		} else if err := errors.Join(wrapped.UnmarshalTo(&filter), filter.ValidateAll()); err != nil {
			t.Errorf("envoy: %v\n%s", err, content)
		}
	case "pac":
		if _, err := goja.Compile("proxy.pac", string(content), false); err != nil {
			t.Errorf("pac: %v\n%s", err, content)
		}
	case "squid", "hosts", "data-safety":
		for _, line := range strings.Split(string(content), "\n") {
			if strings.ContainsAny(line, "\r\t\x00") {
				t.Errorf("%s: the line %q", format, line)
			}
		}
	default:
		t.Errorf("no check for the format %s", format)
	}
}

// realConfigs returns config.xml files of real apps, which are not part of the
// repository.
func realConfigs(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CORDON_REAL_CONFIGS")
	if dir == "" {
		t.Skip("CORDON_REAL_CONFIGS names no folder of config.xml files: the exports of real apps were not tried")
	}
	return dir
}

func TestRealConfigs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(realConfigs(t), "*.xml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			doc := readConfig(t, name)
			for _, e := range export.Exporters() {
				valid(t, e.Name, e.Export(export.NewSource(doc, nil)).Content)
			}
		})
	}
}

func readConfig(t *testing.T, name string) *configxml.Document {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := configxml.Parse(filepath.Base(name), data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
