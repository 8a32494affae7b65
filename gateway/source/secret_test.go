package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordon-sec/cordon/gateway/config"
	"github.com/cordon-sec/cordon/internal/secret"
)

// withPassword is a configuration in a folder of its own, beside a file that
// holds a password.
func withPassword(t *testing.T, reference secret.Reference) (c config.Config, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		"config.xml": "<widget xmlns='http://www.w3.org/ns/widgets'/>",
		"pw.txt":     "s3cret\r\n", "empty.txt": "\n", "long.txt": strings.Repeat("s3cret", 20_000),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Config{Apps: []config.App{{
		Name: "shop", Config: "config.xml", Credential: &config.Credential{User: "shop", Password: reference},
	}}}, dir
}

// A password is looked for beside the configuration that names it, wherever the
// process runs, and in each way that the reference of cordon.yaml lists.
func TestPasswordIsBesideTheConfiguration(t *testing.T) {
	t.Setenv("SHOP_PASSWORD", "s3cret")
	absolute := filepath.Join(t.TempDir(), "pw.txt")
	if err := os.WriteFile(absolute, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, reference := range []string{
		"file:pw.txt", "text-file:pw.txt", "file:./pw.txt", "env:SHOP_PASSWORD", "text-env:SHOP_PASSWORD",
		"file:" + absolute,
	} {
		c, dir := withPassword(t, secret.Reference(reference))
		l, err := Load(c.Relative(dir))
		if err != nil {
			t.Errorf("%s: %v", reference, err)
			continue
		}
		if !l.Apps[0].Password.Matches("s3cret") {
			t.Errorf("%s: another password was read", reference)
		}
		if given := c.Apps[0].Credential.Password; string(given) != reference {
			t.Errorf("%s: Relative changed the configuration that it was called on: %s", reference, given)
		}
	}
}

// A source of the caller's own finds secrets in its folder and environment.
func TestSecretsOfTheCaller(t *testing.T) {
	for _, reference := range []secret.Reference{"file:pw.txt", "env:ANYTHING"} {
		c, dir := withPassword(t, reference)
		c.Apps[0].Config = filepath.Join(dir, "config.xml")
		secrets := secret.Source{Dir: dir, Env: func(string) (string, bool) { return "s3cret", true }}
		l, err := New(Options{Read: Fixed(c), Secrets: secrets}).Load()
		if err != nil {
			t.Errorf("%s: %v", reference, err)
		} else if !l.Apps[0].Password.Matches("s3cret") {
			t.Errorf("%s: another password was read", reference)
		}
	}
}

func TestPasswordErrorsShowNoSecret(t *testing.T) {
	t.Setenv("EMPTY_PASSWORD", "")
	if err := os.Unsetenv("NO_PASSWORD"); err != nil {
		t.Fatal(err)
	}
	for reference, says := range map[string]string{
		"": "must be a reference", "s3cret": "must be a reference", "secret:s3cret": "must be a reference",
		"env:": "must be a reference", "env:NO_PASSWORD": "NO_PASSWORD", "text-env:EMPTY_PASSWORD": "EMPTY_PASSWORD",
		"file:none.txt": "none.txt", "file:empty.txt": "empty", "file:long.txt": "larger", "file:.": "folder",
	} {
		c, dir := withPassword(t, secret.Reference(reference))
		_, err := Load(c.Relative(dir))
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Fatalf("%q: %v", reference, err)
		}
		if text := err.Error(); !strings.Contains(text, says) ||
			!strings.Contains(text, "shop") && !strings.Contains(text, "apps[0]") {
			t.Errorf("%q: %s: want %q and the app", reference, text, says)
		}
	}
}
