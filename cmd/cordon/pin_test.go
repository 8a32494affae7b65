package main

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordon-sec/cordon/internal/testpki"
	"github.com/cordon-sec/cordon/pin"
)

// runCommand executes one command line and returns what it wrote.
func runCommand(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = execute(t.Context(), args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}

func writeFile(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func pinOf(t *testing.T, p *testpki.Pair) string {
	t.Helper()
	h, err := pin.Of(p.DER())
	if err != nil {
		t.Fatal(err)
	}
	return h.String()
}

func TestPinFolder(t *testing.T) {
	dir := t.TempDir()
	root := testpki.Root(t, testpki.Spec{Name: "Root", To: testpki.Now.AddDate(10, 0, 0)})
	leaf := root.Leaf(t, testpki.Spec{Name: "api.example.org", Hosts: []string{"api.example.org"}, Key: "rsa",
		To: testpki.Now.AddDate(1, 0, 0)})
	old := root.Leaf(t, testpki.Spec{Name: "old", Hosts: []string{"old.example.org"}, Key: "ed25519",
		To: testpki.Now.Add(-time.Hour)})
	for name, data := range map[string][]byte{
		"api.example.org.cer": leaf.DER(), "old.cer": old.DER(), "root.cer": root.DER(), "X.CER": old.DER(),
		"pem.cer": leaf.PEM(), "trailing.cer": append(bytes.Clone(leaf.DER()), '\n'),
		"chain.pem": append(leaf.PEM(), root.PEM()...), "text.cer": []byte("hello\n"), "readme.txt": []byte("hello\n"),
		"empty.cer": nil,
	} {
		writeFile(t, dir, name, data)
	}
	status, out, errs := runCommand(t, "pin", dir)
	if status != exitFindings || !strings.Contains(errs, "no pin from") || !strings.Contains(errs, "pem.cer") ||
		strings.Contains(errs, "chain.pem") {
		t.Errorf("status %d, %s", status, errs)
	}
	for _, want := range []string{
		pinOf(t, leaf), pinOf(t, root), pinOf(t, old), "RSA 2048 (leaf)", "Ed25519 (leaf)", "ECDSA P-256 (root)",
		"old.example.org has one pinned key and no backup", `pem.cer: not a DER certificate but a PEM certificate`,
		`trailing.cer: not a DER certificate but a DER certificate with trailing bytes: cut the last 1 bytes off`,
		`"old" expired on`, `".CER" pins nothing`, "*.cer files only", "text.cer: not a DER certificate but text",
		"empty.cer: not a DER certificate but an empty file",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "readme") {
		t.Error("a file that is no certificate file is shown")
	}
	status, out, _ = runCommand(t, "pin", "--format", "json", dir)
	var got pinsJSON
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != exitFindings {
		t.Fatalf("%v, status %d:\n%s", err, status, out)
	}
	formats := map[string]string{}
	for _, e := range got.Errors {
		formats[filepath.Base(e.Source)] = e.Format
	}
	if len(got.Certificates) != 6 || len(formats) != 4 || formats["pem.cer"] != string(pin.PEM) ||
		formats["text.cer"] != string(pin.Text) || len(got.Warnings) == 0 {
		t.Errorf("%d certificates, errors %v, %d warnings", len(got.Certificates), formats, len(got.Warnings))
	}
	for _, c := range got.Certificates {
		if filepath.Base(c.Source) == "api.example.org.cer" && (c.SHA256 != pinOf(t, leaf) || c.Role != "leaf" ||
			c.Hosts[0] != "api.example.org" || c.Names[0] != "api.example.org" || c.NotAfter == "") {
			t.Errorf("%+v", c)
		}
	}
	if status, _, errs := runCommand(t, "pin", filepath.Join(dir, "root.cer")); status != exitFine || errs != "" {
		t.Errorf("one good file: %d, %s", status, errs)
	}
	if status, out, _ := runCommand(t, "pin", t.TempDir()); status != exitFine ||
		!strings.Contains(out, "every request fails") {
		t.Errorf("an empty folder: %d, %s", status, out)
	}
}

// showCertificate shows a certificate on loopback.
func showCertificate(t *testing.T, cert tls.Certificate) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_ = conn.(*tls.Conn).Handshake()
			_ = conn.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func TestPinServer(t *testing.T) {
	dir := t.TempDir()
	root := testpki.Root(t, testpki.Spec{Name: "Root", To: testpki.Now.AddDate(10, 0, 0)})
	middle := root.Intermediate(t, testpki.Spec{Name: "Middle", To: testpki.Now.AddDate(5, 0, 0)})
	leaf := middle.Leaf(t, testpki.Spec{Name: "localhost", Hosts: []string{"localhost", "127.0.0.1"},
		To: testpki.Now.AddDate(1, 0, 0)})
	server := "localhost:" + showCertificate(t, leaf.TLS())
	authority := writeFile(t, dir, "root.pem", root.PEM())

	status, out, errs := runCommand(t, "pin", "--ca", authority, server)
	if status != exitFine || errs != "" || strings.Contains(out, "warning") {
		t.Errorf("status %d, %s\n%s", status, errs, out)
	}
	at := 0
	for _, p := range []*testpki.Pair{leaf, middle, root} {
		next := strings.Index(out, pinOf(t, p))
		if next < at {
			t.Errorf("the chain is not leaf, intermediate, root:\n%s", out)
		}
		at = next
	}
	status, out, _ = runCommand(t, "pin", server)
	if status != exitFine || !strings.Contains(out, "the chain is not trusted") ||
		!strings.Contains(out, pinOf(t, leaf)) {
		t.Errorf("a chain that is not trusted: status %d\n%s", status, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	if status, out, errs = runCommand(t, "pin", closed, authority); status != exitEnvironment ||
		!strings.Contains(out, "refused") || !strings.Contains(errs, closed) {
		t.Errorf("nobody there: status %d, %s\n%s", status, errs, out)
	}
}

func TestPinWrite(t *testing.T) {
	dir := t.TempDir()
	root := testpki.Root(t, testpki.Spec{Name: "Root", To: testpki.Now.AddDate(10, 0, 0)})
	leaf := root.Leaf(t, testpki.Spec{Name: "localhost", Hosts: []string{"localhost"},
		To: testpki.Now.AddDate(1, 0, 0)})
	next := testpki.SelfSigned(t, testpki.Spec{Name: "next"})
	server := "localhost:" + showCertificate(t, leaf.TLS())
	authority, backup := writeFile(t, dir, "root.pem", root.PEM()), writeFile(t, dir, "next.cer", next.DER())
	before := "<?xml version='1.0'?>\r\n<widget id=\"a\">\r\n" +
		"\t<access origin=\"https://localhost\"/><!-- kept -->\r\n</widget>\r\n"
	config := writeFile(t, dir, "config.xml", []byte(before))
	if err := os.Chmod(config, 0o640); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		data, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	refuse := func(says string, args ...string) {
		t.Helper()
		status, _, errs := runCommand(t, append([]string{"pin", "--write", "--config", config}, args...)...)
		if status != exitUsage || !strings.Contains(errs, says) || read() != before {
			t.Errorf("%v: status %d, %s", args, status, errs)
		}
	}
	refuse("not trusted", server)
	refuse("give one with --host", filepath.Join(dir, "root.pem"))
	refuse("is past", "--ca", authority, "--expires", "2020-01-01", server)
	refuse("not a day", "--ca", authority, "--expires", "soon", server)
	refuse("no such file", "--ca", authority, "--backup", "nonsense", server)

	write := func() (int, string) {
		status, _, errs := runCommand(t, "pin", "--write", "--config", config, "--ca", authority, "--backup", backup,
			"--expires", "2099-06-30", "--subdomains", server)
		return status, errs
	}
	status, errs := write()
	line := func(p *testpki.Pair) string {
		return `<cordon:pin host="localhost" subdomains="true" sha256="` + pinOf(t, p) + `" expires="2099-06-30"/>`
	}
	want := strings.Replace(before, `<widget id="a"`, `<widget id="a" xmlns:cordon="urn:cordon:1"`, 1)
	want = strings.Replace(want, `"https://localhost"/>`,
		`"https://localhost"/>`+"\r\n\t"+line(leaf)+"\r\n\t"+line(next), 1)
	if status != exitFine || read() != want || strings.Contains(errs, "no backup") {
		t.Errorf("status %d, %s\n%s", status, errs, read())
	}
	if info, err := os.Stat(config); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode changed: %v", info.Mode())
	}
	if status, errs := write(); status != exitFine || read() != want || !strings.Contains(errs, "there already") {
		t.Errorf("writing twice: status %d, %s\n%s", status, errs, read())
	}
	if status, _, errs := runCommand(t, "pin", "--write", "--config", config, "--host", "other.example",
		backup); status != exitFine || !strings.Contains(errs, "other.example has one pin and no backup") {
		t.Errorf("without a backup: status %d, %s", status, errs)
	}
	zero := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	if status, _, _ := runCommand(t, "pin", "--write", "--config", config, "--host", "third.example", "--which", "all",
		"--backup", "sha256/"+zero, authority); status != exitFine || !strings.Contains(read(), zero) {
		t.Errorf("a backup in base64: status %d\n%s", status, read())
	}
}
