//go:build !js

package dialect_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/lane"
)

// The engine that the Cordova plugin carries is this package built to
// WebAssembly. The same corpus is decided there, by Node.js, question for
// question.
func TestCorpusInWebAssembly(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		lane.Missing(t, "Node.js is not installed: the WebAssembly build is not tried")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	binary := filepath.Join(t.TempDir(), "dialect.test")
	run("go", "test", "-c", "-o", binary, ".")
	root := strings.TrimSpace(run("go", "env", "GOROOT"))
	out := run(node, "--stack-size=8192", filepath.Join(root, "lib", "wasm", "wasm_exec_node.js"), binary,
		"-test.run=^TestCorpus$", "-test.v")
	questions, err := filepath.Glob("../testdata/corpus/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if passed := strings.Count(out, "--- PASS: TestCorpus/"); passed != len(questions) {
		t.Errorf("%d of %d questions passed in WebAssembly\n%s", passed, len(questions), out)
	}
}
