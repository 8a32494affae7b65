package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/internal/testpki"
)

// A real server, pinned rightly, wrongly, and not to be reached.
func TestCheckOnline(t *testing.T) {
	root := testpki.Root(t, testpki.Spec{Name: "Root"})
	leaf := root.Leaf(t, testpki.Spec{Name: "localhost", Hosts: []string{"localhost"},
		To: testpki.Now.AddDate(1, 0, 0)})
	other := root.Leaf(t, testpki.Spec{Name: "other"})
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, root.PEM(), 0o644); err != nil {
		t.Fatal(err)
	}
	server := "localhost:" + showCertificate(t, leaf.TLS())
	for name, test := range map[string]struct {
		server, pin string
		flags       []string
		want, not   string
	}{
		"right":     {server, pinOf(t, leaf), []string{"--online", "--ca", ca}, "", "[pin-not-served]"},
		"wrong":     {server, pinOf(t, other), []string{"--online", "--ca", ca}, "[pin-not-served]", ""},
		"untrusted": {server, pinOf(t, leaf), []string{"--online"}, "not trusted", ""},
		"no server": {"localhost:1", pinOf(t, leaf), []string{"--online", "--ca", ca}, "localhost",
			"[pin-not-served]"},
		"not online": {server, pinOf(t, other), nil, "", "[pin-not-served]"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			config := fmt.Sprintf("<widget>\n<access origin=\"https://%s\"/>\n"+
				"<cordon:pin host=\"localhost\" sha256=%q/>\n</widget>\n", test.server, test.pin)
			if err := os.WriteFile(filepath.Join(dir, "config.xml"), []byte(config), 0o644); err != nil {
				t.Fatal(err)
			}
			_, stdout, stderr := runCommand(t, append(append([]string{"check"}, test.flags...), dir)...)
			if got := stdout + stderr; !strings.Contains(got, test.want) ||
				test.not != "" && strings.Contains(got, test.not) {
				t.Errorf("got:\n%s", got)
			}
		})
	}
}
