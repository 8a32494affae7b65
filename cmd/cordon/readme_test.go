package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestReadme pastes the README's session into a shell, in the root of the
// repository.
func TestReadme(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := shellBlock.FindAllSubmatch(readme, -1)
	if len(blocks) == 0 {
		t.Fatal("the README has no session")
	}
	bin := t.TempDir()
	for _, block := range blocks {
		// The binary goes to a folder of the test's own instead of the root.
		session := strings.ReplaceAll(string(block[1]), "-o cordon", "-o "+bin+"/cordon")
		session = strings.ReplaceAll(session, "./cordon", bin+"/cordon")
		cmd := exec.Command("sh", "-e", "-c", session)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("the README's session fails: %v\n%s\n%s", err, session, out)
		}
		for _, want := range []string{"block", "config.xml:", "default-src 'self'", "<network-security-config>"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("the session shows no %q:\n%s", want, out)
			}
		}
	}
}
