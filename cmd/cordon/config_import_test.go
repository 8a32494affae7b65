package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/golden"
	"github.com/cordon-sec/cordon/settings"
)

// TestImportRoundTrips imports what the tools of App Service print, compares the
// outcome with the file beside it, and has it checked as any configuration.
func TestImportRoundTrips(t *testing.T) {
	documents, err := filepath.Glob("testdata/easyauth/*.json")
	if err != nil || len(documents) < 5 {
		t.Fatalf("%d documents: %v", len(documents), err)
	}
	for _, document := range documents {
		t.Run(strings.TrimSuffix(filepath.Base(document), ".json"), func(t *testing.T) {
			run := func(args ...string) string {
				t.Helper()
				var out, errs bytes.Buffer
				if status := execute(context.Background(), args, nil, &out, &errs); status != exitFine {
					t.Fatalf("%v: status %d: %s", args, status, errs.String())
				}
				return out.String()
			}
			made := run("config", "import-easyauth", document)
			golden.Compare(t, strings.TrimSuffix(document, ".json")+".yaml", []byte(made))
			if strings.Contains(made, "Do-Not-Print") {
				t.Error("a secret was copied")
			}
			file := filepath.Join(t.TempDir(), "cordon.yaml")
			if err := os.WriteFile(file, []byte(made), 0o600); err != nil {
				t.Fatal(err)
			}
			run("config", "check", file)
			if s, err := settings.Load(file); err != nil || s.Identity.Unauthenticated == "allow" {
				t.Errorf("the site is open: %v", err)
			}
		})
	}
}
