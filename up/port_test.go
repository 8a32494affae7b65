package up

import (
	"os"
	"path/filepath"
	"testing"
)

// The port that is looked at before a start is the one that a start takes.
func TestSitePort(t *testing.T) {
	for text, want := range map[string]int{
		"": DefaultPort,
		"server: { listen: \"127.0.0.1:8499\" }\n": 8499,
		"server: { listen: \"127.0.0.1:0\" }\n":    DefaultPort,
		"server: { listen: \"nonsense\" }\n":       DefaultPort, "server: [": DefaultPort,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "cordon.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := SitePort(dir); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := SitePort(t.TempDir()); got != DefaultPort {
		t.Errorf("without a file: %d", got)
	}
}
