package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// issueExample has every key that scripts rely on.
const issueExample = `server:   { listen: "127.0.0.1:8443", url: "https://localhost:8443", tls: development, cors: [localhost, "*.example.org"] }   # a comment
database: "sqlite:./cordon.db"
identity:
  signing_key: "env:CORDON_SIGNING_KEY"
  issuer: ""
  audience: ""
  redirects: ["todoapp://easyauth.callback", "https://localhost:8443"]
  providers: { google: {type: development}, aad: {type: oidc, issuer: "https://issuer.example", client_id: "c", client_secret: "env:S"} }
tables:
  todoitem:
    columns: { text: string, complete: boolean, qty: number, due: date }
    indexes: [complete]
    id: string
    access: authenticated
    read: {access: anonymous}
    per_user: true
    soft_delete: true
    dynamic_schema: false
    page_size: 50
    max_top: 1000
    records_expire: 720h
    webhook: { url: "https://example.org/hook" }
    seed: ./todo.json
services:
  echo: { upstream: "http://127.0.0.1:9000", access: anonymous, post: {access: disabled} }
egress:   { allow: ["127.0.0.0/8"] }
`

func TestParseTheDocumentedExample(t *testing.T) {
	s, err := Parse("cordon.yaml", []byte(issueExample))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	table := s.Tables["todoitem"]
	if s.Server.TLS.Mode != "development" || s.Identity.Providers["aad"].Issuer != "https://issuer.example" ||
		table.Columns["due"].Type != "date" ||
		table.RecordsExpire.Hours() != 720 || table.Read.Access != "anonymous" ||
		s.Services["echo"].Post.Access != "disabled" || s.Egress.Allow[0] != "127.0.0.0/8" {
		t.Errorf("read as %+v", s)
	}
}

func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "\n# nothing\n", "---\n"} {
		s, err := Parse("cordon.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if err := s.Check(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestErrorsShowTheLine checks the place and the caret of errors that the
// decoder finds.
func TestErrorsShowTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"server:\n  lisen: x\n": "cordon.yaml:2:3: unknown field \"lisen\"\n" +
			"  2 |   lisen: ***\n    |   ^",
		"server:\n  listen: [1]\n":                          "cordon.yaml:2:11: ",
		"a: 1\n":                                            "cordon.yaml:1:1: unknown field \"a\"",
		"database: a\ndatabase: b\n":                        "cordon.yaml:2:1: ",
		"server: {\n":                                       "cordon.yaml:1:",
		"database: a\n---\ndatabase: b\n":                   "cordon.yaml: must be one document",
		"tables: {a: {columns: {b: {typ: string}}}}\n":      "unknown field \"typ\"",
		"identity:\n  providers:\n    g: {clientid: x}\n":   "cordon.yaml:3:9: unknown field \"clientid\"",
		"tables:\n  a:\n    webhook: {url: x, secrt: y}\n":  "cordon.yaml:3:23: unknown field \"secrt\"",
		"server:\n  tls: {cert: a, kee: b}\n":               "unknown field \"kee\"",
		"server:\n  tls: sometimes\n":                       "cordon.yaml:2:8: ",
		"identity: {lifetime: soon}\n":                      "cordon.yaml:1:22: ",
		"gateway: {apps: [{private: [{range: nonsense}]}]}": "cordon.yaml:1:",
	} {
		_, err := Parse("cordon.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n%v\nwant\n%s", text, err, want)
		}
	}
}

// TestCheckShowsTheLine checks what only the meaning tells.
func TestCheckShowsTheLine(t *testing.T) {
	for _, each := range [][2]string{
		{"identity: {signing_key: s3cret}\n",
			"cordon.yaml:1:12: identity.signing_key secret ***: must be a reference"},
		{"server: {listen: \"0.0.0.0:1\", url: \"https://a.example\"}\n",
			"cordon.yaml: identity.signing_key is missing"},
		{"server: {tls: off, listen: \"0.0.0.0:1\"}\nidentity: {signing_key: \"env:K\"}",
			"cordon.yaml:1:10: server.tls off must stay on loopback"},
		{"server:\n  url: http://app.example\nidentity: {signing_key: \"env:K\"}",
			"cordon.yaml:2:3: server.url must be https"},
		{"server:\n  url: https://app.example/x\n", "cordon.yaml:2:3: server.url must be an http or https URL " +
			"without a path\n  2 |   url: https://app.example/x\n    |   ^"},
		{"server: {cors: [\"a b\"]}\n", "server.cors \"a b\""},
		{"server: {default_api_version: 1.0.0}\n",
			"cordon.yaml:1:10: server.default_api_version \"1.0.0\" must be 2.0.0 or 3.0.0"},
		{"server: {admin: \"0.0.0.0:1\"}\n", "server.admin \"0.0.0.0:1\" must be a loopback address"},
		{"identity:\n  redirects:\n    - https://a.example\n    - http://b.example\n",
			"cordon.yaml:4:7: identity.redirects.1 http is for loopback only"},
		{"identity: {providers: {google: {type: googl}}}\n", "identity.providers.google.type must be one of"},
		{"server: {listen: \"0.0.0.0:1\"}\nidentity: {signing_key: \"env:K\", providers: {g: {type: development}}}",
			"cordon.yaml:2:46: identity.providers.g the development provider"},
		{"tables:\n  a:\n    columns: {b: strin}\n", "tables.a."},
		{"tables:\n  a:\n    read: {rule: \"usr.id == 1\"}\n",
			"cordon.yaml:3:12: tables.a.read.rule identity: condition"},
		{"services:\n  a: {upstream: ftp://x}\n", "cordon.yaml:2:7: services.a.upstream must be an http"},
		{"egress: {allow: [\"10.0.0.0/33\"]}\n", "cordon.yaml:1:18: egress.allow.0"},
		{"database: mysql://x\n", "cordon.yaml:1:1: database must be"},
		{"gateway: {apps: [{name: a}]}\n", "gateway.apps.0 config: no config.xml is named"},
	} {
		text, want := each[0], each[1]
		s, err := Parse("cordon.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q:\n%v\nwant\n%s", text, err, want)
		}
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	for _, text := range []string{"identity: {signing_key: s3cretkey}",
		"identity: {providers: {google: {client_id: a, client_secret: s3cretkey}}}", "database: \"env:S3CRET_UNSET\"",
		"tables: {a: {webhook: {url: \"https://x\", secret: s3cretkey}}}"} {
		s, err := Parse("cordon.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		err = s.CheckSecrets()
		var all Errors
		if err == nil || !errors.As(err, &all) {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for _, e := range all {
			if strings.Contains(e.Error(), "s3cretkey") {
				t.Errorf("%s: %v", text, e)
			}
		}
	}
}

// TestGatewaySecretsDoNotShow writes a password where its reference belongs: the
// mistake is told, the line that holds it is not.
func TestGatewaySecretsDoNotShow(t *testing.T) {
	const text = `gateway: {apps: [{name: shop, config: config.xml, credential: {user: shop, password: %s}}]}`
	for password, fine := range map[string]bool{"s3cretkey": false, `"file:pw.txt"`: true, `"text-env:PW"`: true} {
		s, err := Parse("cordon.yaml", fmt.Appendf(nil, text, password))
		if err != nil {
			t.Fatal(err)
		}
		err = s.Check()
		if (err == nil) != fine {
			t.Fatalf("%s: %v", password, err)
		}
		if !fine && (strings.Contains(err.Error(), "s3cretkey") || !strings.Contains(err.Error(), "cordon.yaml:1:")) {
			t.Errorf("%s: %v", password, err)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Load(dir); err == nil {
		t.Error("a folder was read")
	}
	file := filepath.Join(dir, "cordon.yaml")
	if err := os.WriteFile(file, []byte("database: \"sqlite:data/x.db\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.ResolveDatabase(); got != "sqlite:"+filepath.Join(dir, "data/x.db") || err != nil {
		t.Errorf("the database is %s, %v", got, err)
	}
}

// FuzzParse looks for panics, and for files that are taken although they say
// what nobody knows.
func FuzzParse(f *testing.F) {
	f.Add([]byte(issueExample))
	f.Add([]byte("server:\n  tls: {cert: a}\n"))
	f.Add([]byte("identity: &a {providers: {x: *a}}"))
	f.Add([]byte("? [a]\n: b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("cordon.yaml", data)
		if err == nil {
			_ = s.Check()
		}
	})
}

// A line that is shown with an error does not show what stands in the place of a
// secret, whatever is wrong with it.
func TestExcerptsHideSecrets(t *testing.T) {
	for text, shown := range map[string]string{
		"identity: { signing_key: hunter2, lsten: 1 }\n":     "identity: { signing_key: ***, lsten: *** }\n",
		"identity: { signing_key: \"env:KEY\", lsten: 1 }\n": "identity: { signing_key: \"env:KEY\", lsten: *** }\n",
		"identity:\n  providers: { google: { client_secret: 'hunter2', x: 1 } }\n": "  providers: { google: { " +
			"client_secret: ***, x: *** } }\n",
		"identity:\n  previous_keys:\n  - {hunter2: 1}\n":            "  ***\n",
		"identity:\n  previous_keys:\n  - env:A\n  - {hunter2: 1}\n": "  ***\n",
		"identity:\n  signing_key:\n    hunter2: 1\n":                "    ***\n",
		"identity: { previous_keys: [hunter2, {a: 1}] }\n":           "identity: { previous_keys: ***{a: ***}] }\n",
		"identity: { previous_keys: [env:A, file:b], lsten: 1 }\n": "identity: { " +
			"previous_keys: [env:A, file:b], lsten: *** }\n",
		"tables: { t: { webhook: { secret: hunter2, x: 1 } } }\n": "tables: { t: { " +
			"webhook: { secret: ***, x: *** } } }\n",
		"gateway:\n  apps: [{ name: a, config: c, credential: { password: hunter2, x: 1 } }]\n": "  apps: [{ name: " +
			"a, config: c, credential: { password: ***, x: *** } }]\n",
		"identity:\n  providers:\n    google: { clientSecret: GOCSPX-hunter2 }\n": "    " +
			"google: { clientSecret: *** }\n",
		"gateway:\n  apps:\n    - { name: a, credential: {user: u, pass: hunter2} }\n": "    - { name: a, " +
			"credential: {user: u, pass: ***} }\n",
		"services: { s: { headers: {Authorization: \"Bearer hunter2\"}, foo: 1 } }\n": "services: { s: { " +
			"headers: {Authorization: ***}, foo: *** } }\n",
		"server: { listen: \"127.0.0.1:1\", x: 1 }\ndatabase: \"postgres://u:hunter2@h/d\"\n": "server: { " +
			"listen: \"127.0.0.1:1\", x: *** }\n",
		"databse: \"postgres://u:hunter2@h/d\"\n": "databse: ***\n",
		"database: { url: 'postgres://u:hunter2@h' }\n": "database: " +
			"{ url: 'postgres://***@h' }\n",
		"services:\n  s:\n    upstream: {a: \"https://u:hunter2@h/?k=hunter2\"}\n": "    upstream: {a: ***}\n",
	} {
		_, err := Parse("cordon.yaml", []byte(text))
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || shown != "" && !strings.Contains(err.Error(), " | "+shown) {
			t.Errorf("%q: %v\nwant the line %q", text, err, shown)
		}
	}
}

// Whatever line is wrong, and however it is written, an excerpt shows no value of
// a key that is not known to be harmless.
func TestNoExcerptShowsASecret(t *testing.T) {
	const secret = "hunter2"
	for _, text := range []string{
		"clientSecret: hunter2", "client-secret: hunter2", "api.key: hunter2", "\"odd\": hunter2", "'odd' : hunter2",
		"odd: \"hunter2\"", "odd: 'hunter2'", "odd: [a, hunter2]", "odd: [hunter2", "odd: \"hunter2",
		"odd:   hunter2 # x",
		"- odd: hunter2", "- hunter2", "hunter2", "  hunter2", "database: hunter2", "database: sqlite:hunter2",
		"upstream: https://u:hunter2@host", "upstream: https://host/?key=hunter2",
		"url: \"https://hunter2@host/x?hunter2\"",
		"a: 1, b: hunter2", "{a: {b: {c: hunter2}}}", "x: {y: hunter2}, listen: z", "?  hunter2", "odd: | hunter2",
		"odd: !!str hunter2", "odd: &a hunter2", "odd: {a: hunter2, b: [hunter2, hunter2]}",
	} {
		if got := withoutSecrets([]string{text}, 0); strings.Contains(got, secret) {
			t.Errorf("%q: shown as %q", text, got)
		}
		for _, above := range []string{"odd:", "  - odd:", "secret: |", "password: >-"} {
			if got := withoutSecrets([]string{above, "      " + text}, 1); strings.Contains(got, secret) {
				t.Errorf("%q below %q: shown as %q", text, above, got)
			}
		}
	}
}

// Each key that takes a secret is one that excerpts hide.
func TestSecretKeysAreHidden(t *testing.T) {
	page, err := os.ReadFile("../docs/reference/cordon-yaml.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| (?:list of )?secrets? \\|").FindAllSubmatch(page,
		-1) {
		found++
		if name := string(row[1]); !strings.Contains(withoutSecrets([]string{name + ": hunter2"}, 0), "***") {
			t.Errorf("%s takes a secret, and an excerpt would show it", name)
		}
	}
	if found < 3 {
		t.Errorf("the page names %d keys that take secrets", found)
	}
}

// What a reference stands for is a secret even where it is wrong.
func TestDatabaseErrorsShowNoAddress(t *testing.T) {
	t.Setenv("TEST_DATABASE", "postgress://cordon:hunter2@db.example/x")
	s, err := Parse("cordon.yaml", []byte("database: env:TEST_DATABASE\n"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "database: what env:TEST_DATABASE stands for must begin with sqlite:, postgres:// or postgresql://"
	if dsn, err := s.ResolveDatabase(); err == nil || err.Error() != want || dsn != "" {
		t.Errorf("%q, %v", dsn, err)
	}
	if err := s.CheckSecrets(); err == nil || !strings.Contains(err.Error(), want) ||
		strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
	for text, want := range map[string]string{
		"":                                  s.Path("cordon.db"),
		"database: sqlite:./a.db\n":         s.Path("a.db"),
		"database: sqlite:///a.db\n":        "/a.db",
		"database: \"sqlite:a.db?x=y\"\n":   s.Path("a.db") + "?x=y",
		"database: postgres://u:p@h/d\n":    "",
		"database: postgresql://u:p@h/d \n": "",
	} {
		s, err := Parse("cordon.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if want != "" {
			want = "sqlite:" + want
		} else {
			want = s.Database
		}
		if dsn, err := s.ResolveDatabase(); err != nil || dsn != want {
			t.Errorf("%q: %q, %v; want %q", text, dsn, err, want)
		}
	}
}

// TestNumbersWithAFraction: a number is whole where a whole one belongs, at every
// depth, and a fraction stays where one may be.
func TestNumbersWithAFraction(t *testing.T) {
	for _, each := range []struct{ text, place string }{
		{"server: {max_connections: 1.5}", ":1:27"},
		{"gateway: {log_burst: 0.5}", ":1:22"},
		{"gateway: {limits: {requests: 1e5}}", ":1:30"},
		{"gateway:\n  apps:\n  - {name: a, limits: {tunnels: 2.9}}", ":3:33"},
		{"gateway: {apps: [{name: a, private: [{host: h, port: 80.7}]}]}", ":1:54"},
		{"gateway: {limits: {rate: 0.5}}", ""},
		{"gateway: {limits: {requests: 5}}", ""},
		{"tables: {t: {columns: {a: {type: number, default: 1.5}}}}", ""},
		{"tables: {t: {columns: {a: {type: number, default: 1.5}}, x: 1}}", ":1:58"},
		{"gateway: {limits: &l {requests: 1.5}}", ":1:33"},
		{"gateway: {limits: {requests: !!float 1.5}}", ":1:37"},
		{"gateway: {limits: {requests: &n 1.5}}", ":1:33"},
		{"gateway: {limits: {rate: &n 1.5, requests: *n}}", ":1:29"},
		{"gateway: {limits: {rate: &n 2, requests: *n}}", ""},
		{"gateway:\n  limits: &l {requests: 5}\n  apps: [{name: a, limits: {<<: *l, rate: 1.5}}]", ""},
		{"gateway:\n  apps: [{name: a, limits: &l {rate: 1.5}}]\n  limits: {<<: *l, tunnels: 2.5}", ":3:29"},
	} {
		_, err := Parse("cordon.yaml", []byte(each.text))
		if each.place == "" && err != nil ||
			each.place != "" && (err == nil || !strings.HasPrefix(err.Error(), "cordon.yaml"+each.place+": ")) {
			t.Errorf("%s: %v, want an error at %q", each.text, err, each.place)
		}
	}
}

// TestZeroIsNotTheDefault: zero is not taken for the default where there is one.
func TestZeroIsNotTheDefault(t *testing.T) {
	for text, says := range map[string]string{
		"identity: {refresh_grace: 0s}":              "cordon.yaml:1:27: must be more than 0; without it, it is 72h",
		"identity: {lifetime: 0}":                    "cordon.yaml:1:22: must be a time with its unit, as in 30s or 5m",
		"identity: {lifetime: 0h0m}":                 "cordon.yaml:1:22: must be more than 0; without it, it is 8h",
		"server: {drain: &none 0ms}":                 "cordon.yaml:1:23: must be more than 0; without it, it is 15s",
		"server: {drain: &a 1s, max_connections: 0}": "cordon.yaml:1:41: must be more than 0; without it, it is 10000",
		"tables: {t: {page_size: 0, max_top: 5}}":    "cordon.yaml:1:25: must be more than 0; without it, it is 50",
		"server: {max_connections: 0x0}":             "cordon.yaml:1:27: must be more than 0; without it, it is 10000",
		"server: {max_connections: 0x10}":            "",
		"tables: {t: {max_top: 0}}":                  "", // no limit
		"gateway: {limits: {requests: 0}}":           "", // no limit
		"identity: {refresh_grace: 1s}":              "",
	} {
		_, err := Parse("cordon.yaml", []byte(text))
		if says == "" && err != nil || says != "" && (err == nil || !strings.HasPrefix(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// TestTypesInPlainWords: what a value must be is said in words of YAML.
func TestTypesInPlainWords(t *testing.T) {
	for text, says := range map[string]string{
		"gateway: {timeouts: {idle: 5}}":                 "must be a time with its unit, as in 30s or 5m",
		"gateway: {limits: {requests: many}}":            "must be a whole number",
		"gateway: {limits: {rate: [1]}}":                 "must be a number",
		"gateway: {apps: {name: a}}":                     "must be a list",
		"gateway: {apps: [{name: a, inspect: perhaps}]}": "must be true or false",
		"gateway: 5": "must be a mapping",
		"gateway: {apps: [{name: a, credential: {user: u, password: [x]}}]}": "must be text",
		"tables: {t: {read: {access: {a: b}}}}":                              "must be text",
		"server: {url: [x]}":                                                 "must be text",
		"gateway: {proxy_protocol: [127.0.0.1]}":                             "must be a range, as in 10.0.0.0/8",
	} {
		if _, err := Parse("cordon.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), ": "+says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// The public URL has its host in the normal form in which requests are compared
// with it.
func TestPublicURL(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "https://localhost:8443",
		"https://EXAMPLE.com.":   "https://example.com",
		"https://bücher.example": "https://xn--bcher-kva.example",
		"https://[::1]:80/":      "https://[::1]:80",
		"https://a.example:443":  "https://a.example:443",
		"https://a..b":           "",
		"https://127.1":          "",
		"https://0x7f.1":         "",
		"https://[::1%25lo]":     "",
		"https://u@a.example":    "",
		"https://a.example:0":    "",
		"https://a.example/x":    "",
		"https://":               "",
	} {
		u, err := Server{URL: text}.PublicURL("8443")
		if err != nil && want == "" && strings.HasPrefix(err.Error(), "must be an http or https URL without a path") {
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%q: %v, %v, want %q", text, u, err, want)
		}
	}
}
