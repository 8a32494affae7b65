package up

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/ca"
)

// The command of each store is there exactly where that store does not trust.
func TestTrustSteps(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ca")
	authority, err := ca.Create(dir, ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, ca.CertificateFile)
	name := ca.StoreName(authority.Certificate())
	answers := func(trusts bool) func(context.Context, *x509.Certificate) bool {
		return func(context.Context, *x509.Certificate) bool { return trusts }
	}
	system := TrustStep{Who: "all",
		Command: fmt.Sprintf("sudo cp '%s' /usr/local/share/ca-certificates/%s.crt && sudo update-ca-certificates",
			file, name)}
	chromium := TrustStep{Who: "Chromium",
		Command: fmt.Sprintf("mkdir -p ~/.pki/nssdb && certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n %s -i '%s'", name,
			file)}
	for _, test := range []struct {
		file             string
		system, chromium bool
		want             []TrustStep
	}{
		{file, false, false, []TrustStep{system, chromium}},
		{file, true, false, []TrustStep{chromium}},
		{file, false, true, []TrustStep{system}},
		{file, true, true, nil},
		{filepath.Join(dir, "none.pem"), false, false, nil},
	} {
		steps := trustSteps(t.Context(), test.file, []trustStore{
			{"debian", "all", answers(test.system)}, {"chromium", "Chromium", answers(test.chromium)},
			{"none", "a store without a command", answers(false)},
		})
		if !slices.Equal(steps, test.want) {
			t.Errorf("system %v, Chromium %v: %q, want %q", test.system, test.chromium, steps, test.want)
		}
	}
}

// Which stores there are is seen by their commands, and Chromium's is asked with
// its own: a stand-in that answers with what the test put into the store.
func TestTrustStores(t *testing.T) {
	dir := t.TempDir()
	authority, err := ca.Create(filepath.Join(dir, "ca"), ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := ca.Create(filepath.Join(dir, "other"), ca.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("HOME", dir)
	if got := trustStores(); len(got) != 0 {
		t.Fatalf("an empty machine has the stores %v", got)
	}
	command := func(name, script string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	command("chromium", "")
	if got := trustStores(); len(got) != 1 || !strings.Contains(got[0].who, "libnss3-tools") {
		t.Errorf("without certutil: %v", got)
	}
	command("update-ca-certificates", "")
	name := ca.StoreName(authority.Certificate())
	command("certutil", `[ "$*" = "-d sql:$HOME/.pki/nssdb -L -n `+name+` -a" ] || exit 255
while read -r line; do echo "$line"; done < "$HOME/store.pem"
`)
	stores := trustStores()
	if len(stores) != 2 || stores[0].system != "debian" || stores[1].who != "Chromium and Chrome" {
		t.Fatalf("the stores are %v", stores)
	}
	for _, test := range []struct {
		held []byte
		want bool
	}{{nil, false}, {other.PEM(), false}, {append(other.PEM(), authority.PEM()...), true}} {
		if err := os.WriteFile(filepath.Join(dir, "store.pem"), test.held, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := stores[1].trusts(t.Context(), authority.Certificate()); got != test.want {
			t.Errorf("a store with %d bytes trusts: %v", len(test.held), got)
		}
	}
}

// The system's store is read once by a process, so that each question is asked
// by a process of its own: this test again, with another store.
func TestSystemTrusts(t *testing.T) {
	if file := os.Getenv("TEST_TRUSTED"); file != "" {
		certificate, err := readCertificate(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("trusted: %v\n", systemTrusts(t.Context(), certificate))
		return
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "ca")
	if _, err := ca.Create(dir, ca.Options{}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, ca.CertificateFile)
	for store, want := range map[string]string{file: "trusted: true\n", os.DevNull: "trusted: false\n"} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSystemTrusts$")
		command.Env = append(os.Environ(), "TEST_TRUSTED="+file, "SSL_CERT_FILE="+store, "SSL_CERT_DIR="+dir+"/none")
		if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("with the store %s: %s (%v), want %s", store, out, err, want)
		}
	}
}
