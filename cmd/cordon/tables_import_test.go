package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportThatIsInterrupted: who breaks an import off is told how it goes on.
func TestImportThatIsInterrupted(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "cordon.yaml")
	text := fmt.Sprintf("database: %q\ntables: { note: { columns: { text: string } } }\n",
		"sqlite:"+filepath.Join(dir, "data.db"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var out, errs bytes.Buffer
	args := []string{"tables", "import", "note", "-", "--format", "csv", "--config", config}
	status := execute(ctx, args, interrupting{interrupt}, &out, &errs)
	if status != exitEnvironment || !strings.Contains(errs.String(), "the same command goes on from there") {
		t.Errorf("%d %s", status, errs.String())
	}
}

// interrupting is a file without an end that is being read when somebody interrupts.
type interrupting struct{ interrupt func() }

func (f interrupting) Read(p []byte) (int, error) {
	f.interrupt()
	return copy(p, strings.Repeat("text\n", len(p)/5)), nil
}
